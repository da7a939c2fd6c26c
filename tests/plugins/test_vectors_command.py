"""The command `tcrypt vectors`: what it says, and with which status it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcrypt.plugins.cli import main

USER = """\
format: 1
algorithm: cbc(aes)
kind: skcipher
source: {title: Mine, section: "1", url: "https://example.com", licence: mine}
vectors:
  - {id: one, key: "00000000000000000000000000000000", iv: "00000000000000000000000000000000",
     ptext: "", ctext: ""}
"""
WYCHEPROOF = {
    "algorithm": "HMACSHA256",
    "numberOfTests": 1,
    "testGroups": [
        {
            "keySize": 8,
            "tagSize": 64,
            "tests": [
                {
                    "tcId": 1,
                    "flags": [],
                    "key": "00",
                    "msg": "",
                    "tag": "11" * 8,
                    "result": "valid",
                }
            ],
        }
    ],
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(USER)
    return path


def test_the_list_has_a_row_per_algorithm_and_a_column_per_source(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["vectors", "list", "--vectors", str(own)]) == 0
    lines = capsys.readouterr().out.splitlines()
    columns = lines[0].replace("Monte Carlo", "Monte-Carlo").split()
    assert columns[0] == "algorithm"
    assert {"curated", "derived", "kernel-6.1", "user", "linux-6.12"} <= set(columns)
    [row] = [line.split() for line in lines if line.startswith("cbc(aes) ")]
    assert dict(zip(columns, row, strict=True))["user"] == "1"
    assert any(line.startswith("not applicable ") for line in lines)
    assert any(line.startswith("total ") for line in lines)


def test_the_list_tells_what_is_registered_and_has_no_vector(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["vectors", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["ecb(des)"]["kernel-6.1"] == 9
    assert all(not found["counts"][name] for name in found["without"])
    assert "authenc(hmac(sha256),ctr(aes))" in found["without"]


def test_a_file_that_is_not_what_is_listed_is_wrong_and_named(
    own: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["vectors", "check", "--vectors", str(own)]) == 0
    said = capsys.readouterr().out
    assert "kernel-6.1" in said
    assert "linux-6.12        1 files    2,380 answers" in said
    assert "WRONG" not in said

    monkeypatch.setattr("tcrypt.vectors.files.hashlib.sha256", _Other)
    assert main(["vectors", "check"]) == 1
    assert "WRONG kernel-6.1:cbc-aes.jsonl: sha256: expected " in capsys.readouterr().out


class _Other:
    """A digest that nothing has."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def hexdigest(self) -> str:
        return "0" * 64


def test_a_vector_is_shown_in_hexadecimal_with_its_origin(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["vectors", "show", "curated:skcipher/cbc-aes.yaml#sp800-38a-f.2.1"]) == 0
    said = capsys.readouterr().out
    assert "algorithm: cbc(aes)\n" in said
    assert "key: 16 bytes\n  2b7e151628aed2a6abf7158809cf4f3c\n" in said
    assert "source: NIST SP 800-38A" in said


def test_what_a_kernel_answered_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vectors", "show", "linux-6.12/aead-0001"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("source: Linux 6.12.")
    assert "id: linux-6.12/aead-0001\n" in said
    assert main(["vectors", "show", "linux-6.12/aead-x"]) == 2
    assert "no answer 'linux-6.12/aead-x' among 2,380" in capsys.readouterr().err


def test_a_derived_vector_is_called_derived(capsys: pytest.CaptureFixture[str]) -> None:
    name = "curated:aead/ccm-aes-derived.yaml#"
    assert main(["vectors", "show", name]) == 2
    near = capsys.readouterr().err.partition("did you mean ")[2].split()[0].rstrip("?")
    assert main(["vectors", "show", near]) == 0
    assert "source: derived: " in capsys.readouterr().out


def test_what_is_imported_is_listed_and_checked_like_own_vectors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "hmac_sha256_test.json"
    source.write_text(json.dumps(WYCHEPROOF))
    folder = tmp_path / "out"
    assert main(["vectors", "import", "wycheproof", str(source), "--to", str(folder)]) == 0
    assert "1 files, 1 vectors" in capsys.readouterr().out
    assert main(["vectors", "check", "--vectors", str(folder)]) == 0
    assert "user              1 files        1 vectors" in capsys.readouterr().out


def test_an_import_tells_which_files_it_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "zips"
    source.mkdir()
    (source / "CMACGenAES128.rsp").write_text(
        f"Count = 0\nKlen = 16\nMlen = 1\nTlen = 4\nKey = {'00' * 16}\nMsg = 61\nMac = 01020304\n"
    )
    (source / "TOFBMonte1.rsp").write_text("COUNT = 0\nKEY1 = 00\n")
    folder = tmp_path / "out"
    assert main(["vectors", "import", "nist", str(source), "--to", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "1 files, 1 vectors" in said
    assert "left out: TOFBMonte1.rsp: 1 records of no algorithm of this suite\n" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "nowhere"], "show: 'nowhere' is no vector id"),
        (["show", "user:x#m0"], "no file 'user:x'; give its folder with --vectors"),
        (["import", "nobody", "."], "want testmgr, wycheproof, acvp, nist"),
        (["import", "testmgr", "absent.tar"], "absent.tar: cannot be read: No such file"),
        (["import", "acvp", "."], "holds no vectors of acvp for this suite"),
        (["list", "--vectors", "absent.yaml"], "absent.yaml: cannot be read: No such file"),
    ],
)
def test_what_cannot_be_done_is_said_with_status_2(
    words: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["vectors", *words]) == 2
    assert message in capsys.readouterr().err

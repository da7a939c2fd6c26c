"""NIST's response files in folders and archives: whole, left out by name, or refused."""

from __future__ import annotations

import importlib.resources
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from tcrypt.vectors import imports
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import VectorSet

KEY = "00" * 16
CBC = f"[ENCRYPT]\n\nCOUNT = 0\nKEY = {KEY}\nIV = {KEY}\nPLAINTEXT = {KEY}\nCIPHERTEXT = {KEY}\n"
MAC = f"Count = 0\nKlen = 16\nTlen = 4\nKey = {KEY}\nMsg = 61\nMac = 01020304\n"
HMAC = f"# CAVS\r\n[L=20]\r\n\r\n{MAC}\n[L=64]\n\n{MAC}"
TDES = "[ENCRYPT]\n\nCOUNT = 0\n" + "".join(f"KEY{i} = {'01' * 8}\n" for i in (1, 2, 3))
TDES += f"PLAINTEXT = {'22' * 8}\nCIPHERTEXT = {'33' * 8}\n"
CMAC = MAC.replace("Tlen", "Mlen = 1\nTlen")


def archive(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files.items():
            made.writestr(f"{name}.rsp", text)
        made.writestr("Readme.txt", "no vectors")
    return path


def read(path: Path) -> tuple[list[VectorSet], list[str]]:
    left: list[str] = []
    return imports.read("nist", path, left_out=left), left


def test_an_archive_is_read_by_the_names_of_its_files(tmp_path: Path) -> None:
    path = archive(
        tmp_path / "kat.zip", HMAC=HMAC, CBCMMT128=CBC, TECBMonte1=TDES, CMACGenAES128=CMAC
    )
    sets, left = read(path)
    assert {(s.name, s.algorithm, s.kind): (len(s.vectors), len(s.chains)) for s in sets} == {
        ("HMAC.rsp/hmac(sha1)", "hmac(sha1)", "ahash"): (1, 0),
        ("HMAC.rsp/hmac(sha512)", "hmac(sha512)", "ahash"): (1, 0),
        ("CBCMMT128.rsp", "cbc(aes)", "skcipher"): (1, 0),
        ("TECBMonte1.rsp", "ecb(des3_ede)", "skcipher"): (0, 1),
        ("CMACGenAES128.rsp", "cmac(aes)", "ahash"): (1, 0),
    }
    assert not left


def test_a_folder_of_archives_and_files_is_read_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    archive(tmp_path / "deep" / "a.zip", CBCMMT128=CBC)
    (tmp_path / "CBCMMT128.rsp").write_text(CBC)
    sets, _ = read(tmp_path)
    assert [s.name for s in sets] == ["CBCMMT128.rsp", "deep/a.zip/CBCMMT128.rsp"]
    folder = tmp_path / "out"
    assert len(imports.write(sets, folder)) == 3


def test_the_case_of_a_suffix_loses_no_file(tmp_path: Path) -> None:
    (tmp_path / "CBCMMT128.RSP").write_text(CBC)
    with zipfile.ZipFile(tmp_path / "x.ZIP", "w") as made:
        made.writestr("CBCMMT128.Rsp", CBC)
    sets, _ = read(tmp_path)
    assert [s.name for s in sets] == ["CBCMMT128.RSP", "x.ZIP/CBCMMT128.Rsp"]


def test_what_is_of_no_algorithm_here_is_told_with_its_number_of_records(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", CBCMMT128=CBC, TOFBMonte1=TDES + "\nCOUNT = 1\n")
    sets, left = read(path)
    assert [s.name for s in sets] == ["CBCMMT128.rsp"]
    assert left == ["TOFBMonte1.rsp: 2 records of no algorithm of this suite"]


def test_nists_names_find_all_files_of_the_package() -> None:
    """The published numbers, read through names and not through the catalogue."""
    pytest.importorskip(
        "cryptography_vectors", reason="needs pip install 'pytest-tcrypt[vectors]'"
    )
    root = importlib.resources.files("cryptography_vectors")
    assert isinstance(root, Path)
    counts: Counter[str] = Counter()
    for folder in ("ciphers/3DES/CBC", "ciphers/AES/ECB", "hashes/SHA2"):
        sets, left = read(root / folder)
        for made in sets:
            counts[made.algorithm] += len(made.vectors)
            counts[f"{made.algorithm} rounds"] += len(made.chains)
        assert all(line.startswith(("TCBCI", "SHA512_2")) for line in left)
    assert counts["cbc(des3_ede)"] == 530
    assert counts["ecb(aes)"] == 2138
    assert counts["sha256"] == 64 + 65
    assert counts["sha256 rounds"] == 100


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.zip", b"PK no archive", "x.zip: cannot be read: File is not a zip file"),
        ("x.txt", b"COUNT = 0", "x.txt: neither a .rsp file nor a .zip archive"),
        ("TOFBMonte1.rsp", b"COUNT = 0", "holds no vectors of nist for this suite"),
        ("CBCMMT128.rsp", b"COUNT = 0", "nist:CBCMMT128.rsp:1: neither [ENCRYPT] nor [DECRYPT]"),
        ("CBCMMT128.rsp", b"\xff", "not UTF-8"),
        ("HMAC.rsp", b"[L=20]\n\nCount = 0\nTlen = 1\n", "nist:HMAC.rsp/hmac(sha1):3: KEY: "),
        ("HMAC.rsp", b"", "nist:HMAC.rsp: no section [L = ...]"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(VectorError) as caught:
        read(path)
    assert message in str(caught.value)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(VectorError, match=r"absent.zip: cannot be read: No such file"):
        read(tmp_path / "absent.zip")


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", CBCMMT128=CBC)
    data = bytearray(path.read_bytes())
    data[50] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(VectorError, match=r"x\.zip/CBCMMT128\.rsp: cannot be read: "):
        read(path)

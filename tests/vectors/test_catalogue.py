"""The catalogue: what is listed, what is counted, and what is said when something is missing."""

from __future__ import annotations

import importlib.resources
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tcrypt.vectors.catalogue import Catalogue, VectorFile
from tcrypt.vectors.errors import UnknownVectorError, VectorError
from tcrypt.vectors.model import Expect

PACKAGE = "cryptography_vectors"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture(scope="module")
def package() -> Path:
    pytest.importorskip(PACKAGE, reason="needs pip install 'pytest-tcrypt[vectors]'")
    root = importlib.resources.files(PACKAGE)
    assert isinstance(root, Path)
    return root


@pytest.fixture
def fake_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package of vectors that holds what a test puts there, and nothing else."""
    root = tmp_path / "site" / PACKAGE
    root.mkdir(parents=True)
    (root / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(root.parent)
    monkeypatch.setitem(sys.modules, PACKAGE, None)  # Undone later, also when it was absent.
    del sys.modules[PACKAGE]
    return root


def everything(catalogue: Catalogue) -> list[VectorFile]:
    return [file for name in catalogue.algorithms() for file in catalogue.files(name)]


def cavp_files(catalogue: Catalogue, algorithm: str) -> list[VectorFile]:
    return [file for file in catalogue.files(algorithm) if file.source == "cavp"]


@pytest.mark.parametrize(
    "algorithm",
    [
        "ecb(aes)",
        "cbc(aes)",
        "ctr(aes)",
        "sha1",
        "sha256",
        "hmac(sha1)",
        "hmac(sha256)",
        "authenc(hmac(sha1),cbc(aes))",
    ],
)
def test_every_algorithm_of_the_accelerator_has_vectors_without_any_package(
    catalogue: Catalogue, algorithm: str
) -> None:
    files = [file for file in catalogue.files(algorithm) if file.source == "curated"]
    assert files
    assert all(file.available and file.load().vectors for file in files)


def test_an_algorithm_without_vectors_has_no_files(catalogue: Catalogue) -> None:
    assert catalogue.files("cbc(rot13)") == []


def test_every_curated_file_is_listed(catalogue: Catalogue) -> None:
    root = importlib.resources.files("tcrypt.vectors")
    assert isinstance(root, Path)
    present = {
        path.relative_to(root).as_posix()
        for path in root.glob("*/*.yaml")
        if path.name != "index.yaml"
    }
    listed = {file.name for file in everything(catalogue) if file.source == "curated"}
    assert present == listed


def test_sets_say_what_they_are_and_where_they_come_from(catalogue: Catalogue) -> None:
    for file in everything(catalogue):
        if not file.available:
            continue
        loaded = file.load()
        assert (loaded.source, loaded.name) == (file.source, file.name)
        assert (loaded.algorithm, loaded.kind) == (file.algorithm, file.kind)
        assert loaded.title, file.label
        assert loaded.url.startswith("https://"), file.label
        assert loaded.licence, file.label
        assert loaded.derived == loaded.title.startswith("Derived"), file.label


def test_ids_are_unique_and_need_no_quoting(catalogue: Catalogue) -> None:
    shape = re.compile(r"[a-z0-9.-]+:[A-Za-z0-9/._-]+#[a-z0-9][a-z0-9._-]*")
    seen: set[str] = set()
    for file in everything(catalogue):
        if not file.available:
            continue
        ids = [vector.id for vector in file.load().vectors]
        assert all(shape.fullmatch(vector_id) for vector_id in ids), file.label
        assert all(vector_id.startswith(f"{file.label}#") for vector_id in ids)
        assert len(seen) + len(ids) == len(seen | set(ids)), file.label
        seen.update(ids)


@pytest.mark.parametrize(
    ("vector_id", "key"),
    [
        ("cavp:AES/CBC/CBCMMT128.rsp#e0", "1f8e4973953f3fb0bd6b16662e9a3c17"),
        ("cavp:AES/CBC/CBCMMT128.rsp#d0", "6a7082cf8cda13eff48c8158dda206ae"),
        ("cavp:HMAC/rfc-2202-sha1.txt#m1", "4a656665"),
    ],
)
def test_a_package_vector_is_found_by_its_id(
    catalogue: Catalogue, package: Path, vector_id: str, key: str
) -> None:
    file, vector = catalogue.find(vector_id)
    assert file.label == vector_id.partition("#")[0], package
    assert (vector.id, (vector.key or b"").hex()) == (vector_id, key)


def test_a_curated_vector_is_found_by_its_id(catalogue: Catalogue) -> None:
    file, vector = catalogue.find("curated:skcipher/cbc-aes.yaml#sp800-38a-f.2.1")
    assert file.algorithm == "cbc(aes)"
    assert (vector.key or b"").hex() == "2b7e151628aed2a6abf7158809cf4f3c"


def test_a_refusal_is_found_with_its_errno(catalogue: Catalogue) -> None:
    _, vector = catalogue.find("curated:negative/cbc-aes.yaml#key-of-17-bytes")
    assert vector.expect == Expect("setkey", "EINVAL")


@pytest.mark.parametrize(
    ("vector_id", "message"),
    [
        (
            "cbc-aes",
            "'cbc-aes' is no vector id: want <source>:<file name>#<id in the file>",
        ),
        (
            "curated:skcipher/cbc_aes.yaml#sp800-38a-f.2.1",
            "no file 'curated:skcipher/cbc_aes.yaml'; "
            "did you mean curated:skcipher/cbc-aes.yaml or ",
        ),
        (
            "curated:skcipher/cbc-aes.yaml#sp800-38a-f.2.2",
            "no vector 'curated:skcipher/cbc-aes.yaml#sp800-38a-f.2.2' in its file; did you mean ",
        ),
        ("x:y#z", "no file 'x:y'; the "),
    ],
)
def test_an_unknown_id_is_answered_with_the_nearest(
    catalogue: Catalogue, vector_id: str, message: str
) -> None:
    with pytest.raises(UnknownVectorError) as caught:
        catalogue.find(vector_id)
    assert str(caught.value).startswith(message)


def test_without_the_package_its_files_are_listed_as_not_available(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    catalogue = Catalogue.load()
    files = cavp_files(catalogue, "cbc(aes)")
    reason = "cryptography-vectors is not installed: pip install 'pytest-tcrypt[vectors]'"
    assert sum(file.expected_count for file in files) == 2138
    assert {(file.available, file.why_not) for file in files} == {(False, reason)}
    with pytest.raises(VectorError) as caught:
        files[0].load()
    assert str(caught.value) == f"{files[0].label}: {reason}"
    with pytest.raises(VectorError, match="is not installed"):
        catalogue.find("cavp:AES/CBC/CBCMMT128.rsp#e0")


def write_gfsbox(root: Path, records: int) -> None:
    text = "[ENCRYPT]\n"
    for count in range(records):
        zeros = "00" * 16
        text += f"\nCOUNT = {count}\nKEY = {zeros}\nIV = {zeros}\n"
        text += f"PLAINTEXT = {zeros}\nCIPHERTEXT = {zeros}\n"
    path = root / "ciphers/AES/CBC/CBCGFSbox128.rsp"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def gfsbox() -> VectorFile:
    [file] = [
        file
        for file in cavp_files(Catalogue.load(), "cbc(aes)")
        if file.name == "AES/CBC/CBCGFSbox128.rsp"
    ]
    return file


def unpinned() -> VectorFile:
    """The same file as if its digest were not listed: then its count alone is held."""
    assert gfsbox().sha256
    return replace(gfsbox(), sha256="")


def test_a_file_of_the_listed_count_loads(fake_package: Path) -> None:
    write_gfsbox(fake_package, 14)
    assert len(unpinned().load().vectors) == 14


def test_a_file_of_another_digest_is_an_error_that_names_it(fake_package: Path) -> None:
    write_gfsbox(fake_package, 14)
    with pytest.raises(VectorError) as caught:
        gfsbox().load()
    wanted = f"cavp:AES/CBC/CBCGFSbox128.rsp: sha256: expected {gfsbox().sha256}, found "
    assert str(caught.value).startswith(wanted)


def test_a_file_with_other_inapplicable_vectors_is_an_error(package: Path) -> None:
    assert package.is_dir()
    [file] = [
        f for f in Catalogue.load().files("xts(aes)") if f.name.endswith("str/XTSGenAES128.rsp")
    ]
    assert len(file.load().inapplicable) == file.not_applicable > 0
    with pytest.raises(VectorError, match=r"expected 3 vectors that are not applicable, loaded 2"):
        replace(file, not_applicable=3).load()


@pytest.mark.parametrize("records", [0, 13, 15])
def test_a_file_of_another_count_is_an_error(fake_package: Path, records: int) -> None:
    write_gfsbox(fake_package, records)
    with pytest.raises(VectorError) as caught:
        unpinned().load()
    wanted = f"cavp:AES/CBC/CBCGFSbox128.rsp: expected 14 vectors, loaded {records}"
    assert str(caught.value) == wanted


def test_a_file_that_the_installed_package_lacks_is_not_available(fake_package: Path) -> None:
    assert fake_package.is_dir()
    file = gfsbox()
    assert not file.available
    wanted = "the installed cryptography_vectors has no file ciphers/AES/CBC/CBCGFSbox128.rsp"
    assert file.why_not == wanted


def test_a_file_that_is_no_text_is_an_error(fake_package: Path) -> None:
    path = fake_package / "ciphers/AES/CBC/CBCGFSbox128.rsp"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"COUNT = \xff")
    with pytest.raises(
        VectorError, match=r"CBCGFSbox128\.rsp: not UTF-8: invalid start byte at 8"
    ):
        unpinned().load()


def test_the_catalogue_imports_no_cryptography() -> None:
    """Listing vectors must stay cheap, and the room must know nothing of the engine."""
    script = (
        "import sys\n"
        "from tcrypt.vectors.catalogue import Catalogue\n"
        "Catalogue.load()\n"
        "heavy = ('cryptography', 'Crypto', 'pytest', 'hypothesis', 'tcrypt.engine')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_listed_file_has_the_digest_of_its_bytes() -> None:
    assert [f.label for f in Catalogue.load().everything() if not f.sha256] == []

"""How many vectors the published files hold, and that no file of theirs is forgotten."""

from __future__ import annotations

import importlib.resources
import re
from pathlib import Path

import pytest

from tcrypt.vectors.catalogue import Catalogue, VectorFile

PACKAGE = "cryptography_vectors"

# How many COUNT or Len lines the published files have, as counted without the loader.
AES_COUNTS = {
    "GFSbox128": 14,
    "GFSbox192": 12,
    "GFSbox256": 10,
    "KeySbox128": 42,
    "KeySbox192": 48,
    "KeySbox256": 32,
    "MMT128": 20,
    "MMT192": 20,
    "MMT256": 20,
    "VarKey128": 256,
    "VarKey192": 384,
    "VarKey256": 512,
    "VarTxt128": 256,
    "VarTxt192": 256,
    "VarTxt256": 256,
}
TDES_COUNTS = {
    "MMT1": 20,
    "MMT2": 20,
    "MMT3": 20,
    "invperm": 128,
    "permop": 64,
    "subtab": 38,
    "varkey": 112,
    "vartext": 128,
}
COUNTS = {
    "ecb(aes)": {f"AES/ECB/ECB{name}.rsp": n for name, n in AES_COUNTS.items()},
    "cbc(aes)": {f"AES/CBC/CBC{name}.rsp": n for name, n in AES_COUNTS.items()},
    "ctr(aes)": {f"AES/CTR/aes-{bits}-ctr.txt": 3 for bits in (128, 192, 256)},
    "ecb(des3_ede)": {f"3DES/ECB/TECB{name}.rsp": n for name, n in TDES_COUNTS.items()},
    "cbc(des3_ede)": {f"3DES/CBC/TCBC{name}.rsp": n for name, n in TDES_COUNTS.items()},
    "md5": {"MD5/rfc-1321.txt": 7},
    "sha1": {"SHA1/SHA1LongMsg.rsp": 64, "SHA1/SHA1ShortMsg.rsp": 65},
    "sha224": {"SHA2/SHA224LongMsg.rsp": 64, "SHA2/SHA224ShortMsg.rsp": 65},
    "sha256": {"SHA2/SHA256LongMsg.rsp": 64, "SHA2/SHA256ShortMsg.rsp": 65},
    "sha384": {"SHA2/SHA384LongMsg.rsp": 128, "SHA2/SHA384ShortMsg.rsp": 129},
    "sha512": {"SHA2/SHA512LongMsg.rsp": 128, "SHA2/SHA512ShortMsg.rsp": 129},
    "hmac(md5)": {"HMAC/rfc-2202-md5.txt": 7},
    "hmac(sha1)": {"HMAC/rfc-2202-sha1.txt": 7},
    "hmac(sha224)": {"HMAC/rfc-4231-sha224.txt": 6},
    "hmac(sha256)": {"HMAC/rfc-4231-sha256.txt": 6},
    "hmac(sha384)": {"HMAC/rfc-4231-sha384.txt": 6},
    "hmac(sha512)": {"HMAC/rfc-4231-sha512.txt": 6},
}
TOTALS = {"ecb(aes)": 2138, "cbc(aes)": 2138, "ecb(des3_ede)": 530, "cbc(des3_ede)": 530}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture(scope="module")
def package() -> Path:
    pytest.importorskip(PACKAGE, reason="needs pip install 'pytest-tcrypt[vectors]'")
    root = importlib.resources.files(PACKAGE)
    assert isinstance(root, Path)
    return root


def everything(catalogue: Catalogue) -> list[VectorFile]:
    return [file for name in catalogue.algorithms() for file in catalogue.files(name)]


def cavp_files(catalogue: Catalogue, algorithm: str) -> list[VectorFile]:
    return [file for file in catalogue.files(algorithm) if file.source == "cavp"]


@pytest.mark.parametrize("algorithm", COUNTS)
def test_every_file_holds_the_published_number_of_vectors(
    catalogue: Catalogue, package: Path, algorithm: str
) -> None:
    files = cavp_files(catalogue, algorithm)
    assert all(file.available for file in files), package
    assert {file.name: file.expected_count for file in files} == COUNTS[algorithm]
    assert {file.name: len(file.load().vectors) for file in files} == COUNTS[algorithm]


@pytest.mark.parametrize("algorithm", TOTALS)
def test_the_counts_of_one_algorithm_add_up(catalogue: Catalogue, algorithm: str) -> None:
    counts = [file.expected_count for file in cavp_files(catalogue, algorithm)]
    assert sum(counts) == TOTALS[algorithm]


def test_no_file_of_a_read_folder_is_forgotten(catalogue: Catalogue, package: Path) -> None:
    """A file that is neither listed nor left out is one that nobody decided on."""
    listed = {file.name for file in everything(catalogue) if file.source == "cavp"}
    left_out = {item.name for name in catalogue.algorithms() for item in catalogue.left_out(name)}
    folders = {name.rpartition("/")[0] for name in listed}
    present = {
        f"{folder}/{path.name}"
        for folder in folders
        for root in ("ciphers", "hashes", ".")
        for path in (package / root / folder).glob("*.*")
    }
    # An interleaved mode (upper-case I; TCBCinvperm is not of it) and digests that the kernel
    # lacks, and texts about the other files.
    foreign = re.compile(r"TCBCI|SHA512_2|ripemd160|Readme|Monte\.txt")
    assert {name for name in present - listed - left_out if not foreign.search(name)} == set()


def test_monte_carlo_chains_are_left_out_and_say_so(catalogue: Catalogue) -> None:
    [item] = catalogue.left_out("sha256")
    assert (item.source, item.name, item.count) == ("cavp", "SHA2/SHA256Monte.rsp", 1)
    assert "Monte Carlo" in item.why
    assert all(file.name != item.name for file in catalogue.files("sha256"))

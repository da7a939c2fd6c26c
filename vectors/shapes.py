"""Sizes that an algorithm's name implies, so that loaders can refuse data that cannot fit.

An algorithm that is not listed here has no shape: its vectors are then checked only against
themselves, because a user may bring vectors for an algorithm of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tcrypt.vectors.model import AeadVector, HashVector, SkcipherVector

__all__ = (
    "AeadShape",
    "CipherShape",
    "Fault",
    "aead_fault",
    "aead_shape",
    "cipher_shape",
    "digest_size",
    "hash_fault",
    "ivsize_of",
    "skcipher_fault",
)

Fault = tuple[str, str]
"""A field of the model and what is wrong with it."""

# FIPS 197, FIPS 46-3 and SP 800-67: block size and key sizes, in bytes.
_CIPHERS = {"aes": (16, (16, 24, 32)), "des": (8, (8,)), "des3_ede": (8, (24,))}
# RFC 1321 and FIPS 180-4, in bytes.
_DIGESTS = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}

# SP 800-38B, 38C and 38D: these MACs are one block.
_MACS = {"cmac(aes)": 16, "xcbc(aes)": 16, "cmac(des3_ede)": 8, "cbcmac(aes)": 16, "ghash": 16}

_MODE = re.compile(r"(ecb|cbc|ctr)\((\w+)\)")
_HMAC = re.compile(r"hmac\((\w+)\)")
_AUTHENC = re.compile(r"authenc\((hmac\(\w+\)),(.+)\)")


@dataclass(frozen=True, slots=True)
class CipherShape:
    """Sizes in bytes; a message is a whole number of `unit` bytes and has at least `least`."""

    key_sizes: tuple[int, ...]
    ivsize: int
    unit: int
    least: int = 0


@dataclass(frozen=True, slots=True)
class AeadShape:
    """The cipher inside an authenticated one, and the sizes of its tag in bytes."""

    cipher: CipherShape
    maxauthsize: int
    authsizes: tuple[int, ...] = ()


# IEEE 1619: two keys, ciphertext stealing from one block on.  RFC 3686: a nonce behind the key.
_SPECIAL = {
    "xts(aes)": CipherShape((32, 48, 64), ivsize=16, unit=1, least=16),
    "rfc3686(ctr(aes))": CipherShape((20, 28, 36), ivsize=8, unit=1),
}
# SP 800-38D and 38C with the tag sizes that the kernel's templates accept (crypto API, 6.4).
_COMBINED = {
    "gcm(aes)": AeadShape(
        CipherShape((16, 24, 32), ivsize=12, unit=1), 16, (4, 8, 12, 13, 14, 15, 16)
    ),
    "ccm(aes)": AeadShape(
        CipherShape((16, 24, 32), ivsize=16, unit=1), 16, (4, 6, 8, 10, 12, 14, 16)
    ),
}


def cipher_shape(algorithm: str) -> CipherShape | None:
    """Sizes of a block cipher in a mode of SP 800-38A, and of XTS and RFC 3686; else None."""
    if algorithm in _SPECIAL:
        return _SPECIAL[algorithm]
    match = _MODE.fullmatch(algorithm)
    if match is None or match[2] not in _CIPHERS:
        return None
    block, key_sizes = _CIPHERS[match[2]]
    return CipherShape(
        key_sizes,
        ivsize=0 if match[1] == "ecb" else block,
        unit=1 if match[1] == "ctr" else block,
    )


def digest_size(algorithm: str) -> int | None:
    """Size in bytes of the full digest of a hash, HMAC or CMAC; None for any other algorithm."""
    if algorithm in _MACS:
        return _MACS[algorithm]
    match = _HMAC.fullmatch(algorithm)
    return _DIGESTS.get(match[1] if match else algorithm)


def aead_shape(algorithm: str) -> AeadShape | None:
    """Sizes of gcm(aes), ccm(aes) and `authenc(hmac(x),cipher)`; None for any other algorithm."""
    if algorithm in _COMBINED:
        return _COMBINED[algorithm]
    match = _AUTHENC.fullmatch(algorithm)
    if match is None:
        return None
    cipher, tag = cipher_shape(match[2]), digest_size(match[1])
    return AeadShape(cipher, tag) if cipher and tag else None


def skcipher_fault(shape: CipherShape | None, vector: SkcipherVector) -> Fault | None:
    """The first size of `vector` that contradicts the others or its algorithm's shape."""
    length = len(vector.ptext)
    if len(vector.ctext) != length:
        return "ctext", f"{len(vector.ctext)} bytes, but the plaintext has {length}"
    if vector.iv_out is not None and len(vector.iv_out) != len(vector.iv):
        return "iv_out", f"{len(vector.iv_out)} bytes, but the iv has {len(vector.iv)}"
    if shape is None or vector.expect is not None:
        return None
    if len(vector.key) not in shape.key_sizes:
        return "key", f"{len(vector.key)} bytes, want one of {shape.key_sizes}"
    if len(vector.iv) != shape.ivsize:
        return "iv", f"{len(vector.iv)} bytes, want {shape.ivsize}"
    if length % shape.unit:
        return "ptext", f"{length} bytes, want a multiple of {shape.unit}"
    if length < shape.least:
        return "ptext", f"{length} bytes, want at least {shape.least}"
    return None


def aead_fault(shape: AeadShape | None, vector: AeadVector) -> Fault | None:
    """The first size of `vector` that contradicts the others or its algorithm's shape."""
    length = len(vector.ptext) + vector.authsize
    refused_early = vector.expect is not None and vector.expect.stage != "crypt"
    if len(vector.ctext) != length and not refused_early:
        return "ctext", f"{len(vector.ctext)} bytes, but plaintext and tag have {length}"
    if shape is None or vector.expect is not None:
        return None
    if not 0 < vector.authsize <= shape.maxauthsize:
        return "authsize", f"{vector.authsize}, want 1 to {shape.maxauthsize}"
    if shape.authsizes and vector.authsize not in shape.authsizes:
        return "authsize", f"{vector.authsize}, want one of {shape.authsizes}"
    if len(vector.iv) != shape.cipher.ivsize:
        return "iv", f"{len(vector.iv)} bytes, want {shape.cipher.ivsize}"
    if len(vector.ptext) % shape.cipher.unit:
        return "ptext", f"{len(vector.ptext)} bytes, want a multiple of {shape.cipher.unit}"
    return None


def hash_fault(size: int | None, vector: HashVector, truncated: bool = False) -> Fault | None:
    """Say why the digest of `vector` cannot be one of `size` bytes, or a true prefix of it."""
    if vector.length is not None and (vector.length < 0 or not vector.message):
        return "length", f"{vector.length} bytes of a piece of {len(vector.message)}"
    if size is None or vector.expect is not None:
        return None
    found = len(vector.digest)
    if truncated and not 0 < found < size:
        return "digest_prefix", f"{found} bytes, want 1 to {size - 1}"
    if not truncated and found != size:
        return "digest", f"{found} bytes, want {size}"
    return None


# IVs of templates and modes whose other sizes are not checked, in bytes (crypto API, 6.1).
_IV_SIZES = {"rfc4106": 8, "rfc4309": 8, "rfc4543": 8, "gcm": 12, "ccm": 16, "kw": 8}


def ivsize_of(algorithm: str) -> int | None:
    """The size of the IV in bytes that a name implies; None where it implies none."""
    if (shape := cipher_shape(algorithm)) is not None:
        return shape.ivsize
    if (combined := aead_shape(algorithm)) is not None:
        return combined.cipher.ivsize
    template, _, inner = algorithm.partition("(")
    if template in _IV_SIZES:
        return _IV_SIZES[template]
    if template in ("authenc", "authencesn"):
        match = re.fullmatch(r"hmac\(\w+\),(.+)\)", inner)
        return ivsize_of(match[1]) if match else None
    if template in ("cts", "essiv", "seqiv", "echainiv"):
        match = re.match(r"(.+\))(?:,\w+)?\)", inner)
        return ivsize_of(match[1]) if match else None
    return None

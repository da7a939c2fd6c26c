"""The keys and data that the measuring program used, by algorithm.

They are those of the publications, or simple patterns, and were found again from the measured
results: SP 800-38A for AES, test case 4 of the GCM specification, RFC 3686 vector 1.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = ("SP800_38A_COUNTER", "SP800_38A_KEYS", "Material", "authenc_key", "material", "pattern")

_AES128 = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
_AES192 = bytes.fromhex("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b")
_AES256 = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
_TEXT = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
_DES = bytes.fromhex("0123456789abcdef")
_DES3 = bytes.fromhex("0123456789abcdef23456789abcdef01456789abcdef0123")
_RFC3686 = bytes.fromhex("ae6852f8121067cc4bf7a5765577f39e00000030")
_GCM = {
    "key": bytes.fromhex("feffe9928665731c6d6a8f9467308308"),
    "iv": bytes.fromhex("cafebabefacedbaddecaf888"),
    "assoc": bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    "text": bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    ),
}
SP800_38A_KEYS = {128: _AES128, 192: _AES192, 256: _AES256}
SP800_38A_COUNTER = bytes(range(0xF0, 0x100))
_AUTHKEY = bytes(range(20))
_MAC_KEY = b"k" * 20


@dataclass(frozen=True, slots=True)
class Material:
    """What to use with one algorithm; `text` is at least 60 bytes."""

    key: bytes | None
    iv: bytes
    text: bytes = _TEXT
    assoc: bytes = bytes(range(8))


def pattern(length: int) -> bytes:
    """Bytes that count up, for keys of which only the length matters."""
    return bytes(index & 0xFF for index in range(length))


def authenc_key(authkey: bytes, enckey: bytes) -> bytes:
    """The key of an authenc template (crypto API, 6.4)."""
    return struct.pack("<HH", 8, 1) + struct.pack(">I", len(enckey)) + authkey + enckey


def material(algorithm: str, keysize: int, ivsize: int) -> Material:
    """What to use with an algorithm.

    Args:
        algorithm: its `cra_name`.
        keysize: the shortest key of a cipher, and any length for a MAC, in bytes.
        ivsize: bytes of its IV.
    """
    template, _, rest = algorithm.partition("(")
    if template == "authenc":
        key = authenc_key(_AUTHKEY, _cipher_key(rest))
        return Material(key, bytes(range(ivsize)))
    if template == "gcm":
        return Material(_GCM["key"], _GCM["iv"], _GCM["text"], _GCM["assoc"])
    if template in ("hmac", "cmac", "xcbc"):
        return Material(_MAC_KEY if template == "hmac" else _AES128, b"")
    if "(" not in algorithm:
        return Material(pattern(16) if algorithm == "ghash" else None, b"")
    iv = bytes(ivsize) if "des" in algorithm or "rfc3686" in algorithm else bytes(range(ivsize))
    if template == "ccm":
        # The first byte says how long the length field is: 1 to 7 are valid.
        iv = b"\x03" + bytes(range(1, ivsize))
    if template in ("rfc4106", "rfc4309", "rfc4543"):
        return Material(pattern(keysize), pattern(ivsize), assoc=pattern(16))
    return Material(_cipher_key(algorithm), iv)


def _cipher_key(cipher: str) -> bytes:
    if "rfc3686" in cipher:
        return _RFC3686
    if "des3_ede" in cipher:
        return _DES3
    if "des" in cipher:
        return _DES
    return _AES128 if "xts" not in cipher else _AES128 + bytes(16)

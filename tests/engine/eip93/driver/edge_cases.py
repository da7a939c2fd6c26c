"""What the tests of the numbered edge cases share: messages, other libraries' answers, faults."""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.eip93 import registers as reg

if TYPE_CHECKING:
    import pytest

    from tests.engine.eip93.driver.conftest import Rig

    MakeRig = Callable[..., Rig]

__all__ = (
    "AUTH",
    "AUTHENC",
    "CBC",
    "DIGESTS",
    "HMACS",
    "IV",
    "KEY",
    "NOWHERE",
    "RFC3686",
    "aes",
    "answered",
    "blob",
    "cbc",
    "crypted",
    "hashed",
    "iv_of",
    "keyed",
    "library",
    "lost",
    "rfc3686",
    "round_trip",
    "sealed",
    "stream_for",
    "text",
)

KEY: Final = bytes(range(16))
IV: Final = bytes(range(16, 32))
AUTH: Final = b"authentication key!!"
CBC: Final = "cbc(aes)"
AUTHENC: Final = "authenc(hmac(sha1),cbc(aes))"
RFC3686: Final = "rfc3686(ctr(aes))"
DIGESTS: Final = ("md5", "sha1", "sha224", "sha256")
NOWHERE: Final = 0x100
"""An address without memory."""
HMACS: Final = tuple(f"hmac({name})" for name in DIGESTS)


def text(length: int) -> bytes:
    """A message."""
    return bytes(i * 7 % 251 for i in range(length))


def aes(mode: Any, data: bytes, key: bytes = KEY, *, decrypt: bool = False) -> bytes:
    """What OpenSSL makes of it."""
    cipher: Any = Cipher(algorithms.AES(key), mode)
    context = cipher.decryptor() if decrypt else cipher.encryptor()
    return bytes(context.update(data) + context.finalize())


def cbc(data: bytes, key: bytes = KEY) -> bytes:
    """Encrypted by OpenSSL."""
    return aes(modes.CBC(IV), data, key)


def crypted(
    mode: str, data: bytes, iv: bytes = IV, *, decrypt: bool = False, key: bytes = KEY
) -> bytes:
    """What OpenSSL makes of it in `ecb`, `cbc` or `ctr`."""
    made = modes.ECB() if mode == "ecb" else modes.CBC(iv) if mode == "cbc" else modes.CTR(iv)
    return aes(made, data, key, decrypt=decrypt)


def rfc3686(key: bytes, iv: bytes, data: bytes) -> bytes:
    """What OpenSSL makes of it with a key whose end is the nonce."""
    return aes(modes.CTR(key[-4:] + iv + bytes.fromhex("00000001")), data, key[:-4])


def stream_for(secret: bytes) -> bytes:
    """The plaintext of a ciphertext, under rfc3686 with KEY, the nonce `nonc` and half of IV."""
    return rfc3686(KEY + b"nonc", IV[:8], secret)


def iv_of(mode: str) -> bytes:
    """The IV for a request in that mode; ECB has none."""
    return b"" if mode == "ecb" else IV


def library(name: str, data: bytes, key: bytes = KEY) -> bytes:
    """Python's digest or HMAC."""
    if name in DIGESTS:
        return hashlib.new(name, data).digest()
    return hmac.digest(key, data, name[5:-1])


def keyed(rig: Rig, name: str, key: bytes = KEY) -> Any:
    """A transform of a hash, with a key if it takes one."""
    return rig.tfm(name, key if name in HMACS else None)


def hashed(rig: Rig, name: str, *chunks: bytes, key: bytes = KEY) -> bytes:
    """The driver's digest of a message that comes in chunks."""
    hashing = rig.caller.hash(keyed(rig, name, key))
    assert hashing.step("init") == 0
    assert [hashing.step("update", chunk) for chunk in chunks] == [0] * len(chunks)
    assert hashing.step("final") == 0
    return hashing.result.read()


def blob(enckey: bytes = KEY, authkey: bytes = AUTH) -> bytes:
    """A key of authenc: an attribute of 8 bytes and type 1 with the cipher key's length, keys."""
    return struct.pack("<HH", 8, 1) + struct.pack(">I", len(enckey)) + authkey + enckey


def sealed(assoc: bytes, plain: bytes, authsize: int = 20, authkey: bytes = AUTH) -> bytes:
    """Ciphertext and tag of authenc(hmac(sha1),cbc(aes)), by other libraries."""
    secret = cbc(plain)
    return secret + hmac.digest(authkey, assoc + secret, "sha1")[:authsize]


def round_trip(
    rig: Rig, tfm: Any, assoc: bytes, plain: bytes, authsize: int = 20, authkey: bytes = AUTH
) -> None:
    """Encrypt and decrypt, and compare both with the libraries."""
    wanted = sealed(assoc, plain, authsize, authkey)
    call = rig.caller.crypt(tfm, plain, IV, assoc=assoc)
    assert (call.status, call.out) == (0, assoc + wanted)
    back = rig.caller.crypt(tfm, wanted, IV, assoc=assoc, decrypt=True)
    # The AAD of the destination is the driver's own affair on decryption (crypto API, 6.4).
    assert (back.status, back.out[len(assoc) :]) == (0, plain)


def lost(rig: Rig, count: int, bad: set[int]) -> Scatterlist:
    """A list of `count` blocks, of which those in `bad` lie where no memory is."""
    entries = list(rig.caller.scatter(bytes(16 * count), [16] * (count - 1)).entries)
    for index in bad:
        entries[index] = Segment(NOWHERE + 64 * index, 16)
    return Scatterlist(rig.machine.memory, entries)


def answered(make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch, status: int) -> int:
    """How a request ends whose result says `status`."""
    rig = make_rig()
    take = rig.driver.core.rings.take

    def changed() -> Any:
        result = take()
        said = status << reg.CONTROL_STATUS_SHIFT
        return result and result._replace(control=result.control & ~(0xFF << 16) | said)

    monkeypatch.setattr(rig.driver.core.rings, "take", changed)
    ended: int = rig.caller.crypt(rig.tfm(CBC, KEY), text(32), IV).status
    return ended

"""OpenSSL's block ciphers and hashes, as the drivers want them: bytes in, bytes out."""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR, ECB
from cryptography.hazmat.primitives.hmac import HMAC

from tcrypt.engine.software.block_ciphers import BlockLibrary
from tcrypt.engine.software.hashes import HashLibrary

__all__ = ("BLOCKS", "HASHES", "MODULE", "PRIORITY", "hmac_digest")

MODULE = "openssl"
PRIORITY = 200

_ALGORITHMS: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


class _Keyed:
    """A block cipher with a key: the whole-message modes of `BlockModes`.

    No context is finalized: none of these modes holds anything back for that.
    """

    __slots__ = ("_schedule",)

    def __init__(self, schedule: BlockCipherAlgorithm) -> None:
        self._schedule = schedule

    def ecb(self, data: bytes, encrypt: bool) -> bytes:
        """Each block by itself (SP 800-38A, 6.1)."""
        cipher = Cipher(self._schedule, ECB())
        return (cipher.encryptor() if encrypt else cipher.decryptor()).update(data)

    def cbc(self, data: bytes, iv: bytes, encrypt: bool) -> bytes:
        """Chained over the ciphertext (SP 800-38A, 6.2)."""
        cipher = Cipher(self._schedule, CBC(iv))
        return (cipher.encryptor() if encrypt else cipher.decryptor()).update(data)

    def ctr(self, data: bytes, iv: bytes) -> bytes:
        """The whole IV counts, big-endian (SP 800-38A, 6.5)."""
        return Cipher(self._schedule, CTR(iv)).encryptor().update(data)


def _aes(key: bytes) -> _Keyed:
    return _Keyed(AES(key))


def _des(key: bytes) -> _Keyed:
    """DES as EDE under one key: OpenSSL keeps plain DES apart, with what is obsolete."""
    return _Keyed(TripleDES(key * 3))


def _des3(first: bytes, second: bytes, third: bytes) -> _Keyed:
    return _Keyed(TripleDES(first + second + third))


def _digest(name: str, data: bytes | bytearray) -> bytes:
    hashed = hashes.Hash(_ALGORITHMS[name])
    hashed.update(data)
    return hashed.finalize()


def hmac_digest(name: str, key: bytes, data: bytes | bytearray) -> bytes:
    """The HMAC of a whole message under a key of any length, with the hash of a name."""
    mac = HMAC(key, _ALGORITHMS[name])
    mac.update(data)
    return mac.finalize()


BLOCKS = BlockLibrary(MODULE, MODULE, PRIORITY, _aes, _des, _des3)
"""OpenSSL's AES, DES and Triple DES."""

HASHES = HashLibrary(MODULE, MODULE, PRIORITY, _digest)
"""OpenSSL's hashes."""

"""The modes of operation behind the skcipher references: SP 800-38A and its addendum, RFC 3686."""

from __future__ import annotations

import errno

from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR, ECB

from tcrypt.oracle.blocks import BLOCK_CIPHERS, INVALID, BlockCipher, xor
from tcrypt.oracle.hashes import HashReference, build_hash
from tcrypt.oracle.names import Name
from tcrypt.oracle.skcipher import Answer, SkcipherReference
from tcrypt.oracle.xts import XtsReference

__all__ = ("build_skcipher",)


class _CipherMode(SkcipherReference):
    """A mode that hands its key to one block cipher as it is."""

    def __init__(
        self, name: str, cipher: BlockCipher, *, block_size: int, ivsize: int, chunksize: int
    ) -> None:
        super().__init__(
            name,
            block_size=block_size,
            ivsize=ivsize,
            chunksize=chunksize,
            key_sizes=cipher.key_sizes,
        )
        self._cipher = cipher

    def setkey_allowed(
        self, key: bytes, *, forbid_weak: bool = False, fips: bool = False
    ) -> frozenset[int]:
        return self._cipher.setkey_allowed(key, forbid_weak, fips)


class _Ecb(_CipherMode):
    """SP 800-38A, section 6.1."""

    def __init__(self, cipher: BlockCipher) -> None:
        size = cipher.block_size
        super().__init__(f"ecb({cipher.name})", cipher, block_size=size, ivsize=0, chunksize=size)

    def _run(self, key: bytes, iv: bytes, data: bytes, encrypt: bool) -> Answer:
        return Answer(self._cipher.crypt(key, ECB(), data, encrypt), None)


class _Cbc(_CipherMode):
    """SP 800-38A, section 6.2; the last ciphertext block is the IV left behind."""

    def __init__(self, cipher: BlockCipher) -> None:
        size = cipher.block_size
        super().__init__(
            f"cbc({cipher.name})", cipher, block_size=size, ivsize=size, chunksize=size
        )

    def _run(self, key: bytes, iv: bytes, data: bytes, encrypt: bool) -> Answer:
        out = self._cipher.crypt(key, CBC(iv), data, encrypt)
        return Answer(out, (out if encrypt else data)[-self.ivsize :] or iv)


class _Ctr(_CipherMode):
    """SP 800-38A, section 6.5, the counter being the whole IV as one big-endian number.

    It wraps from all ones to zero.  A partial block at the end counts as a block used up.
    """

    def __init__(self, cipher: BlockCipher) -> None:
        size = cipher.block_size
        super().__init__(f"ctr({cipher.name})", cipher, block_size=1, ivsize=size, chunksize=size)

    def _run(self, key: bytes, iv: bytes, data: bytes, encrypt: bool) -> Answer:
        size = self.ivsize
        counter = int.from_bytes(iv, "big")
        blocks = -(-len(data) // size)
        if self._cipher.name == "aes":
            out = self._cipher.crypt(key, CTR(iv), data, encrypt)
        else:
            # OpenSSL has no counter mode for DES, so its keystream is made block by block.
            counters = b"".join(_counter(counter + i, size) for i in range(blocks))
            out = xor(data, self._cipher.crypt(key, ECB(), counters, True)[: len(data)])
        return Answer(out, _counter(counter + blocks, size))


class _Rfc3686(SkcipherReference):
    """RFC 3686: the key ends in a 4-byte nonce; counter block = nonce, 8-byte IV, 1.

    The IV's part of the next counter block is the IV itself, so a driver that hands that back, and
    one that touches nothing, leave the same; anything else gives the nonce away, or garbage.
    """

    def __init__(self, ctr: _Ctr) -> None:
        super().__init__(
            f"rfc3686({ctr.name})",
            block_size=1,
            ivsize=8,
            chunksize=ctr.chunksize,
            key_sizes=tuple(size + 4 for size in ctr.key_sizes),
        )
        self._ctr = ctr

    def setkey_allowed(
        self, key: bytes, *, forbid_weak: bool = False, fips: bool = False
    ) -> frozenset[int]:
        if len(key) < 4:
            return INVALID
        return self._ctr.setkey_allowed(key[:-4], forbid_weak=forbid_weak, fips=fips)

    def _run(self, key: bytes, iv: bytes, data: bytes, encrypt: bool) -> Answer:
        block = key[-4:] + iv + b"\0\0\0\1"
        return Answer(self._ctr.encrypt(key[:-4], block, data).out, iv)


class _Cts(_CipherMode):
    """CBC with ciphertext stealing, variant CS3: the last two blocks always change places.

    One block alone is plain CBC (kernel-crypto, section 6.3); less is refused.
    """

    def __init__(self, cipher: BlockCipher) -> None:
        size = cipher.block_size
        super().__init__(
            f"cts(cbc({cipher.name}))", cipher, block_size=size, ivsize=size, chunksize=size
        )

    def length_status(self, length: int) -> int:
        return -errno.EINVAL if length < self.block_size else 0

    def _run(self, key: bytes, iv: bytes, data: bytes, encrypt: bool) -> Answer:
        size = self.block_size
        if len(data) == size:
            return Answer(self._cipher.crypt(key, CBC(iv), data, encrypt), None)
        tail = len(data) % size or size
        if encrypt:
            whole = self._cipher.crypt(key, CBC(iv), data + bytes(size - tail), True)
            stolen = whole[-2 * size : -size][:tail]
            return Answer(whole[: -2 * size] + whole[-size:] + stolen, None)
        last_start = len(data) - tail
        swapped, stolen = data[last_start - size : last_start], data[last_start:]
        padded = self._cipher.crypt(key, ECB(), swapped, False)
        blocks = data[: last_start - size] + stolen + padded[tail:] + swapped
        return Answer(self._cipher.crypt(key, CBC(iv), blocks, False)[: len(data)], None)


class _Essiv(SkcipherReference):
    """ESSIV: the IV is encrypted under the digest of the key; the mode is CBC.

    What it leaves in the IV is unspecified: no caller can use it as an IV again.
    """

    def __init__(self, cbc: _Cbc, cipher: BlockCipher, digest: HashReference) -> None:
        super().__init__(
            f"essiv({cbc.name},{digest.name})",
            block_size=cbc.block_size,
            ivsize=cbc.ivsize,
            chunksize=cbc.chunksize,
            key_sizes=cbc.key_sizes,
        )
        self._cbc = cbc
        self._cipher = cipher
        self._digest = digest

    def setkey_allowed(
        self, key: bytes, *, forbid_weak: bool = False, fips: bool = False
    ) -> frozenset[int]:
        return self._cbc.setkey_allowed(key, forbid_weak=forbid_weak, fips=fips)

    def _run(self, key: bytes, iv: bytes, data: bytes, encrypt: bool) -> Answer:
        salt = self._digest.digest(None, key)
        hidden = self._cipher.crypt(salt, ECB(), iv, True)
        crypt = self._cbc.encrypt if encrypt else self._cbc.decrypt
        return Answer(crypt(key, hidden, data).out, None)


def _essiv(cipher: BlockCipher, hash_name: Name) -> SkcipherReference | None:
    """None for a hash that is keyed or whose digest is no key of the cipher."""
    digest = build_hash(hash_name)
    if digest is None or digest.keyed or digest.digestsize not in cipher.key_sizes:
        return None
    return _Essiv(_Cbc(cipher), cipher, digest)


def _counter(value: int, size: int) -> bytes:
    """A counter block of `size` bytes, wrapped."""
    return (value % (1 << 8 * size)).to_bytes(size, "big")


def build_skcipher(name: Name) -> SkcipherReference | None:
    """The reference for a parsed name; None when there is none."""
    match name:
        case Name("ecb", (Name(cipher, ()),)) if cipher in BLOCK_CIPHERS:
            return _Ecb(BLOCK_CIPHERS[cipher])
        case Name("cbc", (Name(cipher, ()),)) if cipher in BLOCK_CIPHERS:
            return _Cbc(BLOCK_CIPHERS[cipher])
        case Name("ctr", (Name(cipher, ()),)) if cipher in BLOCK_CIPHERS:
            return _Ctr(BLOCK_CIPHERS[cipher])
        case Name("rfc3686", (Name("ctr", (Name("aes", ()),)),)):
            return _Rfc3686(_Ctr(BLOCK_CIPHERS["aes"]))
        case Name("cts", (Name("cbc", (Name("aes", ()),)),)):
            return _Cts(BLOCK_CIPHERS["aes"])
        case Name("xts", (Name("aes", ()),)):
            return XtsReference(BLOCK_CIPHERS["aes"])
        case Name("essiv", (Name("cbc", (Name(cipher, ()),)), digest)) if cipher in BLOCK_CIPHERS:
            return _essiv(BLOCK_CIPHERS[cipher], digest)
    return None

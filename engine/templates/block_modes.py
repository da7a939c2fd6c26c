"""Templates ecb, cbc and ctr over a single-block cipher: synchronous.

Lengths and output IVs follow kernel-crypto, section 6.3: ECB and CBC take whole blocks or nothing,
CTR takes any length, counts over the whole IV and counts a partial block as a whole one.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial

from tcrypt.engine.api.algorithms import BlockModes, CipherAlg, SkcipherAlg
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.templates import Builder, Template, check_count
from tcrypt.engine.api.transforms import Cipher, Skcipher
from tcrypt.engine.templates.parts import key_part, xor

__all__ = ("TEMPLATES", "BlockLoop", "Modes")


class BlockLoop:
    """The modes over a cipher that offers nothing but single blocks."""

    def __init__(self, tfm: Cipher) -> None:
        self._tfm = tfm
        self._size = tfm.alg.cra_blocksize

    def _blocks(self, data: bytes) -> list[bytes]:
        size = self._size
        return [data[start : start + size] for start in range(0, len(data), size)]

    def ecb(self, data: bytes, encrypt: bool) -> bytes:
        """Each block by itself (SP 800-38A, 6.1)."""
        crypt = self._tfm.encrypt_block if encrypt else self._tfm.decrypt_block
        return b"".join(map(crypt, self._blocks(data)))

    def cbc(self, data: bytes, iv: bytes, encrypt: bool) -> bytes:
        """Chained over the ciphertext (SP 800-38A, 6.2)."""
        if not encrypt:
            return xor(self.ecb(data, False), (iv + data)[: len(data)])
        out = []
        for block in self._blocks(data):
            iv = self._tfm.encrypt_block(xor(block, iv))
            out.append(iv)
        return b"".join(out)

    def ctr(self, data: bytes, iv: bytes) -> bytes:
        """The whole IV counts, big-endian (SP 800-38A, 6.5)."""
        size = self._size
        counters = (advanced(iv, number * size) for number in range(-(-len(data) // size)))
        stream = b"".join(map(self._tfm.encrypt_block, counters))
        return xor(data, stream[: len(data)])


def advanced(iv: bytes, length: int) -> bytes:
    """The counter block after `length` bytes of CTR from `iv`; it wraps from all ones to zero."""
    size = len(iv)
    counter = int.from_bytes(iv, "big") - (-length // size)
    return (counter % (1 << 8 * size)).to_bytes(size, "big")


class Modes(ABC):
    """The modes of one block cipher: the methods are operations of skciphers."""

    def __init__(self, cipher: CipherAlg) -> None:
        self.cipher = cipher
        self.size = cipher.cra_blocksize

    @abstractmethod
    def init(self, tfm: Skcipher) -> int:
        """Prepare a new transform."""

    @abstractmethod
    def exit(self, tfm: Skcipher) -> None:
        """Forget the key."""

    @abstractmethod
    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        """The cipher's key rules are the mode's."""

    @abstractmethod
    def keyed(self, tfm: Skcipher) -> BlockModes:
        """The cipher with the key of a transform."""

    def data(self, request: SkcipherRequest) -> bytes | None:
        """The request's data, or None when a list is too short for it."""
        length = request.cryptlen
        data = request.src.read(length)
        if len(data) != length or request.dst.nents_for_len(length) < 0:
            return None
        return data

    def ecb(self, request: SkcipherRequest, encrypt: bool) -> int:
        """Electronic codebook."""
        data = None if request.cryptlen % self.size else self.data(request)
        if data is None:
            return -errno.EINVAL
        request.dst.write(self.keyed(request.tfm).ecb(data, encrypt))
        return 0

    def cbc(self, request: SkcipherRequest, encrypt: bool) -> int:
        """Cipher block chaining; the last ciphertext block is the next IV."""
        size = self.size
        data = None if request.cryptlen % size else self.data(request)
        if data is None:
            return -errno.EINVAL
        if not data:
            return 0
        iv = request.iv
        assert iv is not None, "cbc was called without an IV"
        out = self.keyed(request.tfm).cbc(data, iv.read(size), encrypt)
        request.dst.write(out)
        iv.write((out if encrypt else data)[-size:])
        return 0

    def ctr(self, request: SkcipherRequest) -> int:
        """Counter mode, either direction; the counter behind the last block is the next IV."""
        data = self.data(request)
        if data is None:
            return -errno.EINVAL
        if not data:
            return 0
        buffer = request.iv
        assert buffer is not None, "ctr was called without an IV"
        iv = buffer.read(self.size)
        request.dst.write(self.keyed(request.tfm).ctr(data, iv))
        buffer.write(advanced(iv, len(data)))
        return 0

    def alg(self, mode: str, driver_name: str, module: str, flags: int = 0) -> SkcipherAlg:
        """The descriptor of `ecb`, `cbc` or `ctr`; `flags` are those of its parts."""
        cipher, stream = self.cipher, mode == "ctr"
        crypt = self.ecb if mode == "ecb" else self.cbc
        return SkcipherAlg(
            cra_name=f"{mode}({cipher.cra_name})",
            cra_driver_name=driver_name,
            cra_priority=cipher.cra_priority,
            cra_flags=flags,
            cra_blocksize=1 if stream else cipher.cra_blocksize,
            cra_alignmask=cipher.cra_alignmask,
            cra_module=module,
            min_keysize=cipher.min_keysize,
            max_keysize=cipher.max_keysize,
            ivsize=0 if mode == "ecb" else cipher.cra_blocksize,
            chunksize=cipher.cra_blocksize,
            setkey=self.setkey,
            encrypt=self.ctr if stream else lambda request: crypt(request, True),
            decrypt=self.ctr if stream else lambda request: crypt(request, False),
            init=self.init,
            exit=self.exit,
        )


class _OverCipher(Modes):
    """What the instances of one cipher share."""

    def __init__(self, cipher: CipherAlg) -> None:
        super().__init__(cipher)
        self.modes: Callable[[Cipher], BlockModes] = cipher.modes or BlockLoop

    def init(self, tfm: Skcipher) -> int:
        """Open the cipher."""
        tfm.ctx = tfm.machine.registry.spawn_cipher(self.cipher)
        return 0

    def exit(self, tfm: Skcipher) -> None:
        """Close the cipher."""
        tfm.machine.registry.free(tfm.ctx)
        tfm.ctx = None

    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        """Give the cipher the key."""
        return key_part(tfm.ctx, tfm, key)

    def keyed(self, tfm: Skcipher) -> BlockModes:
        """The cipher's own modes, or a loop over its blocks."""
        return self.modes(tfm.ctx)


def _create(mode: str, builder: Builder, arguments: Sequence[str]) -> SkcipherAlg:
    check_count(mode, arguments, 1)
    cipher = builder.cipher(arguments[0])
    driver_name = f"{mode}({cipher.cra_driver_name})"
    return _OverCipher(cipher).alg(mode, driver_name, mode, builder.flags)


TEMPLATES = tuple(
    Template(mode, AlgType.SKCIPHER, partial(_create, mode)) for mode in ("ecb", "cbc", "ctr")
)

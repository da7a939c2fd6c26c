"""Generic ecb(aes), cbc(aes) and ctr(aes) on pycryptodome.

Lengths and output IVs follow kernel-crypto, section 6.3: ECB and CBC take whole blocks or nothing,
CTR takes any length, counts over all 128 bits and counts a partial block as a whole one.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from Crypto.Cipher import AES

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.transforms import Skcipher

__all__ = ("AES_KEY_SIZES", "BLOCK", "PRIORITY", "next_counter", "skcipher_algs")

BLOCK = 16
AES_KEY_SIZES = (16, 24, 32)
PRIORITY = 100
_COUNTERS = 1 << 128


def next_counter(iv: bytes, length: int) -> bytes:
    """The 128-bit big-endian counter after `length` bytes of CTR from `iv`."""
    blocks = -(-length // BLOCK)
    return ((int.from_bytes(iv, "big") + blocks) % _COUNTERS).to_bytes(BLOCK, "big")


def _setkey(tfm: Skcipher, key: bytearray) -> int:
    if len(key) not in AES_KEY_SIZES:
        return -errno.EINVAL
    tfm.ctx = bytes(key)
    return 0


def _input(request: SkcipherRequest, granule: int) -> bytes | None:
    """The request's data, or None when the length or a list does not fit."""
    length = request.cryptlen
    if length % granule:
        return None
    data = request.src.read(length)
    if len(data) != length or request.dst.nents_for_len(length) < 0:
        return None
    return data


def _iv(request: SkcipherRequest) -> Buffer:
    assert request.iv is not None, "a mode with an IV was called without one"
    return request.iv


def _ecb(encrypt: bool) -> Callable[[SkcipherRequest], int]:
    def crypt(request: SkcipherRequest) -> int:
        data = _input(request, BLOCK)
        if data is None:
            return -errno.EINVAL
        cipher = AES.new(request.tfm.ctx, AES.MODE_ECB)
        request.dst.write(cipher.encrypt(data) if encrypt else cipher.decrypt(data))
        return 0

    return crypt


def _cbc(encrypt: bool) -> Callable[[SkcipherRequest], int]:
    def crypt(request: SkcipherRequest) -> int:
        data = _input(request, BLOCK)
        if data is None:
            return -errno.EINVAL
        if not data:
            return 0
        iv = _iv(request)
        cipher = AES.new(request.tfm.ctx, AES.MODE_CBC, iv=iv.read(BLOCK))
        out = cipher.encrypt(data) if encrypt else cipher.decrypt(data)
        request.dst.write(out)
        iv.write((out if encrypt else data)[-BLOCK:])
        return 0

    return crypt


def _ctr(request: SkcipherRequest) -> int:
    data = _input(request, 1)
    if data is None:
        return -errno.EINVAL
    if not data:
        return 0
    buffer = _iv(request)
    iv = buffer.read(BLOCK)
    # The whole IV is the counter: a split into nonce and counter would not carry (vectors, 5.1).
    cipher = AES.new(request.tfm.ctx, AES.MODE_CTR, nonce=b"", initial_value=iv)
    request.dst.write(cipher.encrypt(data))
    buffer.write(next_counter(iv, len(data)))
    return 0


def _alg(
    mode: str,
    ivsize: int,
    encrypt: Callable[[SkcipherRequest], int],
    decrypt: Callable[[SkcipherRequest], int],
) -> SkcipherAlg:
    return SkcipherAlg(
        cra_name=f"{mode}(aes)",
        cra_driver_name=f"{mode}(aes-generic)",
        cra_priority=PRIORITY,
        cra_blocksize=1 if mode == "ctr" else BLOCK,
        cra_module="software",
        min_keysize=min(AES_KEY_SIZES),
        max_keysize=max(AES_KEY_SIZES),
        ivsize=ivsize,
        chunksize=BLOCK,
        setkey=_setkey,
        encrypt=encrypt,
        decrypt=decrypt,
    )


def skcipher_algs() -> list[SkcipherAlg]:
    """New descriptors of the generic skciphers."""
    return [
        _alg("ecb", 0, _ecb(True), _ecb(False)),
        _alg("cbc", BLOCK, _cbc(True), _cbc(False)),
        _alg("ctr", BLOCK, _ctr, _ctr),
    ]

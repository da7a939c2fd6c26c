"""ghash-generic: GHASH (SP 800-38D, section 6.4) over tables of the key's multiples.

A block is a polynomial over GF(2) whose first bit is the coefficient of x^0, which makes a
multiplication by x a shift to the right.  For each of the 32 half-bytes of a block there is a
table of 16 products with the key, so that a product is 32 look-ups.
"""

from __future__ import annotations

import errno
from functools import reduce
from operator import getitem, xor

from tcrypt.engine.api.algorithms import ShashAlg
from tcrypt.engine.api.shash import Shash, ShashDesc

__all__ = ("ghash_alg",)

BLOCK = 16
_STATE = 20
# x^128 = 1 + x + x^2 + x^7, bits reflected (SP 800-38D, section 6.3).
_REDUCTION = 0xE1 << 120
_DIGITS = "0123456789abcdef"

_Tables = tuple[dict[str, int], ...]


def _tables(key: bytes) -> _Tables:
    """The products of a key with each half-byte, by place and hexadecimal digit."""
    power = int.from_bytes(key, "big")
    found = []
    for _ in range(2 * BLOCK):
        powers = []
        for _ in range(4):
            powers.append(power)
            power = (power >> 1) ^ (_REDUCTION if power & 1 else 0)
        eight, four, two, one = powers
        products = [0, one, two, two ^ one]
        products += [four ^ product for product in products]
        products += [eight ^ product for product in products]
        found.append(dict(zip(_DIGITS, products, strict=True)))
    return tuple(found)


class _Message:
    """A message in work: the sum so far, and bytes of an unfinished block."""

    __slots__ = ("rest", "total")

    def __init__(self, total: int = 0, rest: bytes = b"") -> None:
        self.total = total
        self.rest = rest


def _absorb(tables: _Tables, total: int, data: bytes) -> int:
    """The sum after some whole blocks."""
    for place in range(0, len(data), BLOCK):
        total ^= int.from_bytes(data[place : place + BLOCK], "big")
        total = reduce(xor, map(getitem, tables, f"{total:032x}"))
    return total


def _setkey(tfm: Shash, key: bytearray) -> int:
    if len(key) != BLOCK:
        return -errno.EINVAL
    tfm.ctx = _tables(bytes(key))
    return 0


def _init(desc: ShashDesc) -> int:
    desc.ctx = _Message()
    return 0


def _update(desc: ShashDesc, data: bytes) -> int:
    message: _Message = desc.ctx
    data = message.rest + data
    whole = len(data) - len(data) % BLOCK
    message.total = _absorb(desc.tfm.ctx, message.total, data[:whole])
    message.rest = data[whole:]
    return 0


def _final(desc: ShashDesc, out: bytearray) -> int:
    message: _Message = desc.ctx
    total = message.total
    if message.rest:
        total = _absorb(desc.tfm.ctx, total, message.rest.ljust(BLOCK, b"\0"))
    out[:] = total.to_bytes(BLOCK, "big")
    return 0


def _export(desc: ShashDesc, out: bytearray) -> int:
    """The kernel's state: the sum with the unfinished block added, and how much that lacks."""
    message: _Message = desc.ctx
    total = message.total ^ int.from_bytes(message.rest.ljust(BLOCK, b"\0"), "big")
    lacking = (BLOCK - len(message.rest)) % BLOCK
    out[:] = total.to_bytes(BLOCK, "big") + lacking.to_bytes(_STATE - BLOCK, "little")
    return 0


def _import(desc: ShashDesc, state: bytes) -> int:
    lacking = int.from_bytes(state[BLOCK:], "little")
    if lacking >= BLOCK:
        return -errno.EINVAL
    # The sum cannot be told from the bytes added to it; zeros take their place, which is the same.
    rest = bytes(BLOCK - lacking) if lacking else b""
    desc.ctx = _Message(int.from_bytes(state[:BLOCK], "big"), rest)
    return 0


def _copy(desc: ShashDesc) -> _Message:
    message: _Message = desc.ctx
    return _Message(message.total, message.rest)


def ghash_alg() -> ShashAlg:
    """A new descriptor of GHASH: a key of 16 bytes, set before each message is started."""
    return ShashAlg(
        cra_name="ghash",
        cra_driver_name="ghash-generic",
        cra_priority=100,
        cra_blocksize=BLOCK,
        cra_module="software",
        digestsize=BLOCK,
        statesize=_STATE,
        hash_init=_init,
        update=_update,
        final=_final,
        export=_export,
        import_state=_import,
        copy=_copy,
        setkey=_setkey,
    )

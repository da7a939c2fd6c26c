"""Templates cmac, xcbc and cbcmac: MACs that are the end of a CBC encryption from a zero block.

Sources: SP 800-38B (cmac), RFC 3566 (xcbc).  A plain CBC-MAC is what ccm asks for; an unfinished
block of it is padded with zeros, and the MAC of nothing is the zero block.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from tcrypt.engine.api.algorithms import BlockModes, CipherAlg, ShashAlg
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.shash import Shash, ShashDesc
from tcrypt.engine.api.templates import Builder, Template, check_count
from tcrypt.engine.api.transforms import Cipher
from tcrypt.engine.templates.block_modes import BlockLoop
from tcrypt.engine.templates.parts import key_part, xor

__all__ = ("TEMPLATES",)

# What doubling in GF(2^n) reduces by, for blocks of n / 8 bytes (SP 800-38B, 5.3).
_REDUCTION = {8: 0x1B, 16: 0x87}


class _Keyed(NamedTuple):
    """The cipher, and what goes into the last block: of a whole one, and of a padded one."""

    cipher: Cipher
    whole: bytes = b""
    padded: bytes = b""


class _Message(NamedTuple):
    """The chained block, and the data behind it: at most a block, empty only at the start."""

    chain: bytes
    rest: bytes


class _CbcMac:
    """An instance of cbcmac over one cipher; the methods are operations of the shash."""

    def __init__(self, cipher: CipherAlg) -> None:
        self.cipher = cipher
        self.size = cipher.cra_blocksize
        self.modes: Callable[[Cipher], BlockModes] = cipher.modes or BlockLoop
        self.state = struct.Struct(f"<I{self.size}s{self.size}s")

    def init(self, tfm: Shash) -> int:
        """Open the cipher."""
        tfm.ctx = _Keyed(tfm.machine.registry.spawn_cipher(self.cipher))
        return 0

    def exit(self, tfm: Shash) -> None:
        """Close the cipher."""
        tfm.machine.registry.free(tfm.ctx.cipher)
        tfm.ctx = None

    def setkey(self, tfm: Shash, key: bytearray) -> int:
        """The cipher's key rules are the MAC's."""
        cipher = tfm.ctx.cipher
        status = key_part(cipher, tfm, key)
        if not status:
            tfm.ctx = _Keyed(cipher, *self.subkeys(cipher))
        return status

    def subkeys(self, cipher: Cipher) -> tuple[bytes, bytes]:
        """What to add to the last block, whole or padded."""
        return bytes(self.size), bytes(self.size)

    def hash_init(self, desc: ShashDesc) -> int:
        """Start from the zero block."""
        desc.ctx = _Message(bytes(self.size), b"")
        return 0

    def update(self, desc: ShashDesc, data: bytes) -> int:
        """Chain all but the last 1 to `size` bytes."""
        message: _Message = desc.ctx
        data = message.rest + data
        chained = max(len(data) - 1, 0) // self.size * self.size
        chain = message.chain
        if chained:
            modes = self.modes(desc.tfm.ctx.cipher)
            chain = modes.cbc(data[:chained], chain, True)[-self.size :]
        desc.ctx = _Message(chain, data[chained:])
        return 0

    def final(self, desc: ShashDesc, out: bytearray) -> int:
        """Write the MAC."""
        message: _Message = desc.ctx
        out[:] = self.last(desc.tfm.ctx, message.chain, message.rest)
        return 0

    def last(self, keyed: _Keyed, chain: bytes, rest: bytes) -> bytes:
        """The MAC of what was chained and the rest."""
        if not rest:
            return chain
        return keyed.cipher.encrypt_block(xor(chain, rest.ljust(self.size, b"\0")))

    def export(self, desc: ShashDesc, out: bytearray) -> int:
        """Write u32 length of the rest, the rest, the chained block."""
        message: _Message = desc.ctx
        out[:] = self.state.pack(len(message.rest), message.rest, message.chain)
        return 0

    def import_state(self, desc: ShashDesc, state: bytes) -> int:
        """Continue from an exported state; -EINVAL for one with more than a block at its end."""
        count, rest, chain = self.state.unpack(state)
        if count > self.size:
            return -errno.EINVAL
        desc.ctx = _Message(chain, rest[:count])
        return 0

    def copy(self, desc: ShashDesc) -> _Message:
        """A message is never changed in place."""
        message: _Message = desc.ctx
        return message


class _Cmac(_CbcMac):
    """SP 800-38B: the subkeys are the doubled and the twice doubled encryption of zero."""

    def last(self, keyed: _Keyed, chain: bytes, rest: bytes) -> bytes:
        """A padded block begins its padding with a one bit, and so differs from any whole one."""
        if len(rest) == self.size:
            return keyed.cipher.encrypt_block(xor(chain, xor(rest, keyed.whole)))
        block = (rest + b"\x80").ljust(self.size, b"\0")
        return keyed.cipher.encrypt_block(xor(chain, xor(block, keyed.padded)))

    def subkeys(self, cipher: Cipher) -> tuple[bytes, bytes]:
        """Section 6.1."""
        once = _doubled(cipher.encrypt_block(bytes(self.size)))
        return once, _doubled(once)


def _doubled(block: bytes) -> bytes:
    """A block times x in GF(2^n), big-endian."""
    bits = 8 * len(block)
    value = int.from_bytes(block, "big") << 1
    if value >> bits:
        value ^= 1 << bits | _REDUCTION[len(block)]
    return value.to_bytes(len(block), "big")


class _Xcbc(_Cmac):
    """RFC 3566, section 4: the MAC's three keys are encryptions under the key given."""

    def setkey(self, tfm: Shash, key: bytearray) -> int:
        """Any key of the cipher's, although the RFC knows AES-128 only (kernel-crypto, 6.2)."""
        status = super().setkey(tfm, key)
        cipher = tfm.ctx.cipher
        return status or key_part(cipher, tfm, cipher.encrypt_block(b"\1" * self.size))

    def subkeys(self, cipher: Cipher) -> tuple[bytes, bytes]:
        """K2 for a whole last block, K3 for a padded one."""
        return cipher.encrypt_block(b"\2" * self.size), cipher.encrypt_block(b"\3" * self.size)


# Which cipher blocks each can do with, in bytes; None for any.
_KINDS: dict[str, tuple[type[_CbcMac], tuple[int, ...] | None]] = {
    "cmac": (_Cmac, (8, 16)),
    "xcbc": (_Xcbc, (16,)),
    "cbcmac": (_CbcMac, None),
}


def _create(name: str, builder: Builder, arguments: Sequence[str]) -> ShashAlg:
    check_count(name, arguments, 1)
    cipher = builder.cipher(arguments[0])
    kind, sizes = _KINDS[name]
    if sizes is not None and cipher.cra_blocksize not in sizes:
        raise crypto_error(-errno.EINVAL, f"{name}({arguments[0]})")
    mac = kind(cipher)
    return ShashAlg(
        cra_name=f"{name}({cipher.cra_name})",
        cra_driver_name=f"{name}({cipher.cra_driver_name})",
        cra_priority=cipher.cra_priority,
        cra_flags=builder.flags,
        cra_blocksize=1 if kind is _CbcMac else cipher.cra_blocksize,
        cra_alignmask=cipher.cra_alignmask,
        cra_module=name,
        digestsize=cipher.cra_blocksize,
        statesize=mac.state.size,
        hash_init=mac.hash_init,
        update=mac.update,
        final=mac.final,
        export=mac.export,
        import_state=mac.import_state,
        copy=mac.copy,
        setkey=mac.setkey,
        init=mac.init,
        exit=mac.exit,
    )


TEMPLATES = tuple(Template(name, AlgType.SHASH, partial(_create, name)) for name in _KINDS)

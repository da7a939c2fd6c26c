"""Single-block ciphers on OpenSSL, for templates, and cbc and ctr by the templates' rules."""

from __future__ import annotations

from tcrypt.engine.api.algorithms import BlockModes, CipherAlg, SkcipherAlg
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.openssl.library import BLOCKS, MODULE
from tcrypt.engine.software.block_ciphers import cipher_algs
from tcrypt.engine.templates.block_modes import Modes

__all__ = ("block_cipher_algs", "skcipher_algs")

_MODES = {"aes": ("cbc", "ctr"), "des": ("cbc",), "des3_ede": ("cbc",)}


class _Direct(Modes):
    """A transform keeps the library's object itself, and no transform of a cipher."""

    def init(self, tfm: Skcipher) -> int:
        """There is nothing to open."""
        return 0

    def exit(self, tfm: Skcipher) -> None:
        """Forget the key."""
        tfm.ctx = None

    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        """The block cipher's own rules, on a transform of the mode."""
        return self.cipher.setkey(tfm, key)  # type: ignore[arg-type]

    def keyed(self, tfm: Skcipher) -> BlockModes:
        """The library's object."""
        keyed: BlockModes = tfm.ctx
        return keyed


def block_cipher_algs() -> list[CipherAlg]:
    """New descriptors of the single-block ciphers, for templates."""
    return cipher_algs(BLOCKS)


def skcipher_algs() -> list[SkcipherAlg]:
    """New descriptors of cbc and ctr."""
    return [
        _Direct(cipher).alg(mode, f"{mode}-{cipher.cra_name}-{MODULE}", MODULE)
        for cipher in block_cipher_algs()
        for mode in _MODES[cipher.cra_name]
    ]

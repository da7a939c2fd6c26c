"""Drivers on OpenSSL, through the `cryptography` package: a second software implementation.

They are synchronous and are named and preferred as a CPU's own drivers are: `cbc-aes-openssl` and
its like do whole messages in one call of the library, with a priority above the generics', so that
templates are built over them.  Blocks, keys and states of hashes are those of the generics, which
take the library as a parameter; modes and AEADs of the library's own (CBC, CTR, XTS, GCM, CCM,
HMAC) take the place of templates.  OpenSSL has no counter mode for DES, and no state of a CMAC
that could be exported, so `cmac(aes-openssl)` is the template's.
"""

from __future__ import annotations

from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.openssl.aeads import aead_algs
from tcrypt.engine.openssl.ciphers import block_cipher_algs, skcipher_algs
from tcrypt.engine.openssl.hashes import hash_algs
from tcrypt.engine.openssl.xts import xts_alg

__all__ = ("openssl_algs", "register")


def openssl_algs() -> list[AnyAlg]:
    """New descriptors of all drivers."""
    return [*block_cipher_algs(), *skcipher_algs(), xts_alg(), *aead_algs(), *hash_algs()]


def register(machine: Machine) -> None:
    """Register all drivers on a machine that has the templates."""
    for alg in openssl_algs():
        machine.registry.register(alg)

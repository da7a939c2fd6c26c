"""Software generics: the `-generic` drivers on pycryptodome, hashlib and hmac.

They are synchronous, need no fallback, and have priority 100.  Other drivers use them as fallback;
the suite tests them like any other driver.
"""

from __future__ import annotations

from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.software.ahash import ahash_algs
from tcrypt.engine.software.authenc import authenc_algs
from tcrypt.engine.software.skcipher import skcipher_algs

__all__ = ("register", "software_algs")


def software_algs() -> list[AnyAlg]:
    """New descriptors of all generics."""
    return [*skcipher_algs(), *ahash_algs(), *authenc_algs()]


def register(machine: Machine) -> None:
    """Register all generics on a machine."""
    for alg in software_algs():
        machine.registry.register(alg)

"""Software generics: ciphers and hashes on pycryptodome and hashlib, and templates over them.

They are synchronous, need no fallback, and have the names and priorities of the kernel's
`-generic` drivers.  Other drivers use them as fallback; the suite tests them like any other
driver.  What a template makes of them (`cbc(aes-generic)`) is built when somebody asks for it.
"""

from __future__ import annotations

from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.software.block_ciphers import cipher_algs
from tcrypt.engine.software.ghash import ghash_alg
from tcrypt.engine.software.hashes import hash_algs
from tcrypt.engine.templates import register as register_templates

__all__ = ("register", "software_algs")


def software_algs() -> list[AnyAlg]:
    """New descriptors of all generics."""
    return [*cipher_algs(), *hash_algs(), ghash_alg()]


def register(machine: Machine) -> None:
    """Register all generics on a machine, and the templates."""
    for alg in software_algs():
        machine.registry.register(alg)
    register_templates(machine)

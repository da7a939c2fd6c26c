"""What the core of the crypto API does differently from one kernel to the next.

Measured on Linux 6.1 and 6.12 (real-kernel, section 3) or read in 6.1 and in the mainline of 2026
(kernel-crypto, sections 6.7, 6.8 and 7.2); everything that they share is not here.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("CORES", "DEFAULT_CORE", "CoreRules", "core_rules")


@dataclass(frozen=True, slots=True)
class CoreRules:
    """One kernel's rules.

    Attributes:
        unique_driver_names: a second algorithm with the driver name of a registered one is
            -EEXIST.  So is, therefore, a name that makes a template build again what it has built
            already, such as `cbc(aes))`; without this rule such a name is -ENOENT.
        template_errors: what a template says is the error of the lookup, such as -EINVAL for one
            that makes another type than asked for; without this rule every such error is -ENOENT.
        max_alignmask: the largest `cra_alignmask`.
        clones: a keyed hash transform can be cloned; without this rule that is -ENOSYS.
    """

    unique_driver_names: bool = True
    template_errors: bool = True
    max_alignmask: int = 127
    clones: bool = True


CORES = {
    "linux-6.1": CoreRules(
        unique_driver_names=False, template_errors=False, max_alignmask=63, clones=False
    ),
    "linux-6.12": CoreRules(),
    "linux-6.17": CoreRules(),
}
DEFAULT_CORE = "linux-6.17"


def core_rules(name: str) -> CoreRules:
    """The rules of a kernel; LookupError with the known ones for any other name."""
    if name not in CORES:
        raise LookupError(f"no core {name!r}: there are {', '.join(CORES)}")
    return CORES[name]

"""What the registry knows of each registered algorithm, and how lookups choose among them.

The rules are those of kernel-crypto, sections 6.6 and 6.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.flags import ALG_TYPE_MASK, AlgFlag, AlgType

__all__ = ("Entry", "SelfTest", "best_match", "completed", "dependants", "outdone")

SelfTest: TypeAlias = Literal["passed", "unknown", "failed"]
_TESTED = int(AlgFlag.TESTED)
_INSTANCE = int(AlgFlag.INSTANCE)
_INTERNAL = int(AlgFlag.INTERNAL)
_MORIBUND = int(AlgFlag.DEAD | AlgFlag.DYING)


class Entry:
    """What the registry knows of one registered algorithm.

    Attributes:
        alg: the descriptor.
        flags: its flags, type nibble included, and what the core adds: TESTED, INSTANCE,
            FIPS_INTERNAL, DYING for one that asked to be replaced, DEAD for one unregistered.
        users: how many transforms of it exist.
        selftest: the result of its self-test.
        testing: whether that is running.
        parts: for a template's instance, what it is built over.
        masks: for each part, the flags and type bits that it was chosen by.
        names: its name and its driver's, each once.
    """

    __slots__ = ("alg", "flags", "masks", "names", "parts", "selftest", "testing", "users")

    def __init__(self, alg: AnyAlg, parts: Sequence[AnyAlg], masks: Sequence[int]) -> None:
        self.alg = alg
        # A plain number: lookups compare the flags of everything that is registered.
        self.flags = int(alg.cra_flags) & ~_TESTED | int(alg.type)
        self.users = 0
        self.selftest: SelfTest = "unknown"
        self.testing = False
        self.parts = tuple(parts)
        self.masks = tuple(masks)
        self.names = {alg.cra_name, alg.cra_driver_name}
        if parts:
            self.flags |= _INSTANCE

    @property
    def refcnt(self) -> int:
        """References, as `/proc/crypto` counts them: the registration and each transform.

        An instance holds its parts by their own transforms only, once it has any; that is why an
        idle one does not keep its parts from being unregistered.
        """
        return 1 + self.users

    @property
    def moribund(self) -> bool:
        """Whether lookups pass it by: dying, or dead."""
        return bool(self.flags & _MORIBUND)


def completed(kind: AlgType, type_: int, mask: int) -> tuple[int, int]:
    """Type and mask of a lookup with what the caller need not say.

    Only tested algorithms, unless the caller mentions TESTED, and none for internal use, unless
    INTERNAL is mentioned.
    """
    type_ = int(type_) & ~ALG_TYPE_MASK | kind
    mask = int(mask) & ~ALG_TYPE_MASK | kind.lookup_mask
    if not (type_ | mask) & _TESTED:
        type_, mask = type_ | _TESTED, mask | _TESTED
    if not (type_ | mask) & _INTERNAL:
        mask |= _INTERNAL
    return type_, mask


def best_match(entries: Iterable[Entry], name: str, type_: int, mask: int) -> Entry | None:
    """What a name means among `entries`, latest first: its driver, or the best of its name."""
    best: Entry | None = None
    for entry in entries:
        flags = entry.flags
        if (flags ^ type_) & mask or flags & _MORIBUND:
            continue
        alg = entry.alg
        if alg.cra_driver_name == name:
            return entry
        if alg.cra_name == name and (best is None or alg.cra_priority > best.alg.cra_priority):
            best = entry
    return best


def dependants(
    entries: Sequence[Entry], base: Entry, newcomer: Entry | None = None
) -> list[Entry]:
    """The instances that go with `base`: those built over it, those built over these, and so on.

    Args:
        entries: everything registered.
        base: what goes, or is outdone.
        newcomer: what outdoes it: then only instances go that would have taken the newcomer, by
            the flags they asked for, and never the newcomer itself.
    """
    found: list[Entry] = []
    stack = [base]
    while stack:
        below = stack.pop()
        taker = newcomer if newcomer is not None and below is base else None
        for entry in entries:
            new = entry is not newcomer and entry is not base and entry not in found
            if new and _over(entry, below, taker):
                found.append(entry)
                stack.append(entry)
    return found


def _over(instance: Entry, base: Entry, newcomer: Entry | None) -> bool:
    """Whether an instance is built over `base` where it could as well be over `newcomer`."""
    return any(
        part is base.alg and (newcomer is None or not (base.flags ^ newcomer.flags) & mask)
        for part, mask in zip(instance.parts, instance.masks, strict=True)
    )


def outdone(entries: Iterable[Entry], newcomer: Entry) -> list[Entry]:
    """What a new, tested algorithm is to be preferred to by templates.

    Of the same name, and with the same driver name or a priority that is no higher.
    """
    name, driver = newcomer.alg.cra_name, newcomer.alg.cra_driver_name
    return [
        entry
        for entry in entries
        if (alg := entry.alg).cra_name == name
        and entry is not newcomer
        and not entry.moribund
        and (alg.cra_driver_name == driver or alg.cra_priority <= newcomer.alg.cra_priority)
    ]

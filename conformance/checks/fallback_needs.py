"""What NEED_FALLBACK promises: who takes a fallback, which one, and what happens without any.

A driver that cannot do everything takes another implementation of its algorithm, one that does
not need a fallback itself (crypto API, 6.6).  Whom it takes is seen by who gains a user.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tcrypt import facts
from tcrypt.checks.common import AnyReference, reference_for
from tcrypt.checks.registry_conduct import entry_of
from tcrypt.checks.trial import AnyTfm, good_spec, open_tfm
from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.entries import Entry
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.oracle import AeadReference, SkcipherReference
from tcrypt.problems import Problem
from tcrypt.subject import Subject

__all__ = ("fallback_taken", "keyed", "lookup_of_a_fallback", "without_a_fallback")

_NEED_FALLBACK = int(AlgFlag.NEED_FALLBACK)
_INTERNAL = int(AlgFlag.INTERNAL)


def lookup_of_a_fallback(subject: Subject) -> list[Problem]:
    """A driver's own lookup for a fallback, by its algorithm's name."""
    machine = subject.provider.boot()
    own = entry_of(machine, subject)
    try:
        got = machine.registry.lookup(subject.algorithm, subject.type, 0, _NEED_FALLBACK)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return []
        raise
    if got.flags & _NEED_FALLBACK or (got is own and own.flags & _NEED_FALLBACK):
        name = got.alg.cra_driver_name
        return [Problem("a fallback that needs a fallback", facts.FALLBACK, got=name)]
    return []


def fallback_taken(subject: Subject) -> list[Problem]:
    """Whom a keyed transform holds of its own algorithm, against the flag."""
    machine = subject.provider.boot()
    own = entry_of(machine, subject)
    if own.parts:
        return []
    keyed(machine, subject, every_size=True)
    taken = [
        entry
        for entry in machine.registry.entries()
        if entry.alg.cra_name == subject.algorithm and entry.users and entry is not own
        if not _wraps(own.alg, entry.alg)
    ]
    return _judge(own, taken)


def _wraps(alg: AnyAlg, inner: AnyAlg) -> bool:
    """Whether an algorithm is another one in a wrapping, as `cryptd(DRIVER)`: no fallback."""
    return alg.cra_driver_name.endswith(f"({inner.cra_driver_name})")


def _judge(own: Entry, taken: list[Entry]) -> list[Problem]:
    names = ", ".join(entry.alg.cra_driver_name for entry in taken)
    if own.users != 1:
        return [Problem("a driver is its own fallback", facts.FALLBACK, "1", str(own.users))]
    needs = own.flags & _NEED_FALLBACK
    if needs and not taken:
        return [Problem("NEED_FALLBACK, and no fallback is taken", facts.FALLBACK)]
    if taken and not needs:
        return [Problem("a fallback without CRYPTO_ALG_NEED_FALLBACK", facts.FALLBACK, got=names)]
    if any(entry.flags & _NEED_FALLBACK for entry in taken):
        return [Problem("a fallback that needs a fallback", facts.FALLBACK, got=names)]
    return []


def without_a_fallback(subject: Subject) -> list[Problem]:
    """On a machine that has no other implementation the driver says -ENOENT and leaves nothing."""
    machine = subject.provider.boot()
    own = entry_of(machine, subject)
    if own.parts or not own.flags & _NEED_FALLBACK:
        return []
    _leave_alone(machine, own.alg)
    before = _state(machine)
    status = 0
    try:
        keyed(machine, subject, every_size=True)
    except OSError as error:
        status = -(error.errno or 0)
    if status != -errno.ENOENT:
        wanted, got = errno_name(-errno.ENOENT), errno_name(status)
        return [Problem("usable without a fallback", facts.FALLBACK, wanted, got)]
    after = _state(machine)
    if after != before:
        left = Problem("a transform is left half open", facts.FALLBACK, str(before), str(after))
        return [left]
    return []


def _leave_alone(machine: Machine, alg: AnyAlg) -> None:
    """Take every other implementation of an algorithm away, and what could build one."""
    registry = machine.registry
    registry.templates.clear()
    for other in list(registry):
        if other is not alg and other.cra_name == alg.cra_name and registry.entry(other):
            registry.unregister(other)


def _state(machine: Machine) -> dict[str, int]:
    """What a failed allocation must leave as it was."""
    return {
        "users": sum(entry.users for entry in machine.registry.entries()),
        "memory": machine.memory.live_blocks,
        "mappings": machine.dma.live_mappings,
    }


def keyed(machine: Machine, subject: Subject, *, every_size: bool = False) -> AnyTfm:
    """A transform, with a good key if the oracle knows one; OSError, and none, if that fails.

    With `every_size` it gets one of each size, as far as the driver takes it: who needs a fallback
    for some sizes only may look for it when such a key comes.
    """
    internal = subject.alg.cra_flags & _INTERNAL
    tfm = open_tfm(machine, subject.alg, internal, internal)
    reference = reference_for(subject)
    if reference is None:
        return tfm
    spec: Any = good_spec(reference)
    sizes = _other_sizes(reference) if every_size else ()
    for number, one in enumerate((spec, *(replace(spec, key=size) for size in sizes))):
        key = one.case(reference).key
        try:
            if key is not None:
                tfm.setkey(key)
        except OSError as error:
            if number and error.errno == errno.EINVAL:
                continue
            machine.registry.free(tfm)
            raise
    return tfm


def _other_sizes(reference: AnyReference) -> Sequence[int]:
    """The sizes of a cipher's key beside the one that a good case has, in bytes."""
    if isinstance(reference, AeadReference):
        return reference.enckey_sizes[1:]
    return reference.key_sizes[1:] if isinstance(reference, SkcipherReference) else ()

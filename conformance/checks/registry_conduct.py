"""How a registered algorithm behaves in the registry: found, not in the way, removed, listed.

Each function boots what it needs and returns what is wrong.  The rules are those of the crypto
API, 6.6, 6.7 and 6.9; what should be found is worked out here from the listing alone.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import replace

from tcrypt import facts
from tcrypt.checks.common import reference_for
from tcrypt.checks.trial import open_tfm, trial
from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.entries import Entry, dependants
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgFlag, flag_names
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.proc_crypto import proc_crypto_block
from tcrypt.engine.sim import StepBudgetError
from tcrypt.problems import Problem, WatchdogError, raised
from tcrypt.subject import Subject
from tcrypt.watchdog import Watchdog

__all__ = (
    "attempt",
    "complete",
    "entry_of",
    "failed_self_test",
    "found_by_name",
    "listing",
    "priority_policy",
    "self_test",
    "shadowing",
    "unregistering",
)

_INTERNAL = int(AlgFlag.INTERNAL)
_TESTED = int(AlgFlag.TESTED)
# What a caller may rule out, one at a time (6.6).
_RULED_OUT = (
    AlgFlag(0),
    AlgFlag.ASYNC,
    AlgFlag.NEED_FALLBACK,
    AlgFlag.ALLOCATES_MEMORY,
    AlgFlag.KERN_DRIVER_ONLY,
)


def attempt(watchdog: Watchdog, what: str, body: Callable[[], list[Problem]]) -> list[Problem]:
    """Run one case; a driver that raises or hangs is a problem as well."""
    watchdog.arm()
    try:
        return body()
    except WatchdogError as error:
        return [Problem(f"{what} hangs", facts.PROGRESS, details=(str(error),), grave=True)]
    except StepBudgetError as error:
        return [Problem(f"{what} never ends", facts.PROGRESS, details=(str(error),), grave=True)]
    except Exception as error:
        return [raised(error, what)]
    finally:
        watchdog.disarm()


def entry_of(machine: Machine, subject: Subject) -> Entry:
    """The subject on a machine, built by its template if need be, whatever its self-test said."""
    alg = subject.alg
    internal = alg.cra_flags & _INTERNAL
    known = [e for e in machine.registry.entries() if e.alg.cra_driver_name == subject.driver]
    if known:
        return known[0]
    return machine.registry.lookup(subject.driver, alg.type, internal, internal)


def _status(look: Callable[[], object]) -> int:
    """0, or the errno of what is looked for."""
    try:
        look()
    except OSError as error:
        return -(error.errno or 0)
    return 0


def _own_name(machine: Machine, alg: AnyAlg) -> AnyAlg:
    internal = alg.cra_flags & _INTERNAL
    return machine.registry.find(alg.cra_driver_name, alg.type, internal, internal)


def shadowing(subject: Subject) -> list[Problem]:
    """Every registered algorithm is reachable by its driver name, the subject's among them."""
    machine = subject.provider.boot()
    entry_of(machine, subject)
    found = []
    for alg in list(machine.registry):
        status = _status(lambda a=alg: _own_name(machine, a))  # type: ignore[misc]
        if status or _own_name(machine, alg) is not alg:
            detail = f"{alg.cra_driver_name} of {alg.cra_module}"
            found.append(
                Problem("a driver name finds another driver", facts.LOOKUP, details=(detail,))
            )
    return found


def found_by_name(subject: Subject) -> list[Problem]:
    """Of those that a mask leaves, the highest priority wins, the latest of equals."""
    machine = subject.provider.boot()
    entry_of(machine, subject)
    found = []
    for flag in _RULED_OUT:
        wanted = _winner(machine.registry.entries(), subject, flag)
        if wanted is None:
            continue
        got = machine.registry.find(subject.algorithm, subject.type, 0, flag)
        if got is not wanted:
            name = " ".join(flag_names(flag)) or "nothing"
            names = wanted.cra_driver_name, got.cra_driver_name
            found.append(
                Problem(
                    "a name finds the wrong driver",
                    facts.LOOKUP,
                    *names,
                    details=(f"{name} ruled out",),
                )
            )
    return found


def _winner(entries: Iterable[Entry], subject: Subject, flag: int) -> AnyAlg | None:
    allowed = [
        entry.alg
        for entry in entries
        if entry.alg.cra_name == subject.algorithm
        and not (entry.flags ^ subject.type) & subject.type.lookup_mask
        and entry.flags & _TESTED
        and not entry.flags & (_INTERNAL | flag)
    ]
    # Of equals max() takes the first, which is the latest registration.
    return max(allowed, key=lambda alg: alg.cra_priority, default=None)


def unregistering(subject: Subject) -> list[Problem]:
    """Without the subject nothing else is gone but what is built over it; then it comes back."""
    machine = subject.provider.boot()
    registry = machine.registry
    own = entry_of(machine, subject)
    alg, others = own.alg, _independent(machine, own)
    templates = dict(registry.templates)
    # A template would build an instance of this name again.
    registry.templates.clear()
    registry.unregister(alg)
    status = _status(lambda: _own_name(machine, alg))
    registry.templates.update(templates)
    if status != -errno.ENOENT:
        return [_wrong("found after it was unregistered", -errno.ENOENT, status)]
    if not others <= set(registry):
        return [Problem("takes others away with it", facts.REGISTERED)]
    registry.register(alg)
    if _own_name(machine, alg) is not alg:
        return [Problem("not registered as it was before", facts.REGISTERED)]
    status = _status(lambda: registry.free(open_tfm(machine, alg, *_mention(alg))))
    if status:
        return [_wrong("not usable when it is registered again", 0, status)]
    return [
        Problem("the kernel would warn", facts.KERNEL_WARNING, details=(text,))
        for text in machine.warnings
    ]


def _independent(machine: Machine, own: Entry) -> set[AnyAlg]:
    """What is not built over an algorithm, directly or over something that is."""
    entries = list(machine.registry.entries())
    return {entry.alg for entry in entries} - {
        entry.alg for entry in (own, *dependants(entries, own))
    }


def _mention(alg: AnyAlg) -> tuple[int, int]:
    internal = alg.cra_flags & _INTERNAL
    return internal, internal


def _wrong(message: str, wanted: int, got: int, fact: str = facts.REGISTERED) -> Problem:
    return Problem(message, fact, errno_name(wanted), errno_name(got))


def self_test(subject: Subject) -> list[Problem]:
    """One request as soon as the algorithm is registered, before what is registered behind it."""
    reference = reference_for(subject)
    assert reference is not None
    found: list[list[Problem]] = []

    def test(machine: Machine, alg: AnyAlg) -> int:
        if alg.cra_driver_name != subject.driver:
            return 0
        found.append(trial(machine, alg, reference))
        return -errno.EINVAL if found[-1] else 0

    setup = replace(subject.provider.setup, selftest=test)
    entry_of(subject.under(setup).provider.boot(), subject)
    if not found:
        return [Problem("registered without a self-test", facts.SELFTEST)]
    return [problem._replace(message=f"self-test: {problem.message}") for problem in found[-1]]


def failed_self_test(subject: Subject) -> list[Problem]:
    """With a failed self-test the subject is -ELIBBAD by its driver name; the others are found."""

    def test(machine: Machine, alg: AnyAlg) -> int:
        return -errno.EINVAL if alg.cra_driver_name == subject.driver else 0

    setup = replace(subject.provider.setup, selftest=test)
    machine = subject.under(setup).provider.boot()
    status = _status(lambda: entry_of(machine, subject))
    alg = subject.alg
    status = status or _status(lambda: _own_name(machine, alg))
    if status != -errno.ELIBBAD:
        return [
            _wrong("usable without its self-test", -errno.ELIBBAD, status, facts.SELFTEST_FAILED)
        ]
    found = []
    for other in list(machine.registry):
        status = _status(lambda a=other: _own_name(machine, a))  # type: ignore[misc]
        if other.cra_driver_name != subject.driver and status:
            detail = other.cra_driver_name
            problem = _wrong("takes another driver away", 0, status, facts.SELFTEST_FAILED)
            found.append(problem._replace(details=(detail,)))
    return found


def priority_policy(subject: Subject) -> list[Problem]:
    """Against the table of the provider whose engine does the work, where it has one."""
    machine = subject.provider.boot()
    alg = entry_of(machine, subject).alg
    later = alg.cra_flags & AlgFlag.ASYNC and not subject.instance
    own = [a for a in machine.accelerators if later and a.drives(alg.cra_driver_name)]
    ceilings = [a.ceiling(alg.cra_name) for a in own]
    limit = min((c for c in ceilings if c is not None), default=None)
    if limit is None or alg.cra_priority <= limit:
        return []
    got = str(alg.cra_priority)
    return [Problem("priority beyond the policy", facts.POLICY, f"at most {limit}", got)]


def complete(subject: Subject) -> list[Problem]:
    """What the documents name for a device is there; told with the first driver of the device."""
    machine = subject.provider.boot()
    found = []
    for accelerator in machine.accelerators:
        own = [alg for alg in machine.registry if accelerator.drives(alg.cra_driver_name)]
        missing = accelerator.algorithms - {alg.cra_name for alg in own}
        first = min((alg.cra_driver_name for alg in own), default="")
        if missing and subject.driver == first:
            names = ", ".join(sorted(missing))
            message = "an algorithm of the device is not registered"
            found.append(Problem(message, facts.DOCUMENTED, names, details=(accelerator.name,)))
    return found


def listing(subject: Subject) -> list[Problem]:
    """The subject's block in `/proc/crypto`: what it declares, and a reference for each user."""
    machine = subject.provider.boot()
    entry = entry_of(machine, subject)
    alg = entry.alg
    before = _fields(entry)
    tfm = open_tfm(machine, alg, *_mention(alg))
    used = _fields(entry)
    machine.registry.free(tfm)
    wanted = {
        "name": alg.cra_name,
        "driver": alg.cra_driver_name,
        "module": alg.cra_module,
        "priority": str(alg.cra_priority),
        "selftest": "passed",
        "type": alg.type.word,
        "blocksize": str(alg.cra_blocksize),
    }
    found = [
        Problem(f"wrong {name} in /proc/crypto", facts.LISTED, value, before.get(name, ""))
        for name, value in wanted.items()
        if before.get(name) != value
    ]
    counts = [fields["refcnt"] for fields in (before, used, _fields(entry))]
    if counts != ["1", "2", "1"]:
        found.append(
            Problem("wrong refcnt in /proc/crypto", facts.LISTED, "1, 2, 1", ", ".join(counts))
        )
    return found


def _fields(entry: Entry) -> dict[str, str]:
    lines = proc_crypto_block(entry).splitlines()
    parted = [line.partition(":") for line in lines if line]
    return {name.strip(): value.strip() for name, _, value in parted}

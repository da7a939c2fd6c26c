"""Whose fault a request is that never ends: the driver's, or that of the engine it runs on.

The engine's known wedges (kernel-crypto, 5.7) are part of what is modelled.  A driver that does
what arms one is to blame for the standstill; where none did, and the same case passes on an
engine with all wedges mended, the semantics of the run are.  A device that knows of jobs which it
was given and does not work on is to blame itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tcrypt.engine.api.machine import Machine
from tcrypt.problems import Problem

__all__ = ("MENDED", "attributed", "counted", "engine_problems", "may_be_the_engine")

# The semantics with which a case is run once more.
MENDED = "fixed"
_STANDSTILLS = (
    "accepted and never completed",
    "backlogged and completed without a notice",
    "unexpected backlog notice",
)


def may_be_the_engine(problem: Problem, machine: Machine) -> bool:
    """Whether a problem is one that a driver need not be the cause of, on this machine.

    A crypto_engine may have its wedges, and a device that can tell may have jobs that it forgot.
    """
    message = problem.message
    others = machine.engines or any(a.unanswered is not None for a in machine.accelerators)
    return bool(others) and (message in _STANDSTILLS or message.endswith("never ends"))


def engine_problems(machine: Machine, seen: int) -> list[Problem]:
    """The violations that the monitor recorded after the first `seen` of them."""
    return [
        Problem(
            f"engine: {found.message}", found.fact, attribution=found.who, details=found.details
        )
        for found in machine.monitor.violations[seen:]
    ]


def counted(machine: Machine) -> list[str]:
    """What the drivers of the machine's accelerators say that they did, a line for each count."""
    found: list[str] = []
    for accelerator in machine.accelerators:
        try:
            lines = accelerator.statistics().splitlines()
        except Exception as error:
            lines = [f"nothing: {type(error).__name__}: {error}"]
        found += [f"{accelerator.name}'s driver counted {line}" for line in lines]
    return found


def attributed(
    problem: Problem, machine: Machine, alone: Callable[[str], list[Problem]]
) -> Problem:
    """A problem with whoever caused it, and why that is known.

    The semantics are to blame when the case passes without wedges; but what a driver has left
    behind from earlier cases is lost in a second run, so either the engine was seen to suffer
    from its semantics, or the case fails alike alone.

    Args:
        problem: one that `may_be_the_engine`.
        machine: the machine on which it happened.
        alone: runs the case alone on an engine of these semantics; what is wrong with it.
    """
    driver = [*machine.monitor.breaks, *_violations(machine, "driver")]
    if driver:
        return _with(problem, *(f"rule broken before: {text}" for text in driver))
    forgotten, idle = _forgotten(machine), _idle(machine)
    if forgotten:
        return _with(problem, *forgotten)._replace(attribution="device")
    if not machine.engines:
        return _with(problem, *idle)
    semantics, suffered = machine.setup.semantics, _peculiarities(machine)
    # A driver may use hooks that only its own kernel has.
    cures = [name for name in (MENDED, f"{semantics}+mended") if name != semantics]
    mended = next((name for name in cures if not alone(name)), None)
    if semantics == MENDED or mended is None:
        return _with(problem, *idle)
    if not suffered and [p.message for p in alone(semantics)[:1]] != [problem.message]:
        return _with(problem, *idle)
    why = f"it passes with --semantics {mended} and fails with {semantics}"
    return _with(problem, why, *suffered)._replace(attribution="profile")


def _forgotten(machine: Machine) -> list[str]:
    """The devices that were given work and do nothing, as they know themselves."""
    counts = [(a.name, a.unanswered()) for a in machine.accelerators if a.unanswered is not None]
    return [f"{name} was given {count} jobs and does nothing" for name, count in counts if count]


def _idle(machine: Machine) -> list[str]:
    """Where all devices can tell: that nothing which they were given is left with them."""
    accelerators = machine.accelerators
    if not accelerators or any(a.unanswered is None or a.unanswered() for a in accelerators):
        return []
    return ["no device has a job that it could go on with"]


def _with(problem: Problem, *lines: str) -> Problem:
    return problem._replace(details=(*problem.details, *lines))


def _violations(machine: Machine, who: str) -> Iterable[str]:
    for found in machine.monitor.violations:
        if found.who == who:
            yield ": ".join((found.message, *found.details))


def _peculiarities(machine: Machine) -> list[str]:
    """What the engines are known to have met that a mended one does not suffer from."""
    met = [text for engine in machine.engines for text in engine.peculiarities()]
    return list(dict.fromkeys([*met, *_violations(machine, "profile")]))

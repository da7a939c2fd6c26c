"""Plays programs of one driver, each on a machine of its own."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.checks.common import make_bench, reference_for
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.machine import Machine
from tcrypt.problems import Problem
from tcrypt.search.fingerprint import fingerprint
from tcrypt.search.program import Program
from tcrypt.search.script import Script
from tcrypt.search.stage import Cast
from tcrypt.search.stock import Stock
from tcrypt.search.world import World, setup_for
from tcrypt.specs import SpecError
from tcrypt.subject import Subject
from tcrypt.watchdog import Watchdog

__all__ = ("Look", "Runner", "program_of")

Look = Callable[[int], None]
_TYPES = frozenset({AlgType.SKCIPHER, AlgType.AEAD, AlgType.AHASH})


def program_of(token: str) -> Program | None:
    """The program of a token; None when it is something else, such as a case's name."""
    try:
        program = Program.parse(token)
        program.check()
    except SpecError:
        return None
    return program


class Runner:
    """Plays programs with one driver under test.

    Args:
        subject: the driver; the oracle must know its algorithm.
        watchdog: bounds the driver's own code in real time.
        alone: whether other drivers of its provider stay out of the cast.

    Attributes:
        cast: who plays.
        has_engine: whether there is a crypto_engine that can be stopped and started.
    """

    def __init__(self, subject: Subject, watchdog: Watchdog, *, alone: bool) -> None:
        self.subject = subject
        self._watchdog = watchdog
        machine = subject.provider.boot()
        self.has_engine = bool(machine.engines)
        others = [] if alone else _others(subject, machine)
        subjects = (subject, *others)
        self.cast = Cast(subjects, tuple(_stock(member, machine) for member in subjects))

    def play(
        self,
        program: Program,
        script: Script | None = None,
        look: Look | None = None,
        *,
        timeline: bool = False,
    ) -> list[Problem]:
        """Play a program on a new machine; what is wrong.

        Args:
            program: what happens.
            script: the schedule; that of the program by default.
            look: gets the number of the state before each choice behind the script's end.
            timeline: whether a failure is played again for its timeline.
        """
        setup = setup_for(program, self.subject.provider.setup)
        bench = make_bench(self.subject.under(setup), self._watchdog)
        bench.timelines = int(timeline)
        cast = self.cast

        def body() -> list[Problem]:
            follow = script or Script(program.schedule(), then=program.then)
            world = World(cast, bench, program, follow)
            if look is not None:
                follow.watch = _watch(world, look)
            return world.play()

        return bench.guarded("world", body, again=timeline)


def _watch(world: World, look: Look) -> Callable[[], None]:
    def watch() -> None:
        if world.between_events:
            look(fingerprint(world.machine, world.state()))

    return watch


def _others(subject: Subject, machine: Machine) -> list[Subject]:
    """The asynchronous drivers of the same device that the oracle knows, by name.

    What a template built is left out: on another machine it is not there before it is asked for.
    """
    devices = machine.accelerators
    found = [
        Subject(subject.provider, entry.alg)
        for entry in machine.registry.entries()
        if entry.alg.type in _TYPES
        and entry.alg.cra_flags & AlgFlag.ASYNC
        and not entry.parts
        and (not devices or any(device.drives(entry.alg.cra_driver_name) for device in devices))
        and entry.alg.cra_driver_name != subject.driver
    ]
    known = [other for other in found if reference_for(other) is not None]
    return sorted(known, key=lambda other: other.driver)


def _stock(subject: Subject, machine: Machine) -> Stock:
    reference = reference_for(subject)
    assert reference is not None, f"no reference for {subject.algorithm}: plan nothing"
    own = [a for a in machine.accelerators if a.drives(subject.driver)]
    return Stock(reference, max((a.shortest(subject.algorithm) for a in own), default=1))

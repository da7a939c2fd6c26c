"""The unsteady wire: it delays and adds interrupts, drops none, and a seed repeats it."""

from __future__ import annotations

import pytest

from tcrypt.engine.eip93.unsteady import Unsteadiness, UnsteadyWire
from tcrypt.engine.sim import IrqLine, Simulation


class Listener:
    """A handler that lowers the line, as a driver does by way of its device."""

    def __init__(self, how: Unsteadiness) -> None:
        self.sim = Simulation()
        self.line = IrqLine(self.sim, "test")
        self.wire = UnsteadyWire(self.sim, self.line, how)
        self.heard: list[tuple[int, bool]] = []
        self.pending = False
        self.line.request(self.handle)

    def handle(self) -> None:
        self.heard.append((self.sim.now, self.pending))
        if self.pending:
            self.pending = False
            self.wire.set_level(False)

    def rises(self, count: int) -> list[int]:
        """Raise the wire so often; when each rise was heard, in ns after it."""
        found = []
        for _ in range(count):
            before, start = len(self.heard), self.sim.now
            self.pending = True
            self.wire.set_level(True)
            assert self.sim.run()
            real = [when for when, pending in self.heard[before:] if pending]
            assert len(real) == 1, "a rise was lost or doubled"
            found.append(real[0] - start)
        return found


def test_no_rise_is_lost_and_some_are_late() -> None:
    delays = Listener(Unsteadiness(late=3, late_ns=50_000, spurious=0)).rises(60)
    usual = min(delays)
    late = [delay for delay in delays if delay > usual]
    assert 5 <= len(late) <= 40
    assert max(delays) <= usual + 50_000


def test_some_rises_are_followed_by_an_interrupt_for_nothing() -> None:
    listener = Listener(Unsteadiness(late=0, spurious=4))
    listener.rises(60)
    assert 5 <= sum(not pending for _, pending in listener.heard) <= 30


def test_a_wire_that_was_lowered_stays_low() -> None:
    listener = Listener(Unsteadiness(late=1, spurious=0))
    listener.wire.set_level(True)
    listener.wire.set_level(False)
    assert listener.sim.run()
    assert listener.heard == []


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_repeats_itself(seed: int) -> None:
    first, second = (Listener(Unsteadiness(seed=seed)).rises(40) for _ in range(2))
    assert first == second
    assert first != Listener(Unsteadiness(seed=seed + 5)).rises(40)

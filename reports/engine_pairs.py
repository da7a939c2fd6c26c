"""Which events met the crypto_engine in which of its states, added up over all processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from tcrypt.reports import events as ev

__all__ = ("EnginePair", "EngineTable", "PairTally", "engine_table")


class EnginePair(msgspec.Struct, frozen=True, kw_only=True):
    """An event in a state of the engine, and how often it happened in this run.

    `impossible` says why it cannot happen; it is empty when it can.
    """

    state: str
    event: str
    count: int = 0
    impossible: str = ""


class PairTally:
    """Adds up the events of all logs; what is not known to be possible stands at the end."""

    def __init__(self) -> None:
        self._reasons: dict[tuple[str, str], str] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def states(self, event: ev.EngineStates) -> None:
        """Take the pairs that there are."""
        for state, name, reason in event.pairs:
            self._reasons.setdefault((state, name), reason)

    def coverage(self, event: ev.EngineCoverage) -> None:
        """Take what an item has met."""
        for state, name, count in event.counts:
            self._counts[state, name] += count

    def pairs(self) -> tuple[EnginePair, ...]:
        """All pairs; none when no engine was used."""
        if not self._counts:
            return ()
        places = [*self._reasons, *sorted(self._counts.keys() - self._reasons.keys())]
        return tuple(
            EnginePair(
                state=state,
                event=event,
                count=self._counts[state, event],
                impossible=self._reasons.get((state, event), ""),
            )
            for state, event in places
        )


@dataclass(frozen=True)
class EngineTable:
    """The pairs as a page shows them: a column for each state, a row for each event.

    `unreached` lists, for each state, the events that could have met it and did not.
    """

    states: tuple[str, ...]
    rows: tuple[tuple[str, tuple[EnginePair | None, ...]], ...]
    reached: int
    possible: int
    unreached: tuple[tuple[str, tuple[str, ...]], ...]


def engine_table(pairs: Sequence[EnginePair]) -> EngineTable | None:
    """Lay the pairs out; None when there are none."""
    if not pairs:
        return None
    states = tuple(dict.fromkeys(pair.state for pair in pairs))
    events: dict[str, dict[str, EnginePair]] = {}
    for pair in pairs:
        events.setdefault(pair.event, {})[pair.state] = pair
    missing: dict[str, list[str]] = {}
    for pair in pairs:
        if not pair.count and not pair.impossible:
            missing.setdefault(pair.state, []).append(pair.event)
    reached = sum(pair.count > 0 for pair in pairs)
    return EngineTable(
        states=states,
        rows=tuple((name, tuple(map(met.get, states))) for name, met in events.items()),
        reached=reached,
        possible=reached + sum(map(len, missing.values())),
        unreached=tuple((state, tuple(names)) for state, names in missing.items()),
    )

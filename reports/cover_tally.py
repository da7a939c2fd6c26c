"""From models and hits in the event logs to the coverage of a run, and what it lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import msgspec

from tcrypt.reports import events as ev
from tcrypt.reports.cover import Coverage, CoverCross, CoverGoal, DriverCover, LeftOut, percent
from tcrypt.reports.model import LostCoverage

__all__ = ("CoverTally", "missed_goals")

_Key = tuple[str, str, str]
_Place = tuple[int, ...]
_Bin = tuple[str, tuple[str, ...]]
_NAMED = 12


@dataclass(frozen=True)
class _Cross:
    """A cross with its bins: those that count, in order, and what is left out."""

    name: str
    counted: dict[_Place, tuple[str, ...]]
    left_out: tuple[LeftOut, ...]


class CoverTally:
    """Takes the events of all logs; a driver's model is that of the process that told it first."""

    def __init__(self) -> None:
        self._models: dict[_Key, ev.CoverModelled] = {}
        self._hits: dict[_Key, dict[int, set[_Place]]] = {}
        self._goal: ev.CoverGoals | None = None
        self._expanded: dict[bytes, tuple[_Cross, ...]] = {}

    def modelled(self, event: ev.CoverModelled) -> None:
        """Take what there is to cover of a driver."""
        self._models.setdefault((event.provider, event.driver, event.algorithm), event)

    def hit(self, event: ev.CoverHits) -> None:
        """Take bins that were hit."""
        key = (event.provider, event.driver, event.algorithm)
        crosses = self._hits.setdefault(key, {})
        for number, *place in event.hits:
            crosses.setdefault(number, set()).add(tuple(place))

    def goals(self, event: ev.CoverGoals) -> None:
        """Take the goals; a process that has a reason to waive them has it for all."""
        if self._goal is None or event.waived:
            self._goal = event

    def coverage(self, types: dict[_Key, str]) -> Coverage | None:
        """The coverage of the run; None when nothing was sampled.

        Args:
            types: of the algorithms: `skcipher`, `aead` or `ahash`.
        """
        if not self._models:
            return None
        shown = self._shown(types)
        drivers = [
            self._driver(key, self._like(key, types, shown)) for key in sorted(self._models)
        ]
        told = self._goal or ev.CoverGoals({})
        return Coverage(
            goals={
                name: CoverGoal(own=own, shared=shared)
                for name, (own, shared) in told.goals.items()
            },
            waived=told.waived,
            drivers=tuple(drivers),
        )

    def _like(
        self, key: _Key, types: dict[_Key, str], shown: Mapping[tuple[str, str], set[_Bin]]
    ) -> Collection[_Bin]:
        """What a driver's like has shown: its provider's others, and it on its main machine."""
        kind, main = types.get(key, ""), self._models[key].main
        own = shown[key[0], kind]
        known = (main, *key[1:]) in self._models
        return own | self._bins_of((main, *key[1:])) if known else own

    def _shown(self, types: dict[_Key, str]) -> dict[tuple[str, str], set[_Bin]]:
        """By provider and type, all bins that its drivers have hit, by name."""
        shown: dict[tuple[str, str], set[_Bin]] = {}
        for key in self._models:
            shown.setdefault((key[0], types.get(key, "")), set()).update(self._bins_of(key))
        return shown

    def _bins_of(self, key: _Key) -> set[_Bin]:
        """All bins that a driver has hit, by name."""
        return {
            (cross.name, cross.counted[place])
            for number, cross in enumerate(self._crosses(self._models[key]))
            for place in self._hits.get(key, {}).get(number, ())
            if place in cross.counted
        }

    def _driver(self, key: _Key, shown: Collection[_Bin]) -> DriverCover:
        event, hits = self._models[key], self._hits.get(key, {})
        crosses: list[CoverCross] = []
        left_out: list[LeftOut] = []
        for number, cross in enumerate(self._crosses(event)):
            met = hits.get(number, set())
            hit = [words for place, words in cross.counted.items() if place in met]
            holes = [words for place, words in cross.counted.items() if place not in met]
            crosses.append(
                CoverCross(
                    name=cross.name,
                    bins=len(cross.counted),
                    hit=_by_front(hit),
                    holes=_by_front(holes),
                    elsewhere=sum((cross.name, words) in shown for words in holes),
                )
            )
            left_out += cross.left_out
        return DriverCover(
            provider=key[0],
            driver=key[1],
            algorithm=key[2],
            crosses=tuple(crosses),
            left_out=tuple(left_out),
            waived=event.waived,
            main=event.main,
        )

    def _crosses(self, event: ev.CoverModelled) -> tuple[_Cross, ...]:
        # Many drivers have the same model.
        told = msgspec.json.encode((event.points, event.crosses, event.rules))
        found = self._expanded.get(told)
        if found is None:
            names = [[event.points[n][0] for n in numbers] for numbers in event.crosses]
            bins = [[tuple(event.points[n][1]) for n in numbers] for numbers in event.crosses]
            found = tuple(
                _expanded(tuple(words), tuple(sets), event.rules)
                for words, sets in zip(names, bins, strict=True)
            )
            self._expanded[told] = found
        return found


def _expanded(
    names: tuple[str, ...], bins: tuple[tuple[str, ...], ...], rules: list[ev.CoverRule]
) -> _Cross:
    name = " x ".join(names)
    fitting = [
        (rule, _places(rule, names, bins))
        for rule in rules
        if rule.where.keys() <= set(names) and rule.cross in ("", name)
    ]
    counted: dict[_Place, tuple[str, ...]] = {}
    numbers = [0] * len(fitting)
    places = product(*(range(len(words)) for words in bins))
    for place, words in zip(places, product(*bins), strict=True):
        for number, (_, where) in enumerate(fitting):
            if all(place[point] in taken for point, taken in where):
                numbers[number] += 1
                break
        else:
            counted[place] = words
    left_out = [
        LeftOut(cross=name, kind=rule.kind, reason=rule.reason, bins=many, where=_where(rule))
        for (rule, _), many in zip(fitting, numbers, strict=True)
        if many
    ]
    return _Cross(name, counted, tuple(left_out))


def _places(
    rule: ev.CoverRule, names: tuple[str, ...], bins: tuple[tuple[str, ...], ...]
) -> list[tuple[int, set[int]]]:
    """The rule in numbers: of each of its points, and of its bins there."""
    return [
        (names.index(name), {bins[names.index(name)].index(word) for word in words})
        for name, words in rule.where.items()
    ]


def _where(rule: ev.CoverRule) -> str:
    return " x ".join(" or ".join(words) for words in rule.where.values())


def _by_front(bins: Iterable[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    found: dict[tuple[str, ...], list[str]] = {}
    for words in bins:
        found.setdefault(words[:-1], []).append(words[-1])
    return {" x ".join(front): tuple(words) for front, words in found.items()}


def missed_goals(coverage: Coverage, failed: Collection[_Key]) -> Iterator[LostCoverage]:
    """The goals that a run has not reached, each with the holes that are in the way.

    Args:
        coverage: that of the run.
        failed: the drivers of which cases failed or did not run to their end: they have lost more
            than bins, and are told of elsewhere.
    """
    if coverage.waived:
        return
    for driver in coverage.drivers:
        key = (driver.provider, driver.driver, driver.algorithm)
        if driver.waived or key in failed:
            continue
        for cross in driver.crosses:
            goal = coverage.goal_of(driver, cross.name)
            for what, least, hits in (
                ("by itself", goal.own, cross.hits),
                ("with its like", goal.shared, cross.hits + cross.elsewhere),
            ):
                reached = percent(hits, cross.bins)
                if reached < least:
                    yield LostCoverage(
                        what=f"{'/'.join(key)}: coverage of {cross.name}",
                        expected=f"{least} % of {cross.bins:,} bins {what}",
                        got=f"{reached:.1f} %",
                        reason=f"never seen: {_some(cross)}",
                    )
                    break


def _some(cross: CoverCross) -> str:
    names = list(cross.names_missed)
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return "; ".join(names[:_NAMED]) + more

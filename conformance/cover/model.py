"""What there is to cover, as data: points with named bins, their crosses, and what is left out.

The terms are those of hardware verification (IEEE 1800, clause 19): a *point* is one property of
a request with a *bin* for each kind of value, a *cross* has a bin for each combination of the bins
of its points.  A *rule* takes combinations out, and says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = ("CoverModel", "Kind", "Point", "Rule", "model_of")

Kind = Literal["impossible", "unreachable", "not asked"]


@dataclass(frozen=True, slots=True)
class Point:
    """A property of a request.

    Attributes:
        name: unique in its model.
        bins: the kinds of its values, in the order of the numbers that a sample has for them.
    """

    name: str
    bins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Combinations that are not counted.

    Attributes:
        kind: `impossible` for what no correct driver can show, `unreachable` for what the suite
            has no means to bring about on this machine, `not asked` for what nobody promises.
        reason: why, in a few words.
        where: points with the bins that it is about; it holds in every cross that has them all.
        cross: the only cross that it holds in; empty for all.
    """

    kind: Kind
    reason: str
    where: Mapping[str, tuple[str, ...]] = field(hash=False)
    cross: str = ""


@dataclass(frozen=True, slots=True)
class CoverModel:
    """The coverage of one driver.

    Attributes:
        points: in the order of the numbers in a sample.
        crosses: the numbers of their points; those of one point are that point's own bins.
        rules: what is left out; of several that fit, the first one is the reason.
        waived: why no goal holds for this driver; empty when they do.
    """

    points: tuple[Point, ...]
    crosses: tuple[tuple[int, ...], ...]
    rules: tuple[Rule, ...]
    waived: str = ""


def model_of(
    points: Sequence[Point],
    crosses: Iterable[Sequence[str]],
    rules: Iterable[Rule],
    waived: str = "",
) -> CoverModel:
    """A model of these points, each with a cross of its own, and of crosses of several by name.

    A point with a single bin says nothing and is left out of all crosses; a cross that comes to
    the same as an earlier one then is dropped.  Rules of a cross go where its points are left.

    Raises:
        KeyError: a cross names a point that there is not.
        ValueError: a rule names a point or a bin that there is not.
    """
    numbers = {point.name: number for number, point in enumerate(points)}
    telling = {point.name for point in points if len(point.bins) > 1}
    found: dict[tuple[int, ...], None] = {}
    renamed: dict[str, str] = {}
    for names in (*((point.name,) for point in points), *crosses):
        kept = [name for name in names if name in telling]
        renamed[" x ".join(names)] = " x ".join(kept)
        if kept:
            found.setdefault(tuple(numbers[name] for name in kept))
    return CoverModel(tuple(points), tuple(found), tuple(_checked(rules, points, renamed)), waived)


def _checked(
    rules: Iterable[Rule], points: Sequence[Point], renamed: Mapping[str, str]
) -> Iterable[Rule]:
    bins = {point.name: point.bins for point in points}
    for rule in rules:
        for name, words in rule.where.items():
            unknown = [word for word in words if word not in bins.get(name, ())]
            if unknown or name not in bins:
                wrong = f"{name}: {', '.join(unknown)}" if unknown else name
                raise ValueError(f"rule {rule.reason!r}: there is no {wrong}")
        if rule.cross and rule.cross not in renamed:
            raise ValueError(f"rule {rule.reason!r}: there is no cross {rule.cross!r}")
        yield Rule(rule.kind, rule.reason, dict(rule.where), renamed.get(rule.cross, ""))

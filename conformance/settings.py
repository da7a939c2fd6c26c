"""What a run was asked for: profile, seed, selection; and the command that repeats it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Literal

from tcrypt.division import Part, Standing
from tcrypt.engine.api.machine import Setup
from tcrypt.plan import Plan
from tcrypt.subject import Subject

__all__ = (
    "DEFAULT_SEMANTICS",
    "PROFILES",
    "Profile",
    "Selection",
    "Settings",
    "matches",
)

DEFAULT_SEMANTICS = Setup().semantics


@dataclass(frozen=True, slots=True)
class Profile:
    """How much a run does.

    Attributes:
        fuzz_examples: Hypothesis examples for each driver.
        vectors_per_file: how many vectors of a bulk file are run, evenly spread; 0 for all.
        largest: the longest generated message, in bytes.
        schedules: how many schedules of small worlds are run for each driver, over all worlds.
        programs: how many random programs are run for each driver.
        teams: the most teams into which a crowd of drivers divides a walk; 1 when each runs all.
        scenario_teams: the same for cases that are told by their names.
        few: how many drivers of a provider and type are no crowd, and how many make a team.
        together: whether a driver that several providers test is one crowd.
        machines: into how many parts walks and draws are divided among the further machines of a
            driver that several providers test.
        repeating: of how many further machines of a driver one repeats a case, of those that are
            not divided otherwise.
        bundled: whether all items of a check and driver are one for pytest, and share a machine
            where the check says so; and all those of a check and of a provider's drivers that
            have their main machine elsewhere.
        testmgr: which build of the kernel's self-test runs, instead of everything else.
        patience: seconds of real time that one case may take before it counts as hung.
    """

    fuzz_examples: int
    vectors_per_file: int
    largest: int
    schedules: int
    programs: int
    teams: int = 1
    scenario_teams: int = 1
    few: int = 4
    together: bool = False
    machines: int = 1
    repeating: int = 1
    bundled: bool = False
    patience: float = 10.0
    testmgr: Literal["", "default", "extra"] = ""


_TESTMGR = Profile(fuzz_examples=0, vectors_per_file=0, largest=0, schedules=0, programs=0)
PROFILES = {
    "quick": Profile(
        fuzz_examples=30,
        vectors_per_file=12,
        largest=4097,
        schedules=80,
        programs=15,
        teams=16,
        scenario_teams=16,
        few=1,
        together=True,
        repeating=3,
        bundled=True,
        patience=4.0,
    ),
    "default": Profile(
        fuzz_examples=100,
        vectors_per_file=0,
        largest=65_552,
        schedules=130,
        programs=40,
        teams=2,
        machines=3,
    ),
    "full": Profile(
        fuzz_examples=1_000, vectors_per_file=0, largest=1 << 20, schedules=5_000, programs=1_000
    ),
    "testmgr": replace(_TESTMGR, testmgr="default"),
    "testmgr-extra": replace(_TESTMGR, testmgr="extra"),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of the whole a run takes; every list holds shell patterns, empty for all."""

    providers: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()

    def takes(self, subject: Subject) -> bool:
        """Whether a subject is selected."""
        return (
            _any(self.providers, subject.provider.name)
            and _any(self.drivers, subject.driver)
            and _any(self.algorithms, subject.algorithm)
            and _any(self.types, subject.type.word)
        )

    def takes_provider(self, name: str) -> bool:
        """Whether a provider is selected."""
        return _any(self.providers, name)

    def takes_check(self, check: str) -> bool:
        """Whether a check is selected."""
        return _any(self.checks, check)

    def options(self) -> list[tuple[str, str]]:
        """Each pattern with the name of its option, for messages."""
        lists = {
            "provider": self.providers,
            "driver": self.drivers,
            "algorithm": self.algorithms,
            "type": self.types,
            "check": self.checks,
        }
        return [(name, value) for name, values in lists.items() for value in values]


def matches(pattern: str, name: str) -> bool:
    """Whether a shell pattern matches a name; literally as well, for names may hold brackets."""
    return pattern == name or fnmatchcase(name, pattern)


def _any(patterns: tuple[str, ...], name: str) -> bool:
    return not patterns or any(matches(pattern, name) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that determines what a run does, besides the drivers.

    Attributes:
        profile: the profile's name.
        seed: from which all generated data follow.
        semantics: which kernel's `crypto_engine` the machines have, by name.
        selection: what is run.
        vector: the id of the only vector to run, or empty.
        case: the token of the only generated case to run, or empty.
        extra_arguments: options that a reproducing command must repeat, such as `--from`.
        standings: how the drivers divide work, by the ids of the subjects; one that is not there
            does all itself.
    """

    profile: str = "default"
    seed: int = 0
    selection: Selection = field(default_factory=Selection)
    vector: str = ""
    case: str = ""
    extra_arguments: tuple[str, ...] = ()
    semantics: str = DEFAULT_SEMANTICS
    standings: Mapping[str, Standing] = field(default_factory=dict)

    def share(self, subject: Subject, amount: int, *, most: int | None = None) -> int:
        """What a driver gets of an amount that is meant for a few of its provider and type.

        They share a device and the code that drives it; what is found by trying long is found
        with any of them.  `most` is the number of shares at most.  The further machines of a
        driver get less again.
        """
        standing = self.standings.get(subject.id)
        if standing is None:
            return amount
        shares = max(Fraction(1), Fraction(standing.crowd, self.limits.few))
        if most is not None and shares > most:
            shares = Fraction(most)
        if standing.machine is not None:
            shares *= self.limits.machines
        return math.ceil(amount / shares)

    def part(self, subject: Subject, most: int | None = None) -> Part:
        """Which cases a driver runs of those that are divided among the teams of its crowd.

        A crowd has a team for every few of its drivers, at most `most` of them.  Every case is
        some team's.  What a driver runs on its main machine is divided once more among its others.
        """
        standing = self.standings.get(subject.id)
        if standing is None:
            return Part(0, 1, 0, 1)
        teams = -(-standing.crowd // self.limits.few)
        return standing.part(teams if most is None else min(teams, most), self.limits.machines)

    def repeats(self, subject: Subject, case: str) -> bool:
        """Whether a driver runs a case; if not, others do, which differ in their machine only."""
        standing = self.standings.get(subject.id)
        if standing is None or self.narrow:
            return True
        return standing.repeats(case, self.limits.repeating)

    def bundle(self, plan: Plan) -> str:
        """The name of what pytest runs at once with an item, in its check."""
        if not self.limits.bundled or self.narrow:
            return plan.item.partition("/")[2]
        standing = self.standings.get(plan.subject.id)
        further = standing is not None and standing.machine is not None
        return plan.subject.provider.name if further else plan.subject.id

    @property
    def narrow(self) -> bool:
        """Whether the run is about one vector or case, and says nothing about the rest."""
        return bool(self.vector or self.case)

    @property
    def limits(self) -> Profile:
        """The profile itself."""
        return PROFILES[self.profile]

    def command(self, subject: Subject, check: str, *, vector: str = "", case: str = "") -> str:
        """One line that runs one check, or one case of it, against one driver again."""
        words = ["tcrypt", "run", "--provider", subject.provider.name, "--driver", subject.driver]
        words += ["--check", check, "--seed", str(self.seed)]
        if self.profile != "default":
            words += ["--profile", self.profile]
        if self.semantics != DEFAULT_SEMANTICS:
            words += ["--semantics", self.semantics]
        if vector:
            words += ["--vector", vector]
        if case:
            words += ["--case", case]
        return shlex.join([*words, *self.extra_arguments])

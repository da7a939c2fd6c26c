"""Runs the suite against one planted defect until something fails."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import msgspec

from tcrypt.mutants import BadMutantError, Mutant, NotApplicableError, UnknownMutantError
from tcrypt.plan import Plan
from tcrypt.plugins.agenda import CHECKS
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.selection import SelectionError
from tcrypt.plugins.session import TcryptSession
from tcrypt.recorder import EventSink
from tcrypt.reports.events import CaseFailed, Event
from tcrypt.settings import PROFILES, Selection, Settings, matches
from tcrypt.subject import Provider
from tcrypt.vectors.catalogue import Catalogue

__all__ = ("REGISTERING", "Found", "Hunt", "Known", "Outcome", "Prey")

Outcome = Literal["killed", "survived", "broken", "not applicable"]
Known: TypeAlias = frozenset[tuple[str, str]]
"""Failures, as (item, message)."""
REGISTERING = "registering"
_SUITE = "suite"
# The generics are what every machine has; a defect is more likely in what a provider adds.
_LAST = "software"


class Found(msgspec.Struct, kw_only=True):
    """What came of one defect.

    Attributes:
        id: the defect's name, as `--mutant` takes it.
        outcome: `killed`; `survived` all that was asked for; `broken`: it could not be planted;
            `not applicable`.
        reason: why not, for all but the killed.
        check: what killed it; the other fields say with which case.
        expected: the check that is meant for it, if that is known.
        seconds: from the start of the run, drivers registered anew, to the failure.
        items: how many items ran.
    """

    id: str
    summary: str
    outcome: Outcome
    reason: str = ""
    check: str = ""
    expected: str = ""
    provider: str = ""
    algorithm: str = ""
    driver: str = ""
    item: str = ""
    case: str = ""
    message: str = ""
    profile: str = ""
    command: str = ""
    seconds: float = 0.0
    items: int = 0

    @property
    def as_meant(self) -> bool:
        """Whether it was killed, by the check that is meant for it where one is known."""
        return self.outcome == "killed" and self.expected in ("", self.check)


@dataclass(frozen=True, slots=True)
class Prey:
    """Where to look for a defect.

    Attributes:
        selection: what the user narrowed the search to.
        profiles: the profiles to go through, the cheapest first.
        seed: of all generated data.
        sources: files with drivers, as for `--from`; what a reproducing command repeats.
        known: failures that are there without the defect.
    """

    selection: Selection = field(default_factory=Selection)
    profiles: tuple[str, ...] = tuple(PROFILES)[:2]
    seed: int = 0
    sources: tuple[str, ...] = ()
    known: Known = frozenset()

    def settings(self, selection: Selection, profile: str, mutant: str, case: str) -> Settings:
        """The settings of one stage."""
        words = [word for source in self.sources for word in ("--from", source)]
        words += ["--mutant", mutant] if mutant else []
        return Settings(
            profile=profile,
            seed=self.seed,
            selection=selection,
            case=case,
            extra_arguments=tuple(words),
        )


class _CaughtError(BaseException):
    """Ends the run at the first failure; no driver and no check may catch it."""


class _Trap(EventSink):
    """Ends the run at the first failure that is neither the suite's own nor known."""

    def __init__(self, known: Known) -> None:
        self.event: CaseFailed | None = None
        self.suite: CaseFailed | None = None
        self._known = known

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed) and self.event is None:
            if event.attribution == _SUITE:
                self.suite = self.suite or event
            elif (event.item, event.message) not in self._known:
                self.event = event
        if self.event is not None:
            # Again where the item is ended because of the first time.
            raise _CaughtError


@dataclass(frozen=True, slots=True)
class _Stage:
    """A part of the hunt: what to run, in which profile."""

    selection: Selection
    profile: str
    case: str = ""
    own: bool = False


class Hunt:
    """The search for one defect, stage by stage: its own place, then everything."""

    def __init__(self, mutant: Mutant, prey: Prey, providers: Providers, vectors: Catalogue):
        self.mutant = mutant
        self.prey = prey
        self.providers = providers
        self.vectors = vectors
        self._items = 0
        self._began = time.perf_counter()

    def run(self) -> Found:
        """Plant the defect and run until it is caught, or nothing is left to run."""
        own: CaseFailed | None = None
        for stage in self._stages():
            try:
                found, suite = self._stage(stage)
            except NotApplicableError as error:
                return self._end("not applicable", str(error))
            except (UnknownMutantError, BadMutantError) as error:
                return self._end("broken", str(error))
            except SelectionError as error:
                return self._end("broken", f"its place is gone: {error}".partition("\n")[0])
            except Exception as error:
                return self._end("broken", f"{type(error).__name__}: {error}")
            if found is not None:
                return found
            own = own or suite
        if own is not None:
            return self._end("broken", f"the suite stumbled: {own.item}: {own.message}")
        return self._end("survived", f"{self._items} items passed")

    def _stages(self) -> Iterator[_Stage]:
        place, asked = self.mutant.place, self.prey.selection
        if place.check and asked == Selection():
            own = Selection(
                providers=(place.provider,) if place.provider else (),
                algorithms=(place.algorithm,) if place.algorithm else (),
                checks=(place.check,),
            )
            yield _Stage(own, place.profile, place.case, own=True)
        for profile in self.prey.profiles:
            for provider in self._ordered():
                yield _Stage(replace(asked, providers=(provider.name,)), profile)

    def _ordered(self) -> list[Provider]:
        """The providers to search: that of the place first, the generics last."""
        chosen = [
            p
            for p in self.providers
            if not self.prey.selection.providers
            or any(matches(pattern, p.name) for pattern in self.prey.selection.providers)
        ]
        place = self.mutant.place.provider
        return sorted(chosen, key=lambda p: (p.name != place, p.name == _LAST))

    def _stage(self, stage: _Stage) -> tuple[Found | None, CaseFailed | None]:
        name = self.mutant.name
        settings = self.prey.settings(stage.selection, stage.profile, name, stage.case)
        only = _only(self.providers, stage.selection.providers)
        try:
            session = TcryptSession(settings, only, self.vectors, (name,))
        except SelectionError:
            if stage.own:
                raise
            return self._broken_altogether(stage, only), None
        session.sink = trap = _Trap(self.prey.known)
        if stage.own:
            session.watchdog.seconds = self.mutant.place.patience
        try:
            lost = self._lost(session, stage.profile)
            if lost is not None:
                return lost, None
            for plan in _plans(session):
                self._items += 1
                try:
                    session.run(plan)
                except _CaughtError:
                    assert trap.event is not None
                    return self._killed(plan, trap.event, stage.profile), None
        finally:
            session.release()
        return None, trap.suite

    def _broken_altogether(self, stage: _Stage, only: Providers) -> Found | None:
        """Nothing of the kind is there: perhaps because the defect lets nothing be registered."""
        wide = Selection(providers=stage.selection.providers)
        if wide == stage.selection:
            return None
        settings = self.prey.settings(wide, stage.profile, self.mutant.name, "")
        try:
            session = TcryptSession(settings, only, self.vectors, (self.mutant.name,))
        except SelectionError:
            return None
        try:
            return self._lost(session, stage.profile)
        finally:
            session.release()

    def _lost(self, session: TcryptSession, profile: str) -> Found | None:
        """The kill by a provider that could not register, unless it cannot without a defect."""
        lost = [b for b in session.broken if (REGISTERING, b.why) not in self.prey.known]
        if not lost:
            return None
        found = self._end("killed", "")
        found.check = found.item = REGISTERING
        found.provider, found.message = lost[0].provider.name, lost[0].why
        found.profile = profile
        return found

    def _killed(self, plan: Plan, event: CaseFailed, profile: str) -> Found:
        found = self._end("killed", "")
        found.item = event.item
        found.check, found.case, found.message = plan.check, event.case, event.message
        found.provider = plan.subject.provider.name
        found.algorithm, found.driver = plan.subject.algorithm, plan.subject.driver
        found.profile, found.command = profile, event.command
        return found

    def _end(self, outcome: Outcome, reason: str) -> Found:
        return Found(
            id=self.mutant.name,
            summary=self.mutant.summary,
            outcome=outcome,
            reason=reason,
            expected=self.mutant.place.check,
            seconds=time.perf_counter() - self._began,
            items=self._items,
        )


def _only(providers: Providers, names: Sequence[str]) -> Providers:
    """Those providers alone, so that no other is booted."""
    if not names:
        return providers
    return providers.of(lambda name: any(matches(pattern, name) for pattern in names))


def _plans(session: TcryptSession) -> Iterator[Plan]:
    """All items, driver by driver within a check."""
    for check in CHECKS:
        yield from session.plans(check)

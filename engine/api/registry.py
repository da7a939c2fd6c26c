"""The registry: which implementations exist, and which one a name means.

Lookup follows kernel-crypto, section 6.6: an exact driver name wins whatever its priority; among
algorithms of a name the highest priority wins, and of equals the one registered last.  A name that
nobody registered is built by a template where there is one (6.8).  What differs from one kernel to
the next is in `core_rules`.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.allocation import Allocation, AnyTransform
from tcrypt.engine.api.core_rules import core_rules
from tcrypt.engine.api.descriptor_rules import MAX_NAME, complete_sizes, refusal
from tcrypt.engine.api.entries import (
    Entry,
    SelfTest,
    best_match,
    completed,
    dependants,
    outdone,
)
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.templates import Builder, Template, split_name

if TYPE_CHECKING:
    from tcrypt.engine.api.machine import Machine

__all__ = ("AnyTransform", "Entry", "Registry", "SelfTest")

_TESTED = int(AlgFlag.TESTED)
_FIPS = int(AlgFlag.FIPS_INTERNAL)
_DEAD = int(AlgFlag.DEAD)


class Registry(Allocation):
    """The algorithms of one machine.

    Attributes:
        templates: what can be built on demand, by name.
        selftest: called with every new algorithm, instances included, while lookups do not find
            it yet.  0 lets them find it; -ECANCELED lets only templates find it (FIPS mode does
            not allow it otherwise); with any other errno it stays registered and untested.
        rules: what this machine's kernel does in its own way.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._entries: list[Entry] = []
        # By both names of each, as they were when it was registered.
        self._named: dict[str, list[Entry]] = {}
        self._undead: list[Entry] = []
        self.templates: dict[str, Template] = {}
        self.selftest: Callable[[AnyAlg], int] | None = None
        self.rules = core_rules(machine.setup.core)

    def __iter__(self) -> Iterator[AnyAlg]:
        """All registered algorithms, the latest first."""
        return (entry.alg for entry in self._entries)

    def entries(self) -> Iterator[Entry]:
        """What is known of all registered algorithms, the latest first."""
        return iter(self._entries)

    def entry(self, alg: AnyAlg) -> Entry | None:
        """What is known of a descriptor; None when it is not registered."""
        return next((entry for entry in self._entries if entry.alg is alg), None)

    def register(self, alg: AnyAlg) -> None:
        """Add an algorithm and test it; a failed self-test is no error of the registration.

        Raises:
            OSError: EINVAL for a descriptor that breaks a rule of section 6.7; EEXIST when it is
                registered already or its names clash with another one's; EAGAIN when it was
                unregistered in use and a transform of it still lives.
        """
        self._add(alg, (), ())

    def register_template(self, template: Template) -> None:
        """Offer a template; OSError(EEXIST) when its name is taken."""
        if template.name in self.templates:
            raise crypto_error(-errno.EEXIST, f"template {template.name}")
        self.templates[template.name] = template

    def _add(self, alg: AnyAlg, parts: Sequence[AnyAlg], masks: Sequence[int]) -> Entry:
        reason = refusal(alg, self.rules)
        if reason:
            raise OSError(errno.EINVAL, f"{_registering(alg)}: {reason}")
        if self._undead:
            self._undead = [entry for entry in self._undead if entry.users]
            if any(entry.alg is alg for entry in self._undead):
                raise crypto_error(-errno.EAGAIN, _registering(alg))
        for other in self._named_alike(alg):
            if self._clash(alg, other):
                raise crypto_error(-errno.EEXIST, _registering(alg))
        complete_sizes(alg)
        entry = Entry(alg, parts, masks)
        self._entries.insert(0, entry)
        for known in entry.names:
            self._named.setdefault(known, []).insert(0, entry)
        self._test(entry)
        return entry

    def _named_alike(self, alg: AnyAlg) -> list[Entry]:
        """The registered algorithms whose names may clash with a new one's."""
        name, driver, named = alg.cra_name, alg.cra_driver_name, self._named
        if name not in named and driver not in named:
            return []
        return [
            entry
            for entry in (*named.get(driver, ()), *named.get(name, ()))
            if (known := entry.alg).cra_driver_name == driver
            or known.cra_driver_name == name
            or known.cra_name == driver
        ]

    def _clash(self, alg: AnyAlg, other: Entry) -> bool:
        """Whether a new algorithm cannot stand beside a registered one."""
        known = other.alg
        if known is alg:
            return True
        if other.moribund:
            return False
        same_driver = known.cra_driver_name == alg.cra_driver_name
        return (
            known.cra_driver_name == alg.cra_name
            or known.cra_name == alg.cra_driver_name
            or (same_driver and (self.rules.unique_driver_names or other.testing))
        )

    def _test(self, entry: Entry) -> None:
        entry.testing = True
        try:
            status = self.selftest(entry.alg) if self.selftest is not None else 0
        finally:
            entry.testing = False
        if status not in (0, -errno.ECANCELED):
            entry.selftest = "failed"
            return
        entry.selftest = "passed"
        entry.flags = entry.flags & ~_FIPS | _TESTED | (_FIPS if status else 0)
        alike = self._named[entry.alg.cra_name]
        if len(alike) > 1 and not entry.moribund:
            for worse in outdone(alike, entry):
                for instance in dependants(self._entries, worse, entry):
                    self._bury(instance)

    def unregister(self, alg: AnyAlg) -> None:
        """Remove an algorithm, and all instances built over it, from lookup.

        One that is unknown is only warned about.  One in use is warned about as well, and gone
        all the same; its transforms stay what they are (section 6.7).
        """
        entry = self.entry(alg)
        if entry is None:
            self._machine.warn(f"unregister of {alg.cra_driver_name}: not registered")
            return
        if entry.users:
            self._machine.warn(f"unregister of {alg.cra_driver_name}: in use")
        for instance in dependants(self._entries, entry):
            self._bury(instance)
        self._bury(entry)

    def _bury(self, entry: Entry) -> None:
        entry.flags |= _DEAD
        self._entries.remove(entry)
        for name in entry.names:
            self._named[name].remove(entry)
        if entry.users:
            self._undead.append(entry)

    def users(self, alg: AnyAlg) -> int:
        """How many transforms of an algorithm exist."""
        known = (*self._entries, *self._undead)
        return sum(entry.users for entry in known if entry.alg is alg)

    def find(self, name: str, kind: AlgType, type_: int = 0, mask: int = 0) -> AnyAlg:
        """Look an algorithm up by algorithm or driver name, or have a template build it.

        Args:
            name: `cbc(aes)` or `cbc(aes-generic)`.
            kind: the type asked for.
            type_: required values of the flags selected by `mask`.
            mask: which flags matter, e.g. NEED_FALLBACK to get one that needs no fallback.

        Raises:
            OSError: ENOENT when nothing matches, ELIBBAD when what matches failed its self-test,
                ETIMEDOUT when that is still running and waits for this very lookup, EINVAL when
                the template makes another type, or a template's own errno.
        """
        return self.lookup(name, kind, type_, mask).alg

    def lookup(self, name: str, kind: AlgType, type_: int = 0, mask: int = 0) -> Entry:
        """As `find`, with what else is known of the algorithm."""
        what = f"{kind.word} {name}"
        fips = mask & _FIPS if (type_ | mask) & _FIPS else _FIPS
        type_, mask = completed(kind, type_, mask)
        found = self._match(name, type_, mask) or self._instantiate(name, kind, type_, mask)
        if (found.flags ^ type_) & fips:
            raise crypto_error(-errno.ENOENT, f"{what}: not allowed in FIPS mode")
        return found

    def _match(self, name: str, type_: int, mask: int) -> Entry | None:
        """What is registered and matches; OSError when only something untested does."""
        type_, mask = type_ & ~_FIPS, mask & ~_FIPS
        found = best_match(self._entries, name, type_, mask)
        if found is None and type_ & _TESTED:
            untested = best_match(self._entries, name, type_ & ~_TESTED, mask & ~_TESTED)
            if untested is not None:
                error = errno.ETIMEDOUT if untested.testing else errno.ELIBBAD
                raise crypto_error(-error, f"{name}: self-test {untested.selftest}")
        return found

    def _instantiate(self, name: str, kind: AlgType, type_: int, mask: int) -> Entry:
        what = f"{kind.word} {name}"
        if len(name) >= MAX_NAME:
            raise crypto_error(-errno.ENAMETOOLONG, what)
        parsed = split_name(name)
        template = self.templates.get(parsed[0]) if parsed is not None else None
        if parsed is None or template is None:
            raise crypto_error(-errno.ENOENT, what)
        template = template.making(kind)
        try:
            if (template.type ^ kind) & kind.lookup_mask:
                raise crypto_error(-errno.EINVAL, f"{what}: {template.name} makes no {kind.word}")
            self._build(template, name, parsed[1], type_, mask)
        except OSError as refused:
            if not self.rules.template_errors:
                raise crypto_error(-errno.ENOENT, f"{what}: {refused.strerror}") from refused
            if refused.errno != errno.EEXIST:
                raise
        found = self._match(name, type_, mask)
        if found is None:
            # A caller who tries again is refused what was just built, where names are unique.
            again = errno.EEXIST if self.rules.unique_driver_names else errno.ENOENT
            raise crypto_error(-again, what)
        return found

    def _build(
        self, template: Template, name: str, arguments: list[str], type_: int, mask: int
    ) -> None:
        builder = Builder(self, type_, mask)
        try:
            alg = template.create(builder, arguments)
        except OSError as refused:
            # The part that is missing says its own name only.
            why = f"template {template.name} cannot make {name}: {refused.strerror}"
            raise OSError(refused.errno, why) from refused
        if max(len(alg.cra_name), len(alg.cra_driver_name)) >= MAX_NAME:
            raise crypto_error(-errno.ENAMETOOLONG, f"template {template.name}")
        self._add(alg, builder.parts, builder.masks)


def _registering(alg: AnyAlg) -> str:
    return f"registering {alg.cra_driver_name or '(no driver name)'}"

"""The registry: which implementations exist, and which one a name means.

Lookup follows kernel-crypto, section 6.6: an exact driver name wins whatever its priority; among
algorithms of a name the highest priority wins, and of equals the one registered last.  A name that
nobody registered is built by a template where there is one (6.8).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from tcrypt.engine.api.algorithms import (
    AeadAlg,
    AhashAlg,
    AnyAlg,
    CipherAlg,
    ShashAlg,
    SkcipherAlg,
)
from tcrypt.engine.api.descriptor_rules import refusal
from tcrypt.engine.api.errors import check_status, crypto_error
from tcrypt.engine.api.flags import ALG_TYPE_MASK, AlgFlag, AlgType
from tcrypt.engine.api.shash import Shash, ahash_view
from tcrypt.engine.api.templates import Builder, Template, split_name
from tcrypt.engine.api.transforms import Aead, Ahash, Cipher, Skcipher

if TYPE_CHECKING:
    from tcrypt.engine.api.machine import Machine

__all__ = ("AnyTransform", "Entry", "Registry", "SelfTest")

AnyTransform: TypeAlias = Skcipher | Aead | Ahash | Cipher | Shash

SelfTest = Literal["passed", "unknown", "failed"]
_TESTED = int(AlgFlag.TESTED)
_INTERNAL = int(AlgFlag.INTERNAL)
_MAX_NAME = 128
_T = TypeVar("_T", Skcipher, Aead, Ahash, Cipher, Shash)


class Entry:
    """What the registry knows of one registered algorithm.

    Attributes:
        alg: the descriptor.
        flags: its flags, type nibble included, and what the core adds: TESTED, INSTANCE, DEAD.
        users: how many transforms of it exist.
        selftest: the result of its self-test.
        parts: for a template's instance, what it is built over.
    """

    __slots__ = ("alg", "flags", "parts", "selftest", "users")

    def __init__(self, alg: AnyAlg, parts: tuple[AnyAlg, ...]) -> None:
        self.alg = alg
        self.flags = alg.cra_flags & ~_TESTED | alg.type
        self.users = 0
        self.selftest: SelfTest = "unknown"
        self.parts = parts
        if parts:
            self.flags |= AlgFlag.INSTANCE


class Registry:
    """The algorithms of one machine.

    Attributes:
        templates: what can be built on demand, by name.
        selftest: called with every new algorithm; 0 lets lookups find it.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._entries: list[Entry] = []
        self.templates: dict[str, Template] = {}
        self.selftest: Callable[[AnyAlg], int] | None = None

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
        """Add an algorithm.

        Raises:
            OSError: EINVAL for a descriptor that breaks a rule of section 6.7, EEXIST when it is
                registered already or its name is another one's driver name (or the reverse).
        """
        self._add(alg, ())

    def register_template(self, template: Template) -> None:
        """Offer a template; OSError(EEXIST) when its name is taken."""
        if template.name in self.templates:
            raise crypto_error(-errno.EEXIST, f"template {template.name}")
        self.templates[template.name] = template

    def _add(self, alg: AnyAlg, parts: tuple[AnyAlg, ...]) -> Entry:
        what = f"registering {alg.cra_driver_name or '(no driver name)'}"
        reason = refusal(alg)
        if reason:
            raise OSError(errno.EINVAL, f"{what}: {reason}")
        for other in self:
            clash = (
                other is alg
                or other.cra_driver_name == alg.cra_name
                or other.cra_name == alg.cra_driver_name
            )
            if clash:
                raise crypto_error(-errno.EEXIST, what)
        entry = Entry(alg, parts)
        self._entries.insert(0, entry)
        self._test(entry)
        return entry

    def _test(self, entry: Entry) -> None:
        status = self.selftest(entry.alg) if self.selftest is not None else 0
        entry.selftest = "failed" if status else "passed"
        if not status:
            entry.flags |= _TESTED

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
        self._drop(entry)

    def _drop(self, entry: Entry) -> None:
        entry.flags |= AlgFlag.DEAD
        self._entries.remove(entry)
        for other in list(self._entries):
            if entry.alg in other.parts and other in self._entries:
                self._drop(other)

    def users(self, alg: AnyAlg) -> int:
        """How many transforms of an algorithm exist."""
        entry = self.entry(alg)
        return entry.users if entry is not None else 0

    def find(self, name: str, kind: AlgType, type_: int = 0, mask: int = 0) -> AnyAlg:
        """Look an algorithm up by algorithm or driver name, or have a template build it.

        Args:
            name: `cbc(aes)` or `cbc(aes-generic)`.
            kind: the type asked for.
            type_: required values of the flags selected by `mask`.
            mask: which flags matter, e.g. NEED_FALLBACK to get one that needs no fallback.

        Raises:
            OSError: ENOENT when nothing matches, ELIBBAD when what matches failed its self-test,
                EINVAL when the template makes another type, or a template's own errno.
        """
        return self._find(name, kind, type_, mask).alg

    def _find(self, name: str, kind: AlgType, type_: int, mask: int) -> Entry:
        type_, mask = type_ & ~ALG_TYPE_MASK | kind, mask & ~ALG_TYPE_MASK | kind.lookup_mask
        if not (type_ | mask) & _TESTED:
            type_, mask = type_ | _TESTED, mask | _TESTED
        if not (type_ | mask) & _INTERNAL:
            mask |= _INTERNAL
        found = self._lookup(name, type_, mask)
        if found is not None:
            return found
        what = f"{kind.word} {name}"
        if type_ & _TESTED and self._lookup(name, type_ & ~_TESTED, mask & ~_TESTED) is not None:
            raise crypto_error(-errno.ELIBBAD, what)
        return self._instantiate(name, kind, type_, mask)

    def _lookup(self, name: str, type_: int, mask: int) -> Entry | None:
        best: Entry | None = None
        for entry in self._entries:
            if (entry.flags ^ type_) & mask:
                continue
            alg = entry.alg
            if alg.cra_driver_name == name:
                return entry
            if alg.cra_name == name and (best is None or alg.cra_priority > best.alg.cra_priority):
                best = entry
        return best

    def _instantiate(self, name: str, kind: AlgType, type_: int, mask: int) -> Entry:
        what = f"{kind.word} {name}"
        if len(name) >= _MAX_NAME:
            raise crypto_error(-errno.ENAMETOOLONG, what)
        parsed = split_name(name)
        template = self.templates.get(parsed[0]) if parsed is not None else None
        if parsed is None or template is None:
            raise crypto_error(-errno.ENOENT, what)
        if (template.type ^ kind) & kind.lookup_mask:
            raise crypto_error(-errno.EINVAL, f"{what}: {template.name} makes no {kind.word}")
        builder = Builder(self, type_, mask)
        alg = template.create(builder, parsed[1])
        entry = self._add(alg, tuple(builder.parts))
        if name not in (alg.cra_name, alg.cra_driver_name) or (entry.flags ^ type_) & mask:
            error = errno.ELIBBAD if entry.selftest == "failed" else errno.ENOENT
            raise crypto_error(-error, what)
        return entry

    def alloc_skcipher(self, name: str, type_: int = 0, mask: int = 0) -> Skcipher:
        """A new skcipher transform; OSError with the lookup's or the driver's errno."""
        alg = self.find(name, AlgType.SKCIPHER, type_, mask)
        assert isinstance(alg, SkcipherAlg)
        return self.spawn_skcipher(alg)

    def alloc_aead(self, name: str, type_: int = 0, mask: int = 0) -> Aead:
        """A new AEAD transform; OSError with the lookup's or the driver's errno."""
        alg = self.find(name, AlgType.AEAD, type_, mask)
        assert isinstance(alg, AeadAlg)
        return self.spawn_aead(alg)

    def alloc_ahash(self, name: str, type_: int = 0, mask: int = 0) -> Ahash:
        """A new ahash transform, over a synchronous hash if need be; OSError as for the others."""
        alg = self.find(name, AlgType.AHASH, type_, mask)
        assert isinstance(alg, AhashAlg | ShashAlg)
        return self.spawn_ahash(alg)

    def alloc_cipher(self, name: str, type_: int = 0, mask: int = 0) -> Cipher:
        """A new single-block cipher transform; OSError as for the others."""
        alg = self.find(name, AlgType.CIPHER, type_, mask)
        assert isinstance(alg, CipherAlg)
        return self.spawn_cipher(alg)

    def alloc_shash(self, name: str, type_: int = 0, mask: int = 0) -> Shash:
        """A new synchronous hash transform; OSError as for the others."""
        alg = self.find(name, AlgType.SHASH, type_, mask)
        assert isinstance(alg, ShashAlg)
        return self.spawn_shash(alg)

    def spawn_skcipher(self, alg: SkcipherAlg) -> Skcipher:
        """A transform of a descriptor itself, as a template does with its parts.

        Raises:
            OSError: EAGAIN when the descriptor is not registered any more, or the driver's errno.
        """
        return self._open(alg, Skcipher(self._machine, alg))

    def spawn_aead(self, alg: AeadAlg) -> Aead:
        """A transform of a descriptor itself; OSError as for `spawn_skcipher`."""
        return self._open(alg, Aead(self._machine, alg))

    def spawn_ahash(self, alg: AhashAlg | ShashAlg) -> Ahash:
        """A transform of a descriptor itself; OSError as for `spawn_skcipher`."""
        served = ahash_view(alg) if isinstance(alg, ShashAlg) else alg
        return self._open(alg, Ahash(self._machine, served))

    def spawn_cipher(self, alg: CipherAlg) -> Cipher:
        """A transform of a descriptor itself; OSError as for `spawn_skcipher`."""
        return self._open(alg, Cipher(self._machine, alg))

    def spawn_shash(self, alg: ShashAlg) -> Shash:
        """A transform of a descriptor itself; OSError as for `spawn_skcipher`."""
        return self._open(alg, Shash(self._machine, alg))

    def _open(self, alg: AnyAlg, tfm: _T) -> _T:
        entry = self.entry(alg)
        if entry is None:
            raise crypto_error(-errno.EAGAIN, f"{alg.cra_driver_name}: not registered any more")
        init: Any = tfm.alg.init
        if init is not None:
            check_status(init(tfm), f"{alg.cra_driver_name}: init")
        tfm.entry = entry
        entry.users += 1
        return tfm

    def free(self, tfm: AnyTransform) -> None:
        """Release a transform: the driver's exit runs, the algorithm loses a user."""
        entry: Entry | None = tfm.entry
        alg = tfm.alg
        if entry is None:
            self._machine.warn(f"transform of {alg.cra_driver_name} freed twice")
            return
        tfm.entry = None
        entry.users -= 1
        exit_: Any = alg.exit
        if exit_ is not None:
            exit_(tfm)

"""The registry: which implementations exist, and which one a name means.

Lookup follows kernel-crypto, section 6.6: an exact driver name wins whatever its priority; among
algorithms of a name the highest priority wins, and of equals the one registered last.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, AnyAlg, SkcipherAlg
from tcrypt.engine.api.errors import check_status, crypto_error
from tcrypt.engine.api.flags import ALG_TYPE_MASK, AlgType
from tcrypt.engine.api.transforms import Aead, Ahash, AnyTransform, Skcipher

if TYPE_CHECKING:
    from tcrypt.engine.api.machine import Machine

__all__ = ("Registry",)

_PAGE_SIZE = 4096
_MAX_ALIGNMASK = 127
_MAX_BLOCKSIZE = 160
_MAX_DIGESTSIZE = 64
_MAX_STATESIZE = 512
_MAX_NAME = 128

_A = TypeVar("_A", SkcipherAlg, AeadAlg, AhashAlg)


class Registry:
    """The algorithms of one machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._algs: list[AnyAlg] = []
        self._users: dict[int, int] = {}

    def __iter__(self) -> Iterator[AnyAlg]:
        """All registered algorithms, the latest first."""
        return iter(self._algs)

    def register(self, alg: AnyAlg) -> None:
        """Add an algorithm.

        Raises:
            OSError: EINVAL for a descriptor that breaks a rule of section 6.7, EEXIST when it is
                registered already or its name is another one's driver name (or the reverse).
        """
        what = f"registering {alg.cra_driver_name or '(no driver name)'}"
        reason = _refusal(alg)
        if reason:
            raise OSError(errno.EINVAL, f"{what}: {reason}")
        for other in self._algs:
            clash = (
                other is alg
                or other.cra_driver_name == alg.cra_name
                or other.cra_name == alg.cra_driver_name
            )
            if clash:
                raise crypto_error(-errno.EEXIST, what)
        self._algs.insert(0, alg)

    def unregister(self, alg: AnyAlg) -> None:
        """Remove an algorithm; one that is unknown or in use is only warned about."""
        if alg not in self._algs:
            self._machine.warn(f"unregister of {alg.cra_driver_name}: not registered")
        elif self._users.get(id(alg), 0):
            self._machine.warn(f"unregister of {alg.cra_driver_name}: in use")
        else:
            self._algs.remove(alg)

    def users(self, alg: AnyAlg) -> int:
        """How many transforms of an algorithm exist."""
        return self._users.get(id(alg), 0)

    def find(self, name: str, kind: AlgType, type_: int = 0, mask: int = 0) -> AnyAlg:
        """Look an algorithm up by algorithm or driver name.

        Args:
            name: `cbc(aes)` or `cbc(aes-generic)`.
            kind: the type asked for.
            type_: required values of the flags selected by `mask`.
            mask: which flags matter, e.g. NEED_FALLBACK to get one that needs no fallback.

        Raises:
            OSError: ENOENT when nothing matches.
        """
        best: AnyAlg | None = None
        for alg in self._algs:
            if alg.type is not kind or (alg.cra_flags ^ type_) & mask:
                continue
            if alg.cra_driver_name == name:
                return alg
            if alg.cra_name == name and (best is None or alg.cra_priority > best.cra_priority):
                best = alg
        if best is None:
            raise crypto_error(-errno.ENOENT, f"{kind.word} {name}")
        return best

    def _opened(self, alg: AnyAlg, tfm: AnyTransform) -> None:
        if alg.init is not None:
            check_status(alg.init(tfm), f"{alg.cra_driver_name}: init")  # type: ignore[arg-type]
        self._users[id(alg)] = self._users.get(id(alg), 0) + 1

    def alloc_skcipher(self, name: str, type_: int = 0, mask: int = 0) -> Skcipher:
        """A new skcipher transform; OSError with the lookup's or the driver's errno."""
        alg = self.find(name, AlgType.SKCIPHER, type_, mask)
        assert isinstance(alg, SkcipherAlg)
        tfm = Skcipher(self._machine, alg)
        self._opened(alg, tfm)
        return tfm

    def alloc_aead(self, name: str, type_: int = 0, mask: int = 0) -> Aead:
        """A new AEAD transform; OSError with the lookup's or the driver's errno."""
        alg = self.find(name, AlgType.AEAD, type_, mask)
        assert isinstance(alg, AeadAlg)
        tfm = Aead(self._machine, alg)
        self._opened(alg, tfm)
        return tfm

    def alloc_ahash(self, name: str, type_: int = 0, mask: int = 0) -> Ahash:
        """A new ahash transform; OSError with the lookup's or the driver's errno."""
        alg = self.find(name, AlgType.AHASH, type_, mask)
        assert isinstance(alg, AhashAlg)
        tfm = Ahash(self._machine, alg)
        self._opened(alg, tfm)
        return tfm

    def free(self, tfm: AnyTransform) -> None:
        """Release a transform: the driver's exit runs, the algorithm loses a user."""
        alg = tfm.alg
        users = self._users.get(id(alg), 0)
        if users < 1:
            self._machine.warn(f"transform of {alg.cra_driver_name} freed twice")
            return
        self._users[id(alg)] = users - 1
        if alg.exit is not None:
            alg.exit(tfm)  # type: ignore[arg-type]


def _refusal(alg: AnyAlg) -> str:
    """Why a descriptor cannot be registered (kernel-crypto, sections 6.5 and 6.7), or nothing."""
    for field, name in (("cra_name", alg.cra_name), ("cra_driver_name", alg.cra_driver_name)):
        if not name or len(name) >= _MAX_NAME:
            return f"{field} {name!r} must have 1 to {_MAX_NAME - 1} characters"
    if alg.cra_alignmask & (alg.cra_alignmask + 1) or not 0 <= alg.cra_alignmask <= _MAX_ALIGNMASK:
        return f"cra_alignmask {alg.cra_alignmask:#x} must be 2^n - 1, at most {_MAX_ALIGNMASK:#x}"
    if not 0 < alg.cra_blocksize <= _MAX_BLOCKSIZE:
        return f"cra_blocksize {alg.cra_blocksize} must be 1 to {_MAX_BLOCKSIZE}"
    if alg.cra_priority < 0:
        return f"cra_priority {alg.cra_priority} is negative"
    if alg.cra_flags & ALG_TYPE_MASK:
        return f"cra_flags {alg.cra_flags:#x} carry a type: the descriptor's class says it"
    return _size_refusal(alg)


def _size_refusal(alg: AnyAlg) -> str:
    if isinstance(alg, AhashAlg):
        if not 0 < alg.digestsize <= _MAX_DIGESTSIZE:
            return f"digestsize {alg.digestsize} must be 1 to {_MAX_DIGESTSIZE}"
        if not 0 < alg.statesize <= _MAX_STATESIZE:
            return f"statesize {alg.statesize} must be 1 to {_MAX_STATESIZE}"
        return ""
    sizes = {"ivsize": alg.ivsize, "chunksize": alg.chunksize}
    if isinstance(alg, AeadAlg):
        sizes["maxauthsize"] = alg.maxauthsize
    else:
        sizes["walksize"] = alg.walksize
    for field, value in sizes.items():
        if not 0 <= value <= _PAGE_SIZE // 8:
            return f"{field} {value} must be 0 to {_PAGE_SIZE // 8}"
    return ""

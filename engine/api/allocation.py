"""Transforms from the registry: allocated by name, made of a descriptor, cloned, freed.

The registry itself says what a name means; this is what happens then (kernel-crypto, 6.6).
"""

from __future__ import annotations

import copy
import errno
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from tcrypt.engine.api.algorithms import (
    AeadAlg,
    AhashAlg,
    AnyAlg,
    CipherAlg,
    ShashAlg,
    SkcipherAlg,
)
from tcrypt.engine.api.core_rules import CoreRules
from tcrypt.engine.api.entries import Entry
from tcrypt.engine.api.errors import check_status, crypto_error
from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.shash import Shash, ahash_view
from tcrypt.engine.api.transforms import Aead, Ahash, Cipher, Skcipher

if TYPE_CHECKING:
    from tcrypt.engine.api.machine import Machine

__all__ = ("Allocation", "AnyTransform")

AnyTransform: TypeAlias = Skcipher | Aead | Ahash | Cipher | Shash

_T = TypeVar("_T", Skcipher, Aead, Ahash, Cipher, Shash)
_ATTEMPTS = 100


class Allocation(ABC):
    """The half of the registry that hands out transforms.

    Attributes:
        rules: what this machine's kernel does in its own way.
    """

    _machine: Machine
    rules: CoreRules

    @abstractmethod
    def entry(self, alg: AnyAlg) -> Entry | None:
        """What is known of a descriptor; None when it is not registered."""

    @abstractmethod
    def lookup(self, name: str, kind: AlgType, type_: int = 0, mask: int = 0) -> Entry:
        """What a name means; OSError when it means nothing."""

    def alloc_skcipher(self, name: str, type_: int = 0, mask: int = 0) -> Skcipher:
        """A new skcipher transform; OSError with the lookup's or the driver's errno."""
        tfm = self._alloc(name, AlgType.SKCIPHER, type_, mask)
        assert isinstance(tfm, Skcipher)
        return tfm

    def alloc_aead(self, name: str, type_: int = 0, mask: int = 0) -> Aead:
        """A new AEAD transform; OSError with the lookup's or the driver's errno."""
        tfm = self._alloc(name, AlgType.AEAD, type_, mask)
        assert isinstance(tfm, Aead)
        return tfm

    def alloc_ahash(self, name: str, type_: int = 0, mask: int = 0) -> Ahash:
        """A new ahash transform, over a synchronous hash if need be; OSError as for the others."""
        tfm = self._alloc(name, AlgType.AHASH, type_, mask)
        assert isinstance(tfm, Ahash)
        return tfm

    def alloc_cipher(self, name: str, type_: int = 0, mask: int = 0) -> Cipher:
        """A new single-block cipher transform; OSError as for the others."""
        tfm = self._alloc(name, AlgType.CIPHER, type_, mask)
        assert isinstance(tfm, Cipher)
        return tfm

    def alloc_shash(self, name: str, type_: int = 0, mask: int = 0) -> Shash:
        """A new synchronous hash transform; OSError as for the others."""
        tfm = self._alloc(name, AlgType.SHASH, type_, mask)
        assert isinstance(tfm, Shash)
        return tfm

    def _alloc(self, name: str, kind: AlgType, type_: int, mask: int) -> AnyTransform:
        """Look up and open; one whose init answers -EAGAIN is dying, and the next one is tried.

        The kernel does so without an end; a fatal signal takes the place of the limit here.
        """
        for _ in range(_ATTEMPTS):
            entry = self.lookup(name, kind, type_, mask)
            try:
                return self._spawn(entry.alg, kind)
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    raise
                entry.flags |= AlgFlag.DYING
        raise crypto_error(-errno.EINTR, f"{kind.word} {name}: replaced {_ATTEMPTS} times")

    def _spawn(self, alg: AnyAlg, kind: AlgType) -> AnyTransform:
        if isinstance(alg, SkcipherAlg):
            return self.spawn_skcipher(alg)
        if isinstance(alg, AeadAlg):
            return self.spawn_aead(alg)
        if isinstance(alg, CipherAlg):
            return self.spawn_cipher(alg)
        if isinstance(alg, ShashAlg) and kind is AlgType.SHASH:
            return self.spawn_shash(alg)
        return self.spawn_ahash(alg)

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
        if entry is None or entry.moribund:
            raise crypto_error(-errno.EAGAIN, f"{alg.cra_driver_name}: not registered any more")
        init: Any = tfm.alg.init
        if init is not None:
            check_status(init(tfm), f"{alg.cra_driver_name}: init")
        tfm.entry = entry
        entry.users += 1
        return tfm

    def clone_ahash(self, tfm: Ahash) -> Ahash:
        """A second transform with the same key, without a setkey, or the same one once more.

        A hash without keys is shared: each clone is freed by itself.  A keyed one is copied by the
        driver.

        Raises:
            OSError: ENOSYS when the driver of a keyed hash cannot copy it, or the kernel is older
                than clones; else the driver's errno.
        """
        return self._clone(tfm, Ahash)

    def clone_shash(self, tfm: Shash) -> Shash:
        """As `clone_ahash`; a hash without init, exit and clone_tfm has its context copied."""
        return self._clone(tfm, Shash)

    def _clone(self, tfm: _T, make: Any) -> _T:
        alg: Any = tfm.alg
        what = f"{alg.cra_driver_name}: clone"
        if not self.rules.clones:
            raise crypto_error(-errno.ENOSYS, what)
        if alg.setkey is None:
            tfm.shares += 1
            return tfm
        plain = isinstance(tfm, Shash) and alg.init is None and alg.exit is None
        if alg.clone_tfm is None and not plain:
            raise crypto_error(-errno.ENOSYS, what)
        second: _T = make(self._machine, alg)
        second.flags, second.reqsize = tfm.flags, tfm.reqsize
        second.ctx = copy.copy(tfm.ctx)
        if alg.clone_tfm is not None:
            check_status(alg.clone_tfm(second, tfm), what)
        second.entry = tfm.entry
        tfm.entry.users += 1
        return second

    def free(self, tfm: AnyTransform) -> None:
        """Release a transform: the driver's exit runs, the algorithm loses a user.

        What the driver kept in the transform is gone with it, keys included.
        """
        entry: Entry | None = tfm.entry
        alg = tfm.alg
        if entry is None:
            self._machine.warn(f"transform of {alg.cra_driver_name} freed twice")
            return
        if tfm.shares:
            tfm.shares -= 1
            return
        tfm.entry = None
        entry.users -= 1
        exit_: Any = alg.exit
        if exit_ is not None:
            exit_(tfm)
        tfm.ctx = None

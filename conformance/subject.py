"""What is tested: a driver that a provider registers, on machines that can be booted at will."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, AnyAlg, SkcipherAlg
from tcrypt.engine.api.flags import AlgType, flag_names
from tcrypt.engine.api.machine import Machine, Setup

__all__ = ("Provider", "Subject", "properties_of")


@dataclass(frozen=True, slots=True)
class Provider:
    """A named source of registered algorithms.

    Attributes:
        name: as options and reports use it.
        build: a new machine with the generics and the provider's algorithms registered.
        origin: where it comes from, for the reader of a report.
        setup: how its machines are built.
    """

    name: str
    build: Callable[[Setup], Machine]
    origin: str = ""
    setup: Setup = field(default_factory=Setup)

    def boot(self) -> Machine:
        """A new machine."""
        return self.build(self.setup)

    def under(self, setup: Setup) -> Provider:
        """The same provider on machines that are built differently."""
        return replace(self, setup=setup)


@dataclass(frozen=True, slots=True)
class Subject:
    """One registered algorithm of one provider.

    Attributes:
        provider: who registers or offers it.
        alg: its descriptor.
        instance: whether a template built it over other algorithms.
        checks: the only checks that its provider wants of it, by name; empty for all.
    """

    provider: Provider
    alg: AnyAlg
    instance: bool = False
    checks: tuple[str, ...] = ()

    @property
    def driver(self) -> str:
        """The driver name, e.g. `cbc(aes-eip93)`."""
        return self.alg.cra_driver_name

    @property
    def algorithm(self) -> str:
        """The algorithm name, e.g. `cbc(aes)`."""
        return self.alg.cra_name

    @property
    def type(self) -> AlgType:
        """skcipher, aead or ahash."""
        return self.alg.type

    def under(self, setup: Setup) -> Subject:
        """The same driver on machines that are built differently."""
        return replace(self, provider=self.provider.under(setup))

    @property
    def id(self) -> str:
        """Stable and unique in a run: provider and driver."""
        return f"{self.provider.name}/{self.driver}"


def properties_of(alg: AnyAlg) -> dict[str, int | str]:
    """The declared properties that a report lists, sizes in bytes."""
    found: dict[str, int | str] = {
        "priority": alg.cra_priority,
        "flags": " ".join(flag_names(alg.cra_flags)),
        "module": alg.cra_module,
        "blocksize": alg.cra_blocksize,
        "alignmask": alg.cra_alignmask,
    }
    if isinstance(alg, SkcipherAlg):
        found["min keysize"] = alg.min_keysize
        found["max keysize"] = alg.max_keysize
    if isinstance(alg, SkcipherAlg | AeadAlg):
        found["ivsize"] = alg.ivsize
        found["chunksize"] = alg.chunksize or alg.cra_blocksize
    if isinstance(alg, AeadAlg):
        found["maxauthsize"] = alg.maxauthsize
    if isinstance(alg, AhashAlg):
        found["digestsize"] = alg.digestsize
        found["statesize"] = alg.statesize
    return found

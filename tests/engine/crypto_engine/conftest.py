"""An engine with hardware of a given depth behind it, and a log of everything that happens."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest

from tcrypt.engine import semantics
from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.crypto_engine import MAX_QLEN, CryptoEngine
from tcrypt.engine.semantics import Semantics
from tcrypt.engine.sim import Context

_ENOSPC = -errno.ENOSPC


def _ok(*arguments: Any) -> int:
    return 0


def _make_alg(do_one_request: Callable[[Any, Any], Any] | None, **more: Any) -> SkcipherAlg:
    return SkcipherAlg(
        cra_name="cbc(aes)",
        cra_driver_name="cbc-engine",
        cra_priority=1,
        min_keysize=0,
        max_keysize=0,
        setkey=_ok,
        encrypt=_ok,
        decrypt=_ok,
        do_one_request=do_one_request,
        **more,
    )


class Rig:
    """An engine, hardware of a given depth behind it, and a log of all that happens.

    The log has `("start", n)`, `("full", n)`, `("fail", n)` for what `do_one_request` did with
    request n, and `("callback", n, status)` for its completions.
    """

    def __init__(
        self,
        *,
        retry: bool,
        qlen: int = MAX_QLEN,
        depth: int = 1_000,
        profile: str = semantics.DEFAULT,
        start: bool = True,
        batch: Any = None,
        operation: bool = True,
        **hooks: Any,
    ) -> None:
        self.machine = Machine(setup=Setup(semantics=profile))
        self.sim = self.machine.sim
        self.engine = CryptoEngine(
            self.machine, "rig", retry_support=retry, qlen=qlen, do_batch=batch
        )
        self.depth = depth
        self.log: list[tuple[Any, ...]] = []
        self.answers: dict[int, Any] = {}
        self.in_hardware: list[int] = []
        self.requests: dict[int, Any] = {}
        self.in_softirq: list[bool] = []
        self.alg = _make_alg(self.do_one_request if operation else None, **hooks)
        self.engine.register(self.alg)
        self.tfm = self.machine.registry.alloc_skcipher("cbc-engine")
        if start:
            assert self.engine.start() == 0

    @property
    def blamed(self) -> list[tuple[str, str]]:
        """Message and culprit of every violation that the monitor saw."""
        return [(v.message, v.who) for v in self.machine.monitor.violations]

    def do_one_request(self, engine: CryptoEngine, request: Any) -> Any:
        number = request.data
        assert engine is self.engine
        assert self.sim.context is Context.WORK
        if number in self.answers:
            self.log.append(("fail", number))
            return self.answers[number]
        if len(self.in_hardware) >= self.depth:
            self.log.append(("full", number))
            return _ENOSPC
        self.log.append(("start", number))
        self.in_hardware.append(number)
        return 0

    def callback(self, number: int, status: int) -> None:
        self.log.append(("callback", number, status))
        self.in_softirq.append(self.sim.in_softirq)

    def transfer(self, *numbers: int, backlog: bool = True) -> list[int]:
        """Submit new requests; their statuses."""
        statuses = []
        for number in numbers:
            request = self.tfm.request()
            request.set_callback(ReqFlag.MAY_BACKLOG if backlog else 0, self.callback, number)
            self.requests[number] = request
            statuses.append(self.engine.transfer(request))
        return statuses

    def finalize(self, number: int, status: int = 0) -> None:
        """The hardware is done with a request."""
        if number in self.in_hardware:
            self.in_hardware.remove(number)
        self.sim.local_bh_disable()
        self.engine.finalize(self.requests[number], status)
        self.sim.local_bh_enable()

    def take(self) -> list[tuple[Any, ...]]:
        """The log since the last call."""
        taken, self.log = self.log, []
        return taken

    def pump(self) -> list[tuple[Any, ...]]:
        """Let the worker run until it rests; what happened.  It never rests while full."""
        self.sim.run(max_steps=100)
        return self.take()


@pytest.fixture
def make_alg() -> Callable[..., SkcipherAlg]:
    """Makes the descriptor of an algorithm that goes through an engine."""
    return _make_alg


@pytest.fixture
def make_rig() -> Callable[..., Rig]:
    """Makes a rig, started unless told otherwise."""
    return Rig


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> Callable[[Semantics], str]:
    """Adds a profile that no kernel has; its name."""

    def add(profile: Semantics) -> str:
        monkeypatch.setattr(semantics, "PROFILES", {**semantics.PROFILES, profile.name: profile})
        return profile.name

    return add

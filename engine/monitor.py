"""Watches every request that goes through a `crypto_engine`, and notes what breaks a rule.

A request is transferred, waits, is tried, started, finalized and completed, each once and in this
order (kernel-crypto, sections 5.3 to 5.6 and 6.10).  The monitor sees what the engine is told and
what it does, never how; it changes nothing.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from tcrypt.engine.semantics import Semantics

__all__ = ("EngineWatch", "Monitor", "Violation", "Who")

Who = Literal["driver", "profile", "device"]

_EINPROGRESS, _EBUSY, _ENOSPC = -errno.EINPROGRESS, -errno.EBUSY, -errno.ENOSPC
_WAITING, _TRYING, _STARTED, _DONE, _REFUSED = range(5)
# Finished requests are remembered to tell a second completion; this many at most.
_REMEMBERED = 4096

_FINALIZE = "a driver finalizes each request that do_one_request took, once (5.4, 5.6)"
_NOTICE = "-EINPROGRESS is delivered once after -EBUSY, and never otherwise (5.1)"
_ORDER = "requests of one engine start in the order of their submission (5.4, 5.5)"
_STOP = "what was accepted before an engine stopped is completed (5.6)"
_EXIT = "an engine is not used any more once exit has dropped its worker (5.2, 5.6)"
_ORPHANED = "algorithms are unregistered before the engine goes that they need (5.2, 6.7)"
_ONE = "a request belongs to one operation at a time (6.10)"


class Violation(NamedTuple):
    """A rule that was broken.

    Attributes:
        message: what happened, without values.
        fact: the rule.
        who: whose doing it was: the driver's, the device's, or that of the engine itself.
        details: the engine, the driver and the values.
    """

    message: str
    fact: str
    who: Who
    details: tuple[str, ...]


class _Life:
    """How far one request has come, and what its submitter was told.

    Its descriptor is remembered, for a completed request's transform is nobody's any more.
    """

    __slots__ = ("alg", "noticed", "number", "outlived", "retried", "stage", "told", "watch")

    def __init__(self, alg: Any) -> None:
        self.alg = alg
        self.stage = _DONE
        self.begin(None, 0, 0)

    def begin(self, watch: EngineWatch | None, number: int, told: int) -> None:
        self.watch = watch
        self.number = number
        self.told = told
        self.noticed = False
        self.outlived = False
        self.retried = False


class Monitor:
    """The record of one machine.

    Attributes:
        violations: every rule that was broken, in order.
        breaks: what drivers did that does no harm by itself and may stop an engine later, each
            with what to do instead; in the order in which it was first seen.
        lives: how far each request has come that is under way or was lately.
    """

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.breaks: dict[str, None] = {}
        self.lives: dict[Any, _Life] = {}

    def watch(self, name: str, semantics: Semantics, *, retry_support: bool) -> EngineWatch:
        """The part of the record that one engine writes."""
        return EngineWatch(self, name, semantics, retry_support=retry_support)

    def life(self, request: Any) -> _Life:
        """The life of a request, a new one if it was never seen."""
        lives = self.lives
        life = lives.get(request)
        if life is None:
            if len(lives) >= _REMEMBERED:
                self._forget()
            life = lives[request] = _Life(request.tfm.alg)
        return life

    def known(self, request: Any) -> _Life | None:
        """The life of a request that was seen before."""
        return self.lives.get(request)

    def waiting(self, watch: EngineWatch) -> list[Any]:
        """The requests that an engine accepted and has not tried."""
        return [
            request
            for request, life in self.lives.items()
            if life.watch is watch and life.stage == _WAITING
        ]

    def _forget(self) -> None:
        for request in [r for r, life in self.lives.items() if life.stage >= _DONE]:
            del self.lives[request]


class EngineWatch:
    """What one engine reports while it works; every method is called by `CryptoEngine`."""

    __slots__ = (
        "_last",
        "_lives",
        "_monitor",
        "_number",
        "exited",
        "name",
        "retry_support",
        "semantics",
    )

    def __init__(
        self, monitor: Monitor, name: str, semantics: Semantics, *, retry_support: bool
    ) -> None:
        self._monitor = monitor
        self._lives = monitor.lives
        self.name = name
        self.semantics = semantics
        self.retry_support = retry_support
        self.exited = False
        self._number = 0
        self._last = 0

    def _violation(self, message: str, fact: str, who: Who, request: Any, *more: str) -> None:
        driver = []
        if request is not None:
            life = self._lives.get(request)
            alg = request.tfm.alg if life is None else life.alg
            driver = [f"driver {alg.cra_driver_name}"]
        details = (f"engine {self.name}, {self.semantics.name}", *driver, *more)
        self._monitor.violations.append(Violation(message, fact, who, details))

    def transferred(self, request: Any, status: int) -> None:
        """A request was handed over, and answered with `status`."""
        life = self._lives.get(request) or self._monitor.life(request)
        if life.stage < _DONE:
            self._violation("transferred again before its completion", _ONE, "driver", request)
        if status in (_EINPROGRESS, _EBUSY):
            self._number += 1
            life.begin(self, self._number, status)
            life.stage = _WAITING
        else:
            life.begin(self, 0, status)
            life.stage = _REFUSED

    def trying(self, request: Any) -> int:
        """`do_one_request` is about to be asked; a number that names this submission."""
        life = self._lives.get(request) or self._monitor.life(request)
        number = life.number
        if 0 < number < self._last and self.semantics.keeps_order:
            why = f"submission {number} after submission {self._last}"
            self._violation("started out of order", _ORDER, "profile", request, why)
        self._last = number
        life.stage = _TRYING
        return number

    def started(self, request: Any, number: int) -> bool:
        """`do_one_request` took it; whether it is still in hardware."""
        life = self._lives.get(request) or self._monitor.life(request)
        if life.number != number or life.stage != _TRYING:
            return False
        life.stage = _STARTED
        return True

    def put_back(self, request: Any, number: int, status: int) -> None:
        """`do_one_request` answered `status`, and the request waits again."""
        life = self._monitor.life(request)
        life.retried = True
        if life.number == number and life.stage == _TRYING:
            life.stage = _WAITING
        else:
            self._finalized_and_failed(request, status)

    def failed(self, request: Any, number: int, status: int, *, asked: bool) -> None:
        """The engine completes a request with an error; `asked`: that of `do_one_request`."""
        life = self._monitor.life(request)
        if life.number != number or life.stage != _TRYING:
            self._finalized_and_failed(request, status)
        life.stage = _DONE
        if asked:
            self._note_break(request, status)

    def _note_break(self, request: Any, status: int) -> None:
        name, mends = request.tfm.alg.cra_driver_name, self.semantics.mends
        if request.tfm.alg.do_one_request is None:
            self._monitor.breaks[f"{name} has no do_one_request"] = None
        elif status == _EINPROGRESS:
            self._monitor.breaks[
                f"{name} returned -EINPROGRESS from do_one_request; return 0 once the request is"
                " started"
            ] = None
        elif not mends("F" if self.retry_support else "B"):
            told = f"-{errno.errorcode.get(-status, str(-status))}"
            self._monitor.breaks[
                f"{name} returned {told} from do_one_request; finalize with the error and return 0"
            ] = None

    def _finalized_and_failed(self, request: Any, status: int) -> None:
        told = f"do_one_request returned {status}"
        self._violation(
            "finalized in do_one_request, which failed as well", _FINALIZE, "driver", request, told
        )

    def finalized(self, request: Any, status: int) -> None:
        """The driver says that a request is done."""
        life = self._lives.get(request)
        if life is None or life.stage == _REFUSED or life.watch is not self:
            self._violation(
                "finalized a request that was never transferred", _FINALIZE, "driver", request
            )
        elif life.stage == _WAITING:
            self._violation(
                "finalized a request that was never started", _FINALIZE, "driver", request
            )
        elif life.stage == _DONE:
            self._violation("finalized a request twice", _FINALIZE, "driver", request)
        if type(status) is not int or status > 0 or status == _EINPROGRESS:
            told = f"status {status!r}"
            self._violation("finalized with no final status", _FINALIZE, "driver", request, told)
        if self.exited:
            outlived = life is not None and life.outlived
            who: Who = "profile" if outlived else "driver"
            self._violation("finalized after exit", _EXIT, who, request)
        if life is not None:
            life.stage = _DONE

    def left_alone(self, requests: Iterable[Any], status: int) -> None:
        """`do_batch_requests` left these in the queue, and nothing is there to ask it again."""
        names = {request.tfm.alg.cra_driver_name: None for request in requests}
        told = f"-{errno.errorcode.get(-status, str(-status))}" if status < 0 else str(status)
        for name in names:
            self._monitor.breaks[
                f"{name} returned {told} from do_batch_requests, with requests left in the queue"
                " and none in hardware; finalize what fails, or return -ENOSPC to be asked again"
            ] = None

    def noticed(self, request: Any) -> None:
        """A waiting request is told that it has been accepted."""
        life = self._monitor.life(request)
        if life.told != _EBUSY:
            why = "its submission was answered -EINPROGRESS (wedge J)"
            self._violation("notice without a backlog", _NOTICE, "profile", request, why)
        elif life.noticed:
            self._violation("second notice of the backlog", _NOTICE, "profile", request)
        life.noticed = True

    def stopped(self) -> None:
        """The engine has stopped, its queue is empty: nothing that waited may have been lost."""
        for request in self._monitor.waiting(self):
            self._monitor.life(request).stage = _REFUSED
            self._violation("lost by stop", _STOP, "profile", request)

    def left(self, in_hardware: Iterable[Any], registered: Iterable[str]) -> None:
        """The engine has exited, with these requests still in hardware.

        It is the driver's doing when its algorithms were still registered, the engine's when it
        does not wait for what is in hardware (wedge K).
        """
        self.exited = True
        still = ", ".join(registered)
        who: Who = "driver" if still else "profile"
        why = f"still registered: {still}" if still else "stop does not wait for it (wedge K)"
        if still:
            message = "the engine exited before its algorithms were unregistered"
            self._violation(message, _ORPHANED, who, None, why)
        for request in in_hardware:
            self._monitor.life(request).outlived = True
            self._violation("in hardware when the engine exited", _STOP, who, request, why)

    def used(self, what: str) -> None:
        """Something was asked of the engine that needs its worker."""
        if self.exited:
            self._violation(f"{what} after exit", _EXIT, "driver", None)

"""Real time: a loop in a driver's code ends, a driver that hangs again and again is given up."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tcrypt.problems import WatchdogError
from tcrypt.watchdog import DriverGivenUpError, Watchdog

_SHORT = 0.05


@pytest.fixture(autouse=True)
def _alarm_is_left_as_it_was() -> Iterator[None]:
    handler, timer = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    yield
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == timer


def loop(seconds: float = 5.0) -> None:
    """What a stuck driver does; it ends by itself, so that a broken watchdog fails a test."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def hang(watchdog: Watchdog) -> float:
    """Let one case hang; how long it took to be ended (s)."""
    began = time.monotonic()
    watchdog.arm()
    try:
        with pytest.raises(WatchdogError):
            loop()
    finally:
        watchdog.disarm()
    return time.monotonic() - began


def test_a_loop_is_ended_with_the_time_it_was_given() -> None:
    watchdog = Watchdog(_SHORT)
    with watchdog.watching("driver"):
        assert watchdog.active
        watchdog.arm()
        began = time.monotonic()
        with pytest.raises(
            WatchdogError, match=r"^no answer within 0\.05 s of real time, in loop$"
        ):
            loop()
        watchdog.disarm()
    assert _SHORT <= time.monotonic() - began < 1


def test_a_case_that_ends_in_time_is_left_alone() -> None:
    watchdog = Watchdog(_SHORT)
    with watchdog.watching("driver"):
        for _ in range(3):
            watchdog.arm()
            watchdog.disarm()
        time.sleep(2 * _SHORT)
    assert not watchdog.given_up


def test_a_driver_that_catches_every_exception_does_not_catch_this_one() -> None:
    def careless() -> None:
        try:
            loop()
        except Exception:
            pytest.fail("it was caught")

    watchdog = Watchdog(_SHORT)
    with watchdog.watching("driver"):
        watchdog.arm()
        with pytest.raises(WatchdogError):
            careless()
        watchdog.disarm()


def test_the_signal_comes_again_for_a_driver_that_catches_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tcrypt.watchdog._REPEAT", _SHORT)
    watchdog = Watchdog(_SHORT)
    caught = 0
    with watchdog.watching("driver"):
        watchdog.arm()
        for _ in range(2):
            try:
                loop()
            except WatchdogError:
                caught += 1
        watchdog.disarm()
    assert caught == 2


@pytest.mark.parametrize("cleanup", [False, True])
def test_a_driver_that_catches_it_again_and_again_is_ended(
    monkeypatch: pytest.MonkeyPatch, cleanup: bool
) -> None:
    monkeypatch.setattr("tcrypt.watchdog._REPEAT", _SHORT)
    end = time.monotonic() + 5.0
    cleaned = 0

    def deaf() -> None:
        nonlocal cleaned
        while time.monotonic() < end:
            try:
                try:
                    loop()
                finally:
                    cleaned += cleanup
            except BaseException:
                continue

    trace = sys.gettrace()
    watchdog = Watchdog(_SHORT)
    with watchdog.watching("driver"):
        watchdog.arm()
        with pytest.raises(WatchdogError):
            deaf()
        watchdog.disarm()
    assert time.monotonic() < end
    assert sys.gettrace() is trace


class Finalized:
    """Takes its time when it is finalized."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __del__(self) -> None:
        loop(self.seconds)


def finalize_and_loop(seconds: float) -> None:
    Finalized(seconds)
    loop()


def collect_and_loop(seconds: float) -> None:
    """Let a callback of the garbage collector take its time, as a library's may."""

    def slow(phase: str, info: dict[str, int]) -> None:
        loop(seconds)

    gc.callbacks.append(slow)
    gc.collect()
    loop()


@pytest.fixture
def _callbacks_are_left_as_they_were() -> Iterator[None]:
    # Not in the function that appends one: the signal may strike before its `finally` does it.
    before = list(gc.callbacks)
    yield
    gc.callbacks[:] = before


@pytest.mark.usefixtures("_callbacks_are_left_as_they_were")
@pytest.mark.parametrize("ignored", [finalize_and_loop, collect_and_loop])
@pytest.mark.parametrize("seconds", [0.6 * _SHORT, 10 * _SHORT])
def test_a_signal_that_strikes_where_python_ignores_it_is_not_lost(
    ignored: Callable[[float], None], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)
    watchdog = Watchdog(_SHORT)
    began = time.monotonic()
    with watchdog.watching("driver"):
        watchdog.arm()
        with pytest.raises(WatchdogError):
            ignored(seconds)
        watchdog.disarm()
    assert time.monotonic() - began < 2
    assert not seen


def test_what_else_python_ignores_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: seen.append(what.exc_type))

    class Broken:
        def __del__(self) -> None:
            raise KeyError("finalizer")

    with Watchdog(1.0).watching("driver"):
        Broken()
    assert seen == [KeyError]


def test_a_finalizer_that_hangs_is_ended() -> None:
    watchdog = Watchdog(_SHORT)
    began = time.monotonic()
    with watchdog.watching("driver"):
        watchdog.arm()
        Finalized(5.0)
        watchdog.disarm()
    assert time.monotonic() - began < 2


def test_the_time_between_cases_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tcrypt.watchdog._BETWEEN_CASES", 1.0)
    watchdog = Watchdog(_SHORT)
    with watchdog.watching("driver"), pytest.raises(WatchdogError):
        loop()


def test_a_case_inside_of_another_does_not_lend_it_time() -> None:
    watchdog = Watchdog(0.5)
    with watchdog.watching("driver"):
        watchdog.arm()
        began = time.monotonic()
        time.sleep(0.4)
        watchdog.arm()
        watchdog.disarm()
        with pytest.raises(WatchdogError):
            loop()
        watchdog.disarm()
    assert 0.5 <= time.monotonic() - began < 0.9


def test_a_suspect_gets_a_fifth_of_the_time() -> None:
    watchdog = Watchdog(5 * _SHORT)
    with watchdog.watching("driver"):
        first, second = hang(watchdog), hang(watchdog)
    assert first >= 5 * _SHORT
    assert _SHORT <= second < first


def test_suspicion_outlives_the_item_but_does_not_spread() -> None:
    watchdog = Watchdog(5 * _SHORT)
    with watchdog.watching("one"):
        hang(watchdog)
    with watchdog.watching("other"):
        assert hang(watchdog) >= 5 * _SHORT
    with watchdog.watching("one"):
        assert hang(watchdog) < 5 * _SHORT


def test_a_driver_that_keeps_hanging_is_given_up() -> None:
    watchdog = Watchdog(_SHORT)
    with watchdog.watching("driver"):
        hangs = 0
        while not watchdog.given_up:
            hang(watchdog)
            hangs += 1
            assert hangs < 50
        with pytest.raises(DriverGivenUpError, match="cases of this driver have hung for"):
            watchdog.arm()
    assert hangs > 1
    with watchdog.watching("other"):
        assert not watchdog.given_up
        watchdog.arm()
        watchdog.disarm()


def test_a_case_that_was_ended_otherwise_can_be_charged_as_well() -> None:
    watchdog = Watchdog(10 * _SHORT)
    with watchdog.watching("driver"):
        watchdog.arm()
        watchdog.hung()
        watchdog.disarm()
        assert hang(watchdog) < 10 * _SHORT, "it is a suspect"


def test_giving_up_is_no_exception_that_a_check_would_catch() -> None:
    assert not issubclass(DriverGivenUpError, Exception)
    assert not issubclass(WatchdogError, Exception)


def test_an_outer_timer_and_handler_come_back() -> None:
    fired: list[int] = []
    handler = signal.signal(signal.SIGALRM, lambda number, frame: fired.append(number))
    signal.setitimer(signal.ITIMER_REAL, 50.0)
    try:
        watchdog = Watchdog(_SHORT)
        with watchdog.watching("driver"):
            hang(watchdog)
        assert 49.0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 50.0
        signal.raise_signal(signal.SIGALRM)
        assert fired == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def test_outside_of_watching_nothing_is_bounded() -> None:
    watchdog = Watchdog(_SHORT)
    watchdog.arm()
    time.sleep(2 * _SHORT)
    watchdog.disarm()
    assert not watchdog.active


def test_in_another_thread_nothing_is_bounded_and_nothing_breaks() -> None:
    seen: list[bool] = []

    def work() -> None:
        watchdog = Watchdog(_SHORT)
        with watchdog.watching("driver"):
            watchdog.arm()
            seen.append(watchdog.active)
            time.sleep(2 * _SHORT)
            watchdog.disarm()
            seen.append(bool(watchdog.given_up))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False, False]

"""Drivers of cbc(aes) that break every promise: they raise, lie, answer nonsense or hang."""

from __future__ import annotations

import errno
import os
import sys
import time
from typing import Any

from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.sim import Context


def _loop(request: Any) -> int:
    while True:
        pass


def _sleep(request: Any) -> int:
    time.sleep(3600)
    return 0


def _stubborn(request: Any) -> int:
    while True:
        try:
            time.sleep(3600)
        except Exception:
            continue


def _deaf(request: Any) -> int:
    while True:
        try:
            time.sleep(3600)
        except BaseException:
            continue


def _never(request: Any) -> int:
    return -errno.EINPROGRESS


def _busy(request: Any) -> int:
    sim = request.tfm.machine.sim

    def again() -> None:
        sim.schedule(1000, Context.DEVICE, "again", again)

    again()
    return -errno.EINPROGRESS


def _raise(request: Any) -> int:
    raise RuntimeError("the driver raised on purpose")


def _exit(request: Any) -> int:
    sys.exit(0)


def _nothing(request: Any) -> Any:
    return None


def _text(request: Any) -> Any:
    return "done"


def _positive(request: Any) -> int:
    return 16


def _lie(request: Any) -> int:
    """Success, and not a byte was written."""
    return 0


def _late(request: Any) -> int:
    """Success, and a callback as well."""
    request.tfm.machine.sim.schedule(
        10, Context.SOFTIRQ, "late", lambda: request.complete(request.data, 0)
    )
    return 0


def _slow_init(tfm: Any) -> int:
    time.sleep(3600)
    return 0


def _bad_init(tfm: Any) -> int:
    raise RuntimeError("the driver raised in init")


def register(machine: Machine) -> None:
    encrypts = {
        "loop": _loop,
        "sleep": _sleep,
        "stubborn": _stubborn,
        "deaf": _deaf,
        "never": _never,
        "busy": _busy,
        "raise": _raise,
        "exit": _exit,
        "nothing": _nothing,
        "text": _text,
        "positive": _positive,
        "lie": _lie,
        "late": _late,
    }
    inits = {"slow-init": _slow_init, "bad-init": _bad_init}
    chosen = os.environ["HOSTILE"].split(",")
    for name in chosen:
        generic: Any = machine.registry.find("cbc(aes-generic)", AlgType.SKCIPHER)
        alg = generic.variant(
            cra_driver_name=f"cbc-{name}",
            cra_flags=AlgFlag.ASYNC if name in ("never", "busy") else 0,
            encrypt=encrypts.get(name, generic.encrypt),
            init=inits.get(name, generic.init),
        )
        machine.registry.register(alg)

"""How many requests a machine holds, and whether that was ever too few, as its parts count."""

from __future__ import annotations

from tcrypt.engine.api.machine import Machine

__all__ = ("never_full", "room", "was_full")


def room(machine: Machine) -> int:
    """How many requests ring and queue can hold before both are full."""
    depth = sum(accelerator.depth for accelerator in machine.accelerators)
    if machine.engines:
        # All are submitted before the engine's worker runs: the longer of both overflows both.
        queues: int = sum(engine.queue.max_qlen for engine in machine.engines)
        return max(depth, queues)
    return depth + sum(accelerator.queue for accelerator in machine.accelerators)


def was_full(machine: Machine) -> bool | None:
    """Whether the hardware was seen to be full; None where nobody counts that."""
    if machine.engines:
        retrying = [engine for engine in machine.engines if engine.retry_support]
        return any(engine.retries for engine in retrying) if retrying else None
    counts = [a.full for a in machine.accelerators if a.full is not None]
    return any(count() for count in counts) if counts else None


def never_full(machine: Machine) -> bool:
    """Whether the hardware should have been full, and was not.

    A driver may take more than the device holds and keep the rest itself, in the order that it
    likes; then its engine is never told to wait.
    """
    depth = sum(accelerator.depth for accelerator in machine.accelerators)
    held = sum(engine.most_in_hardware for engine in machine.engines)
    return was_full(machine) is False and held <= depth

"""What is known of the hardware behind a driver, and what of it makes bins of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Accelerator, Machine, Shape
from tcrypt.subject import Subject

__all__ = ("PATHS", "Capabilities", "capabilities_of", "device_has", "device_of", "devices_of")

PATHS = (
    "hardware",
    "fallback: key size",
    "fallback: short",
    "fallback: AAD, tag or text",
    "nothing to do",
    "refused",
    "fallback: another reason",
)
_NONCE = 4
_ON_A_DEVICE = AlgFlag.ASYNC | AlgFlag.KERN_DRIVER_ONLY
_HARDWARE, _KEY_SIZE, _SHORT, _SHAPE, _NOTHING, _REFUSED, _OTHER = range(7)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider says of one driver's hardware, and its machine of its queues.

    Attributes:
        algorithm: the driver's algorithm.
        device: the accelerator that it runs on; None for software.
        waits: whether its requests may complete later than they are submitted.
        queued: whether a queue is known that its requests wait in.
        retries: whether a crypto_engine tries its requests again when there is no room.
        depth: how many requests the hardware holds before its driver keeps more in a queue of its
            own; 0 where it has no such queue.
    """

    algorithm: str
    device: Accelerator | None
    waits: bool
    queued: bool
    retries: bool
    depth: int

    def on_hardware(self, key_size: int) -> bool:
        """Whether the device has the algorithm with a key of this size (bytes)."""
        device = self.device
        return device is not None and device_has(device, self.algorithm, key_size)

    def shortest(self, key_size: int) -> int:
        """From how many bytes on the documented policy leaves requests to the hardware."""
        device = self.device
        if device is None:
            return 1
        if device.shortest_for_key is not None:
            return device.shortest_for_key(self.algorithm, _told(self.algorithm, key_size))
        return device.shortest(self.algorithm)

    @property
    def takes(self) -> Callable[[str, Shape], bool] | None:
        """What is said about the shapes of an AEAD's requests."""
        return None if self.device is None else self.device.takes

    def why_software(self, key_size: int | None, shape: Shape | None, length: int) -> int:
        """Place in `PATHS` of a request that the hardware did no work for.

        Args:
            key_size: bytes; None where it is not known.
            shape: that of an AEAD request.
            length: its data, in bytes.
        """
        if key_size is not None and not self.on_hardware(key_size):
            return _KEY_SIZE
        if shape is not None:
            takes = self.takes
            return _OTHER if takes is None or takes(self.algorithm, shape) else _SHAPE
        if not length:
            return _NOTHING
        return _SHORT if length < self.shortest(key_size or 0) else _OTHER


def _told(algorithm: str, key_size: int) -> int:
    """The size of a key as an accelerator is asked for it: that of authenc's cipher, no nonce."""
    nonce = _NONCE if "rfc3686(" in algorithm and not algorithm.startswith("rfc3686(") else 0
    return key_size - nonce


def device_has(device: Accelerator, algorithm: str, key_size: int) -> bool:
    """Whether a device has an algorithm with a key of this size (bytes), nonce and all."""
    return device.supports(algorithm, _told(algorithm, key_size))


def device_of(subject: Subject, machine: Machine) -> Accelerator | None:
    """The engine behind a driver; None for one that only shares the machine with an engine."""
    return next(iter(devices_of(subject, machine)), None)


def devices_of(subject: Subject, machine: Machine) -> list[Accelerator]:
    """All engines behind a driver; none for one that only shares the machine with them."""
    alg = subject.alg
    if alg.do_one_request is None and not alg.cra_flags & _ON_A_DEVICE:
        return []
    return [a for a in machine.accelerators if a.drives(subject.driver)]


def capabilities_of(subject: Subject, machine: Machine) -> Capabilities:
    """What a machine and its accelerators say of a driver."""
    flags, alg = subject.alg.cra_flags, subject.alg
    waits = bool(flags & AlgFlag.ASYNC)
    behind = alg.do_one_request is not None
    device = device_of(subject, machine)
    own_queue = device is not None and device.queue > 0
    through_parts = subject.instance and bool(machine.engines)
    engines = [engine for engine in machine.engines if engine.retry_support]
    return Capabilities(
        subject.algorithm,
        device,
        waits,
        waits and (behind or own_queue or through_parts),
        waits and behind and bool(engines),
        device.depth if own_queue and device is not None else 0,
    )

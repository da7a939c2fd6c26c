"""The two ways in which a driver and this device model can fail to understand each other.

They are never mixed: a `DriverFault` is the driver's mistake, a `NotModelled` is ours.  Neither is
an answer of the hardware; where the hardware has an error status, the model gives that status.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcrypt.engine.sim import BusError

__all__ = ("DriverFault", "FaultLog", "NotModelled")


class DriverFault(Exception):
    """The driver did something for which the hardware has no defined answer.

    Attributes:
        register: The register, descriptor word or record word that was misused.
        value: What was written or found there.
        rule: The rule that it breaks, as a sentence.
    """

    def __init__(self, register: str, value: object, rule: str) -> None:
        super().__init__(f"{register}: {_shown(value)} breaks a rule: {rule}")
        self.register = register
        self.value = value
        self.rule = rule


class NotModelled(Exception):
    """The hardware has this, the model does not: nothing can be said about the driver.

    Attributes:
        register: The register, descriptor word or record word that selects it.
        value: What was written or found there.
        feature: What would have to be modelled.
        attribution: Whose shortcoming it is, as reports put it.
    """

    attribution = "device"

    def __init__(self, register: str, value: object, feature: str) -> None:
        super().__init__(f"{register}: {_shown(value)} needs {feature}, which is not modelled")
        self.register = register
        self.value = value
        self.feature = feature


class FaultLog:
    """Rules that a driver broke and to which the hardware has an answer of its own.

    The device answers as the hardware does (a status, a flag, another fetch); the log is for a
    bench that wants to know.  A fault that happens again is kept once.
    """

    def __init__(self) -> None:
        self._faults: dict[tuple[str, object, str], DriverFault] = {}

    def note(self, register: str, value: object, rule: str) -> None:
        """Keep a fault."""
        self._faults.setdefault((register, value, rule), DriverFault(register, value, rule))

    def stray(self, error: BusError) -> None:
        """Keep a DMA address that nothing answers for."""
        self.note("DMA address", error.address, f"memory answers wherever DMA goes ({error})")

    def __iter__(self) -> Iterator[DriverFault]:
        return iter(self._faults.values())


def _shown(value: object) -> str:
    return f"{value:#010x}" if type(value) is int else repr(value)

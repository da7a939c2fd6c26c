"""The two ways in which a driver and this device model can fail to understand each other.

They are never mixed: a `DriverFault` is the driver's mistake, a `NotModelled` is ours.  Neither is
an answer of the hardware; where the hardware has an error status, the model gives that status.
"""

from __future__ import annotations

__all__ = ("DriverFault", "NotModelled")


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
    """

    def __init__(self, register: str, value: object, feature: str) -> None:
        super().__init__(f"{register}: {_shown(value)} needs {feature}, which is not modelled")
        self.register = register
        self.value = value
        self.feature = feature


def _shown(value: object) -> str:
    return f"{value:#010x}" if type(value) is int else repr(value)

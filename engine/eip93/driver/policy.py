"""Which requests the hardware does not get: the fallback policy, as data.

Known drivers differ (eip93, section 5.5): mainline never falls back although it says so, the
out-of-tree driver of 2020 left AES requests of up to 256 bytes to software, OpenWrt's patch up to
512.  Hardware limits come first; the length threshold is a policy and 0 by default.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from tcrypt.engine.eip93.driver.core import MAX_DESCRIPTOR_BYTES

__all__ = (
    "AEAD_LIMITS",
    "OPENWRT",
    "OUT_OF_TREE_2020",
    "FallbackPolicy",
    "Limit",
    "Message",
    "Outcome",
    "Reason",
    "error_outcome",
    "first_limit",
)

_WORD: Final = 4
_MAX_ASSOC_WORDS: Final = 255


class Outcome:
    """What became of a request in the hardware's hands; words that the driver's counters use."""

    HARDWARE = "hardware"
    RETRY = "retry: ring full"


class Reason:
    """Why a request went to software; the words that the driver's counters use."""

    KEY_SIZE = "fallback: key size"
    SHORT = "fallback: short request"
    LONG = "fallback: longer than the ring"
    ASSOC = "fallback: assoclen"
    TAG = "fallback: authsize"
    EMPTY = "fallback: empty payload"
    PARTIAL = "fallback: partial block"


def error_outcome(status: int) -> str:
    """The counters' word for a negative errno."""
    return f"error: {errno.errorcode.get(-status, str(status))}"


@dataclass(frozen=True, slots=True)
class Message:
    """What of an AEAD request decides who does it.

    Attributes:
        on_hardware: whether the device has the cipher with the size of the key.
        text: payload bytes, without AAD and tag.
        assoc: AAD bytes.
        tag: tag bytes.
        block: the granularity of the payload in bytes.
    """

    on_hardware: bool
    text: int
    assoc: int
    tag: int
    block: int


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of the hardware: the reason it is counted under, and which messages are beyond."""

    reason: str
    beyond: Callable[[Message], bool]


# The engine counts AAD and tag in 32-bit words, the AAD in eight bits.  A ciphertext that is no
# whole number of blocks goes to software too: the tag must be judged before the length (crypto
# API, 6.4), and the engine does it the other way round.
AEAD_LIMITS: Final = (
    Limit(Reason.KEY_SIZE, lambda message: not message.on_hardware),
    Limit(Reason.EMPTY, lambda message: not message.text),
    Limit(Reason.PARTIAL, lambda message: message.text % message.block != 0),
    Limit(
        Reason.ASSOC,
        lambda message: message.assoc % _WORD != 0 or message.assoc > _MAX_ASSOC_WORDS * _WORD,
    ),
    Limit(Reason.TAG, lambda message: message.tag % _WORD != 0),
    Limit(
        Reason.LONG,
        lambda message: message.assoc + message.text + message.tag > MAX_DESCRIPTOR_BYTES,
    ),
)
"""In the order in which they are asked."""


def first_limit(limits: Iterable[Limit], message: Message) -> str:
    """The reason of the first limit that a message is beyond; empty when the hardware takes it."""
    return next((limit.reason for limit in limits if limit.beyond(message)), "")


@dataclass(frozen=True, slots=True)
class FallbackPolicy:
    """The part of the decision that is taste.

    Attributes:
        software_up_to: requests of 1 to this many bytes go to software; 0 for none.
        ciphers: the skciphers that this holds for, by algorithm name.
    """

    software_up_to: int = 0
    ciphers: frozenset[str] = frozenset({"ecb(aes)", "cbc(aes)", "ctr(aes)"})

    def leaves(self, algorithm: str, length: int) -> bool:
        """Whether a request of `length` bytes is left to software."""
        return length <= self.software_up_to and algorithm in self.ciphers


# What OpenWrt's patch of the out-of-tree driver does, whatever the key size (eip93, section 5.5).
OPENWRT: Final = FallbackPolicy(software_up_to=512)
# The default of that driver's module parameter aes_sw, which rules over rfc3686 as well.
OUT_OF_TREE_2020: Final = FallbackPolicy(
    256, frozenset({"ecb(aes)", "cbc(aes)", "ctr(aes)", "rfc3686(ctr(aes))"})
)

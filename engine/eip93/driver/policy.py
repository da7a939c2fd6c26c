"""Which requests the hardware does not get: the fallback policy, as data.

Known drivers differ (eip93, section 5.5): mainline never falls back although it says so, the
out-of-tree driver of 2020 left AES requests of up to 256 bytes to software, OpenWrt's patch up to
512.  Hardware limits come first; the length threshold is a policy and 0 by default.

They differ as well in what becomes of a key size that the device lacks.  Mainline registers AES
with the sizes that the device has, so that longer keys are refused; but the kernel's self-tests
have keys of every size, and with them enabled such a driver's AES is never used (eip93, section
10).  The default is therefore to take every size, and to leave those keys to software.
"""

from __future__ import annotations

import enum
import errno
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from tcrypt.engine.eip93.driver.ciphers import CipherSpec
from tcrypt.engine.eip93.driver.core import MAX_DESCRIPTOR_BYTES

__all__ = (
    "AEAD_LIMITS",
    "MAINLINE",
    "OPENWRT",
    "OPENWRT_INTENDED",
    "OUT_OF_TREE_2020",
    "FallbackPolicy",
    "Limit",
    "Message",
    "MissingKeys",
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


class MissingKeys(enum.Enum):
    """What becomes of keys of a size that the device lacks."""

    FALLBACK = "fallback"  # they are taken, and their requests go to software
    REFUSE = "refuse"  # -EINVAL; the sizes that are registered are those of the device


@dataclass(frozen=True, slots=True)
class FallbackPolicy:
    """The part of the decision that is taste.

    Attributes:
        software_up_to: requests of 1 to this many bytes go to software; 0 for none.
        ciphers: the skciphers that this holds for, by algorithm name.
        by_key_size: thresholds in the place of `software_up_to`, by the bytes of the cipher's key;
            the nonce behind a key of rfc3686 does not count.
        missing_keys: see `MissingKeys`; it holds for AEADs as well.
    """

    software_up_to: int = 0
    ciphers: frozenset[str] = frozenset({"ecb(aes)", "cbc(aes)", "ctr(aes)"})
    by_key_size: Mapping[int, int] = field(default_factory=dict, hash=False)
    missing_keys: MissingKeys = MissingKeys.FALLBACK

    def key_sizes(self, cipher: CipherSpec, option: int) -> tuple[int, ...]:
        """Which sizes of the cipher's key are taken on a device with this OPTION_1, in bytes."""
        refuses = self.missing_keys is MissingKeys.REFUSE
        return cipher.sizes_on(option) if refuses else cipher.key_sizes

    def threshold(self, algorithm: str, key_size: int) -> int:
        """How many bytes a request with a key of that size may have that is left to software."""
        if algorithm not in self.ciphers:
            return 0
        return self.by_key_size.get(key_size, self.software_up_to)

    def leaves(self, algorithm: str, length: int, key_size: int) -> bool:
        """Whether a request of `length` bytes with a key of that size is left to software."""
        return length <= self.threshold(algorithm, key_size)


# Never software, and no key that the device lacks (eip93, sections 1.5 and 5.5); but its AEADs
# take such keys and give them to the hardware, which is a defect and not a policy.
MAINLINE: Final = FallbackPolicy(missing_keys=MissingKeys.REFUSE)
# What OpenWrt's patch of the out-of-tree driver does, whatever the key size (eip93, section 5.5).
OPENWRT: Final = FallbackPolicy(software_up_to=512)
# What that patch meant to do: its test of the key size is always true.
OPENWRT_INTENDED: Final = FallbackPolicy(256, by_key_size=MappingProxyType({16: 512}))
# The default of that driver's module parameter aes_sw, which rules over rfc3686 as well.
OUT_OF_TREE_2020: Final = FallbackPolicy(
    256, frozenset({"ecb(aes)", "cbc(aes)", "ctr(aes)", "rfc3686(ctr(aes))"})
)

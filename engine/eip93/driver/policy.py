"""Which requests the hardware does not get: the fallback policy, as data.

Known drivers differ (eip93, section 5.5): mainline never falls back although it says so, the
out-of-tree driver of 2020 left AES requests of up to 256 bytes to software, OpenWrt's patch up to
512.  Hardware limits come first; the length threshold is a policy and 0 by default.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcrypt.engine.eip93 import registers as reg

__all__ = ("OPENWRT", "FallbackPolicy", "Reason", "aes_key_bit")


class Reason:
    """Why a request went to software; the words that the driver's counters use."""

    KEY_SIZE = "fallback: key size"
    SHORT = "fallback: short request"
    LONG = "fallback: longer than the ring"
    ASSOC = "fallback: assoclen"
    TAG = "fallback: authsize"
    EMPTY = "fallback: empty payload"
    PARTIAL = "fallback: partial block"


@dataclass(frozen=True, slots=True)
class FallbackPolicy:
    """The part of the decision that is taste.

    Attributes:
        software_up_to: AES skcipher requests of 1 to this many bytes go to software; 0 for none.
    """

    software_up_to: int = 0


# What OpenWrt's patch of the out-of-tree driver does, whatever the key size (eip93, section 5.5).
OPENWRT = FallbackPolicy(software_up_to=512)


_AES_BITS = {16: reg.OPTION_1_AES_128, 24: reg.OPTION_1_AES_192, 32: reg.OPTION_1_AES_256}


def aes_key_bit(key_size: int) -> int:
    """The OPTION_1 bit that says the device has AES with this key size in bytes; 0 for no AES."""
    return _AES_BITS.get(key_size, 0)

"""Which DES and Triple-DES keys a driver refuses, and when.

A driver checks its own keys: the core knows their lengths only (kernel-crypto, section 6.2).
"""

from __future__ import annotations

import errno

from tcrypt.engine.api.flags import ReqFlag

__all__ = ("check_des3_key", "check_des_key")

_FORBID_WEAK = int(ReqFlag.FORBID_WEAK_KEYS)
_NO_PARITY = bytes(byte & 0xFE for byte in range(256))

# Of these, without parity bits, the weak and semi-weak keys of DES consist: one value in the first
# and one in the last four bytes (SP 800-67 rev. 2, section 3.3.2).
_WEAK_PAIRS = ((0x00, 0x00), (0xFE, 0xFE), (0x1E, 0x0E), (0xE0, 0xF0))


def _weak_des_keys() -> frozenset[bytes]:
    """The 4 weak and 12 semi-weak keys: their bytes take turns between two of the pairs."""
    return frozenset(
        bytes((even[0], odd[0]) * 2 + (even[1], odd[1]) * 2)
        for even in _WEAK_PAIRS
        for odd in _WEAK_PAIRS
    )


_WEAK = _weak_des_keys()


def check_des_key(key: bytes | bytearray, flags: int) -> int:
    """-EINVAL for a weak key of 8 bytes if the transform's flags forbid those; 0 otherwise."""
    weak = flags & _FORBID_WEAK and bytes(key.translate(_NO_PARITY)) in _WEAK
    return -errno.EINVAL if weak else 0


def check_des3_key(key: bytes | bytearray, flags: int, *, fips: bool) -> int:
    """-EINVAL for a degenerate key of 24 bytes where that matters; 0 otherwise.

    Neighbouring parts must differ if the caller or FIPS wants it, in FIPS all three.  Every bit
    counts here, parity bits too.
    """
    first, second, third = bytes(key[:8]), bytes(key[8:16]), bytes(key[16:])
    if (first == second or second == third) and (fips or flags & _FORBID_WEAK):
        return -errno.EINVAL
    return -errno.EINVAL if fips and first == third else 0

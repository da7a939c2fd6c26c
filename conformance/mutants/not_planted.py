"""Entries of the catalogue that no driver here can have, and why."""

from __future__ import annotations

__all__ = ("NOT_PLANTED",)

NOT_PLANTED: dict[str, tuple[str, str]] = {
    "IV-13": (
        "rfc3686 write-back puts nonce + iv[0:4] into req->iv",
        "the EIP-93 driver has no rfc3686 yet",
    ),
    "KF-02": (
        "fallback keyed with wrong slice of an rfc3686 key",
        "the EIP-93 driver has no rfc3686 yet",
    ),
    "KF-13": (
        "DES authenc key compared with and copied from the AES scratch",
        "the EIP-93 driver has no DES yet",
    ),
    "KF-17": (
        "rfc3686 nonce cut from the wrong end of the authenc key",
        "the EIP-93 driver has no rfc3686 yet",
    ),
    "WK-01": (
        "3DES weak keys accepted",
        "the EIP-93 driver has no triple DES yet",
    ),
    "WK-04": (
        "weak key refused although allowed",
        "the EIP-93 driver has no DES yet; `keys` tries weak keys on the generics",
    ),
    "WK-05": (
        "minimum key size lets single-DES key into 3DES",
        "the EIP-93 driver has no triple DES yet",
    ),
}
"""Id: (what the defect is, why it cannot be planted)."""

"""What differs between the `crypto_engine` of one kernel version and that of another: data only.

A profile is one row of facts; `CryptoEngine` is written once and driven by it.  Section numbers
are those of the kernel-crypto reference page; "the guide" is the hardware offload guide, some of
whose rules hold in no released kernel (section 5.5).  Where the guide is silent its profile is
the default one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

__all__ = (
    "DEFAULT",
    "PROFILES",
    "WEDGES",
    "Batch",
    "MissingOperation",
    "NoRoom",
    "Semantics",
    "UnknownSemanticsError",
    "semantics_of",
)

Batch = Literal["none", "after-pump", "replaces"]
MissingOperation = Literal["registration", "run-time"]
NoRoom = Literal["head-at-once", "all-after-delay"]

DEFAULT = "linux-6.17"

# The standstills and surprises of section 5.7 that an engine can be freed from.  G is no defect.
WEDGES: Mapping[str, str] = MappingProxyType(
    {
        "B": "an error from do_one_request stops an engine without retry support for good",
        "F": "an error of the last queued request stops an engine with retry support for good",
        "H": "-EINPROGRESS from do_one_request is delivered as if it were a backlog notice",
        "I": "a failing prepare hook stops the engine for good",
        "J": "a retry on an exactly full queue notifies a request that was accepted before",
        "K": "stop and exit of an engine with retry support forget what is in hardware",
    }
)


class UnknownSemanticsError(ValueError):
    """There is no profile of this name; the message lists those that there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Semantics:
    """How one version of `crypto_engine` behaves.

    Attributes:
        name: the profile's name.
        notice_before_start: whether a backlogged request is told -EINPROGRESS as soon as there is
            room in the queue, before `do_one_request` was asked (to 6.1.28), and not after it
            (5.9, commit 4140aafcff16).
        head_moves_backlog: whether putting a request back at the head of a full queue takes one
            request back into the backlog (5.1, 5.9, the same commit).
        request_hooks: whether an algorithm may have `prepare_request` and `unprepare_request`
            (5.4 step 7, 5.9; removed in 6.6.  The guide says 5.13).
        hardware_hooks: whether the engine may have `prepare_crypt_hardware` and
            `unprepare_crypt_hardware`, with the `idling` flag (5.4 steps 3 and 6, 5.9; removed in
            6.17 by 5eb32430df78.  The guide lists all three).
        batch: what `do_batch_requests` is: absent (from 6.17 on, c470ffa6f486), called at each
            end of the pump (5.4, E), or called in place of `do_one_request`, to take requests
            from the queue by itself (the guide, "Batching").
        missing_operation: where a missing `do_one_request` is seen: at registration (5.9, from
            6.6 on), or as -EINVAL of each request (5.4 step 8).
        exit_returns_status: whether `exit` returns an int; nothing from 6.6 on (5.9).
        no_room: what -ENOSPC from `do_one_request` does with retry support: this request goes
            back to the head and is tried again at once (5.5); or all that is pending is put back
            and tried after `retry_delay` (the guide, "Retry support").
        retry_delay: ns; 0 where the retry is at once.  The guide gives no figure.
        requeues_fatal: whether with retry support any other error puts a request with MAY_BACKLOG
            back (the guide, "Retry support"; in no released kernel, 5.5).
        mended: which wedges of section 5.7 the engine is free of, keys of `WEDGES`.
        keeps_order: whether requests are promised to start in the order of their submission
            (5.5; the guide does not say).
    """

    name: str
    notice_before_start: bool = False
    head_moves_backlog: bool = True
    request_hooks: bool = False
    hardware_hooks: bool = False
    batch: Batch = "none"
    missing_operation: MissingOperation = "registration"
    exit_returns_status: bool = False
    no_room: NoRoom = "head-at-once"
    retry_delay: int = 0
    requeues_fatal: bool = False
    mended: frozenset[str] = frozenset()
    keeps_order: bool = True

    def __post_init__(self) -> None:
        unknown = self.mended - WEDGES.keys()
        if unknown:
            names = ", ".join(sorted(unknown))
            raise ValueError(f"semantics {self.name!r}: no such wedge to mend: {names}")
        if (self.no_room == "all-after-delay") != (self.retry_delay > 0):
            raise ValueError(
                f"semantics {self.name!r}: retry_delay {self.retry_delay} ns with {self.no_room}"
            )

    def mends(self, wedge: str) -> bool:
        """Whether the engine is free of a wedge."""
        return wedge in self.mended


_LINUX_6_17 = Semantics(name="linux-6.17")
_LINUX_6_6 = replace(_LINUX_6_17, name="linux-6.6", hardware_hooks=True, batch="after-pump")
_LINUX_6_1 = replace(
    _LINUX_6_6,
    name="linux-6.1",
    request_hooks=True,
    missing_operation="run-time",
    exit_returns_status=True,
)
_LINUX_5_8 = replace(
    _LINUX_6_1, name="linux-5.8", notice_before_start=True, head_moves_backlog=False
)
_GUIDE = replace(
    _LINUX_6_17,
    name="guide",
    hardware_hooks=True,
    batch="replaces",
    no_room="all-after-delay",
    retry_delay=1_000_000,
    requeues_fatal=True,
    # An error "causes the request to fail" and nothing else there, and -EINPROGRESS is what
    # do_one_request is to return once it has started a request.
    mended=frozenset("BFH"),
    keeps_order=False,
)
_FIXED = replace(_LINUX_6_17, name="fixed", mended=frozenset(WEDGES))

PROFILES: Mapping[str, Semantics] = MappingProxyType(
    {
        profile.name: profile
        for profile in (_GUIDE, _LINUX_5_8, _LINUX_6_1, _LINUX_6_6, _LINUX_6_17, _FIXED)
    }
)


def semantics_of(name: str) -> Semantics:
    """The profile of a name; `<name>+mended` is the same free of all wedges.

    Raises:
        UnknownSemanticsError: there is none.
    """
    base, plus, mended = name.partition("+")
    found = PROFILES.get(base)
    if found is not None and plus and mended == "mended":
        return replace(found, name=name, mended=frozenset(WEDGES))
    if found is None or plus:
        names = ", ".join(PROFILES)
        raise UnknownSemanticsError(f"semantics {name!r}: must be one of {names}")
    return found

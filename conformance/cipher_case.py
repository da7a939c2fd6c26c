"""One skcipher or AEAD case, and how it is laid out: what a request is made from and judged by."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tcrypt.arena import NEIGHBOUR, CipherPlan
from tcrypt.engine.api.memory import Memory
from tcrypt.engine.api.requests import AeadRequest, SkcipherRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.layouts import CipherLayout

__all__ = ("CipherCase", "Lists", "Prepared")


class CipherCase(NamedTuple):
    """One request and what a correct driver makes of it.

    Attributes:
        encrypt: the direction.
        key: as setkey takes it; None to keep the transform's key.
        iv: `ivsize` bytes.
        data: what the source holds behind the AAD: text, and on decryption the tag.
        out: what the destination must hold behind the AAD; for an expected failure, its length
            says how much room there is.
        iv_out: what the IV must be afterwards; None where nothing is promised.
        status: the expected status; with `statuses`, one of several.
        assoc: the AAD.
        authsize: the tag length; None for a skcipher.
        secret: bytes that must not appear in the destination when the operation fails.
        derive: for an algorithm that chooses its IV itself: what the output must be, given the
            actual one, which tells the IV; `out` is then only as long.
        header: lengths of the pieces that the destination begins with, each of which is copied
            from the source or left alone; empty for one piece, the AAD.
    """

    encrypt: bool
    key: bytes | None
    iv: bytes
    data: bytes
    out: bytes
    iv_out: bytes | None = None
    status: int = 0
    assoc: bytes = b""
    authsize: int | None = None
    secret: bytes = b""
    derive: Callable[[bytes], bytes] | None = None
    header: tuple[int, ...] = ()


_NEIGHBOUR_BYTE = bytes([NEIGHBOUR])

Lists = tuple[CipherPlan, tuple[Segment, ...], tuple[Segment, ...]]


class Prepared:
    """A case laid out in memory, its request filled in; what happened to it is judged later."""

    __slots__ = ("base", "case", "dst", "image", "iv", "layout", "lists", "plan", "request", "src")

    def __init__(
        self,
        case: CipherCase,
        layout: CipherLayout,
        plan: CipherPlan,
        image: bytearray,
        base: int,
        lists: Lists,
        request: SkcipherRequest | AeadRequest,
    ) -> None:
        self.case = case
        self.layout = layout
        self.plan = plan
        self.image = image
        self.base = base
        self.lists = lists
        self.request = request
        self.src = request.src
        self.dst = request.dst
        self.iv = request.iv

    def change_neighbours(self, memory: Memory) -> None:
        """Write to everything that stands around the buffers, as their owners may at any time."""
        plan, used = self.plan, bytearray(self.plan.size)
        for chunk in (*plan.src, *plan.dst):
            used[chunk.offset : chunk.offset + chunk.length] = b"\1" * chunk.length
        ivroom = self.iv.length if self.iv is not None else 0
        used[plan.iv : plan.iv + ivroom] = b"\1" * ivroom
        for place, taken in enumerate(used):
            if not taken:
                self.image[place] = NEIGHBOUR
                memory.write(self.base + place, _NEIGHBOUR_BYTE)

    def drop_last_entry(self, which: str) -> None:
        """Shorten `src` or `dst` of the request, and what is known of it, by an entry."""
        plan, src, dst = self.lists
        if which == "src":
            src = src[:-1]
            self.request.src = self.src = Scatterlist(self.src.memory, list(src))
        else:
            dst = dst[:-1]
            self.request.dst = self.dst = Scatterlist(self.dst.memory, list(dst))
        self.lists = (plan, src, dst)

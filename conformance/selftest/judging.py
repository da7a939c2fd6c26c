"""One vector in one configuration, with the assertions that testmgr has and no others.

Nothing that happens behind a completion, to a source, before a buffer or to a device's mappings is
looked at (kernel-crypto, sections 1.6, 1.7 and 1.9).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from tcrypt.arena import POISON, load, plan_message
from tcrypt.bench import flags_of
from tcrypt.cipher_bench import CipherBench, CipherCase, Prepared
from tcrypt.cipher_verdicts import changes
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.hash_bench import HashBench
from tcrypt.layouts import CipherLayout, Final, Flush, HashLayout, divide
from tcrypt.vectors.model import AeadVector, Vector

__all__ = ("FailedError", "HangError", "crypt", "hash_message", "refused", "waited")

_GUARD = 16


class FailedError(Exception):
    """The first failing assertion, which ends the algorithm's test."""


class HangError(Exception):
    """A request that never completes; testmgr waits without a limit."""


def refused(bench: CipherBench | HashBench, vector: Vector) -> None:
    """A vector of testmgr that a setkey or setauthsize must refuse with one errno."""
    expect, tfm = vector.expect, bench.tfm
    assert expect is not None
    if expect.forbid_weak:
        tfm.set_flags(int(ReqFlag.FORBID_WEAK_KEYS))
    try:
        if vector.key is not None:
            tfm.setkey(vector.key)
        if isinstance(vector, AeadVector):
            tfm.setauthsize(vector.authsize)  # type: ignore[union-attr]
    except OSError as error:
        if errno_name(-(error.errno or 0)) != f"-{expect.errno}":
            raise
        return
    finally:
        tfm.clear_flags(int(ReqFlag.FORBID_WEAK_KEYS))
    raise FailedError(f"{expect.stage} unexpectedly succeeded")


def waited(
    bench: CipherBench | HashBench,
    request: AnyRequest,
    call: Callable[[Any], int],
    flags: int,
) -> int:
    """The status of a request after waiting for its completion, which may take forever."""
    notes: list[int] = []
    request.set_callback(ReqFlag(flags), lambda data, status: notes.append(status), None)
    status = call(request)
    if status not in (-errno.EINPROGRESS, -errno.EBUSY):
        return status
    bench.settle()
    final = [note for note in notes if note != -errno.EINPROGRESS]
    if not final:
        raise HangError("the request never completes")
    return final[0]


def crypt(
    bench: CipherBench,
    case: CipherCase,
    layout: CipherLayout,
    *,
    statuses: tuple[int, ...] = (),
) -> None:
    """One request, and section 1.6's assertions in their order."""
    tfm = bench.tfm
    wrong = bench.keyed(tfm, case)
    if wrong:
        raise FailedError(f"setkey or setauthsize failed: {wrong[0].got}")
    prepared = bench.prepare(case, layout)
    call = tfm.encrypt if case.encrypt else tfm.decrypt
    status = waited(bench, prepared.request, call, flags_of(layout))
    changed = changes(prepared)
    if changed:
        raise FailedError(f"corrupted request struct: {', '.join(changed)}")
    if status not in (statuses or (case.status,)):
        raise FailedError(f"failed with {errno_name(status)}, not {errno_name(case.status)}")
    if not status:
        _compare(bench, prepared)


def _compare(bench: CipherBench, prepared: Prepared) -> None:
    """Output behind the AAD, 16 bytes behind each piece, and the IV where a vector has one."""
    case, plan = prepared.case, prepared.plan
    actual = bench.memory.read(prepared.base, plan.size)
    front, end = len(case.assoc), len(case.assoc) + len(case.out)
    if load(actual, plan.dst, end)[front:] != case.out:
        raise FailedError("wrong result")
    if case.authsize is None or case.encrypt or not plan.shared:
        for chunk in plan.dst:
            stop = chunk.start + chunk.length
            if (stop <= front and front) or chunk.start >= max(end, 1):
                continue
            behind = chunk.offset + min(stop, end) - chunk.start
            if actual[behind : behind + _GUARD] != bytes([POISON]) * _GUARD:
                raise FailedError("overran dst buffer")
    if case.iv_out is not None and bench.ivsize:
        if actual[plan.iv : plan.iv + bench.ivsize] != case.iv_out:
            raise FailedError("wrong output IV")


def hash_message(
    bench: HashBench, key: bytes | None, message: bytes, digest: bytes, layout: HashLayout
) -> None:
    """One message, and section 1.7's assertions of ahash."""
    if key is not None:
        bench.tfm.setkey(key)
    size, chunks = plan_message(layout, len(message))
    base = bench.arena(size)
    for chunk in chunks:
        part = message[chunk.start : chunk.start + chunk.length]
        bench.memory.write(base + chunk.offset, part)
    segments = [Segment(base + c.offset, c.length) for c in chunks]
    bench.poison(bench.result)
    _Message(bench, layout).play(segments, len(message))
    room = bench.memory.read(bench.result.address, bench.digestsize + _GUARD)
    if room[: len(digest)] != digest:
        raise FailedError("wrong result")
    if room[bench.digestsize :] != bytes([POISON]) * _GUARD:
        raise FailedError("overran result buffer")


class _Message:
    """The steps of one message in one request, which testmgr uses throughout."""

    def __init__(self, bench: HashBench, layout: HashLayout) -> None:
        self.bench, self.layout = bench, layout
        self.request = bench.tfm.request()
        bench.uninitialised(self.request)

    def play(self, segments: list[Segment], total: int) -> None:
        """Hash the segments as the configuration says."""
        tfm, pending = self.bench.tfm, list[Segment]()
        if self.layout.final is Final.DIGEST:
            self._do(tfm.digest, segments, last=True)
            return
        self._do(tfm.init, [])
        for (division, _), segment in zip(divide(total, self.layout.src), segments, strict=True):
            if division.flush is not Flush.NONE and pending:
                self._do(tfm.update, pending)
                pending = []
            if division.flush is Flush.REIMPORT:
                self._reimport()
            pending.append(segment)
        if self.layout.final is Final.FINUP:
            self._do(tfm.finup, pending, last=True)
            return
        self._do(tfm.update, pending)
        self._do(tfm.final, [], last=True)

    def _do(
        self, call: Callable[[Any], int], segments: list[Segment], *, last: bool = False
    ) -> None:
        bench, request = self.bench, self.request
        src = Scatterlist(bench.memory, list(segments)) if segments else None
        request.set_crypt(src, bench.result, sum(s.length for s in segments))
        status = waited(bench, request, call, flags_of(self.layout))
        if status:
            raise FailedError(f"{call.__name__} failed with {errno_name(status)}")
        if not last and not bench.is_poisoned(bench.result):
            raise FailedError(f"{call.__name__} used result buffer")

    def _reimport(self) -> None:
        bench, request = self.bench, self.request
        bench.poison(bench.state)
        status: Any = bench.tfm.export(request, bench.state)
        behind = bench.memory.read(bench.state.address + bench.statesize, _GUARD)
        if not status and behind != bytes([POISON]) * _GUARD:
            raise FailedError("export() overran state buffer")
        if not status:
            bench.uninitialised(request)
            status = bench.tfm.import_state(request, bench.state)
        if status:
            raise FailedError(f"export or import failed with {errno_name(status)}")

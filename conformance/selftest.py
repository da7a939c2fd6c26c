"""What the self-test of Linux 6.1 would have said of a driver at registration: its vectors alone.

The default build of testmgr (kernel-crypto, sections 1.4 to 1.7): one request at a time, the
default configurations, and only the assertions that it has.  Nothing that happens behind a
completion, to a source, before a buffer or to a device's mappings is looked at.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal, NamedTuple

from tcrypt.arena import POISON, load, plan_message
from tcrypt.bench import flags_of
from tcrypt.checks.common import make_bench
from tcrypt.cipher_bench import CipherBench, CipherCase, Prepared
from tcrypt.cipher_verdicts import changes
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.sim import StepBudgetError
from tcrypt.hash_bench import HashBench
from tcrypt.layouts import (
    CIPHER_LAYOUTS,
    HASH_LAYOUTS,
    CipherLayout,
    Division,
    Final,
    Flush,
    HashLayout,
    divide,
)
from tcrypt.problems import WatchdogError
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.vectors.model import AeadVector, HashVector, SkcipherVector, Vector
from tcrypt.watchdog import DriverGivenUpError, Watchdog

__all__ = ("CONFIGS", "HASH_CONFIGS", "SOURCE", "Verdict", "self_test")

SOURCE = "kernel-6.1"
_GUARD = 16
# What stands next to a layout of the suite in Linux 6.1: at an alignmask of 0, which is what
# drivers here declare, an offset of 1 behind it.
_AT_ONE = (Division(10_000, 1),)
CONFIGS = (
    *CIPHER_LAYOUTS[:4],
    CipherLayout("buffer aligned only to alignmask", _AT_ONE, iv_offset=1),
    CIPHER_LAYOUTS[4],
    *CIPHER_LAYOUTS[6:8],
)
HASH_CONFIGS = (
    *HASH_LAYOUTS[:4],
    HashLayout("digest buffer aligned only to alignmask", _AT_ONE, Final.DIGEST),
    *HASH_LAYOUTS[5:9],
)


class Verdict(NamedTuple):
    """Why the self-test fails.

    Attributes:
        how: `verdict` of testmgr; `hang`: the boot would wait forever; `crash`: the driver's code,
            or the model of its hardware, raised.
        message: what testmgr would say, or what was raised.
        where: vector, direction and configuration.
    """

    how: Literal["verdict", "hang", "crash"]
    message: str
    where: str


class _FailedError(Exception):
    """The first failing assertion, which ends the algorithm's test."""


class _HangError(Exception):
    """A request that never completes; testmgr waits without a limit."""


def self_test(subject: Subject, catalogue: Catalogue, watchdog: Watchdog) -> Verdict | None:
    """The first failure of a driver's self-test; None when it passes or no vectors are there."""
    where = "allocation"
    try:
        bench = make_bench(subject, watchdog)
        for vector in _vectors(subject, catalogue):
            for name, step in _steps(bench, vector):
                where = name
                watchdog.arm()
                try:
                    step()
                finally:
                    watchdog.disarm()
    except _FailedError as error:
        return Verdict("verdict", str(error), where)
    except (_HangError, StepBudgetError, WatchdogError, DriverGivenUpError) as error:
        return Verdict("hang", str(error) or "never completes", where)
    except OSError as error:
        return Verdict("verdict", f"failed with {errno_name(-(error.errno or 0))}", where)
    except Exception as error:
        return Verdict("crash", f"{type(error).__name__}: {error}", where)
    return None


def _vectors(subject: Subject, catalogue: Catalogue) -> Iterator[Vector]:
    for file in catalogue.files(subject.algorithm):
        if file.source == SOURCE and file.kind == subject.type.word:
            yield from file.load().vectors


def _steps(
    bench: CipherBench | HashBench, vector: Vector
) -> Iterator[tuple[str, Callable[[], None]]]:
    """Each vector with each configuration, in testmgr's order."""
    if vector.expect is not None and vector.expect.stage != "crypt":
        yield f"{vector.id}/{vector.expect.stage}", partial(_refused, bench, vector)
    elif isinstance(bench, HashBench):
        assert isinstance(vector, HashVector)
        for config in HASH_CONFIGS:
            yield f"{vector.id}/{config.name}", partial(_hash, bench, vector, config)
    else:
        assert isinstance(vector, SkcipherVector | AeadVector)
        for case in _cases(vector):
            word = "enc" if case.encrypt else "dec"
            for layout in CONFIGS:
                where = f"{vector.id}/{word}/{layout.name}"
                yield where, partial(_crypt, bench, case, layout)


def _refused(bench: CipherBench | HashBench, vector: Vector) -> None:
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
    raise _FailedError(f"{expect.stage} unexpectedly succeeded")


def _cases(vector: SkcipherVector | AeadVector) -> Iterator[CipherCase]:
    key, iv, ptext, ctext = vector.key, vector.iv, vector.ptext, vector.ctext
    if isinstance(vector, SkcipherVector):
        yield CipherCase(True, key, iv, ptext, ctext, vector.iv_out)
        yield CipherCase(False, key, iv, ctext, ptext, vector.iv_out)
        return
    more: dict[str, Any] = {"assoc": vector.assoc, "authsize": vector.authsize}
    if not vector.novrfy:
        yield CipherCase(True, key, iv, ptext, ctext, **more)
    status = -errno.EBADMSG if vector.novrfy else 0
    yield CipherCase(False, key, iv, ctext, ptext, status=status, **more)


def _waited(
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
        raise _HangError("the request never completes")
    return final[0]


def _crypt(bench: CipherBench, case: CipherCase, layout: CipherLayout) -> None:
    """One request, and section 1.6's assertions in their order."""
    tfm = bench.tfm
    refused = bench.keyed(tfm, case)
    if refused:
        raise _FailedError(f"setkey or setauthsize failed: {refused[0].got}")
    prepared = bench.prepare(case, layout)
    call = tfm.encrypt if case.encrypt else tfm.decrypt
    status = _waited(bench, prepared.request, call, flags_of(layout))
    changed = changes(prepared)
    if changed:
        raise _FailedError(f"corrupted request struct: {', '.join(changed)}")
    if status != case.status:
        raise _FailedError(f"failed with {errno_name(status)}, not {errno_name(case.status)}")
    if not status:
        _compare(bench, prepared)


def _compare(bench: CipherBench, prepared: Prepared) -> None:
    """Output behind the AAD, 16 bytes behind each piece, and the IV where a vector has one."""
    case, plan = prepared.case, prepared.plan
    actual = bench.memory.read(prepared.base, plan.size)
    front, end = len(case.assoc), len(case.assoc) + len(case.out)
    if load(actual, plan.dst, end)[front:] != case.out:
        raise _FailedError("wrong result")
    if case.authsize is None or case.encrypt or not plan.shared:
        for chunk in plan.dst:
            stop = chunk.start + chunk.length
            if (stop <= front and front) or chunk.start >= max(end, 1):
                continue
            behind = chunk.offset + min(stop, end) - chunk.start
            if actual[behind : behind + _GUARD] != bytes([POISON]) * _GUARD:
                raise _FailedError("overran dst buffer")
    if case.iv_out is not None and bench.ivsize:
        if actual[plan.iv : plan.iv + bench.ivsize] != case.iv_out:
            raise _FailedError("wrong output IV")


def _hash(bench: HashBench, vector: HashVector, layout: HashLayout) -> None:
    """One message, and section 1.7's assertions of ahash."""
    if vector.key is not None:
        bench.tfm.setkey(vector.key)
    message = vector.message
    size, chunks = plan_message(layout, len(message))
    base = bench.arena(size)
    for chunk in chunks:
        part = message[chunk.start : chunk.start + chunk.length]
        bench.memory.write(base + chunk.offset, part)
    segments = [Segment(base + c.offset, c.length) for c in chunks]
    bench.poison(bench.result)
    _Message(bench, layout).play(segments, len(message))
    room = bench.memory.read(bench.result.address, bench.digestsize + _GUARD)
    if room[: len(vector.digest)] != vector.digest:
        raise _FailedError("wrong result")
    if room[bench.digestsize :] != bytes([POISON]) * _GUARD:
        raise _FailedError("overran result buffer")


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
        status = _waited(bench, request, call, flags_of(self.layout))
        if status:
            raise _FailedError(f"{call.__name__} failed with {errno_name(status)}")
        if not last and not bench.is_poisoned(bench.result):
            raise _FailedError(f"{call.__name__} used result buffer")

    def _reimport(self) -> None:
        bench, request = self.bench, self.request
        bench.poison(bench.state)
        status: Any = bench.tfm.export(request, bench.state)
        behind = bench.memory.read(bench.state.address + bench.statesize, _GUARD)
        if not status and behind != bytes([POISON]) * _GUARD:
            raise _FailedError("export() overran state buffer")
        if not status:
            bench.uninitialised(request)
            status = bench.tfm.import_state(request, bench.state)
        if status:
            raise _FailedError(f"export or import failed with {errno_name(status)}")

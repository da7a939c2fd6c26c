"""cryptd: any skcipher, AEAD or hash as an asynchronous one, worked off by a work item.

A wrapper has the name of what it wraps, `cryptd(DRIVER)` as its driver name, 50 more priority, and
a queue of its own.  A request is queued by its submission and done from the worker, which may
sleep; it completes with bottom halves disabled.  A full queue answers -EBUSY to a request that
may be backlogged, which is told -EINPROGRESS when it is taken up (kernel-crypto, 5.1 and 6.8).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, AnyAlg, ShashAlg, SkcipherAlg
from tcrypt.engine.api.flags import INHERITED_FLAGS, AlgFlag, ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.queue import CryptoQueue
from tcrypt.engine.api.requests import AeadRequest, AhashRequest, AnyRequest, SkcipherRequest
from tcrypt.engine.api.shash import ahash_view
from tcrypt.engine.api.transforms import Aead, Ahash, Skcipher
from tcrypt.engine.sim import WorkItem

__all__ = ("MAX_QLEN", "cryptd")

MAX_QLEN = 1000
_MORE_PRIORITY = 50
_ROOM = 64
_PASSED_ON = INHERITED_FLAGS | AlgFlag.INTERNAL | AlgFlag.OPTIONAL_KEY
_EINPROGRESS = -errno.EINPROGRESS
_EBUSY = -errno.EBUSY
# The worker may sleep, and what it hands on must not be lost to a full queue further down.
_WORKER_FLAGS = int(ReqFlag.MAY_SLEEP | ReqFlag.MAY_BACKLOG)

Wrappable = SkcipherAlg | AeadAlg | AhashAlg | ShashAlg


class _Job:
    """What a request waits for: a call of the inner transform, and the inner request for it."""

    __slots__ = ("call", "child")

    def __init__(self, call: Callable[[Any], int], child: AnyRequest) -> None:
        self.call = call
        self.child = child


class _Worker:
    """The queue of one wrapper and the work item behind it."""

    def __init__(self, machine: Machine, name: str, qlen: int) -> None:
        self.machine = machine
        self.queue = CryptoQueue(qlen)
        self._work = WorkItem(machine.sim, f"{name}: worker", self._run)

    def enqueue(self, request: AnyRequest) -> int:
        """Queue a request whose context holds its job; the status."""
        status = self.queue.enqueue(request)
        self._work.queue()
        return status

    def _run(self) -> None:
        """Do one request; the item queues itself again while there are more."""
        backlog = self.queue.backlog
        request = self.queue.dequeue()
        if request is None:
            return
        if backlog is not None:
            self._complete(backlog, _EINPROGRESS)
        self._do(request)
        if len(self.queue):
            self._work.queue()

    def _do(self, request: AnyRequest) -> None:
        job: _Job = request.ctx
        job.child.set_callback(_WORKER_FLAGS, self._completed, request)
        status = job.call(job.child)
        if status not in (_EINPROGRESS, _EBUSY):
            self._complete(request, status)

    def _completed(self, request: AnyRequest, status: int) -> None:
        """The callback of an inner request; a notice of its queue is nobody else's business."""
        if status != _EINPROGRESS:
            request.complete(request.data, status)

    def _complete(self, request: AnyRequest, status: int) -> None:
        sim = self.machine.sim
        sim.local_bh_disable()
        try:
            request.complete(request.data, status)
        finally:
            sim.local_bh_enable()


def cryptd(machine: Machine, alg: AnyAlg, *, qlen: int = MAX_QLEN) -> AnyAlg:
    """Wrap a registered algorithm and register the wrapper.

    Args:
        machine: where `alg` is registered.
        alg: an skcipher, an AEAD, or a hash of either kind.
        qlen: how many requests wait before the queue is full.

    Returns:
        The wrapper's descriptor.

    Raises:
        OSError: EINVAL for an algorithm of another type, or as `Registry.register`.
    """
    worker = _Worker(machine, f"cryptd({alg.cra_driver_name})", qlen)
    wrapper: AnyAlg
    if isinstance(alg, SkcipherAlg):
        wrapper = _skcipher(worker, alg)
    elif isinstance(alg, AeadAlg):
        wrapper = _aead(worker, alg)
    elif isinstance(alg, AhashAlg | ShashAlg):
        wrapper = _ahash(worker, alg)
    else:
        raise OSError(errno.EINVAL, f"cryptd: {alg.cra_driver_name} is a {alg.type.word}")
    machine.registry.register(wrapper)
    return wrapper


def _common(alg: Wrappable) -> dict[str, Any]:
    """The fields that all wrappers have in common."""
    return {
        "cra_driver_name": f"cryptd({alg.cra_driver_name})",
        "cra_priority": alg.cra_priority + _MORE_PRIORITY,
        "cra_flags": AlgFlag.ASYNC | alg.cra_flags & _PASSED_ON,
        "do_one_request": None,
        "exit": _exit,
    }


def _exit(tfm: Any) -> None:
    tfm.machine.registry.free(tfm.ctx)
    tfm.ctx = None


def _setkey(tfm: Any, key: bytearray) -> int:
    """Hand the key on, with the flags that matter to it."""
    child = tfm.ctx
    child.clear_flags(ReqFlag.request_mask())
    child.set_flags(tfm.flags)
    try:
        child.setkey(bytes(key))
    except OSError as error:
        return -(error.errno or errno.EINVAL)
    return 0


def _skcipher(worker: _Worker, alg: SkcipherAlg) -> SkcipherAlg:
    def init(tfm: Skcipher) -> int:
        tfm.ctx = child = tfm.machine.registry.spawn_skcipher(alg)
        tfm.reqsize = _ROOM + child.reqsize
        return 0

    def submit(request: SkcipherRequest, *, encrypt: bool) -> int:
        child: Skcipher = request.tfm.ctx
        inner = child.request()
        inner.set_crypt(request.src, request.dst, request.cryptlen, request.iv)
        request.ctx = _Job(child.encrypt if encrypt else child.decrypt, inner)
        return worker.enqueue(request)

    wrapper: SkcipherAlg = alg.variant(
        **_common(alg),
        init=init,
        setkey=_setkey,
        encrypt=lambda request: submit(request, encrypt=True),
        decrypt=lambda request: submit(request, encrypt=False),
    )
    return wrapper


def _aead(worker: _Worker, alg: AeadAlg) -> AeadAlg:
    def init(tfm: Aead) -> int:
        tfm.ctx = child = tfm.machine.registry.spawn_aead(alg)
        tfm.reqsize = _ROOM + child.reqsize
        return 0

    def setauthsize(tfm: Aead, authsize: int) -> int:
        try:
            tfm.ctx.setauthsize(authsize)
        except OSError as error:
            return -(error.errno or errno.EINVAL)
        return 0

    def submit(request: AeadRequest, *, encrypt: bool) -> int:
        child: Aead = request.tfm.ctx
        inner = child.request()
        inner.set_crypt(request.src, request.dst, request.cryptlen, request.iv)
        inner.set_ad(request.assoclen)
        request.ctx = _Job(child.encrypt if encrypt else child.decrypt, inner)
        return worker.enqueue(request)

    wrapper: AeadAlg = alg.variant(
        **_common(alg),
        init=init,
        setkey=_setkey,
        setauthsize=setauthsize,
        encrypt=lambda request: submit(request, encrypt=True),
        decrypt=lambda request: submit(request, encrypt=False),
    )
    return wrapper


def _ahash(worker: _Worker, alg: AhashAlg | ShashAlg) -> AhashAlg:
    served = ahash_view(alg) if isinstance(alg, ShashAlg) else alg

    def init(tfm: Ahash) -> int:
        tfm.ctx = child = tfm.machine.registry.spawn_ahash(alg)
        tfm.reqsize = _ROOM + child.reqsize
        return 0

    def begin(name: str) -> Callable[[AhashRequest], int]:
        """A step that begins a message, in an inner request of its own."""

        def step(request: AhashRequest) -> int:
            request.ctx = _Job(_nothing, request.tfm.ctx.request())
            return go_on(name)(request)

        return step

    def go_on(name: str) -> Callable[[AhashRequest], int]:
        """A step of the message whose state the inner request holds."""

        def step(request: AhashRequest) -> int:
            job: _Job = request.ctx
            inner = job.child
            assert isinstance(inner, AhashRequest)
            if name != "init":
                nbytes = 0 if name == "final" else request.nbytes
                inner.set_crypt(request.src if nbytes else None, request.result, nbytes)
            job.call = getattr(request.tfm.ctx, name)
            return worker.enqueue(request)

        return step

    wrapper: AhashAlg = served.variant(
        **_common(alg),
        init=init,
        setkey=_setkey if served.setkey is not None else None,
        hash_init=begin("init"),
        digest=begin("digest"),
        update=go_on("update"),
        final=go_on("final"),
        finup=go_on("finup"),
        export=_export,
        import_state=_import,
    )
    return wrapper


def _nothing(request: Any) -> int:
    return 0


def _export(request: AhashRequest, out: Buffer) -> int:
    job: _Job = request.ctx
    inner = job.child
    assert isinstance(inner, AhashRequest)
    status: int = request.tfm.ctx.export(inner, out)
    return status


def _import(request: AhashRequest, state: Buffer) -> int:
    inner: AhashRequest = request.tfm.ctx.request()
    request.ctx = _Job(_nothing, inner)
    status: int = request.tfm.ctx.import_state(inner, state)
    return status

"""Steps at the end of a life in the wrong order or left out: of requests, transforms, a driver."""

from __future__ import annotations

import errno

from tcrypt.engine.api.algorithms import AnyAlg, SkcipherAlg
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.requests import AnyRequest
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor, result_status
from tcrypt.engine.eip93.driver.completion import Completion
from tcrypt.engine.eip93.driver.core import Core, Job, status_to_errno
from tcrypt.engine.eip93.driver.probe import Driver
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()


@mutant("EQ-22c", "callbacks under the driver's lock, with interrupts off")
def callback_under_lock() -> Planted:
    """The lock that results are taken under is held until their requests are completed."""
    complete = Core.complete

    def locked(self: Core, job: Job) -> None:
        with self.write_lock:
            complete(self, job)

    return replaced((Core, "complete", locked))


@mutant("EQ-22d", "callbacks in the interrupt handler")
def callback_in_interrupt() -> Planted:
    """The handler does what the tasklet should, and has disabled bottom halves for it."""
    interrupt = Completion.interrupt

    def at_once(self: Completion) -> None:
        sim = self.machine.sim
        interrupt(self)
        self._tasklet.kill()
        sim.local_bh_disable()
        self.done_task()
        sim.local_bh_enable()

    return replaced((Completion, "interrupt", at_once))


@mutant("CR-16c", "the transform of a completed request is asked for")
def counted_too_late() -> Planted:
    """Statistics are kept by algorithm, and written when the request is the caller's again."""
    complete = Core.complete

    def complete_and_count(self: Core, job: Job) -> None:
        complete(self, job)
        self.counters[job.request.tfm.alg.cra_driver_name, "done"] += 1

    return replaced((Core, "complete", complete_and_count))


@mutant("ML-10b", "unmapped after the completion")
def unmapped_late() -> Planted:
    """The request is completed first, and what was mapped for it given back then."""

    def complete(self: Core, job: Job) -> None:
        del self._jobs[job.handle]
        job.finish(job, job.status)
        self.engine.finalize(job.request, job.status)
        self.release(job)

    return replaced((Core, "complete", complete))


@mutant("ML-14b", "a fallback outlives its transform")
def fallback_kept() -> Planted:
    """The exit of a transform forgets its fallback, and does not free it."""

    def exit_tfm(self: EipSkcipher, tfm: Skcipher) -> None:
        tfm.ctx = None

    return replaced((EipSkcipher, "exit_tfm", exit_tfm))


@mutant("KF-11c", "setkey returns an errno of its own when the fallback refuses")
def own_errno() -> Planted:
    """Whatever the fallback says, the caller is told that the key is invalid."""
    key_fallback = EipSkcipher.setkey_fallback

    def setkey_fallback(self: EipSkcipher, tfm: Skcipher, key: bytes) -> int:
        return -errno.EINVAL if key_fallback(self, tfm, key) else 0

    return replaced((EipSkcipher, "setkey_fallback", setkey_fallback))


@mutant("RG-09c", "CRYPTO_ALG_KERN_DRIVER_ONLY is missing")
def not_driver_only() -> Planted:
    """The skciphers do not say that user space has no other way to their device."""
    original = EipSkcipher.alg

    def alg(self: EipSkcipher) -> SkcipherAlg:
        found = original(self)
        changed: SkcipherAlg = found.variant(cra_flags=found.cra_flags & ~AlgFlag.KERN_DRIVER_ONLY)
        return changed

    return replaced((EipSkcipher, "alg", alg))


@mutant("RG-12b", "a registration that fails leaves the earlier ones")
def half_registered() -> Planted:
    """When one algorithm is refused, those before it stay registered without a device."""

    def register(self: Driver) -> None:
        try:
            for alg in self.algs:
                self.core.engine.register(alg)
        except OSError:
            self.core.remove()
            raise

    return replaced((Driver, "register", register))


@mutant("EQ-15c", "the engine goes before the algorithms that need it")
def engine_first() -> Planted:
    """Removal stops the device and its engine, and unregisters the algorithms then."""

    def remove(self: Driver) -> int:
        status = self.core.remove()
        algs: list[AnyAlg] = [] if status else self.algs
        for alg in algs:
            self.core.machine.registry.unregister(alg)
        return status

    return replaced((Driver, "remove", remove))


@mutant("EQ-15d", "removal does not wait for the hardware")
def undrained() -> Planted:
    """Once the queue is empty the rings are freed, with jobs in them."""
    return replaced((Core, "drain", lambda self: 0))


@mutant("EQ-15e", "stop does not wait for the queue")
def stopped_early() -> Planted:
    """The engine is taken for idle while requests wait."""
    return replaced((CryptoEngine, "_active", lambda self: self.busy and not len(self.queue)))


@mutant("EQ-15f", "requests are accepted after stop")
def accepted_late() -> Planted:
    """Whoever still has a transform is told that its request will complete."""
    original = CryptoEngine.transfer

    def transfer(self: CryptoEngine, request: AnyRequest) -> int:
        running, self.running = self.running, True
        try:
            return original(self, request)
        finally:
            self.running = running

    return replaced((CryptoEngine, "transfer", transfer))


@mutant("CR-09b", "the last descriptor's status stands for the whole request")
def last_status() -> Planted:
    """An error of a piece before the last one is overwritten by the last one's success."""
    original = Core.note_result

    def note_result(self: Core, job: Job, result: Descriptor) -> None:
        job.status = 0
        original(self, job, result)

    return replaced((Core, "note_result", note_result))


@mutant("CR-09c", "an error without a name is a success")
def unknown_error() -> Planted:
    """Of the extended errors only the bus error is looked at."""

    def note_result(self: Core, job: Job, result: Descriptor) -> None:
        job.pending -= 1
        status = result_status(result.control)
        known = not status & reg.ERR_EXTENDED or status == reg.ERR_BUS
        if status and known:
            job.status = job.status or status_to_errno(status)
        if status in (reg.ERR_BUS, reg.ERR_PROCESSING):
            self.recover()

    return replaced((Core, "note_result", note_result))


@mutant("CR-23b", "the engine stays stopped after a processing error")
def not_restarted() -> Planted:
    """Only after a bus error is the engine restarted."""

    def note_result(self: Core, job: Job, result: Descriptor) -> None:
        job.pending -= 1
        status = result_status(result.control)
        if status:
            job.status = job.status or status_to_errno(status)
            if status == reg.ERR_BUS:
                self.recover()

    return replaced((Core, "note_result", note_result))


@mutant("ML-14c", "a bounce buffer that cannot be mapped is leaked")
def bounce_leaked() -> Planted:
    """A request that ends before the device knows of it gives back its slot alone."""

    def give_up(self: Core, job: Job, status: int) -> int:
        self.unmap(job)
        self.release_slot(job.slot)
        return self.engine.not_started(job.request, status)

    return replaced((Core, "give_up", give_up))

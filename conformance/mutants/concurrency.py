"""State that requests, transforms or contexts share and should not."""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakKeyDictionary

from tcrypt.engine.api.requests import AeadRequest, SkcipherRequest
from tcrypt.engine.api.transforms import Aead, Skcipher
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver.aead import AeadContext, EipAead
from tcrypt.engine.eip93.driver.aead_jobs import AeadJob, AeadJobs
from tcrypt.engine.eip93.driver.cipher_jobs import CipherJobs
from tcrypt.engine.eip93.driver.core import Core, Job
from tcrypt.engine.eip93.driver.policy import Reason
from tcrypt.engine.eip93.driver.skcipher import CipherContext, EipSkcipher
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, is_inbound, replaced

__all__: tuple[str, ...] = ()

_KEY_SLOTS = 15
_KEY = slice(reg.SA_KEY, reg.SA_INNER_DIGEST)


def _with_key(sa: bytes, key: bytes) -> bytes:
    """An SA record with other key bytes."""
    return sa[: _KEY.start] + key + sa[_KEY.stop :]


@mutant("CC-01", "the direction bit sticks in the shared SA record")
def direction_sticks() -> Planted:
    """The first decryption turns the transform's only record into one for decryption."""
    original = EipSkcipher.decrypt

    def decrypt(self: EipSkcipher, request: SkcipherRequest) -> int:
        context: CipherContext = request.tfm.ctx
        context.encrypt_sa = context.decrypt_sa
        return original(self, request)

    return replaced((EipSkcipher, "decrypt", decrypt))


@mutant("CC-03", "the device remembers the transform that was set up last")
def last_transform() -> Planted:
    """Queued requests run with the context that was keyed last, whosesoever they are."""
    setkey, start = EipSkcipher.setkey, EipSkcipher.do_one_request
    contexts: WeakKeyDictionary[EipSkcipher, CipherContext] = WeakKeyDictionary()

    def remember(self: EipSkcipher, tfm: Skcipher, key: bytearray) -> int:
        contexts[self] = tfm.ctx
        return setkey(self, tfm, key)

    def do_one_request(self: EipSkcipher, engine: CryptoEngine, request: SkcipherRequest) -> int:
        plan, context = request.ctx, contexts[self]
        plan.sa = context.decrypt_sa if is_inbound(plan.sa) else context.encrypt_sa
        return start(self, engine, request)

    return replaced(
        (EipSkcipher, "setkey", remember), (CipherJobs, "do_one_request", do_one_request)
    )


@mutant("CC-03b", "the device remembers the tag length that was asked for last")
def last_tag_length() -> Planted:
    """A tag is put in order with the length of the request that came last, whosesoever it was."""
    submit, finish_tag = EipAead.submit, EipAead.finish_tag
    lengths: WeakKeyDictionary[EipAead, int] = WeakKeyDictionary()

    def remember(self: EipAead, request: AeadRequest, *, encrypt: bool) -> int:
        lengths[self] = request.tfm.authsize
        return submit(self, request, encrypt=encrypt)

    def of_the_last(self: EipAead, job: Job, request: AeadRequest, plan: AeadJob) -> None:
        finish_tag(self, job, request, replace(plan, authsize=lengths[self]))

    return replaced((EipAead, "submit", remember), (EipAead, "finish_tag", of_the_last))


@mutant("CC-04", "the key is wiped after each request")
def key_wiped() -> Planted:
    """Completion zeroes the key in the transform's context."""
    original = EipSkcipher.finish
    zeros = bytes(_KEY.stop - _KEY.start)

    def finish(self: EipSkcipher, job: Job, status: int) -> None:
        original(self, job, status)
        context: CipherContext = job.request.tfm.ctx
        context.encrypt_sa = _with_key(context.encrypt_sa, zeros)
        context.decrypt_sa = _with_key(context.decrypt_sa, zeros)

    return replaced((CipherJobs, "finish", finish))


class _Slotted(CipherContext):
    """A context whose key lies in a slot of the device."""

    slot = 0


@mutant("CC-06", "hardware key slots are exhausted")
def slots_exhausted() -> Planted:
    """Transform n has key slot n modulo 15, and is not told when another one loads it."""
    init, setkey, start = EipSkcipher.init_tfm, EipSkcipher.setkey, EipSkcipher.do_one_request
    opened: WeakKeyDictionary[EipSkcipher, int] = WeakKeyDictionary()
    slots: WeakKeyDictionary[EipSkcipher, dict[int, tuple[bytes, bytes]]] = WeakKeyDictionary()

    def init_tfm(self: EipSkcipher, tfm: Skcipher) -> int:
        status = init(self, tfm)
        if not status:
            tfm.ctx = _Slotted(tfm.ctx.fallback)
            opened[self] = opened.get(self, -1) + 1
            tfm.ctx.slot = opened[self] % _KEY_SLOTS
        return status

    def load(self: EipSkcipher, tfm: Skcipher, key: bytearray) -> int:
        status = setkey(self, tfm, key)
        records = tfm.ctx.encrypt_sa, tfm.ctx.decrypt_sa
        slots.setdefault(self, {})[tfm.ctx.slot] = records
        return status

    def do_one_request(self: EipSkcipher, engine: CryptoEngine, request: SkcipherRequest) -> int:
        plan = request.ctx
        plan.sa = slots[self][request.tfm.ctx.slot][is_inbound(plan.sa)]
        return start(self, engine, request)

    return replaced(
        (EipSkcipher, "init_tfm", init_tfm),
        (EipSkcipher, "setkey", load),
        (CipherJobs, "do_one_request", do_one_request),
    )


@mutant("CC-06b", "prepared keys are found by their first 128 bits")
def found_by_its_start() -> Planted:
    """A device keeps the records of keys; a longer one is taken for another that begins alike."""
    original = EipSkcipher.build_sa
    kept: WeakKeyDictionary[EipSkcipher, dict[tuple[bytes, int, bool], bytes]]
    kept = WeakKeyDictionary()

    def build_sa(self: EipSkcipher, key: bytes, *, inbound: bool) -> bytes:
        made = original(self, key, inbound=inbound)
        return kept.setdefault(self, {}).setdefault((key[:16], len(key), inbound), made)

    return replaced((EipSkcipher, "build_sa", build_sa))


@mutant("CC-07", "the key is written to the engine at setkey time")
def key_at_setkey() -> Planted:
    """The engine's key is what setkey left there last, on whichever transform and mode."""
    setkey, start = EipSkcipher.setkey, EipSkcipher.do_one_request
    loaded: WeakKeyDictionary[Core, bytes] = WeakKeyDictionary()

    def load(self: EipSkcipher, tfm: Skcipher, key: bytearray) -> int:
        status = setkey(self, tfm, key)
        if not status:
            loaded[self.core] = tfm.ctx.encrypt_sa[_KEY]
        return status

    def do_one_request(self: EipSkcipher, engine: CryptoEngine, request: SkcipherRequest) -> int:
        request.ctx.sa = _with_key(request.ctx.sa, loaded[self.core])
        return start(self, engine, request)

    return replaced((EipSkcipher, "setkey", load), (CipherJobs, "do_one_request", do_one_request))


# What no descriptor can say is left to software at once.
_NOT_EXPRESSIBLE = (Reason.ASSOC, Reason.LONG)


class _Flagged(AeadContext):
    """A context with the decision for software that was taken last."""

    in_software = False


@mutant("CC-12", "the decision for software is stored per transform")
def decision_per_transform() -> Planted:
    """Submission sets a flag of the transform; the queue's worker looks at it later."""
    init, reason_of = EipAead.init_tfm, EipAead.fallback_reason
    start = EipAead.do_one_request

    def init_tfm(self: EipAead, tfm: Aead) -> int:
        status = init(self, tfm)
        if not status:
            tfm.ctx = _Flagged(tfm.ctx.fallback)
        return status

    def fallback_reason(self: EipAead, request: AeadRequest, textlen: int, authsize: int) -> str:
        reason = reason_of(self, request, textlen, authsize)
        if reason in _NOT_EXPRESSIBLE:
            return reason
        request.tfm.ctx.in_software = bool(reason)
        return ""

    def do_one_request(self: EipAead, engine: CryptoEngine, request: AeadRequest) -> int:
        if not request.tfm.ctx.in_software:
            return start(self, engine, request)
        sim = self.core.machine.sim
        status = self.run_fallback(request, encrypt=request.ctx.encrypt)
        sim.local_bh_disable()
        engine.finalize(request, status)
        sim.local_bh_enable()
        return 0

    return replaced(
        (EipAead, "init_tfm", init_tfm),
        (EipAead, "fallback_reason", fallback_reason),
        (AeadJobs, "do_one_request", do_one_request),
    )


@mutant("CC-13", "submission sleeps although it must not")
def sleeping_submit() -> Planted:
    """The request's memory is allocated as if the caller could always sleep."""
    original = EipSkcipher.submit

    def submit(self: EipSkcipher, request: SkcipherRequest, *, encrypt: bool) -> int:
        self.core.machine.sim.might_sleep("an allocation")
        return original(self, request, encrypt=encrypt)

    return replaced((EipSkcipher, "submit", submit))

"""What known EIP-93 drivers get wrong in the numbered edge cases, and no other module plants.

docs/edge-cases.md has the table of cases and defects.
"""

from __future__ import annotations

import errno

from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AeadRequest, AhashRequest, SkcipherRequest
from tcrypt.engine.api.transforms import Aead, Skcipher
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import Descriptor, result_length
from tcrypt.engine.eip93.driver.aead import AeadContext, EipAead
from tcrypt.engine.eip93.driver.ahash import EipHash
from tcrypt.engine.eip93.driver.cipher_jobs import CipherJob, CipherJobs, cut
from tcrypt.engine.eip93.driver.core import STATE_A, Core, Job
from tcrypt.engine.eip93.driver.hash_jobs import HashState
from tcrypt.engine.eip93.driver.probe import Driver
from tcrypt.engine.eip93.driver.rings import Rings
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_SEVEN_WORDS = 28
_SA_BYTES = 128
_HANDLES = 2


class _Context(AeadContext):
    """A context that remembers more than it should.

    Attributes:
        decrypted: whether anything was, since the key was set.
        assoclen: AAD bytes of the first request since then; -1 before it.
    """

    decrypted = False
    assoclen = -1


def _remembering() -> tuple[tuple[object, str, object], ...]:
    """Give transforms such a context; a new key makes it forget."""
    init, rekey = EipAead.init_tfm, EipAead.setkey

    def init_tfm(self: EipAead, tfm: Aead) -> int:
        status = init(self, tfm)
        if not status:
            tfm.ctx = _Context(tfm.ctx.fallback)
        return status

    def setkey(self: EipAead, tfm: Aead, key: bytearray) -> int:
        tfm.ctx.decrypted, tfm.ctx.assoclen = False, -1
        return rekey(self, tfm, key)

    return (EipAead, "init_tfm", init_tfm), (EipAead, "setkey", setkey)


@mutant("CC-01b", "the direction bit sticks in the shared SA record of an AEAD")
def aead_direction_sticks() -> Planted:
    """After a decryption every record is one for decryption, until the next key."""
    build = EipAead.build_sa

    def build_sa(
        self: EipAead, context: AeadContext, *, inbound: bool, assoclen: int, authsize: int
    ) -> bytes:
        assert isinstance(context, _Context)
        context.decrypted |= inbound
        sticks = context.decrypted
        return build(self, context, inbound=sticks, assoclen=assoclen, authsize=authsize)

    return replaced(*_remembering(), (EipAead, "build_sa", build_sa))


@mutant("AE-17b", "an empty text is answered without a tag")
def no_tag_for_nothing() -> Planted:
    """An encryption without text is done at once, as it is for a cipher alone."""
    original = EipAead.submit

    def submit(self: EipAead, request: AeadRequest, *, encrypt: bool) -> int:
        if encrypt and not request.cryptlen:
            return 0
        return original(self, request, encrypt=encrypt)

    return replaced((EipAead, "submit", submit))


@mutant("AE-18b", "the AAD length of the first request is kept")
def assoclen_latched() -> Planted:
    """Until the next key, a request with another AAD length is refused."""
    original = EipAead.submit

    def submit(self: EipAead, request: AeadRequest, *, encrypt: bool) -> int:
        context: _Context = request.tfm.ctx
        if context.assoclen < 0:
            context.assoclen = request.assoclen
        if request.assoclen != context.assoclen:
            return self.refuse(-errno.EINVAL)
        return original(self, request, encrypt=encrypt)

    return replaced(*_remembering(), (EipAead, "submit", submit))


@mutant("KF-04b", "an unsupported key size of an AEAD is sent to the hardware")
def aead_key_size_ignored() -> Planted:
    """Only the skciphers look at the key sizes that the device has."""
    original = EipAead.fallback_reason

    def fallback_reason(self: EipAead, request: AeadRequest, textlen: int, authsize: int) -> str:
        context: AeadContext = request.tfm.ctx
        context.on_hardware = True
        return original(self, request, textlen, authsize)

    return replaced((EipAead, "fallback_reason", fallback_reason))


@mutant("EQ-19c", "a request larger than the ring waits for room that nobody can make")
def livelock_in_the_middle() -> Planted:
    """Descriptors go to the ring one by one; when it is full, the writer polls for room.

    It holds the lock meanwhile that whoever takes results wants.
    """
    plan_of, put_one = CipherJobs.plan, Core.put

    def plan(self: CipherJobs, request: SkcipherRequest, sa: bytes) -> CipherJob:
        job = plan_of(self, request, sa)
        pieces = self.direct_pieces(request)
        if job.bounced and pieces is not None:
            job.bounced, job.pieces, job.count = False, cut(pieces, job.split), 1
        return job

    def put(
        self: Core,
        job: Job,
        source: int,
        destination: int,
        length: int,
        *,
        sa: int = 0,
        state: int = STATE_A,
        hash_final: bool = True,
    ) -> None:
        while not self.rings.free:
            self.mmio.read32(reg.PE_RD_COUNT)
        put_one(self, job, source, destination, length, sa=sa, state=state, hash_final=hash_final)

    return replaced((CipherJobs, "plan", plan), (Core, "put", put))


@mutant("CR-06b", "both halves of a result are waited for without end")
def spin_for_both_halves() -> Planted:
    """A counted result is polled until both of its ownership pairs agree, whatever else waits."""

    def take_ready(self: Rings, count: int) -> list[Descriptor]:
        found: list[Descriptor] = []
        while len(found) < count:
            result = self.take()
            if result is not None:
                found.append(result)
        return found

    return replaced((Rings, "take_ready", take_ready))


@mutant("CR-06c", "a result is taken when one half of it is there")
def one_half() -> Planted:
    """The first word is asked for its owner, and the others are read whatever they are."""

    def take(self: Rings) -> Descriptor | None:
        address = self.results + self._read * reg.DESCRIPTOR_BYTES
        result = Descriptor.unpack(self._memory.read(address, reg.DESCRIPTOR_BYTES))
        if not result.control & reg.CONTROL_PE_READY:
            return None
        self._read = (self._read + 1) % self.size
        self.used -= 1
        return result

    return replaced((Rings, "take", take))


@mutant("CR-09d", "a packet that was not begun counts as done")
def nothing_is_success() -> Planted:
    """A result of no bytes is taken for that of a packet without data."""
    original = Core.note_result

    def note_result(self: Core, job: Job, result: Descriptor) -> None:
        before = job.status
        original(self, job, result)
        if not result_length(result.length):
            job.status = before

    return replaced((Core, "note_result", note_result))


@mutant("CR-16b", "more requests than handles")
def handles_run_out() -> Planted:
    """There are fewer handles than descriptors, and nobody looks whether one is free."""

    def new_handle(self: Core, job: Job) -> int:
        handle = self._next_handle
        self._next_handle = (handle + 1) % _HANDLES
        self._jobs[handle] = job
        return handle

    return replaced((Core, "_new_handle", new_handle))


@mutant("CR-23c", "the engine stays stopped after a bad packet length")
def length_error_ignored() -> Planted:
    """Where the manual has two readings, the driver relies on the one that asks for nothing."""

    def recover_if_stopped(self: Core) -> None:
        return

    return replaced((Core, "recover_if_stopped", recover_if_stopped))


@mutant("HS-05b", "SHA-224 is exported with seven state words")
def short_state() -> Planted:
    """As many words as the digest has; the hash goes on from eight."""
    original = EipHash.export

    def export(self: EipHash, request: AhashRequest, out: Buffer) -> int:
        state: HashState = request.ctx
        whole = state.digest
        if self.spec.digestsize == _SEVEN_WORDS:
            state.digest = whole[:_SEVEN_WORDS] + bytes(len(whole) - _SEVEN_WORDS)
        try:
            return original(self, request, out)
        finally:
            state.digest = whole

    return replaced((EipHash, "export", export))


@mutant("RG-12c", "unregistering has another gate than registering")
def wrong_gate() -> Planted:
    """Algorithms that the device lacks, and that were never registered, are unregistered too."""
    original = Driver.remove

    def remove(self: Driver) -> int:
        core, option = self.core, self.core.option
        core.option = 0xFFFF_FFFF
        registered = {alg.cra_driver_name for alg in self.algs}
        missing = [a for a in self.algorithms() if a.cra_driver_name not in registered]
        core.option = option
        for alg in missing:
            core.machine.registry.unregister(alg)
        return original(self)

    return replaced((Driver, "remove", remove))


@mutant("ML-10c", "address 0 is unmapped for a transform that was never used")
def unmap_of_nothing() -> Planted:
    """The record of a transform is mapped with its key, and unmapped with or without one."""
    original = EipSkcipher.exit_tfm

    def exit_tfm(self: EipSkcipher, tfm: Skcipher) -> None:
        if not tfm.ctx.encrypt_sa:
            self.core.machine.dma.unmap(0, _SA_BYTES, DmaDirection.TO_DEVICE)
        original(self, tfm)

    return replaced((EipSkcipher, "exit_tfm", exit_tfm))

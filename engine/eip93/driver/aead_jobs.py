"""How an AEAD request lies on the EIP-93: one descriptor that does both passes.

Lists of more than one entry, or of one that is not aligned to words, go through a bounce buffer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93.driver.ciphers import CipherSpec
from tcrypt.engine.eip93.driver.core import Core, Job
from tcrypt.engine.eip93.driver.digests import DigestSpec
from tcrypt.engine.eip93.driver.offload import Offload

__all__ = ("AeadJob", "AeadJobs")

_WORD = 4


@dataclass(slots=True)
class AeadJob:
    """A request between submission and completion.

    Attributes:
        sa: the SA record as it was when the request was submitted.
        iv: the state record's IV as it was then.
        encrypt: the direction.
        textlen: payload bytes, without AAD and tag.
        authsize: tag bytes.
        source: bytes that the source holds.
        destination: bytes that the destination takes.
        direct: whether the engine works on the caller's memory, without a bounce buffer.
    """

    sa: bytes = field(repr=False)
    iv: bytes
    encrypt: bool
    textlen: int
    authsize: int
    source: int
    destination: int
    direct: bool


class AeadJobs(Offload):
    """The hardware's half of one AEAD on one device.

    Attributes:
        cipher: its cipher.
        digest: its hash.
    """

    def __init__(self, core: Core, cipher: CipherSpec, digest: DigestSpec) -> None:
        super().__init__(core, f"authenc(hmac({digest.name}-eip93),{cipher.driver_name})")
        self.cipher = cipher
        self.digest = digest

    def is_direct(self, request: AeadRequest, source: int, destination: int) -> bool:
        """Whether both lists begin with one word-aligned run that holds everything."""
        for scatterlist, length in ((request.src, source), (request.dst, destination)):
            address, size = scatterlist.entries[0]
            if address % _WORD or size < length:
                return False
        return True

    def do_one_request(self, engine: CryptoEngine, request: AeadRequest) -> int:
        """Start a queued request: 0, or -ENOSPC when the ring is full."""
        return self.launch(request, 1, self.prepare)

    def prepare(self, job: Job) -> Callable[[], None]:
        """Fill the job's records and map its memory; what then writes its descriptor."""
        request, core = job.request, self.core
        assert isinstance(request, AeadRequest)
        plan: AeadJob = request.ctx
        core.machine.memory.write(job.slot, plan.sa + plan.iv)
        if plan.direct:
            source, destination = self.map_direct(job, request, plan)
        else:
            room = request.assoclen + plan.textlen + self.digest.digestsize
            data = request.src.read(request.assoclen + request.cryptlen)
            source = destination = core.bounce(job, data, room)
        return partial(core.put, job, source, destination, request.assoclen + plan.textlen)

    def map_direct(self, job: Job, request: AeadRequest, plan: AeadJob) -> tuple[int, int]:
        """Map source and destination where they lie; their addresses."""
        source, destination = request.src.entries[0].address, request.dst.entries[0].address
        if source == destination:
            length = max(plan.source, plan.destination)
            self.core.map(job, source, length, DmaDirection.BIDIRECTIONAL)
        else:
            self.core.map(job, source, plan.source, DmaDirection.TO_DEVICE)
            self.core.map(job, destination, plan.destination, DmaDirection.FROM_DEVICE)
        return source, destination

    def finish(self, job: Job, status: int) -> None:
        """Put the tag in order and copy a bounced result out; wipe what failed to verify."""
        request = job.request
        assert isinstance(request, AeadRequest)
        plan: AeadJob = request.ctx
        if status:
            if plan.direct:
                # The engine decrypts while it hashes: nobody may see the text of a forgery.
                request.dst.write(bytes(plan.textlen), request.assoclen)
            return
        if plan.encrypt:
            self.finish_tag(job, request, plan)
        elif not plan.direct:
            length = request.assoclen + plan.textlen
            request.dst.write(self.core.machine.memory.read(job.bounces[0], length))

    def finish_tag(self, job: Job, request: AeadRequest, plan: AeadJob) -> None:
        """Put the tag's words in order, which the engine writes as it keeps them (1.6)."""
        memory = self.core.machine.memory
        start = request.dst.entries[0].address if plan.direct else job.bounces[0]
        place = start + request.assoclen + plan.textlen
        tag = self.digest.in_order(memory.read(place, plan.authsize))
        if plan.direct:
            memory.write(place, tag)
        else:
            request.dst.write(memory.read(start, place - start) + tag)

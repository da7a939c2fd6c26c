"""ecb(aes), cbc(aes) and ctr(aes) on the EIP-93.

A request becomes one descriptor per piece of memory; the engine chains the IV from piece to piece
through the state record.  Three things the engine cannot do are done here: a key size that
it lacks goes to the software fallback, memory that is not aligned to words or cut inside a
block goes through a bounce buffer, and a counter that wraps its low 32 bits is split, because the
engine counts only those (eip93, sections 3.7 and 5.4).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.scatterlist import pair_segments
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93.driver.core import MAX_DESCRIPTOR_BYTES, STATE_A, STATE_B, Core, Job
from tcrypt.engine.eip93.driver.fallback import CIPHER_FLAGS, hand_over, key_alike
from tcrypt.engine.eip93.driver.policy import FallbackPolicy, Reason, aes_key_bit
from tcrypt.engine.eip93.driver.sa import SATemplate
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    HashSource,
    IVSource,
    SACommand,
)

__all__ = ("PRIORITY", "AesSkcipher", "CipherContext", "CipherJob")

PRIORITY = 1500
_BLOCK = 16
_AES_KEY_SIZES = (16, 24, 32)
_WORD = 4
_COUNTER_SPAN = 1 << 32
_COUNTERS = 1 << 128

Piece: TypeAlias = tuple[int, int, int]


@dataclass(slots=True)
class CipherContext:
    """What a transform keeps.

    Attributes:
        fallback: the software transform, keyed like this one.
        encrypt_sa: the SA record for encryption, ready to copy; empty without a key.
        decrypt_sa: the same for decryption.
        on_hardware: whether the device has the key's size.
    """

    fallback: Skcipher
    encrypt_sa: bytes = b""
    decrypt_sa: bytes = b""
    on_hardware: bool = False


@dataclass(slots=True)
class CipherJob:
    """A request between submission and completion.

    Attributes:
        sa: the SA record as it was when the request was submitted.
        iv: the IV as it was then.
        pieces: (source, destination, length); empty when the request goes through a bounce buffer.
        bounced: whether it does.
        split: how many leading bytes run before the low counter word wraps; 0 for no wrap.
        count: how many descriptors the request needs.
    """

    sa: bytes
    iv: bytes
    pieces: list[Piece]
    bounced: bool
    split: int
    count: int


class AesSkcipher:
    """One mode of AES on one device; the methods are the driver's operations."""

    def __init__(self, core: Core, mode: CipherMode, policy: FallbackPolicy) -> None:
        self.core = core
        self.mode = mode
        self.policy = policy
        self.name = f"{mode.name.lower()}(aes)"
        self.driver_name = f"{mode.name.lower()}(aes-eip93)"
        self._templates: dict[tuple[int, bool], SATemplate] = {}
        self.has_iv = mode is not CipherMode.ECB
        self.block = 1 if mode is CipherMode.CTR else _BLOCK

    def alg(self) -> SkcipherAlg:
        """The descriptor to register."""
        return SkcipherAlg(
            cra_name=self.name,
            cra_driver_name=self.driver_name,
            cra_priority=PRIORITY,
            cra_flags=CIPHER_FLAGS,
            cra_blocksize=self.block,
            cra_module="eip93",
            min_keysize=min(_AES_KEY_SIZES),
            max_keysize=max(_AES_KEY_SIZES),
            ivsize=_BLOCK if self.has_iv else 0,
            chunksize=_BLOCK,
            setkey=self.setkey,
            encrypt=self.encrypt,
            decrypt=self.decrypt,
            init=self.init_tfm,
            exit=self.exit_tfm,
            do_one_request=self.do_one_request,
        )

    def init_tfm(self, tfm: Skcipher) -> int:
        """Allocate the fallback; its errno when there is none."""
        registry = tfm.machine.registry
        try:
            fallback = registry.alloc_skcipher(self.name, 0, AlgFlag.NEED_FALLBACK)
        except OSError as error:
            return -(error.errno or errno.ENOENT)
        tfm.ctx = CipherContext(fallback)
        tfm.reqsize = 64 + fallback.reqsize
        return 0

    def exit_tfm(self, tfm: Skcipher) -> None:
        """Release the fallback and forget the key."""
        context: CipherContext = tfm.ctx
        tfm.machine.registry.free(context.fallback)
        tfm.ctx = None

    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        """Key the fallback always, and the hardware where it has the size."""
        if len(key) not in _AES_KEY_SIZES:
            return -errno.EINVAL
        status = self.setkey_fallback(tfm, bytes(key))
        if status:
            return status
        context: CipherContext = tfm.ctx
        context.on_hardware = bool(self.core.option & aes_key_bit(len(key)))
        context.encrypt_sa = self.build_sa(bytes(key), inbound=False)
        context.decrypt_sa = self.build_sa(bytes(key), inbound=True)
        return 0

    def setkey_fallback(self, tfm: Skcipher, key: bytes) -> int:
        """Key the fallback with the same key under the same flags; its errno when it refuses."""
        return key_alike(tfm.ctx.fallback, tfm.flags, key)

    def build_sa(self, key: bytes, *, inbound: bool) -> bytes:
        """The SA record of a key and direction, 128 bytes (eip93, section 3.4)."""
        template = self._templates.get((len(key), inbound))
        if template is None:
            command = SACommand(
                cipher=Cipher.AES,
                mode=self.mode,
                inbound=inbound,
                iv_source=IVSource.STATE,
                save_iv=self.has_iv,
                hash_source=HashSource.SA,
                aes_key_length=len(key) // 8,
            )
            template = self._templates[len(key), inbound] = SATemplate(command)
        return template.pack(key)

    def encrypt(self, request: SkcipherRequest) -> int:
        """Encrypt on the hardware or in software; the status."""
        return self.submit(request, encrypt=True)

    def decrypt(self, request: SkcipherRequest) -> int:
        """Decrypt on the hardware or in software; the status."""
        return self.submit(request, encrypt=False)

    def submit(self, request: SkcipherRequest, *, encrypt: bool) -> int:
        """Check, choose between hardware and software, and queue."""
        status = self.check(request)
        if status or not request.cryptlen:
            return status
        context: CipherContext = request.tfm.ctx
        reason = self.fallback_reason(context, request)
        if not reason:
            sa = context.encrypt_sa if encrypt else context.decrypt_sa
            job = self.plan(request, sa)
            if job.count <= self.core.rings.capacity:
                request.ctx = job
                self.core.counters[self.driver_name, "hardware"] += 1
                return self.core.engine.transfer(request)
            reason = Reason.LONG
        self.core.counters[self.driver_name, reason] += 1
        return self.run_fallback(request, encrypt=encrypt)

    def check(self, request: SkcipherRequest) -> int:
        """-EINVAL for a partial block or a list that is too short; 0 otherwise."""
        length = request.cryptlen
        if length % self.block:
            return -errno.EINVAL
        if request.src.nents_for_len(length) < 0 or request.dst.nents_for_len(length) < 0:
            return -errno.EINVAL
        return 0

    def fallback_reason(self, context: CipherContext, request: SkcipherRequest) -> str:
        """Why the request cannot or should not go to the hardware; empty when it goes there."""
        if not context.on_hardware:
            return Reason.KEY_SIZE
        if request.cryptlen <= self.policy.software_up_to:
            return Reason.SHORT
        return ""

    def run_fallback(self, request: SkcipherRequest, *, encrypt: bool) -> int:
        """Let the fallback do it, with the caller's own flags and callback."""
        return hand_over(request, request.tfm.ctx.fallback.request(), encrypt=encrypt)

    def plan(self, request: SkcipherRequest, sa: bytes) -> CipherJob:
        """Decide on pieces, bounce buffer and counter split, without touching anything."""
        length = request.cryptlen
        iv = request.iv.read() if request.iv is not None and self.has_iv else b""
        split = self.wrap_split(iv, length) if self.mode is CipherMode.CTR else 0
        pieces = self.direct_pieces(request)
        if pieces is not None:
            pieces = cut(pieces, split)
        if pieces is None or len(pieces) > self.core.rings.capacity:
            count = len(cut([(0, 0, length)], split))
            return CipherJob(sa, iv, [], True, split, count)
        return CipherJob(sa, iv, pieces, False, split, len(pieces))

    def direct_pieces(self, request: SkcipherRequest) -> list[Piece] | None:
        """The request's memory as the engine can take it, or None when it needs a bounce.

        Addresses must be word-aligned, and no piece but the last may end inside a block: the
        engine would pad it, or lose the rest of the key stream.
        """
        pieces = pair_segments(request.src, request.dst, request.cryptlen)
        for source, destination, _ in pieces:
            if source % _WORD or destination % _WORD:
                return None
        for _, _, length in pieces[:-1]:
            if length % _BLOCK:
                return None
        return pieces

    def wrap_split(self, iv: bytes, length: int) -> int:
        """How many bytes run before the low counter word wraps; 0 when all of them do."""
        before = (_COUNTER_SPAN - int.from_bytes(iv[12:], "big")) * _BLOCK
        return before if length > before else 0

    def do_one_request(self, engine: CryptoEngine, request: SkcipherRequest) -> int:
        """Start a queued request: 0, or -ENOSPC when the ring has no room for all of it.

        Without memory or mappings it is finalized with -ENOMEM, which is 0 as well.
        """
        plan: CipherJob = request.ctx
        job = self.core.begin(request, plan.count, self.finish)
        if job is None:
            return -errno.ENOSPC
        return self.core.start(job, self.prepare)

    def prepare(self, job: Job) -> Callable[[], None]:
        """Fill the job's records and map its memory; what then writes its descriptors."""
        request, core = job.request, self.core
        assert isinstance(request, SkcipherRequest)
        plan: CipherJob = request.ctx
        core.machine.memory.write(job.slot, plan.sa + plan.iv)
        pieces = plan.pieces
        if plan.bounced:
            length = request.cryptlen
            address = core.bounce(job, request.src.read(length), length)
            pieces = cut([(address, address, length)], plan.split)
        else:
            self.map_pieces(job, pieces)
        if plan.split:
            core.machine.memory.write(job.slot + STATE_B, carried(plan.iv))
        return partial(self.put_pieces, job, pieces, plan.split)

    def map_pieces(self, job: Job, pieces: list[Piece]) -> None:
        """Map every piece for the device."""
        for source, destination, length in pieces:
            if source == destination:
                self.core.map(job, source, length, DmaDirection.BIDIRECTIONAL)
            else:
                self.core.map(job, source, length, DmaDirection.TO_DEVICE)
                self.core.map(job, destination, length, DmaDirection.FROM_DEVICE)

    def put_pieces(self, job: Job, pieces: list[Piece], split: int) -> None:
        """One descriptor per piece; those behind the counter split use the second state record."""
        done = 0
        for source, destination, length in pieces:
            state = STATE_B if split and done >= split else STATE_A
            self.core.put(job, source, destination, length, state=state)
            done += length

    def finish(self, job: Job, status: int) -> None:
        """Copy a bounced result out and write the IV back, unless the request failed."""
        if status:
            return
        request = job.request
        assert isinstance(request, SkcipherRequest)
        if job.bounces:
            length = request.cryptlen
            request.dst.write(self.core.machine.memory.read(job.bounces[0], length))
        if self.has_iv:
            self.write_back_iv(job, request)

    def write_back_iv(self, job: Job, request: SkcipherRequest) -> None:
        """Leave the next IV in the request: the saved one for CBC, the counted one for CTR.

        The engine's own saved counter lacks the carry out of the low word, and is not valid after
        a partial block (eip93, section 3.7).
        """
        assert request.iv is not None
        if self.mode is CipherMode.CTR:
            blocks = -(-request.cryptlen // _BLOCK)
            counter = int.from_bytes(request.ctx.iv, "big") + blocks
            request.iv.write((counter % _COUNTERS).to_bytes(_BLOCK, "big"))
        else:
            request.iv.write(self.core.machine.memory.read(job.slot + STATE_A, _BLOCK))


def carried(iv: bytes) -> bytes:
    """The counter block after the low 32 bits have wrapped: upper 96 bits plus one, then zero."""
    upper = int.from_bytes(iv[:12], "big") + 1
    return (upper % (1 << 96)).to_bytes(12, "big") + bytes(4)


def cut(pieces: list[Piece], split: int) -> list[Piece]:
    """Cut pieces so that none crosses byte `split` (0: nowhere) or is too long for the engine."""
    found: list[Piece] = []
    done = 0
    for source, destination, length in pieces:
        while length:
            size = min(length, MAX_DESCRIPTOR_BYTES)
            if done < split:
                size = min(size, split - done)
            found.append((source, destination, size))
            source, destination, length = source + size, destination + size, length - size
            done += size
    return found

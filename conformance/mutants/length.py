"""Lengths and alignment: empty, partial, odd and very long requests."""

from __future__ import annotations

import errno
from functools import partial

from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.requests import AhashRequest, AnyRequest, SkcipherRequest
from tcrypt.engine.api.scatterlist import pair_segments
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import command_length
from tcrypt.engine.eip93.driver import cipher_jobs, core, hash_jobs
from tcrypt.engine.eip93.driver.ahash import EipHash
from tcrypt.engine.eip93.driver.cipher_jobs import CipherJobs, Piece
from tcrypt.engine.eip93.driver.core import Job
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.engine.eip93.operations import Outcome, PacketCore
from tcrypt.engine.eip93.plan import Plan
from tcrypt.engine.eip93.sequencer import Sequencer
from tcrypt.engine.sim import Timer
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_BLOCK = 16
_BURST = 16
_WORD = 4
_LENGTH_BITS = 0xF_FFFF
_NS_PER_BYTE = 1_000
_ACCEPTED = (-errno.EINPROGRESS, -errno.EBUSY)


@mutant("LEN-01", "a zero-length request is sent to the hardware")
def empty_to_hardware() -> Planted:
    """An empty request is queued; no descriptor belongs to it, so no result ever comes."""
    original = EipSkcipher.submit

    def submit(self: EipSkcipher, request: SkcipherRequest, *, encrypt: bool) -> int:
        context = request.tfm.ctx
        if request.cryptlen or not context.on_hardware:
            return original(self, request, encrypt=encrypt)
        sa = context.encrypt_sa if encrypt else context.decrypt_sa
        request.ctx = self.plan(request, sa)
        return self.core.engine.transfer(request)

    return replaced((EipSkcipher, "submit", submit))


@mutant("LEN-03", "a partial block is accepted for ECB and CBC")
def partial_block_accepted() -> Planted:
    """Lengths are not checked: the engine pads what it encrypts, and refuses to decrypt."""

    def check(self: EipSkcipher, request: SkcipherRequest) -> int:
        length = request.cryptlen
        if request.src.nents_for_len(length) < 0 or request.dst.nents_for_len(length) < 0:
            return -errno.EINVAL
        return 0

    return replaced((EipSkcipher, "check", check))


@mutant("LEN-04", "wrong errno for a bad length")
def io_error_for_length() -> Planted:
    """A partial block is refused with -EIO."""
    original = EipSkcipher.check

    def check(self: EipSkcipher, request: SkcipherRequest) -> int:
        if request.cryptlen % self.block:
            return -errno.EIO
        return original(self, request)

    return replaced((EipSkcipher, "check", check))


@mutant("LEN-06", "the length is checked for alignment, the address is not")
def unaligned_address() -> Planted:
    """Unaligned memory is used directly, by an engine that ignores the low two address bits."""
    run = PacketCore.run

    def direct_pieces(self: EipSkcipher, request: SkcipherRequest) -> list[Piece] | None:
        pieces = pair_segments(request.src, request.dst, request.cryptlen)
        if any(length % _WORD for *_, length in pieces):
            return None
        return None if any(length % _BLOCK for *_, length in pieces[:-1]) else pieces

    def map_pieces(self: EipSkcipher, job: Job, pieces: list[Piece]) -> None:
        # A mapping covers whole words, as cache maintenance does.
        for source, destination, length in pieces:
            for address in (source, destination):
                first = address & -_WORD
                size = address + length - first
                self.core.map(job, first, size, DmaDirection.BIDIRECTIONAL)

    def words_only(self: PacketCore, plan: Plan, words: tuple[int, ...], sa: bytes) -> Outcome:
        masked = (words[0], words[1] & -_WORD, words[2] & -_WORD, *words[3:])
        return run(self, plan, masked, sa)

    return replaced(
        (CipherJobs, "direct_pieces", direct_pieces),
        (CipherJobs, "map_pieces", map_pieces),
        (PacketCore, "run", words_only),
    )


@mutant("LEN-07", "only the total length is tested, not that of each segment")
def total_length_only() -> Planted:
    """Segments may end inside a block as long as the request does not."""

    def direct_pieces(self: EipSkcipher, request: SkcipherRequest) -> list[Piece] | None:
        pieces = pair_segments(request.src, request.dst, request.cryptlen)
        aligned = not any(source % _WORD or target % _WORD for source, target, _ in pieces)
        return pieces if aligned and not request.cryptlen % _BLOCK else None

    return replaced((CipherJobs, "direct_pieces", direct_pieces))


@mutant("LEN-09", "a length field narrower than the request")
def length_masked() -> Planted:
    """Nothing is cut to the engine's maximum; the descriptor keeps the low 20 bits of a length."""

    def low_bits(length: int, *, bypass: int = 0) -> int:
        return command_length(length & _LENGTH_BITS, bypass=bypass)

    unlimited = 1 << 32
    return replaced(
        (core, "command_length", low_bits),
        (cipher_jobs, "MAX_DESCRIPTOR_BYTES", unlimited),
        (hash_jobs, "MAX_DESCRIPTOR_BYTES", unlimited),
    )


@mutant("LEN-10", "the engine's least length is not kept")
def shorter_than_a_burst() -> Planted:
    """Data are not filled up to a burst, and an engine that hashes in bursts waits for more."""
    original = Sequencer._start

    def start(self: Sequencer, epoch: int, words: tuple[int, ...]) -> None:
        plan = self._plan(words)
        short = (words[7] & reg.LENGTH_BYTES) < _BURST
        if plan is not None and plan.cipher is None and short:
            self.break_down()
        else:
            original(self, epoch, words)

    return replaced((Sequencer, "_start", start))


@mutant("LEN-11", "an absent source is dereferenced")
def absent_source() -> Planted:
    """The end of a message looks at the first entry of a list that need not be there."""
    original = EipHash.end

    def end(self: EipHash, request: AhashRequest, nbytes: int) -> int:
        _first = request.src.entries[0]  # type: ignore[union-attr]
        return original(self, request, nbytes)

    return replaced((EipHash, "end", end))


@mutant("LEN-13", "a timeout in proportion to the length")
def timeout_by_length() -> Planted:
    """A request has 1 us for each byte, counted from its submission, not from its start."""
    transfer, finalize = CryptoEngine.transfer, CryptoEngine.finalize
    timers: dict[int, Timer] = {}

    def submit(self: CryptoEngine, request: AnyRequest) -> int:
        status = transfer(self, request)
        if isinstance(request, SkcipherRequest) and status in _ACCEPTED:
            give_up = partial(request.complete, request.data, -errno.ETIMEDOUT)
            timers[id(request)] = timer = Timer(self.machine.sim, "watchdog", give_up)
            timer.start(request.cryptlen * _NS_PER_BYTE)
        return status

    def end(self: CryptoEngine, request: AnyRequest, status: int) -> None:
        timer, complete = timers.pop(id(request), None), request.complete
        if timer is not None and not timer.pending:
            request.complete = lambda data, status: None
        elif timer is not None:
            timer.cancel()
        finalize(self, request, status)
        request.complete = complete

    return replaced((CryptoEngine, "transfer", submit), (CryptoEngine, "finalize", end))

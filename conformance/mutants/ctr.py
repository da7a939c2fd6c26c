"""Counter mode: what happens where the counter carries."""

from __future__ import annotations

import struct

from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.eip93.ciphers import CipherCore
from tcrypt.engine.eip93.driver import cipher_jobs
from tcrypt.engine.eip93.driver.cipher_jobs import CipherJobs, Piece
from tcrypt.engine.eip93.driver.core import Job
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.engine.eip93.records import CipherMode
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_BLOCK = 16
_SPAN = 1 << 32


def _left(iv: bytes) -> int:
    """How many blocks remain until the low counter word is zero."""
    return _SPAN - int.from_bytes(iv[12:])


@mutant("CTR-02", "no carry into the IV when the last block uses counter 0xffffffff")
def exact_fit() -> Planted:
    """A message that fills the low word exactly needs no split, and so gets no carry either."""
    original = EipSkcipher.write_back_iv

    def write_back_iv(self: EipSkcipher, job: Job, request: SkcipherRequest) -> None:
        original(self, job, request)
        if self.mode is CipherMode.CTR:
            iv = request.ctx.iv
            if -(-request.cryptlen // _BLOCK) == _left(iv):
                assert request.iv is not None
                request.iv.write(iv[:12] + bytes(4))

    return replaced((CipherJobs, "write_back_iv", write_back_iv))


@mutant("CTR-03", "a 16-bit counter treated as one of 32 bits")
def narrow_counter() -> Planted:
    """The engine counts in the last two bytes only; the driver splits at 32 bits as before."""

    def count(self: CipherCore, key: bytes, iv: bytes, data: bytes) -> tuple[bytes, bytes]:
        blocks = -(-len(data) // _BLOCK)
        first = int.from_bytes(iv[14:])
        numbers = ((first + number) % (1 << 16) for number in range(blocks + 1))
        counters = [iv[:14] + number.to_bytes(2) for number in numbers]
        stream = self._aes(key).encrypt(b"".join(counters[:-1]))[: len(data)]
        output = int.from_bytes(data) ^ int.from_bytes(stream)
        return output.to_bytes(len(data)), counters[-1]

    return replaced((CipherCore, "_ctr", count))


@mutant("CTR-05", "software carry on the wrong endianness")
def swapped_carry() -> Planted:
    """The upper counter words are counted up as little-endian ones."""

    def carried(iv: bytes) -> bytes:
        words = list(struct.unpack("<3I", iv[:12]))
        for index in (2, 1, 0):
            words[index] = (words[index] + 1) % _SPAN
            if words[index]:
                break
        return struct.pack("<3I", *words) + bytes(4)

    return replaced((cipher_jobs, "carried", carried))


@mutant("CTR-06", "the wrap test rounds the block count down")
def floor_in_wrap_test() -> Planted:
    """A partial block behind the wrap is not counted, so the message is not split."""

    def wrap_split(self: EipSkcipher, iv: bytes, length: int) -> int:
        return _left(iv) * _BLOCK if length // _BLOCK > _left(iv) else 0

    return replaced((CipherJobs, "wrap_split", wrap_split))


@mutant("CTR-08", "the wrap split ignores the segment list")
def split_counts_twice() -> Planted:
    """In a list of several segments, the part behind a split inside one starts too far on."""
    original = cipher_jobs.cut

    def cut(pieces: list[Piece], split: int) -> list[Piece]:
        found = original(pieces, split)
        if not split or len(pieces) < 2 or len(found) == len(pieces):
            return found
        done = 0
        for index, (source, destination, length) in enumerate(found):
            if done == split:
                taken = found[index - 1][2]
                found[index] = (source + taken, destination + taken, length)
            done += length
        return found

    return replaced((cipher_jobs, "cut", cut))

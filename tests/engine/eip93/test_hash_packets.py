"""Hashes on the engine: digests, intermediate states, byte order, HMAC from precomputed states."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.compression import SHA224_INITIAL, sha256_compress
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.hashing import HASHES
from tcrypt.engine.eip93.records import (
    Digest,
    HashSource,
    IVSource,
    Opcode,
    SACommand,
    swap_words,
)
from tcrypt.engine.eip93.variants import MT7621

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

REAL = [Digest.MD5, Digest.SHA1, Digest.SHA224, Digest.SHA256]
LENGTHS = [1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 129, 1000]
MESSAGE = bytes(range(256)) * 8
by_name = pytest.mark.parametrize("digest", REAL, ids=lambda digest: digest.name)


def canonical(digest: Digest, memory: bytes) -> bytes:
    """A digest as the standards print it, from the words that the engine wrote."""
    raw = memory[: HASHES[digest].digest_bytes]
    return raw if digest is Digest.MD5 else swap_words(raw)


def expected(digest: Digest, data: bytes) -> bytes:
    return hashlib.new(HASHES[digest].name, data).digest()


def command(digest: Digest, source: HashSource, **fields: object) -> SACommand:
    """What the upstream driver builds for a hash."""
    return replace(
        SACommand(
            opcode=Opcode.HASH,
            digest=digest,
            digest_length=HASHES[digest].digest_bytes // 4,
            iv_source=IVSource.STATE,
            hash_source=source,
            save_iv=True,
            save_hash=True,
            copy_digest=True,
            copy_pad=True,
        ),
        **fields,
    )


class Hasher:
    """A state record through which a message passes in one or more packets."""

    def __init__(self, bench: Bench, digest: Digest, *, inner: bytes = b"", outer: bytes = b""):
        self.bench = bench
        self.digest = digest
        self.inner, self.outer = inner, outer
        self.state = bench.state()

    def feed(self, data: bytes, *, source: HashSource, final: bool, hmac: bool = False) -> int:
        sa = self.bench.sa(
            command(self.digest, source, hmac=hmac), inner=self.inner, outer=self.outer
        )
        packet = self.bench.descriptor(
            sa=sa,
            source=self.bench.memory.alloc(data),
            state=self.state,
            length=len(data),
            final=final,
        )
        result = self.bench.run(packet)
        assert result.status == 0
        return result.length

    @property
    def record(self) -> bytes:
        return self.bench.state_at(self.state).digest

    @property
    def count(self) -> int:
        return self.bench.state_at(self.state).byte_count

    @property
    def value(self) -> bytes:
        return canonical(self.digest, self.record)


@by_name
@pytest.mark.parametrize("length", LENGTHS)
def test_digest_from_the_constants_in_one_packet(bench, digest, length):
    hasher = Hasher(bench, digest)
    hasher.feed(MESSAGE[:length], source=HashSource.CONSTANTS, final=True)
    assert hasher.value == expected(digest, MESSAGE[:length])
    assert hasher.count == length


@by_name
@pytest.mark.parametrize("tail", [1, 55, 56, 63, 64, 65])
def test_blocks_chain_through_the_state_record(bench, digest, tail):
    hasher = Hasher(bench, digest)
    hasher.feed(MESSAGE[:64], source=HashSource.CONSTANTS, final=False)
    assert hasher.count == 64
    hasher.feed(MESSAGE[64:192], source=HashSource.STATE, final=False)
    assert hasher.count == 192
    hasher.feed(MESSAGE[192 : 192 + tail], source=HashSource.STATE, final=True)
    assert hasher.value == expected(digest, MESSAGE[: 192 + tail])


@by_name
def test_state_can_move_to_another_device(make_bench, digest):
    """Nothing but the state record carries a hash: a device that never saw the data goes on."""
    first, second = make_bench(), make_bench()
    first.start()
    second.start()
    here, there = Hasher(first, digest), Hasher(second, digest)
    here.feed(MESSAGE[:128], source=HashSource.CONSTANTS, final=False)
    second.memory.poke(there.state, first.memory.peek(here.state, reg.STATE_BYTES))
    there.feed(MESSAGE[128:300], source=HashSource.STATE, final=True)
    assert there.value == expected(digest, MESSAGE[:300])


def test_sha_words_lie_byte_reversed_and_md5_words_in_order(bench):
    for digest in REAL:
        destination = bench.memory.alloc(32)
        packet = bench.descriptor(
            sa=bench.sa(command(digest, HashSource.CONSTANTS)),
            source=bench.memory.alloc(b"abc"),
            destination=destination,
            state=bench.state(),
            length=3,
        )
        result = bench.run(packet)
        value = expected(digest, b"abc")
        wanted = value if digest is Digest.MD5 else swap_words(value)
        assert result.length == len(value)
        assert bench.memory.peek(destination, len(value)) == wanted


def test_sha224_state_has_eight_words_and_its_tag_seven(bench):
    hasher = Hasher(bench, Digest.SHA224)
    hasher.feed(MESSAGE[:64], source=HashSource.CONSTANTS, final=False)
    words = [int.from_bytes(hasher.record[n : n + 4], "little") for n in range(0, 32, 4)]
    assert tuple(words) == sha256_compress(SHA224_INITIAL, MESSAGE[:64])
    assert HASHES[Digest.SHA224].digest_bytes == 28


def test_saved_state_is_as_long_as_the_hash(bench):
    sizes = {Digest.MD5: 16, Digest.SHA1: 20, Digest.SHA224: 32, Digest.SHA256: 32}
    for digest, size in sizes.items():
        hasher = Hasher(bench, digest)
        bench.memory.poke(hasher.state + reg.STATE_DIGEST, b"\xee" * 32)
        hasher.feed(MESSAGE[:64], source=HashSource.CONSTANTS, final=False)
        assert hasher.record[size:] == b"\xee" * (32 - size)


@pytest.mark.parametrize("words", [0, 1, 3, 4, 5])
def test_digest_length_counts_words_and_zero_means_three(bench, words):
    destination = bench.memory.alloc(32)
    packet = bench.descriptor(
        sa=bench.sa(command(Digest.SHA1, HashSource.CONSTANTS, digest_length=words)),
        source=bench.memory.alloc(b"abc"),
        destination=destination,
        state=bench.state(),
        length=3,
    )
    size = 4 * (words or 3)
    assert bench.run(packet).length == size
    tag = swap_words(expected(Digest.SHA1, b"abc"))[:size]
    assert bench.memory.peek(destination, 32) == tag + b"\xfe" * (32 - size)


def test_intermediate_hash_appends_no_digest(bench):
    destination = bench.memory.alloc(32)
    packet = bench.descriptor(
        sa=bench.sa(command(Digest.SHA1, HashSource.CONSTANTS)),
        source=bench.memory.alloc(bytes(64)),
        destination=destination,
        state=bench.state(),
        length=64,
        final=False,
    )
    assert bench.run(packet).length == 0
    assert bench.memory.peek(destination, 32) == b"\xfe" * 32


def test_payload_and_digest_are_copied_when_asked_for(bench):
    destination = bench.memory.alloc(64)
    packet = bench.descriptor(
        sa=bench.sa(command(Digest.MD5, HashSource.CONSTANTS, copy_payload=True)),
        source=bench.memory.alloc(b"payload!"),
        destination=destination,
        state=bench.state(),
        length=8,
    )
    assert bench.run(packet).length == 24
    assert bench.memory.peek(destination, 24) == b"payload!" + expected(Digest.MD5, b"payload!")


@pytest.mark.parametrize("writes", [False, True])
def test_digest_for_address_zero_is_dropped_unless_the_variant_writes_it(make_bench, writes):
    bench = make_bench(replace(MT7621, hash_writes_to_zero=writes))
    bench.start()
    packet = bench.descriptor(
        sa=bench.sa(command(Digest.SHA1, HashSource.CONSTANTS)),
        source=bench.memory.alloc(b"abc"),
        destination=0,
        state=bench.state(),
        length=3,
    )
    assert bench.run(packet).status == (reg.ERR_BUS if writes else 0)


def test_state_record_stays_untouched_without_the_save_bits(bench):
    state = bench.state(digest=b"\xee" * 32)
    bench.memory.close(state, reg.STATE_BYTES)
    build = command(Digest.SHA1, HashSource.CONSTANTS, save_hash=False)
    destination = bench.memory.alloc(32)
    packet = bench.descriptor(
        sa=bench.sa(build),
        source=bench.memory.alloc(b"abc"),
        destination=destination,
        state=state,
        length=3,
    )
    assert bench.run(packet).status == 0


def block_key(digest: Digest, key: bytes) -> bytes:
    short = expected(digest, key) if len(key) > 64 else key
    return short + bytes(64 - len(short))


def precompute(bench: Bench, digest: Digest, key: bytes) -> tuple[bytes, bytes]:
    """The inner and outer state, hashed by the engine itself as the upstream driver does."""
    states = []
    for pad in (0x36, 0x5C):
        hasher = Hasher(bench, digest)
        block = bytes(byte ^ pad for byte in block_key(digest, key))
        hasher.feed(block, source=HashSource.CONSTANTS, final=False)
        states.append(hasher.record[: len(HASHES[digest].initial)])
    return states[0], states[1]


@by_name
@pytest.mark.parametrize("length", [0, 1, 20, 63, 64, 65, 131])
def test_hmac_from_states_that_the_engine_computed(bench, digest, length):
    key = bytes(range(1, length + 1))
    inner, outer = precompute(bench, digest, key)
    for size in (1, 64, 300):
        hasher = Hasher(bench, digest, inner=inner, outer=outer)
        hasher.feed(MESSAGE[:size], source=HashSource.SA, final=False, hmac=True)
        name = HASHES[digest].name
        assert hasher.value == hmac.new(key, MESSAGE[:size], name).digest()


@by_name
def test_hmac_from_states_that_the_device_has_never_seen(make_bench, digest):
    elsewhere, bench = make_bench(), make_bench()
    elsewhere.start()
    bench.start()
    inner, outer = precompute(elsewhere, digest, b"key")
    hasher = Hasher(bench, digest, inner=inner, outer=outer)
    hasher.feed(MESSAGE[:100], source=HashSource.SA, final=True, hmac=True)
    assert hasher.value == hmac.new(b"key", MESSAGE[:100], HASHES[digest].name).digest()


@by_name
def test_chained_hmac_ends_with_the_outer_digest(bench, digest):
    """The upstream driver's way: the ipad block is data, the last record adds the outer hash."""
    _, outer = precompute(bench, digest, b"key")
    hasher = Hasher(bench, digest, outer=outer)
    ipad = bytes(byte ^ 0x36 for byte in block_key(digest, b"key"))
    hasher.feed(ipad, source=HashSource.CONSTANTS, final=False)
    hasher.feed(MESSAGE[:128], source=HashSource.STATE, final=False)
    hasher.feed(MESSAGE[128:150], source=HashSource.STATE, final=True, hmac=True)
    assert hasher.value == hmac.new(b"key", MESSAGE[:150], HASHES[digest].name).digest()


def test_hmac_of_an_empty_message_is_the_final_ipad_block(bench):
    _, outer = precompute(bench, Digest.SHA256, b"key")
    hasher = Hasher(bench, Digest.SHA256, outer=outer)
    ipad = bytes(byte ^ 0x36 for byte in block_key(Digest.SHA256, b"key"))
    hasher.feed(ipad, source=HashSource.CONSTANTS, final=True, hmac=True)
    assert hasher.value == hmac.new(b"key", b"", "sha256").digest()


def test_inner_digest_of_the_sa_counts_one_block_whatever_the_state_says(bench):
    inner, outer = precompute(bench, Digest.SHA1, b"key")
    hasher = Hasher(bench, Digest.SHA1, inner=inner, outer=outer)
    bench.memory.poke(hasher.state + reg.STATE_BYTE_COUNT, b"\xff" * 8)
    hasher.feed(b"abc", source=HashSource.SA, final=True, hmac=True)
    assert hasher.value == hmac.new(b"key", b"abc", "sha1").digest()


def test_byte_count_of_the_state_goes_into_the_padding(bench):
    """The count is believed, not checked: a wrong one gives a wrong digest, as in silicon."""
    right, wrong = Hasher(bench, Digest.SHA256), Hasher(bench, Digest.SHA256)
    for hasher in (right, wrong):
        hasher.feed(MESSAGE[:64], source=HashSource.CONSTANTS, final=False)
    bench.memory.poke(wrong.state + reg.STATE_BYTE_COUNT, (128).to_bytes(8, "little"))
    for hasher in (right, wrong):
        hasher.feed(b"abc", source=HashSource.STATE, final=True)
    assert right.value == expected(Digest.SHA256, MESSAGE[:64] + b"abc")
    tail = b"abc\x80" + bytes(52) + ((128 + 3) * 8).to_bytes(8, "big")
    middle = sha256_compress(HASH_START, MESSAGE[:64])
    words = sha256_compress(middle, tail)
    assert wrong.value == b"".join(word.to_bytes(4, "big") for word in words)


HASH_START = tuple(
    int.from_bytes(HASHES[Digest.SHA256].initial[n : n + 4], "little") for n in range(0, 32, 4)
)


def test_many_states_do_not_crowd_out_the_right_answer(bench):
    """More intermediate states than the core remembers, then a return to the first of them."""
    inner, outer = precompute(bench, Digest.MD5, b"key")
    hasher = Hasher(bench, Digest.MD5)
    source = bench.memory.alloc(MESSAGE[:64])
    sa = bench.sa(command(Digest.MD5, HashSource.STATE))
    hasher.feed(MESSAGE[:64], source=HashSource.CONSTANTS, final=False)
    for _ in range(1_100):
        bench.run(
            bench.descriptor(sa=sa, source=source, state=hasher.state, length=64, final=False)
        )
    hasher.feed(b"end", source=HashSource.STATE, final=True)
    assert hasher.value == expected(Digest.MD5, MESSAGE[:64] * 1_101 + b"end")
    first = Hasher(bench, Digest.MD5, inner=inner, outer=outer)
    first.feed(b"abc", source=HashSource.SA, final=True, hmac=True)
    assert first.value == hmac.new(b"key", b"abc", "md5").digest()

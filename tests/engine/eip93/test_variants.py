"""Variants: what each device says of itself, and that time passes as its figures say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.options import Options
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    Digest,
    HashSource,
    IVSource,
    Opcode,
    SACommand,
)
from tcrypt.engine.eip93.variants import (
    AES128_ONLY,
    AN7583,
    MT7621,
    NO_MD5,
    TINY_RING,
    VARIANTS,
    Timing,
)

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

ANY = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())


@ANY
def test_device_reports_its_variants_identity(make_bench, variant):
    device = make_bench(variant).device
    assert device.read32(reg.PE_OPTION_1) == variant.option_1
    assert device.read32(reg.PE_OPTION_0) == variant.option_0
    assert device.read32(reg.PE_REVISION) == variant.revision
    assert device.options == Options.decode(variant.option_1)


@ANY
def test_variant_names_a_ring_that_the_hardware_takes(variant):
    assert 2 <= variant.ring_size <= 1024


def test_named_variants_differ_as_their_names_say():
    names = {"mt7621", "an7583", "aes128-only", "no-md5", "tiny-ring", "slow-irq", "flaky"}
    assert set(VARIANTS) == names
    assert MT7621.option_1 == 0x000F_E007
    assert (AN7583.option_1, AN7583.revision) == (0xF08F_E007, 0x0341_A25D)
    assert NO_MD5.option_1 == 0x000E_E007
    assert AES128_ONLY.option_1 == 0x000F_2007
    assert TINY_RING.ring_size == 4
    assert TINY_RING.option_1 == MT7621.option_1


def test_variants_cannot_be_changed():
    with pytest.raises(AttributeError):
        MT7621.ring_size = 8
    with pytest.raises(TypeError):
        VARIANTS["mt7621"] = AES128_ONLY


def test_full_options_support_every_cipher_key_and_hash():
    options = Options.decode(0x000F_E007)
    assert options.ciphers == set(Cipher)
    assert options.digests == set(Digest)
    assert options.aes_key_lengths == {16, 24, 32}


@pytest.mark.parametrize(
    ("bit", "lost"),
    [
        (reg.OPTION_1_TDES, {Cipher.DES, Cipher.TDES}),
        (reg.OPTION_1_ARC4, {Cipher.ARC4}),
        (reg.OPTION_1_AES, {Cipher.AES}),
    ],
)
def test_cipher_bit_stands_for_its_ciphers(bit, lost):
    options = Options.decode(MT7621.option_1 & ~bit)
    assert {cipher for cipher in Cipher if not options.supports_cipher(cipher)} == lost


@pytest.mark.parametrize(
    ("bit", "lost"),
    [
        (reg.OPTION_1_MD5, Digest.MD5),
        (reg.OPTION_1_SHA_1, Digest.SHA1),
        (reg.OPTION_1_SHA_224, Digest.SHA224),
        (reg.OPTION_1_SHA_256, Digest.SHA256),
    ],
)
def test_hash_bit_stands_for_its_hash(bit, lost):
    options = Options.decode(MT7621.option_1 & ~bit)
    assert [digest for digest in Digest if not options.supports_digest(digest)] == [lost]


@pytest.mark.parametrize("length", [16, 24, 32])
def test_key_size_bits_are_asked_one_by_one(length):
    assert Options.decode(MT7621.option_1).supports_cipher(Cipher.AES, length)
    assert Options.decode(AES128_ONLY.option_1).supports_cipher(Cipher.AES, length) is (
        length == 16
    )
    assert not Options.decode(0).supports_cipher(Cipher.AES, length)


def test_key_sizes_without_an_aes_core_are_none():
    assert not Options.decode(MT7621.option_1 & ~reg.OPTION_1_AES).aes_key_lengths


def elapsed(bench: Bench, command: SACommand, length: int) -> int:
    """Simulated ns from the doorbell to the counted result of one packet."""
    packet = bench.descriptor(
        sa=bench.sa(command, key=bytes(32)),
        source=bench.memory.alloc(bytes(length)),
        destination=bench.memory.alloc(length + 64),
        state=bench.state(),
        length=length,
    )
    before = bench.sim.now
    assert bench.run(packet).status == 0
    return bench.sim.now - before


def aes(bits: int) -> SACommand:
    return SACommand(cipher=Cipher.AES, mode=CipherMode.ECB, aes_key_length=bits // 64)


DES = SACommand(cipher=Cipher.DES, mode=CipherMode.ECB)
SHA256 = SACommand(
    opcode=Opcode.HASH, digest=Digest.SHA256, hash_source=HashSource.CONSTANTS, save_hash=True
)


@pytest.mark.parametrize(
    ("command", "bandwidth"),
    [(aes(128), 65), (aes(256), 47), (DES, 133)],
    ids=["aes-128", "aes-256", "des"],
)
def test_large_packets_run_at_the_bandwidth_that_owners_measured(bench, command, bandwidth):
    megabytes_per_second = 65_536 / elapsed(bench, command, 65_536) * 1_000
    assert megabytes_per_second == pytest.approx(bandwidth, rel=0.03)


def test_longer_keys_take_longer(bench):
    times = [elapsed(bench, aes(bits), 4_096) for bits in (128, 192, 256)]
    assert times == sorted(set(times))


def test_every_started_block_of_sixteen_bytes_counts(bench):
    block = Timing().hash(64) * 10
    assert elapsed(bench, SHA256, 33) - elapsed(bench, SHA256, 32) == block
    assert elapsed(bench, SHA256, 48) == elapsed(bench, SHA256, 33)


def test_cipher_and_hash_work_side_by_side(bench):
    both = SACommand(
        opcode=Opcode.CRYPT_AND_HASH,
        cipher=Cipher.AES,
        mode=CipherMode.ECB,
        aes_key_length=4,
        digest=Digest.SHA256,
        hash_source=HashSource.CONSTANTS,
    )
    slower = max(elapsed(bench, aes(256), 4_096), elapsed(bench, SHA256, 4_096))
    assert elapsed(bench, both, 4_096) == slower


def test_clock_belongs_to_the_variant(make_bench):
    times = []
    for clock in (50_000_000, 100_000_000):
        bench = make_bench(replace(MT7621, clock_hz=clock))
        bench.start()
        times.append(elapsed(bench, aes(128), 4_096))
    assert times[0] == pytest.approx(2 * times[1], abs=2)


SLOWER = {
    "dma_setup": (32, aes(128)),
    "dma_word": (9, aes(128)),
    "aes_block": (9, aes(128)),
    "aes_round": (9, aes(128)),
    "des_round": (9, DES),
    "hash_block": (90, SHA256),
    "hash_round": (9, SHA256),
    "arc4_byte": (9, SACommand(cipher=Cipher.ARC4, arc4_key_length=16)),
    "arc4_setup": (1_000, SACommand(cipher=Cipher.ARC4, arc4_key_length=16)),
}


@pytest.mark.parametrize(("field", "value", "command"), [(f, *v) for f, v in SLOWER.items()])
def test_every_figure_of_the_timing_counts(make_bench, field, value, command):
    slow = replace(MT7621, timing=replace(Timing(), **{field: value}))
    times = []
    for variant in (MT7621, slow):
        bench = make_bench(variant)
        bench.start()
        times.append(elapsed(bench, command, 1_024))
    assert times[0] < times[1]


def test_interrupt_comes_after_its_latency(make_bench):
    bench = make_bench(replace(MT7621, timing=Timing(interrupt=30)))
    bench.start()
    bench.device.write32(reg.INT_MASK_ENABLE, reg.INT_RDR_THRESH)
    bench.queue(
        bench.descriptor(
            sa=bench.sa(aes(128), key=bytes(16)),
            source=bench.memory.alloc(bytes(16)),
            destination=bench.memory.alloc(16),
            length=16,
        )
    )
    bench.ring()
    bench.sim.run(until=lambda: bench.device.read32(reg.PE_RD_COUNT) == 1)
    counted = bench.sim.now
    assert not bench.irq.level
    bench.sim.run(until=lambda: bench.irq.level)
    assert bench.sim.now - counted == 300


def test_state_record_takes_time_to_read_and_to_write(bench):
    plain = SACommand(cipher=Cipher.AES, mode=CipherMode.CBC, aes_key_length=2)
    reads = replace(plain, iv_source=IVSource.STATE)
    times = [elapsed(bench, c, 64) for c in (plain, reads, replace(reads, save_iv=True))]
    assert times == sorted(set(times))


def test_refused_packet_takes_the_time_of_its_descriptor_and_record_only(bench):
    before = bench.sim.now
    reserved = bench.sa(SACommand(opcode=2))
    bench.run(bench.descriptor(sa=reserved, length=4_096))
    assert bench.sim.now - before == (Timing().descriptor + Timing().sa) * 10

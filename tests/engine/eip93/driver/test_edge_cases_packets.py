"""Edge cases 48 to 51 and 61 to 66 of eip93, section 8: packets that no driver needs to send."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.eip93 import records as rec
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.variants import MT7621
from tests.engine.eip93.driver.edge_cases import (
    DIGESTS,
    IV,
    KEY,
    cbc,
    library,
    text,
)

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench, Result


_AES = rec.SACommand(
    cipher=rec.Cipher.AES,
    mode=rec.CipherMode.CBC,
    aes_key_length=2,
    iv_source=rec.IVSource.STATE,
    save_iv=True,
)


_HASH = rec.SACommand(
    opcode=rec.Opcode.HASH,
    digest=rec.Digest.SHA256,
    digest_length=8,
    hash_source=rec.HashSource.CONSTANTS,
    save_hash=True,
    copy_digest=True,
)


_BOTH = replace(
    _AES, opcode=rec.Opcode.CRYPT_AND_HASH, digest=rec.Digest.SHA1, hmac=True, offset=4
)


def packet(
    bench: Bench, command: rec.SACommand, data: bytes, *, final: bool = True
) -> tuple[Result, bytes]:
    """Run one packet over poisoned memory; its result, and what the destination holds."""
    destination = bench.memory.alloc(len(data) + 64)
    descriptor = bench.descriptor(
        sa=bench.sa(command, key=KEY),
        source=bench.memory.alloc(data + b"."),
        destination=destination,
        state=bench.state(iv=IV),
        length=len(data),
        final=final,
    )
    return bench.run(descriptor), bench.memory.peek(destination, len(data) + 64)


def blocks(bench: Bench, count: int) -> None:
    """Count `count` blocks in, and run until the last of them is counted as a result."""
    data = bench.memory.alloc(16)
    sa, state = bench.sa(_AES, key=KEY), bench.state()
    before = bench.device.read32(reg.PE_RD_COUNT)
    for _ in range(count):
        command = bench.descriptor(sa=sa, state=state, source=data, destination=data, length=16)
        bench.queue(command)
    bench.ring(count)
    bench.sim.run(until=lambda: bench.device.read32(reg.PE_RD_COUNT) == before + count)


def raised(bench: Bench, source: int) -> bool:
    return bool(bench.device.read32(reg.INT_UNMASK_STAT) & source)


def test_case_48_counting_in_256_or_more_than_the_ring(bench: Bench) -> None:
    bench.ring(256)
    assert bench.device.read32(reg.PE_CD_COUNT) == 0
    assert bench.device.read32(reg.PE_RING_STAT) == 0
    bench.ring(9)
    assert bench.device.read32(reg.PE_CD_COUNT) == 0
    assert bench.device.read32(reg.PE_RING_STAT) == reg.RING_STAT_CDROVFL
    assert raised(bench, reg.INT_RING_ERR)


def test_case_49_taking_more_results_than_there_are(bench: Bench) -> None:
    blocks(bench, 2)
    bench.device.write32(reg.PE_RD_COUNT, 3)
    assert bench.device.read32(reg.PE_RD_COUNT) == 2
    assert bench.device.read32(reg.PE_RING_STAT) == reg.RING_STAT_RDRUNFL


@pytest.mark.parametrize("exponent", [0, 5])
def test_case_50_three_results_at_a_threshold_of_three(bench: Bench, exponent: int) -> None:
    timeout = exponent << reg.RING_THRESH_TIMEOUT_SHIFT | reg.RING_THRESH_TIMEOUT_ENABLE
    bench.device.write32(reg.PE_RING_THRESH, 3 << reg.RING_THRESH_RDR_SHIFT | timeout)
    blocks(bench, 1)
    first = bench.sim.now
    blocks(bench, 2)
    assert not raised(bench, reg.INT_RDR_THRESH)
    bench.sim.run(until=lambda: raised(bench, reg.INT_RDR_THRESH))
    assert bench.sim.now - first == 2 ** (exponent + 10) * 1_000_000_000 // MT7621.clock_hz
    bench.device.write32(reg.INT_CLR, reg.INT_RDR_THRESH)
    assert raised(bench, reg.INT_RDR_THRESH), "not before a result is taken"
    bench.device.write32(reg.PE_RD_COUNT, 1)
    bench.device.write32(reg.INT_CLR, reg.INT_RDR_THRESH)
    assert not raised(bench, reg.INT_RDR_THRESH)


def test_case_51_clearing_while_results_are_above_the_threshold(bench: Bench) -> None:
    bench.device.write32(reg.PE_RING_THRESH, 1 << reg.RING_THRESH_RDR_SHIFT)
    blocks(bench, 2)
    bench.device.write32(reg.INT_CLR, reg.INT_RDR_THRESH)
    assert raised(bench, reg.INT_RDR_THRESH)
    bench.device.write32(reg.PE_RD_COUNT, 1)
    bench.device.write32(reg.INT_CLR, reg.INT_RDR_THRESH)
    assert not raised(bench, reg.INT_RDR_THRESH)


def test_case_61_an_intermediate_hash_of_65_bytes(bench: Bench) -> None:
    assert packet(bench, _HASH, text(65), final=False)[0].status == 0x78


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (replace(_AES, opcode=2), 0x28),
        (replace(_AES, cipher=4), 0x38),
        (replace(_HASH, digest=9), 0x38),
    ],
    ids=["opcode 2", "cipher 4", "hash 9"],
)
def test_case_62_reserved_values(bench: Bench, command: rec.SACommand, status: int) -> None:
    result, written = packet(bench, command, text(64))
    assert (result.status, set(written)) == (status, {0xFE})


@pytest.mark.parametrize("command", [_AES, _HASH], ids=["cipher", "hash"])
def test_case_63_length_zero(bench: Bench, command: rec.SACommand) -> None:
    result, _ = packet(bench, command, b"")
    assert (result.status, result.length) == (0x58, 0)


def test_case_64_a_length_below_the_offset(bench: Bench) -> None:
    result, _ = packet(bench, _BOTH, text(15))
    assert (result.status, result.length) == (0x68, 0)


def test_case_65_cbc_of_17_bytes(bench: Bench) -> None:
    assert packet(bench, replace(_AES, inbound=True), text(17))[0].status == 0x78
    result, written = packet(bench, _AES, text(17))
    assert (result.status, result.length, result.pad) == (0, 32, 15)
    assert written == cbc(text(17) + bytes(15)) + b"\xfe" * 49


@pytest.mark.parametrize("name", DIGESTS)
def test_case_66_the_order_of_tag_bytes(bench: Bench, name: str) -> None:
    wanted = library(name, b"abc")
    digest = rec.Digest[name.upper()]
    command = replace(_HASH, digest=digest, digest_length=len(wanted) // 4)
    written = packet(bench, command, b"abc")[1][: len(wanted)]
    words = struct.unpack(f">{len(wanted) // 4}I", wanted)
    reversed_words = struct.pack(f"<{len(words)}I", *words)
    assert written == (wanted if name == "md5" else reversed_words)

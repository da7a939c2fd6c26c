"""Status codes: which fault gives which, what is still processed, what stops the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.device import Record
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    Digest,
    HashSource,
    IVSource,
    Opcode,
    SACommand,
)
from tcrypt.engine.eip93.variants import MT7621, MissingAESKey

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

AES_CBC = SACommand(
    cipher=Cipher.AES,
    mode=CipherMode.CBC,
    aes_key_length=2,
    iv_source=IVSource.STATE,
    save_iv=True,
)
COMBINED = replace(
    AES_CBC,
    opcode=Opcode.CRYPT_AND_HASH,
    digest=Digest.SHA1,
    hmac=True,
    offset=4,
    copy_digest=True,
    copy_header=True,
)
SHA256 = SACommand(
    opcode=Opcode.HASH,
    digest=Digest.SHA256,
    digest_length=8,
    hash_source=HashSource.CONSTANTS,
    save_hash=True,
)


class Job:
    """One packet with poisoned output, and what became of its memory."""

    def __init__(self, bench: Bench, command: SACommand, length: int, **fields: object) -> None:
        self.bench = bench
        memory = bench.memory
        self.source = memory.alloc(bytes(range(64)) * (length // 64 + 2))
        self.destination = memory.alloc(length + 64)
        self.before = memory.peek(self.destination, length + 64)
        self.state = bench.state(iv=bytes(16))
        sa = fields.pop("sa", None) or bench.sa(command, key=bytes(range(32)))
        self.descriptor = bench.descriptor(
            sa=sa,
            source=self.source,
            destination=self.destination,
            state=self.state,
            length=length,
            **fields,
        )
        self.result = bench.run(self.descriptor)

    @property
    def wrote(self) -> bool:
        after = self.bench.memory.peek(self.destination, len(self.before))
        untouched_state = self.bench.state_at(self.state).pack() == bytes(56)
        return after != self.before or not untouched_state


REFUSED = {
    "reserved opcode": (replace(AES_CBC, opcode=2), 32, reg.ERR_OPERATION),
    "inbound PRNG": (replace(AES_CBC, opcode=7, inbound=True), 32, reg.ERR_OPERATION),
    "protocol opcode 1": (replace(AES_CBC, opcode=1, group=1), 32, reg.ERR_OPERATION),
    "group 3": (replace(AES_CBC, group=3), 32, reg.ERR_OPERATION),
    "reserved cipher": (replace(AES_CBC, cipher=4), 32, reg.ERR_ALGORITHM),
    "reserved hash": (replace(SHA256, digest=9), 64, reg.ERR_ALGORITHM),
    "reserved hash of a cipher operation": (replace(AES_CBC, digest=9), 32, reg.ERR_ALGORITHM),
    "zero length": (AES_CBC, 0, reg.ERR_ZERO_LENGTH),
    "zero length hash": (SHA256, 0, reg.ERR_ZERO_LENGTH),
    "shorter than the offset": (COMBINED, 15, reg.ERR_LENGTH),
}


@pytest.mark.parametrize(("command", "length", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_packet_gives_its_code_and_touches_nothing(bench, command, length, status):
    job = Job(bench, command, length)
    assert job.result.status == status
    assert job.result.length == 0
    assert not job.wrote
    assert bench.device.jobs == 0
    assert bench.device.read32(reg.INT_UNMASK_STAT) & reg.INT_PROC_ERR
    assert bench.device.read32(reg.PE_STATUS) & reg.STATUS_EXT_ERR


@pytest.mark.parametrize(("command", "length", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_engine_goes_on_after_a_refused_packet(bench, command, length, status):
    assert Job(bench, command, length).result.status == status
    assert Job(bench, AES_CBC, 32).result.status == 0


@pytest.mark.parametrize("bit", ["aes", "sha1", "des"])
def test_core_that_the_options_lack_is_a_reserved_algorithm(make_bench, bit):
    options = {"aes": reg.OPTION_1_AES, "sha1": reg.OPTION_1_SHA_1, "des": reg.OPTION_1_TDES}
    bench = make_bench(replace(MT7621, option_1=MT7621.option_1 & ~options[bit]))
    bench.start()
    commands = {
        "aes": [AES_CBC, COMBINED],
        "sha1": [replace(SHA256, digest=Digest.SHA1, digest_length=5), COMBINED],
        "des": [replace(AES_CBC, cipher=c) for c in (Cipher.DES, Cipher.TDES)],
    }
    for command in commands[bit]:
        assert Job(bench, command, 64).result.status == reg.ERR_ALGORITHM
    assert Job(bench, SHA256, 64).result.status == 0


@pytest.mark.parametrize(
    ("bit", "command"),
    [
        (reg.OPTION_1_TDES, replace(SHA256, cipher=Cipher.DES)),
        (reg.OPTION_1_MD5, replace(AES_CBC, digest=Digest.MD5)),
    ],
    ids=["cipher of a hash", "hash of a cipher"],
)
def test_unused_half_of_an_operation_may_name_a_core_that_is_missing(make_bench, bit, command):
    bench = make_bench(replace(MT7621, option_1=MT7621.option_1 & ~bit))
    bench.start()
    assert Job(bench, command, 64).result.status == 0


def test_missing_key_size_as_an_error(make_bench):
    variant = replace(
        MT7621,
        option_1=MT7621.option_1 & ~reg.OPTION_1_AES_256,
        missing_aes_key=MissingAESKey.ERROR,
    )
    bench = make_bench(variant)
    bench.start()
    assert Job(bench, replace(AES_CBC, aes_key_length=4), 32).result.status == reg.ERR_ALGORITHM
    assert Job(bench, replace(AES_CBC, aes_key_length=3), 32).result.status == 0


def test_inbound_partial_block_is_an_error_but_is_processed(bench):
    job = Job(bench, replace(AES_CBC, inbound=True), 17)
    assert job.result.status == reg.ERR_BLOCK_SIZE
    assert job.result.length == 16
    assert bench.device.jobs == 1
    assert bench.state_at(job.state).iv == bytes(range(16))


def test_intermediate_hash_of_a_partial_block_is_an_error(bench):
    assert Job(bench, SHA256, 65, final=False).result.status == reg.ERR_BLOCK_SIZE
    assert Job(bench, SHA256, 64, final=False).result.status == 0


PRIORITIES = {
    "bus before operation": (replace(AES_CBC, opcode=2), 0, {"sa": 8}, reg.ERR_BUS),
    "operation before algorithm": (
        replace(AES_CBC, opcode=2, cipher=4),
        32,
        {},
        reg.ERR_OPERATION,
    ),
    "zero length before algorithm": (replace(AES_CBC, cipher=4), 0, {}, reg.ERR_ZERO_LENGTH),
    "algorithm before length": (replace(COMBINED, digest=9), 15, {}, reg.ERR_ALGORITHM),
    "length before block size": (replace(COMBINED, inbound=True), 15, {}, reg.ERR_LENGTH),
}


@pytest.mark.parametrize(
    ("command", "length", "fields", "status"), PRIORITIES.values(), ids=PRIORITIES.keys()
)
def test_first_error_in_the_manuals_order_is_reported(bench, command, length, fields, status):
    assert Job(bench, command, length, **fields).result.status == status


def test_descriptor_error_comes_before_the_sa_record_is_read(bench):
    command = bench.descriptor(sa=8, length=16)
    disowned = command._replace(control=2, length=16 | 2 << 22)
    assert bench.run(disowned).status == reg.ERR_DESCRIPTOR


def closed_job(bench: Bench, what: str) -> int:
    """Run a combined packet of which the device cannot reach one part; the status."""
    memory = bench.memory
    at = {
        "sa": bench.sa(COMBINED, key=bytes(16)),
        "source": memory.alloc(bytes(64)),
        "destination": memory.alloc(128),
        "state": bench.state(),
    }
    if what == "tag":
        memory.close(at["destination"] + 64, 12)
    else:
        memory.close(at[what], 4)
    return bench.run(bench.descriptor(length=64, **at)).status


@pytest.mark.parametrize("what", ["sa", "source", "destination", "state", "tag"])
def test_bus_error_gives_its_code_and_both_interrupts(bench, what):
    assert closed_job(bench, what) == reg.ERR_BUS
    raised = bench.device.read32(reg.INT_UNMASK_STAT)
    assert raised & reg.INT_PROC_ERR
    assert raised & reg.INT_INTERFACE_ERR


def test_bus_error_stops_the_engine_until_it_is_reset(bench):
    closed_job(bench, "source")
    data = bench.memory.alloc(bytes(16))
    sa, state = bench.sa(AES_CBC, key=bytes(16)), bench.state()
    bench.queue(bench.descriptor(sa=sa, source=data, destination=data, state=state, length=16))
    bench.ring()
    bench.sim.run()
    assert bench.device.read32(reg.PE_CD_COUNT) == 1
    assert bench.device.read32(reg.PE_RD_COUNT) == 0
    bench.device.write32(reg.PE_CONFIG, reg.CONFIG_MODE_ARM | reg.CONFIG_RST_PE)
    assert bench.device.read32(reg.PE_CTRL_STAT) == reg.CONTROL_PE_READY
    assert bench.device.read32(reg.PE_LENGTH) == 0
    bench.device.write32(reg.PE_CONFIG, reg.CONFIG_MODE_ARM)
    bench.sim.run()
    assert bench.take().control >> 16 & 0xFF == 0


def test_ring_reset_alone_does_not_free_a_stopped_engine(bench):
    closed_job(bench, "source")
    bench.device.write32(reg.PE_CONFIG, reg.CONFIG_MODE_ARM | reg.CONFIG_RST_RING)
    bench.device.write32(reg.PE_CONFIG, reg.CONFIG_MODE_ARM)
    bench.ring()
    bench.sim.run()
    assert bench.device.read32(reg.PE_CD_COUNT) == 1


@pytest.mark.parametrize("ring", ["commands", "results"])
def test_unreachable_ring_is_told_by_an_interrupt_alone(bench, ring):
    bench.memory.close(getattr(bench, ring), 32)
    bench.device.write32(reg.INT_MASK_ENABLE, reg.INT_INTERFACE_ERR)
    data = bench.memory.alloc(bytes(16))
    sa, state = bench.sa(AES_CBC, key=bytes(16)), bench.state()
    bench.queue(bench.descriptor(sa=sa, source=data, destination=data, state=state, length=16))
    bench.ring()
    bench.sim.run()
    assert bench.irq.level
    assert bench.device.read32(reg.PE_RD_COUNT) == 0


def test_bad_length_stops_the_engine_in_the_other_reading(make_bench):
    bench = make_bench(replace(MT7621, length_error_stops=True))
    bench.start()
    assert Job(bench, COMBINED, 15).result.status == reg.ERR_LENGTH
    bench.ring()
    bench.sim.run()
    assert bench.device.read32(reg.PE_CD_COUNT) == 1


FAULTS = {
    "AES key length 0": (replace(AES_CBC, aes_key_length=0), {}, "AES_KEY_LENGTH"),
    "counter mode of DES": (
        replace(AES_CBC, cipher=Cipher.DES, mode=CipherMode.CTR),
        {},
        "AES only",
    ),
    "hash source 1": (replace(SHA256, hash_source=1), {}, "HASH_SOURCE 1"),
    "digest length 9": (replace(SHA256, digest_length=9), {}, "DIGEST_LENGTH 9"),
    "6 words of SHA-1": (
        replace(SHA256, digest=Digest.SHA1, digest_length=6),
        {},
        "more than sha1 has",
    ),
    "pad control 3": (AES_CBC, {"pad_control": 3}, "pad control"),
    "pad type 4": (replace(AES_CBC, pad_type=4), {}, "PAD_TYPE 0 with EXT_PAD"),
    "pad type 7": (replace(AES_CBC, pad_type=7), {}, "PAD_TYPE 3 with EXT_PAD"),
    "IV in no header": (replace(AES_CBC, iv_source=IVSource.INPUT), {}, "spans at least the IV"),
    "inbound random IV": (
        replace(AES_CBC, iv_source=IVSource.PRNG, inbound=True),
        {},
        "outbound packets",
    ),
    "random IV before init": (
        replace(AES_CBC, iv_source=IVSource.PRNG),
        {},
        "follow a PRNG init",
    ),
    "random numbers without a PRNG mode": (replace(AES_CBC, opcode=Opcode.PRNG), {}, "PRNG mode"),
    "ARC4 key of 4 bytes": (
        SACommand(cipher=Cipher.ARC4, arc4_key_length=4),
        {},
        "5 to 16 bytes",
    ),
}


def test_ten_is_no_digest_length_where_it_counts_words(make_bench):
    bench = make_bench(replace(MT7621, ten_is_bytes=False))
    bench.start()
    with pytest.raises(DriverFault, match="DIGEST_LENGTH 10"):
        Job(bench, replace(SHA256, digest_length=10), 64)


def test_extended_group_is_where_the_variant_says(make_bench):
    for group in (2, 3):
        bench = make_bench(replace(MT7621, extended_group=group))
        bench.start()
        command = replace(AES_CBC, opcode=1)
        assert Job(bench, replace(command, group=5 - group), 32).result.status == (
            reg.ERR_OPERATION
        )
        with pytest.raises(NotModelled, match="protocol operation"):
            Job(bench, replace(command, group=group), 32)


@pytest.mark.parametrize(("command", "fields", "rule"), FAULTS.values(), ids=FAULTS.keys())
def test_encoding_without_a_defined_answer_is_the_drivers_fault(bench, command, fields, rule):
    with pytest.raises(DriverFault, match=rule):
        Job(bench, command, 64, **fields)


UNMODELLED = {
    "SSL": replace(AES_CBC, group=1, opcode=4),
    "SRTP": replace(AES_CBC, group=1, opcode=7),
    "DTLS": replace(AES_CBC, group=2, opcode=1),
    "offset of a plain cipher": replace(AES_CBC, offset=1),
    "header of a basic operation": replace(AES_CBC, header_processing=True),
    "sequence number of a basic operation": replace(AES_CBC, sequence_check=True),
}


@pytest.mark.parametrize("command", UNMODELLED.values(), ids=UNMODELLED.keys())
def test_operation_that_is_not_modelled_says_so(bench, command):
    with pytest.raises(NotModelled):
        Job(bench, command, 64)


def test_ssl_mac_says_that_it_is_not_modelled(bench):
    sa = bench.sa(SHA256, key=bytes(16))
    old = int.from_bytes(bench.memory.peek(sa + 4, 4), "little")
    bench.memory.poke(sa + 4, (old | reg.CMD1_SSL_MAC).to_bytes(4, "little"))
    with pytest.raises(NotModelled, match="SSL"):
        Job(bench, SHA256, 64, sa=sa)


def test_halt_bit_of_a_descriptor_says_that_it_is_not_modelled(bench):
    data = bench.memory.alloc(bytes(16))
    command = bench.descriptor(
        sa=bench.sa(AES_CBC, key=bytes(16)), source=data, destination=data, length=16
    )
    with pytest.raises(NotModelled, match="word 0"):
        bench.run(command._replace(control=command.control | reg.CONTROL_HALT))


@pytest.mark.parametrize("place", ["source", "destination"])
def test_alignment_is_a_rule_only_where_the_variant_says_so(make_bench, place):
    for alignment in (1, 4):
        bench = make_bench(replace(MT7621, data_alignment=alignment))
        bench.start()
        at = {
            "source": bench.memory.alloc(bytes(16)),
            "destination": bench.memory.alloc(16),
            "state": bench.state(),
        }
        at[place] = bench.memory.alloc(16, offset=2)
        packet = bench.descriptor(sa=bench.sa(AES_CBC, key=bytes(16)), length=16, **at)
        if alignment == 1:
            assert bench.run(packet).status == 0
        else:
            with pytest.raises(DriverFault, match=f"{place} address"):
                bench.run(packet)


def fault_of(bench: Bench) -> tuple[str, object]:
    """The one rule that was broken: register and value."""
    (fault,) = bench.device.faults
    assert isinstance(fault, DriverFault)
    assert fault.rule in str(fault)
    return fault.register, fault.value


@pytest.mark.parametrize("what", ["sa", "source", "destination", "state", "tag"])
def test_stray_dma_address_is_kept_as_the_drivers_fault(bench, what):
    closed_job(bench, what)
    assert fault_of(bench)[0] == "DMA address"


def test_ownership_halves_that_differ_are_kept_as_the_drivers_fault(bench):
    data = bench.memory.alloc(bytes(16))
    command = bench.descriptor(sa=bench.sa(AES_CBC), source=data, destination=data, length=16)
    bench.queue(command._replace(length=16))
    bench.ring()
    bench.sim.run()
    assert fault_of(bench) == ("descriptor words 0 and 7", (command.control, 16))


@pytest.mark.parametrize(
    ("offset", "name"), [(reg.PE_CD_COUNT, "PE_CD_COUNT"), (reg.PE_RD_COUNT, "PE_RD_COUNT")]
)
def test_count_that_goes_too_far_is_kept_as_the_drivers_fault_once(bench, offset, name):
    for _ in range(3):
        bench.device.write32(offset, 9)
    assert fault_of(bench) == (name, 9)


def test_correct_use_leaves_no_fault(bench):
    assert Job(bench, AES_CBC, 64).result.status == 0
    assert bench.device.faults == ()


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize("status", [reg.ERR_AUTH, reg.ERR_SPI, reg.ERR_BLOCK_SIZE, 0x98])
def test_injected_error_is_that_of_one_packet(bench, status, after):
    bench.device.fail(status, after)
    results = [Job(bench, AES_CBC, 32) for _ in range(after + 2)]
    assert [job.result.status for job in results] == [0] * after + [status, 0]
    assert all(job.wrote for job in results)


@pytest.mark.parametrize("status", [reg.ERR_BUS, reg.ERR_PROCESSING])
def test_injected_error_that_stops_the_engine_stops_it(bench, status):
    bench.device.fail(status)
    assert Job(bench, AES_CBC, 32).result.status == status
    bench.ring()
    bench.sim.run()
    assert bench.device.read32(reg.PE_CD_COUNT) == 1
    assert bench.device.unanswered == 0, "the driver has to restart it first"


@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize("record", Record, ids=lambda record: record.value)
def test_lost_record_is_a_bus_error_of_one_packet_that_wrote_nothing(bench, record, after):
    bench.device.lose(record, after)
    jobs = [Job(bench, AES_CBC, 32) for _ in range(after + 1)]
    assert [job.result.status for job in jobs] == [0] * after + [reg.ERR_BUS]
    assert [job.wrote for job in jobs] == [True] * after + [False]
    assert jobs[-1].result.length == 0
    raised = bench.device.read32(reg.INT_UNMASK_STAT)
    assert raised & reg.INT_PROC_ERR
    assert raised & reg.INT_INTERFACE_ERR
    assert bench.device.unanswered == 0
    bench.device.write32(reg.PE_CONFIG, reg.CONFIG_MODE_ARM | reg.CONFIG_RST_PE)
    bench.device.write32(reg.PE_CONFIG, reg.CONFIG_MODE_ARM)
    assert Job(bench, AES_CBC, 32).result.status == 0


@pytest.mark.parametrize("command", [SHA256, COMBINED], ids=["hash", "cipher and hash"])
def test_lost_state_record_is_one_that_is_read_or_saved(bench, command):
    bench.device.lose(Record.STATE)
    assert Job(bench, command, 64).result.status == reg.ERR_BUS


def test_packet_without_a_state_record_passes_its_loss_on(bench):
    bench.device.lose(Record.STATE)
    plain = replace(AES_CBC, mode=CipherMode.ECB, save_iv=False)
    assert Job(bench, plain, 32).result.status == 0
    assert Job(bench, AES_CBC, 32).result.status == reg.ERR_BUS


def test_sound_device_at_rest_owes_nobody_an_answer(bench):
    Job(bench, AES_CBC, 32)
    assert bench.device.unanswered == 0


def test_device_that_does_not_begin_owes_answers_for_what_it_was_given(bench, monkeypatch):
    monkeypatch.setattr(type(bench.device._sequencer), "kick", lambda self: None)
    bench.ring()
    bench.sim.run()
    assert bench.device.unanswered == 1


def test_descriptor_that_is_not_the_engines_is_not_the_devices_fault(bench):
    data, sa = bench.memory.alloc(bytes(16)), bench.sa(AES_CBC, key=bytes(16))
    torn = bench.descriptor(sa=sa, source=data, destination=data, state=bench.state(), length=16)
    bench.queue(torn._replace(length=torn.length & ~(3 << reg.LENGTH_OWNERSHIP_SHIFT)))
    bench.ring()
    bench.sim.run()
    assert bench.device.unanswered == 0

"""Direct host mode: five phases, buffers of 256 bytes, status bits, interrupts, clocks."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from Crypto.Cipher import AES

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.device import Latency
from tcrypt.engine.eip93.errors import DriverFault
from tcrypt.engine.eip93.prng import Random
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    Digest,
    HashSource,
    IVSource,
    Opcode,
    SACommand,
    SARecord,
    swap_words,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.eip93.conftest import Bench

KEY, IV = bytes(range(16)), bytes(range(100, 116))
LONG = bytes(number * 7 % 256 for number in range(1000))
CBC = SACommand(
    cipher=Cipher.AES,
    mode=CipherMode.CBC,
    aes_key_length=2,
    iv_source=IVSource.STATE,
    save_iv=True,
)
SHA256 = SACommand(
    opcode=Opcode.HASH,
    digest=Digest.SHA256,
    digest_length=8,
    hash_source=HashSource.CONSTANTS,
    copy_digest=True,
    copy_pad=True,
)


class Host:
    """A processor that does what the manual's five phases say."""

    def __init__(self, bench: Bench) -> None:
        self.sim = bench.sim
        self.read, self.write = bench.device.read32, bench.device.write32
        self.write(reg.PE_CONFIG, reg.CONFIG_MODE_DHM)
        self.write(reg.PE_BUF_THRESH, 0x0080_0080)
        self.in_at = self.out_at = 0

    def put(self, first: int, data: bytes) -> None:
        """Words of a window."""
        for at in range(0, len(data), 4):
            self.write(first + at, int.from_bytes(data[at : at + 4], "little"))

    def get(self, first: int, length: int) -> bytes:
        """Words of a window."""
        return b"".join(self.read(first + at).to_bytes(4, "little") for at in range(0, length, 4))

    def command(self, length: int, *, control: int = 0x11, owner: int = 1) -> None:
        """Phase one."""
        self.write(reg.PE_CTRL_STAT, control)
        self.write(reg.PE_USER_ID, 0x1234)
        self.write(reg.PE_LENGTH, length | owner << 22)
        self.write(reg.PE_CD_COUNT, 1)

    def records(self, command: SACommand, *, state: bytes = b"", **fields: bytes) -> None:
        """Phase two; the last word of the SA record starts the packet."""
        self.put(reg.STATE_WINDOW, state)
        self.put(reg.SA_WINDOW, SARecord(command=command, **fields).pack())

    def data(self, data: bytes) -> bytes:
        """Phase three, by the status bits alone; the output in whole words."""
        data += bytes(-len(data) % 4)
        output = b""
        for _ in range(200):
            self.sim.run()
            status = self.read(reg.PE_STATUS)
            if status & reg.STATUS_OUTPUT_REQUEST:
                count = (status >> reg.STATUS_OUTPUT_FULL_SHIFT) * 4
                output += b"".join(self._next_word() for _ in range(count // 4))
                self.write(reg.PE_OUTBUF_COUNT, count)
            elif status & reg.STATUS_OPERATION_DONE:
                return output
            elif status & reg.STATUS_INPUT_REQUEST:
                count = min((status >> reg.STATUS_INPUT_FREE_SHIFT & 0x3FF) * 4, 128)
                part, data = data[:count], data[count:]
                self._put_input(part)
        raise AssertionError("the packet never ends")

    def _next_word(self) -> bytes:
        word = self.read(reg.DATA_WINDOW + self.out_at)
        self.out_at = (self.out_at + 4) % 256
        return word.to_bytes(4, "little")

    def _put_input(self, part: bytes) -> None:
        for at in range(0, len(part), 4):
            word = int.from_bytes(part[at : at + 4], "little")
            self.write(reg.DATA_WINDOW + self.in_at, word)
            self.in_at = (self.in_at + 4) % 256
        self.write(reg.PE_INBUF_COUNT, len(part))

    def result(self) -> tuple[int, int]:
        """Phase four: status byte and length."""
        words = self.get(reg.PE_CTRL_STAT, 32)
        control, length = words[:4], words[28:]
        assert control[0] & 3 == length[2] >> 6 == 2, "the result belongs to the host"
        assert int.from_bytes(words[24:28], "little") == 0x1234
        self.write(reg.PE_RD_COUNT, 1)
        return control[2], int.from_bytes(length, "little") & 0xF_FFFF


@pytest.fixture(params=Latency, ids=lambda latency: latency.value)
def bench(request: pytest.FixtureRequest, make_bench: Callable[..., Bench]) -> Bench:
    return make_bench(latency=request.param)


@pytest.fixture
def host(bench: Bench) -> Host:
    return Host(bench)


@pytest.mark.parametrize("length", [3, 30, 64, 256, 257, 1000])
def test_hash_as_the_manual_programs_it(host, length):
    host.command(length)
    host.records(SHA256)
    output = host.data(LONG[:length])
    assert swap_words(output) == hashlib.sha256(LONG[:length]).digest()
    assert host.result() == (0, 32)


@pytest.mark.parametrize("length", [16, 128, 256, 272, 992])
def test_decryption_as_the_manual_programs_it(host, length):
    secret = AES.new(KEY, AES.MODE_CBC, IV).encrypt(LONG[:length])
    host.command(length)
    host.records(replace(CBC, inbound=True), key=KEY, state=IV)
    assert host.data(secret) == LONG[:length]
    assert host.result() == (0, length)
    assert host.get(reg.STATE_WINDOW, 16) == secret[-16:]


def test_packets_follow_each_other_through_the_state_registers(host):
    whole = AES.new(KEY, AES.MODE_CBC, IV).encrypt(LONG[:96])
    host.command(32)
    host.records(CBC, key=KEY, state=IV)
    output = host.data(LONG[:32])
    host.result()
    host.command(64)
    host.put(reg.SA_WINDOW, SARecord(command=CBC, key=KEY).pack())
    assert output + host.data(LONG[32:96]) == whole


def test_output_that_grows_is_read_to_its_end(host):
    host.command(250)
    host.records(CBC, key=KEY, state=IV)
    assert host.data(LONG[:250]) == AES.new(KEY, AES.MODE_CBC, IV).encrypt(LONG[:250] + bytes(6))
    assert host.result() == (0, 256)


def test_arc4_state_goes_through_its_window(host):
    command = SACommand(cipher=Cipher.ARC4, mode=1, arc4_key_length=3, save_iv=True)
    host.command(9, control=0x09)
    host.records(command, key=b"Key")
    assert host.data(b"Plaintext")[:9].hex() == "bbf316e8d940af0ad3"
    box = host.get(reg.ARC4_WINDOW, 256)
    assert sorted(box) == list(range(256))
    assert host.get(reg.SA_READY, 4) == bytes((10, box.index(box[10]) and host_j(box), 0, 0))


def host_j(box: bytes) -> int:
    """Where j stands after nine bytes under the key "Key", by the algorithm's definition."""
    plain = list(range(256))
    j = 0
    for i in range(256):
        j = (j + plain[i] + b"Key"[i % 3]) % 256
        plain[i], plain[j] = plain[j], plain[i]
    j = 0
    for i in range(1, 10):
        j = (j + plain[i]) % 256
        plain[i], plain[j] = plain[j], plain[i]
    assert bytes(plain) == box
    return j


def test_random_numbers_need_no_input(host):
    host.command(0, control=0x41)
    seed = {"key": KEY, "inner_digest": IV, "outer_digest": KEY[1:] + b"\x55"}
    host.records(SACommand(opcode=Opcode.PRNG, cipher=Cipher.AES, aes_key_length=2), **seed)
    assert host.data(b"") == b""
    assert host.result() == (0, 0)
    host.command(64, control=0x81)
    host.write(reg.SA_READY, 0)
    reference = Random()
    reference.initialise(KEY, IV, KEY[1:] + b"\x55")
    assert host.data(b"") == b"".join(reference.block() for _ in range(4))


ERRORS = {
    "not owned": ({"length": 16, "owner": 2}, None, 0x18),
    "zero length": ({"length": 0}, CBC, 0x58),
    "reserved operation": ({"length": 16}, replace(CBC, opcode=2), 0x28),
    "reserved cipher": ({"length": 16}, replace(CBC, cipher=9), 0x38),
}


@pytest.mark.parametrize(("fields", "command", "status"), ERRORS.values(), ids=ERRORS.keys())
def test_error_ends_the_packet_before_its_data(host, fields, command, status):
    host.command(**fields)
    if command is not None:
        host.records(command, key=KEY)
    assert host.read(reg.PE_STATUS) & reg.STATUS_EXT_ERR
    assert host.read(reg.PE_STATUS) & reg.STATUS_OPERATION_DONE
    assert host.result() == (status, 0)
    assert host.read(reg.INT_UNMASK_STAT) & reg.INT_PROC_ERR


def test_more_input_than_the_length_says_is_a_processing_error(host):
    host.command(16)
    host.records(CBC, key=KEY)
    host.write(reg.PE_INBUF_COUNT, 32)
    assert host.result() == (reg.ERR_PROCESSING, 0)


def test_interrupts_follow_the_flow_of_data(bench, host):
    host.write(reg.INT_CLR, 0xFFFF_FFFF)
    raised = reg.INT_INBUF_THRESH | reg.INT_OUTBUF_THRESH | reg.INT_OPERATION_DONE
    host.command(512)
    assert not host.read(reg.INT_UNMASK_STAT) & raised
    host.records(CBC, key=KEY)
    assert host.read(reg.INT_UNMASK_STAT) & raised == reg.INT_INBUF_THRESH
    for _ in range(2):
        host._put_input(LONG[:256])
    bench.sim.run()
    host.write(reg.INT_CLR, raised)
    assert host.read(reg.INT_UNMASK_STAT) & raised == reg.INT_OUTBUF_THRESH
    assert host.read(reg.PE_OUTBUF_COUNT) == 256
    host.write(reg.PE_OUTBUF_COUNT, 256)
    assert host.read(reg.INT_UNMASK_STAT) & reg.INT_OPERATION_DONE
    host.write(reg.PE_OUTBUF_COUNT, 256)
    host.write(reg.INT_CLR, raised)
    assert not host.read(reg.INT_UNMASK_STAT) & raised


def test_output_source_stays_until_the_buffer_is_empty(bench, host):
    host.command(160)
    host.records(CBC, key=KEY)
    for _ in range(2):
        host._put_input(LONG[:80])
    bench.sim.run()
    host.write(reg.PE_OUTBUF_COUNT, 128)
    host.write(reg.INT_CLR, reg.INT_OUTBUF_THRESH)
    assert host.read(reg.INT_UNMASK_STAT) & reg.INT_OUTBUF_THRESH
    host.write(reg.PE_OUTBUF_COUNT, 32)
    host.write(reg.INT_CLR, reg.INT_OUTBUF_THRESH)
    assert not host.read(reg.INT_UNMASK_STAT) & reg.INT_OUTBUF_THRESH


def test_packet_needs_its_clocks(host):
    host.write(reg.PE_CLOCK_CTRL, reg.CLOCK_CTRL_PE | reg.CLOCK_CTRL_HASH)
    host.command(16)
    with pytest.raises(DriverFault, match=r"clocks 0x4") as caught:
        host.records(CBC, key=KEY)
    assert caught.value.register == "PE_CLOCK_CTRL"


FAULTS = {
    "records without a command": (lambda host: host.write(reg.SA_READY, 0), "follow its desc"),
    "two commands at once": (lambda host: host.write(reg.PE_CD_COUNT, 2), "one by one"),
    "input without records": (lambda host: host.write(reg.PE_INBUF_COUNT, 16), "input follows"),
    "odd input": (lambda host: host.write(reg.PE_INBUF_COUNT, 6), "multiples of 4"),
    "output that is not there": (lambda host: host.write(reg.PE_OUTBUF_COUNT, 4), "holds 0"),
    "reading a key": (lambda host: host.read(reg.SA_WINDOW + 8), "write-only"),
}


@pytest.mark.parametrize(("misuse", "rule"), FAULTS.values(), ids=FAULTS.keys())
def test_misuse_is_the_drivers_fault(host, misuse, rule):
    with pytest.raises(DriverFault, match=rule):
        misuse(host)


def test_next_command_waits_for_the_result_to_be_taken(host):
    host.command(0)
    host.records(CBC)
    with pytest.raises(DriverFault, match="taken first"):
        host.write(reg.PE_CD_COUNT, 1)
    assert host.result()[0] == reg.ERR_ZERO_LENGTH
    host.command(0)


def test_engine_reset_drops_the_packet(host):
    host.command(64)
    host.records(CBC, key=KEY)
    host.write(reg.PE_CONFIG, reg.CONFIG_RST_PE | reg.CONFIG_RST_RING)
    host.write(reg.PE_CONFIG, 0)
    assert host.read(reg.PE_STATUS) == reg.STATUS_IDLE
    host.in_at = host.out_at = 0
    host.command(16)
    host.records(CBC, key=KEY, state=IV)
    assert host.data(LONG[:16]) == AES.new(KEY, AES.MODE_CBC, IV).encrypt(LONG[:16])


def test_only_the_engine_sets_the_ready_bit_and_the_status(host):
    host.command(0, owner=2)
    host.result()
    host.write(reg.PE_CTRL_STAT, 0)
    host.write(reg.PE_CTRL_STAT, 0x00FF_0003)
    assert host.read(reg.PE_CTRL_STAT) == 1

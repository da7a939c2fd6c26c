"""ESP on the engine (eip93, 3.4 group 1): header, IV, trailer, ICV, replay, refusals."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from Crypto.Cipher import AES

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.errors import NotModelled
from tcrypt.engine.eip93.hashing import HASHES
from tcrypt.engine.eip93.protocols import ReplayWindow
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    Digest,
    IVSource,
    PadType,
    SACommand,
    SARecord,
)

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

# RFC 3602, section 4, case 5: transport mode, AES-128-CBC, no authentication.
KEY = bytes.fromhex("90d382b410eeba7ad938c46cec1a82bf")
IV = bytes.fromhex("e96e8c08ab465763fd098d45dd3ff893")
SPI = 0x4321
PAYLOAD = bytes.fromhex(
    "08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f1011121314151617"
    "18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637"
)
SECRET = bytes.fromhex(
    "f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856"
    "a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874a"
    "a269add047ad2d5913ac19b7cfbad4a6"
)
HEADER = bytes.fromhex("0000432100000001")
ICMP, TCP = 1, 6
AUTH = b"authentication key"

ESP = SACommand(
    group=1,
    pad_type=PadType.IPSEC,
    cipher=Cipher.AES,
    mode=CipherMode.CBC,
    aes_key_length=2,
    iv_source=IVSource.STATE,
    header_processing=True,
    sequence_check=True,
)
SHA1 = replace(ESP, digest=Digest.SHA1, digest_length=3)


def hmac_states(digest: Digest) -> dict[str, bytes]:
    algorithm = HASHES[digest]
    states = {}
    for name, pad in (("inner_digest", 0x36), ("outer_digest", 0x5C)):
        block = bytes(byte ^ pad for byte in AUTH + bytes(64 - len(AUTH)))
        words = tuple(
            int.from_bytes(algorithm.initial[at : at + 4], "little")
            for at in range(0, len(algorithm.initial), 4)
        )
        after = algorithm.compress(words, block)
        states[name] = b"".join(word.to_bytes(4, "little") for word in after)
    return states


class Tunnel:
    """One direction of a security association, as its SA record in memory."""

    def __init__(self, bench: Bench, command: SACommand, **fields: object) -> None:
        self.bench = bench
        self.command = command
        digest = Digest(command.digest)
        states = {} if digest is Digest.NULL else hmac_states(digest)
        record = SARecord(command=command, **{"key": KEY, "spi": SPI, **states, **fields})
        self.sa = bench.memory.alloc(record.pack())

    def send(
        self, data: bytes, *, iv: bytes = IV, next_header: int = ICMP, **fields: object
    ) -> bytes:
        """One packet; its result is kept."""
        destination = self.bench.memory.alloc(len(data) + 400)
        packet = self.bench.descriptor(
            sa=self.sa,
            source=self.bench.memory.alloc(data),
            destination=destination,
            state=self.bench.state(iv=iv),
            length=len(data),
            pad_value=next_header,
            **fields,
        )
        self.result = self.bench.run(packet)
        self.written = self.bench.memory.peek(destination, len(data) + 400)
        return self.written[: self.result.length]

    @property
    def sequence(self) -> int:
        return int.from_bytes(self.bench.memory.peek(self.sa + reg.SA_SEQUENCE, 8), "little")

    @property
    def mask(self) -> int:
        return int.from_bytes(self.bench.memory.peek(self.sa + reg.SA_SEQUENCE_MASK, 8), "little")


def inbound(command: SACommand) -> SACommand:
    return replace(command, inbound=True, iv_source=IVSource.INPUT)


def packet_of(number: int, payload: bytes = PAYLOAD, *, spi: int = SPI, tag: int = 12) -> bytes:
    """An ESP packet with AES-CBC and HMAC-SHA-1, made without the engine."""
    count = -(len(payload) + 2) % 16
    trailer = bytes(range(1, count + 1)) + bytes((count, TCP))
    text = AES.new(KEY, AES.MODE_CBC, IV).encrypt(payload + trailer)
    body = spi.to_bytes(4) + number.to_bytes(4) + IV + text
    return body + hmac.new(AUTH, body, "sha1").digest()[:tag]


def test_outbound_makes_the_published_packet(bench):
    tunnel = Tunnel(bench, ESP)
    assert tunnel.send(PAYLOAD) == HEADER + IV + SECRET
    assert (tunnel.result.status, tunnel.result.pad) == (0, 16)


def test_inbound_takes_the_published_packet_apart(bench):
    tunnel = Tunnel(bench, inbound(ESP), sequence_mask=0)
    assert tunnel.send(HEADER + IV + SECRET) == PAYLOAD
    assert (tunnel.result.status, tunnel.result.pad) == (0, 16)
    assert tunnel.result.descriptor.control >> 8 & 0xFF == ICMP


@pytest.mark.parametrize("digest", [Digest.MD5, Digest.SHA1, Digest.SHA224, Digest.SHA256])
def test_icv_is_in_network_order_and_covers_header_iv_and_text(bench, digest):
    command = replace(ESP, digest=digest, digest_length=4)
    output = Tunnel(bench, command).send(PAYLOAD)
    body = HEADER + IV + SECRET
    assert output == body + hmac.new(AUTH, body, HASHES[digest].name).digest()[:16]
    back = Tunnel(bench, inbound(command), sequence_mask=0)
    assert back.send(output) == PAYLOAD
    assert back.result.status == 0


def test_outbound_numbers_packets_from_one_in_the_sa_record(bench):
    tunnel = Tunnel(bench, SHA1)
    numbers = [int.from_bytes(tunnel.send(PAYLOAD)[4:8]) for _ in range(3)]
    assert numbers == [1, 2, 3]
    assert tunnel.sequence == 3


def test_outbound_number_that_overflows_is_an_error_only_with_the_check(bench):
    for check, status in ((True, reg.ERR_SEQNUM), (False, 0)):
        tunnel = Tunnel(bench, replace(SHA1, sequence_check=check), sequence=0xFFFF_FFFF)
        assert int.from_bytes(tunnel.send(PAYLOAD)[4:8]) == 0
        assert tunnel.result.status == status


@pytest.mark.parametrize("direction", [lambda command: command, inbound])
def test_extended_sequence_numbers_are_refused(bench, direction):
    tunnel = Tunnel(bench, direction(SHA1), sequence=1 << 32)
    with pytest.raises(NotModelled, match="ESN"):
        tunnel.send(packet_of(1))


@pytest.mark.parametrize("at", [0, 4, 8, 30, -13, -1], ids=str)
def test_any_flipped_bit_fails_authentication_and_leaves_the_window(bench, at):
    tunnel = Tunnel(bench, inbound(SHA1), sequence_mask=0)
    forged = bytearray(packet_of(1))
    forged[at] ^= 1
    tunnel.send(bytes(forged))
    assert tunnel.result.status & reg.ERR_AUTH
    assert (tunnel.sequence, tunnel.mask) == (0, 0)


def test_foreign_spi_is_an_error_although_the_packet_is_processed(bench):
    tunnel = Tunnel(bench, inbound(SHA1), sequence_mask=0)
    assert tunnel.send(packet_of(1, spi=0x1234)) == PAYLOAD
    assert tunnel.result.status == reg.ERR_SPI
    assert bench.device.read32(reg.INT_UNMASK_STAT) & reg.INT_PROC_ERR


def test_replay_is_told_and_changes_nothing(bench):
    tunnel = Tunnel(bench, inbound(SHA1), sequence_mask=0)
    expected = [
        (5, 0),
        (5, reg.ERR_SEQNUM),
        (3, 0),
        (3, reg.ERR_SEQNUM),
        (70, 0),
        (6, reg.ERR_SEQNUM),
    ]
    for number, status in expected:
        tunnel.send(packet_of(number))
        assert (number, tunnel.result.status) == (number, status)
    assert tunnel.sequence == 70
    assert tunnel.mask == 1


def test_replay_goes_by_unseen_without_the_check(bench):
    tunnel = Tunnel(bench, inbound(replace(SHA1, sequence_check=False)), sequence_mask=0)
    for _ in range(2):
        assert tunnel.send(packet_of(5)) == PAYLOAD
        assert tunnel.result.status == 0
    assert (tunnel.sequence, tunnel.mask) == (5, 0)


def test_replay_window_by_its_definition():
    seen: set[int] = set()
    window = ReplayWindow(0, 0)
    for number in (1, 3, 2, 3, 66, 2, 3, 4, 200, 137, 136, 199):
        old = number <= window.newest - 64 or number in seen
        assert window.seen(number) is old, number
        if not old:
            window = window.after(number)
            seen.add(number)
    assert window.newest == 200


LENGTHS = {
    "shorter than its ICV": packet_of(1)[:8],
    "shorter than header, IV and ICV": packet_of(1)[:32],
    "no multiple of 4": packet_of(1)[:-1],
}


@pytest.mark.parametrize("packet", LENGTHS.values(), ids=LENGTHS.keys())
def test_inbound_of_an_impossible_length_is_not_processed(bench, packet):
    tunnel = Tunnel(bench, inbound(SHA1))
    assert tunnel.send(packet) == b""
    assert tunnel.result.status == reg.ERR_LENGTH


def test_inbound_text_that_is_no_whole_block_is_a_block_size_error(bench):
    tunnel = Tunnel(bench, inbound(SHA1), sequence_mask=0)
    body = HEADER + IV + SECRET[:-4]
    tunnel.send(body + hmac.new(AUTH, body, "sha1").digest()[:12])
    assert tunnel.result.status & 0xF8 == reg.ERR_BLOCK_SIZE


def test_wrong_trailer_is_a_pad_error(bench):
    text = AES.new(KEY, AES.MODE_CBC, IV).encrypt(PAYLOAD + bytes(range(2, 16)) + bytes((14, TCP)))
    body = HEADER + IV + text
    tunnel = Tunnel(bench, inbound(SHA1), sequence_mask=0)
    tunnel.send(body + hmac.new(AUTH, body, "sha1").digest()[:12])
    assert (tunnel.result.status, tunnel.result.pad) == (reg.ERR_PAD, 0)
    assert tunnel.result.length == len(PAYLOAD) + 16


@pytest.mark.parametrize(("copy_pad", "length"), [(False, 64), (True, 80)])
def test_trailer_is_written_but_counts_only_when_copied(bench, copy_pad, length):
    tunnel = Tunnel(bench, replace(inbound(SHA1), copy_pad=copy_pad), sequence_mask=0)
    tunnel.send(packet_of(1))
    assert tunnel.result.length == length
    assert tunnel.written[64:80] == bytes(range(1, 15)) + bytes((14, TCP))


def test_header_is_copied_on_demand(bench):
    tunnel = Tunnel(bench, replace(inbound(SHA1), copy_header=True), sequence_mask=0)
    assert tunnel.send(packet_of(1)) == HEADER + IV + PAYLOAD


def test_bypass_goes_before_the_esp_header(bench):
    out = Tunnel(bench, SHA1).send(b"IP header..." + PAYLOAD, bypass=3)
    assert out == b"IP header..." + HEADER + IV + SECRET + out[-12:]
    assert Tunnel(bench, inbound(SHA1), sequence_mask=0).send(out, bypass=3) == (
        b"IP header..." + PAYLOAD
    )


def test_header_of_the_hosts_is_taken_from_the_input(bench):
    command = replace(SHA1, header_processing=False)
    tunnel = Tunnel(bench, command, sequence=7)
    own = bytes.fromhex("deadbeef0000002a")
    assert tunnel.send(own + PAYLOAD)[:-12] == own + IV + SECRET
    assert tunnel.sequence == 7


@pytest.mark.parametrize(
    ("cipher", "mode", "control", "pad"),
    [
        (Cipher.AES, CipherMode.CBC, 0, 12),
        (Cipher.AES, CipherMode.CBC, 16, 28),
        (Cipher.TDES, CipherMode.CBC, 0, 4),
        (Cipher.AES, CipherMode.CTR, 0, 4),
        (Cipher.AES, CipherMode.CTR, 1, 4),
        (Cipher.NULL, CipherMode.ECB, 2, 4),
        (Cipher.NULL, CipherMode.ECB, 8, 12),
    ],
)
def test_trailer_fills_up_to_the_alignment(bench, cipher, mode, control, pad):
    command = replace(
        SHA1, cipher=cipher, mode=mode, aes_key_length=2 if cipher is Cipher.AES else 0
    )
    key = KEY + bytes(8)
    tunnel = Tunnel(bench, command, key=key, nonce=b"salt")
    text = PAYLOAD[:36]
    out = tunnel.send(text, pad_control=control, iv=b"salt" + IV[4:12] + bytes((0, 0, 0, 1)))
    assert (tunnel.result.status, tunnel.result.pad) == (0, pad)
    back = Tunnel(bench, inbound(command), key=key, nonce=b"salt", sequence_mask=0)
    assert back.send(out) == text
    assert (back.result.status, back.result.pad) == (0, pad)


def test_counter_mode_sends_the_eight_bytes_between_nonce_and_counter(bench):
    """RFC 3686, section 3.1 and 4: the explicit IV."""
    command = replace(SHA1, mode=CipherMode.CTR)
    out = Tunnel(bench, command).send(PAYLOAD, iv=b"salt" + IV[:8] + bytes((0, 0, 0, 1)))
    stream = AES.new(KEY, AES.MODE_CTR, nonce=b"salt" + IV[:8], initial_value=1)
    assert out[8:16] == IV[:8]
    trailer = bytes(range(1, 7)) + bytes((6, ICMP))
    assert out[16:-12] == stream.encrypt(PAYLOAD + trailer)


def test_iv_from_the_random_generator_is_new_for_every_packet(bench):
    record = SARecord(
        command=SACommand(opcode=7, cipher=Cipher.AES, aes_key_length=2),
        key=bytes(16),
        inner_digest=bytes(16),
        outer_digest=bytes(15) + b"\x01",
    )
    init = bench.descriptor(sa=bench.memory.alloc(record.pack()))
    assert bench.run(init._replace(control=init.control | reg.CONTROL_PRNG_INIT)).status == 0
    tunnel = Tunnel(bench, replace(SHA1, iv_source=IVSource.PRNG))
    packets = [tunnel.send(PAYLOAD) for _ in range(3)]
    assert len({packet[8:24] for packet in packets}) == 3
    back = Tunnel(bench, inbound(SHA1), sequence_mask=0)
    assert [back.send(packet) for packet in packets] == [PAYLOAD] * 3

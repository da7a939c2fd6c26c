"""What no Linux driver uses yet: ICM, ARC4, IVs from elsewhere, last round keys, stream padding.

eip93, sections 3.2 to 3.9; published values where there are any.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest
from Crypto.Cipher import AES, ARC4

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.aes_keys import original_key
from tcrypt.engine.eip93.errors import DriverFault
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    Digest,
    HashSource,
    IVSource,
    Opcode,
    PadType,
    SACommand,
    SARecord,
    swap_words,
)
from tcrypt.engine.eip93.variants import MT7621

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

KEY, IV = bytes(range(16)), bytes(range(100, 116))
DATA = bytes(number * 11 % 256 for number in range(200))
AES_CBC = SACommand(cipher=Cipher.AES, mode=CipherMode.CBC, aes_key_length=2)
AES_CTR = replace(AES_CBC, mode=CipherMode.CTR)
AES_ICM = replace(AES_CBC, mode=CipherMode.ICM, iv_source=IVSource.STATE, save_iv=True)


class Done(NamedTuple):
    """What became of a packet."""

    status: int
    pad: int
    output: bytes
    written: bytes
    control: int
    state: bytes
    sa: bytes


def run(
    bench: Bench,
    command: SACommand,
    data: bytes,
    *,
    control: int = 0,
    arc4: int = 0,
    state: bytes = IV,
    **fields: object,
) -> Done:
    """One packet; `control` holds more bits of word 0."""
    descriptor_fields = {
        name: fields.pop(name) for name in ("pad_control", "pad_value", "bypass") if name in fields
    }
    record = SARecord(command=command, **{"key": KEY, **fields})
    destination = bench.memory.alloc(len(data) + 300)
    packet = bench.descriptor(
        sa=bench.memory.alloc(record.pack()),
        source=bench.memory.alloc(data),
        destination=destination,
        state=bench.state(iv=state),
        length=len(data),
        **descriptor_fields,
    )
    packet = packet._replace(control=packet.control | control, arc4_state=arc4)
    result = bench.run(packet)
    peek = bench.memory.peek
    return Done(
        result.status,
        result.pad,
        peek(destination, result.length),
        peek(destination, len(data) + 300),
        result.descriptor.control,
        peek(packet.state, 16),
        peek(packet.sa, 128),
    )


# ICM: RFC 3711, appendix B.2, AES counter mode key stream.
SRTP_KEY = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
SRTP_IV = bytes.fromhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000")
SRTP_STREAM = "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB"


def test_icm_gives_the_published_key_stream(bench):
    done = run(bench, AES_ICM, bytes(32), key=SRTP_KEY, state=SRTP_IV)
    assert done.output.hex().upper() == SRTP_STREAM
    assert done.state == SRTP_IV[:14] + b"\x00\x02"


@pytest.mark.parametrize(
    ("bits", "after"), [(16, "fdffff0001"), (32, "fd00000001")], ids=["16 bits", "32 bits"]
)
def test_icm_counter_is_as_wide_as_the_variant_says(make_bench, bits, after):
    bench = make_bench(replace(MT7621, icm_counter_bits=bits))
    bench.start()
    done = run(bench, AES_ICM, bytes(32), state=bytes(11) + bytes.fromhex("fdffffffff"))
    assert done.state == bytes(11) + bytes.fromhex(after)
    assert done.output[16:] == AES.new(KEY, AES.MODE_ECB).encrypt(done.state[:-1] + b"\x00")


# ARC4: RFC 6229, key 0102030405 and its 16-byte relative, first 16 bytes of the stream.
STREAMS = {
    5: "b2396305f03dc027ccc3524a0a1118a8",
    16: "9ac7cc9a609d1ef7b2932899cde41b97",
}
ARC4_CIPHER = SACommand(cipher=Cipher.ARC4, arc4_key_length=16)


@pytest.mark.parametrize(("length", "stream"), STREAMS.items())
def test_arc4_gives_the_published_key_stream(bench, length, stream):
    command = replace(ARC4_CIPHER, arc4_key_length=length)
    for _ in range(2):  # Stateless: every packet starts anew.
        assert (
            run(bench, command, bytes(16), key=bytes(range(1, length + 1))).output.hex() == stream
        )


def test_arc4_goes_on_from_its_saved_state(bench):
    command = replace(ARC4_CIPHER, mode=1, save_iv=True)
    whole = ARC4.new(KEY).encrypt(DATA)
    box = bench.memory.alloc(256)
    first = run(bench, command, DATA[:77], control=reg.CONTROL_INIT_ARC4, arc4=box)
    pointers = first.sa[reg.SA_NONCE : reg.SA_NONCE + 4]
    second = run(bench, command, DATA[77:], arc4=box, nonce=pointers)
    assert first.output + second.output == whole
    assert pointers[0] == 78
    assert pointers[2:] == bytes(2)


def test_arc4_starts_from_a_state_that_the_host_made(bench):
    """Section 3.6: for long keys the host schedules the key, and sets i to 1 and j to 0."""
    key = bytes(range(200, 232))
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % 32]) % 256
        box[i], box[j] = box[j], box[i]
    state = bench.memory.alloc(bytes(box))
    done = run(bench, replace(ARC4_CIPHER, mode=1), DATA, arc4=state, nonce=b"\x01\x00")
    assert done.output == ARC4.new(key).encrypt(DATA)
    assert bench.memory.peek(state, 256) == bytes(box), "saved although SAVE_IV is off"


def test_arc4_has_no_other_mode(bench):
    with pytest.raises(DriverFault, match="stateless"):
        run(bench, replace(ARC4_CIPHER, mode=2), DATA)


# IVs.


@pytest.mark.parametrize("opcode", [Opcode.CRYPT, Opcode.CRYPT_AND_HASH])
@pytest.mark.parametrize("ends_header", [True, False])
def test_iv_from_the_input_lies_in_the_header(make_bench, opcode, ends_header):
    bench = make_bench(replace(MT7621, input_iv_ends_header=ends_header))
    bench.start()
    command = replace(AES_CBC, opcode=opcode, iv_source=IVSource.INPUT, offset=6, copy_header=True)
    header = b"8 bytes." + IV if ends_header else IV + b"8 bytes."
    done = run(bench, command, header + DATA[:64])
    assert done.output == header + AES.new(KEY, AES.MODE_CBC, IV).encrypt(DATA[:64])
    back = run(bench, replace(command, inbound=True), done.output)
    assert back.output == header + DATA[:64]


def test_counter_from_the_input_is_put_between_nonce_and_one(bench):
    command = replace(AES_CTR, iv_source=IVSource.INPUT, offset=2)
    done = run(bench, command, b"explicit" + DATA, nonce=b"salt")
    stream = AES.new(KEY, AES.MODE_CTR, nonce=b"saltexplicit", initial_value=1)
    assert done.output == stream.encrypt(DATA)


# NIST, "The Random Number Generator Validation System", X9.31 with AES-128, VST, count 0.
VST = {
    "key": bytes.fromhex("f3b1666d13607242ed061cabb8d46202"),
    "inner_digest": bytes.fromhex("80000000000000000000000000000000"),
    "outer_digest": bytes.fromhex("e6b3be782a23fa62d71d4afbb0e922f9"),
}
VST_RESULT = "59531ed13bb0c05584796685c12f7641"
PRNG = SACommand(opcode=Opcode.PRNG, cipher=Cipher.AES, aes_key_length=2)
DT_AFTER = bytes.fromhex("e6b3be782a23fa62d71d4afbb0e922fa")


def initialise(bench: Bench) -> Done:
    return run(bench, PRNG, b"", control=reg.CONTROL_PRNG_INIT, **VST)


@pytest.mark.parametrize("mode", [reg.CONTROL_PRNG_GENERATE, reg.CONTROL_PRNG_TEST])
def test_random_numbers_give_the_published_value(bench, mode):
    done = initialise(bench)
    assert (done.status, done.output) == (0, b"")
    source = VST["outer_digest"] + DT_AFTER
    numbers = run(bench, PRNG, source, control=mode).output
    assert numbers[:16].hex() == VST_RESULT
    assert len(numbers) == 32


def test_generator_reads_no_sa_record(bench):
    initialise(bench)
    packet = bench.descriptor(sa=0, destination=bench.memory.alloc(16), length=16)
    result = bench.run(packet._replace(control=packet.control | reg.CONTROL_PRNG_GENERATE))
    assert (result.status, result.length) == (0, 16)


@pytest.mark.parametrize("length", [8, 4096])
def test_random_numbers_come_in_blocks_up_to_4080_bytes(bench, length):
    initialise(bench)
    with pytest.raises(DriverFault, match="4080"):
        run(bench, PRNG, bytes(length), control=reg.CONTROL_PRNG_GENERATE)


def test_generator_forgets_at_power_on_and_not_at_an_engine_reset(bench):
    initialise(bench)
    bench.device.write32(reg.PE_CONFIG, 0x701)
    bench.device.write32(reg.PE_CONFIG, 0x700)
    assert run(bench, PRNG, bytes(16), control=reg.CONTROL_PRNG_GENERATE).status == 0
    bench.device.reset()
    bench.start()
    with pytest.raises(DriverFault, match="follow a PRNG init"):
        run(bench, PRNG, bytes(16), control=reg.CONTROL_PRNG_GENERATE)


def test_iv_from_the_generator_is_its_next_block(bench):
    initialise(bench)
    done = run(bench, replace(AES_CBC, iv_source=IVSource.PRNG), DATA[:64])
    assert done.output == AES.new(KEY, AES.MODE_CBC, bytes.fromhex(VST_RESULT)).encrypt(DATA[:64])
    initialise(bench)
    done = run(bench, replace(AES_CTR, iv_source=IVSource.PRNG), DATA, nonce=b"salt")
    middle = bytes.fromhex(VST_RESULT)[4:12]
    assert done.output == AES.new(
        KEY, AES.MODE_CTR, nonce=b"salt" + middle, initial_value=1
    ).encrypt(DATA)


# FIPS 197, appendix A: the end of each expanded key.
EXPANDED = {
    "2b7e151628aed2a6abf7158809cf4f3c": "d014f9a8c9ee2589e13f0cc8b6630ca6",
    "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b": (
        "282d166abc3ce7b5e98ba06f448c773c8ecc720401002202"
    ),
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4": (
        "cafaaae3e4d59b349adf6acebd10190dfe4890d1e6188d0b046df344706c631e"
    ),
}


@pytest.mark.parametrize(("key", "last"), EXPANDED.items(), ids=lambda text: str(len(text) * 4))
def test_last_round_keys_decrypt_like_the_key_itself(bench, key, last):
    raw = bytes.fromhex(key)
    assert original_key(bytes.fromhex(last)) == raw
    command = replace(
        AES_CBC,
        inbound=True,
        iv_source=IVSource.STATE,
        aes_last_key=True,
        aes_key_length=len(raw) // 8,
    )
    secret = AES.new(raw, AES.MODE_CBC, IV).encrypt(DATA[:96])
    assert run(bench, command, secret, key=bytes.fromhex(last)).output == DATA[:96]


# Padding: the manual's example, 2 bytes in DES-ECB with pad value AA.
PADS = {
    PadType.IPSEC: "0102030404aa",
    PadType.PKCS7: "060606060606",
    PadType.CONSTANT: "aaaaaaaaaaaa",
    PadType.ZERO: "000000000000",
    PadType.SSL: "aaaaaaaaaa05",
    PadType.TLS: "050505050505",  # RFC 5246, 6.2.3.2: every byte is the pad length.
}
VERIFIED = (PadType.IPSEC, PadType.PKCS7, PadType.TLS, PadType.SSL)


@pytest.mark.parametrize(("pad_type", "pad"), PADS.items(), ids=lambda value: str(value))
def test_pad_types_make_and_undo_the_manuals_example(bench, pad_type, pad):
    command = SACommand(cipher=Cipher.DES, pad_type=pad_type)
    sent = run(bench, command, DATA[:2], pad_value=0xAA)
    assert (sent.pad, len(sent.output)) == (6, 8)
    plain = run(bench, SACommand(cipher=Cipher.DES, inbound=True), sent.output).output
    assert plain == DATA[:2] + bytes.fromhex(pad)
    back = run(bench, replace(command, inbound=True), sent.output)
    found = pad_type in VERIFIED
    assert (back.status, back.pad) == (0, 6 if found else 0)
    assert back.output == plain[: 2 if found else 8]
    assert back.written[:8] == plain, "padding is written all the same"
    assert back.control >> 8 & 0xFF == (0xAA if pad_type is PadType.IPSEC else 0)


@pytest.mark.parametrize("pad_type", [PadType.IPSEC, PadType.PKCS7, PadType.TLS])
def test_pattern_that_does_not_fit_is_a_pad_error(bench, pad_type):
    plain = DATA[:13] + b"\x09\x03\x03"
    command = SACommand(cipher=Cipher.AES, aes_key_length=2, pad_type=pad_type, inbound=True)
    done = run(bench, command, AES.new(KEY, AES.MODE_ECB).encrypt(plain))
    assert (done.status, done.pad, done.output) == (reg.ERR_PAD, 0, plain)


@pytest.mark.parametrize(
    ("cipher", "control", "pads"),
    [
        (AES_CTR, 0, 4),
        (AES_CTR, 1, 0),
        (AES_CTR, 8, 12),
        (ARC4_CIPHER, 0, 4),
        (ARC4_CIPHER, 32, 44),
        (SACommand(), 16, 12),
    ],
)
def test_streams_are_padded_on_demand_only(bench, cipher, control, pads):
    plain = run(bench, cipher, DATA[:20], pad_control=control)
    null = cipher.cipher == Cipher.NULL
    assert plain.pad == 0 or (null and not control)
    padded = run(bench, replace(cipher, pad_streams=True), DATA[:20], pad_control=control)
    assert (padded.pad, len(padded.output)) == (pads, 20 + pads)


def test_pkcs7_of_streams_always_adds_a_byte(bench):
    command = replace(AES_CTR, pad_streams=True, pad_type=PadType.PKCS7, iv_source=IVSource.STATE)
    sent = run(bench, command, DATA[:20], pad_control=1)
    assert (sent.pad, len(sent.output)) == (1, 21)
    back = run(bench, replace(command, inbound=True), sent.output)
    assert (back.status, back.output) == (0, DATA[:20])


def test_longest_ipsec_pad_counts_modulo_256(bench):
    """The manual: 255 pad bytes and two more are 257, reported as 1."""
    command = SACommand(cipher=Cipher.AES, aes_key_length=2, pad_type=PadType.IPSEC)
    sent = run(bench, command, DATA[:15] + bytes(240), pad_control=128)
    assert (sent.pad, len(sent.output)) == (1, 512)


def test_pkcs7_goes_no_further_than_128_bytes(bench):
    command = SACommand(cipher=Cipher.AES, aes_key_length=2, pad_type=PadType.PKCS7)
    sent = run(bench, command, DATA[:128], pad_control=128)
    assert (sent.pad, len(sent.output)) == (128, 256)


def test_digest_length_ten_is_ten_bytes(bench):
    command = SACommand(
        opcode=Opcode.HASH,
        digest=Digest.SHA1,
        digest_length=10,
        hash_source=HashSource.CONSTANTS,
        copy_digest=True,
    )
    assert run(bench, command, DATA).output == swap_words(hashlib.sha1(DATA).digest())[:10]

"""The memory formats: command words that drivers build, records and descriptors byte by byte."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.descriptors import (
    Descriptor,
    Ownership,
    command_control,
    command_length,
    ownership,
    result_length,
    result_pad,
    result_status,
)
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    Digest,
    HashSource,
    IVSource,
    Opcode,
    SACommand,
    SARecord,
    StateRecord,
    swap_words,
)

ECB, CBC, CTR = CipherMode.ECB, CipherMode.CBC, CipherMode.CTR
DES, TDES, AES = Cipher.DES, Cipher.TDES, Cipher.AES


def skcipher(cipher: Cipher, mode: CipherMode, key_words: int = 0) -> SACommand:
    return SACommand(
        cipher=cipher,
        mode=mode,
        iv_source=IVSource.STATE,
        save_iv=mode is not ECB,
        aes_key_length=key_words,
    )


def ahash(digest: Digest, words: int, *, hmac: bool | None = None) -> SACommand:
    """`hmac`: None for a plain hash, else whether the record is the final one."""
    return SACommand(
        opcode=Opcode.HASH,
        digest=digest,
        digest_length=words,
        iv_source=IVSource.STATE,
        hash_source=HashSource.STATE,
        save_iv=True,
        save_hash=True,
        copy_digest=True,
        copy_pad=True,
        copy_header=hmac is not None and not hmac,
        hmac=bool(hmac),
    )


def authenc(
    cipher: Cipher, mode: CipherMode, key: int, digest: Digest, words: int, assoclen: int
) -> SACommand:
    return SACommand(
        opcode=Opcode.CRYPT_AND_HASH,
        cipher=cipher,
        mode=mode,
        aes_key_length=key,
        digest=digest,
        digest_length=words,
        iv_source=IVSource.STATE,
        save_iv=True,
        copy_digest=True,
        copy_header=True,
        copy_pad=True,
        hmac=True,
        offset=assoclen // 4,
    )


SKCIPHERS = [
    (skcipher(AES, ECB, 2), 0x0200F3C0, 0x02000000),
    (skcipher(AES, ECB, 3), 0x0200F3C0, 0x03000000),
    (skcipher(AES, ECB, 4), 0x0200F3C0, 0x04000000),
    (skcipher(AES, CBC, 2), 0x1200F3C0, 0x02000100),
    (skcipher(AES, CBC, 3), 0x1200F3C0, 0x03000100),
    (skcipher(AES, CBC, 4), 0x1200F3C0, 0x04000100),
    (skcipher(AES, CTR, 2), 0x1200F3C0, 0x02000200),
    (skcipher(AES, CTR, 3), 0x1200F3C0, 0x03000200),
    (skcipher(AES, CTR, 4), 0x1200F3C0, 0x04000200),
    (skcipher(DES, ECB), 0x0200F0C0, 0x00000000),
    (skcipher(DES, CBC), 0x1200F0C0, 0x00000100),
    (skcipher(TDES, ECB), 0x0200F1C0, 0x00000000),
    (skcipher(TDES, CBC), 0x1200F1C0, 0x00000100),
]
HASHES = [
    (ahash(Digest.MD5, 4), 0x3A400FC3, 0x00000009),
    (ahash(Digest.SHA1, 5), 0x3A501FC3, 0x00000009),
    (ahash(Digest.SHA224, 7), 0x3A702FC3, 0x00000009),
    (ahash(Digest.SHA256, 8), 0x3A803FC3, 0x00000009),
    (ahash(Digest.SHA256, 8, hmac=False), 0x3A803FC3, 0x0000000B),
    (replace(ahash(Digest.SHA1, 5, hmac=True), copy_header=True), 0x3A501FC3, 0x0000100B),
]
AEADS = [
    (authenc(AES, CBC, 2, Digest.SHA1, 3, 24), 0x123013C1, 0x0206110B, 0x02061102),
    (authenc(AES, CBC, 4, Digest.SHA256, 4, 24), 0x124033C1, 0x0406110B, 0x04061102),
    (authenc(TDES, CBC, 0, Digest.MD5, 3, 16), 0x123001C1, 0x0004110B, 0x00041102),
    (authenc(AES, CTR, 2, Digest.SHA256, 8, 16), 0x128033C1, 0x0204120B, 0x02041202),
]


@pytest.mark.parametrize(("command", "word0", "word1"), SKCIPHERS + HASHES)
def test_command_words_are_those_of_the_drivers(command, word0, word1):
    assert (command.word0, command.word1) == (word0, word1)
    assert SACommand.decode(word0, word1) == command


@pytest.mark.parametrize(("command", "word0", "word1"), SKCIPHERS)
def test_decryption_adds_the_direction_bit(command, word0, word1):
    inbound = replace(command, inbound=True)
    assert (inbound.word0, inbound.word1) == (word0 | 8, word1)


@pytest.mark.parametrize(("command", "word0", "outbound", "inbound"), AEADS)
def test_combined_command_words_are_those_of_the_drivers(command, word0, outbound, inbound):
    assert (command.word0, command.word1) == (word0, outbound)
    back = replace(command, inbound=True, copy_digest=False, copy_pad=False)
    assert (back.word0, back.word1) == (word0 | 8, inbound)


def test_out_of_tree_driver_copies_no_pad():
    command = replace(authenc(AES, CBC, 2, Digest.SHA1, 3, 24), copy_pad=False)
    assert command.word1 == 0x02061103


FIELDS = dict(
    opcode=st.integers(0, 7),
    inbound=st.booleans(),
    group=st.integers(0, 3),
    pad_type=st.integers(0, 7),
    digest=st.integers(0, 15),
    digest_length=st.integers(0, 15),
    iv_source=st.integers(0, 3),
    hash_source=st.integers(0, 3),
    save_iv=st.booleans(),
    save_hash=st.booleans(),
    copy_digest=st.booleans(),
    copy_header=st.booleans(),
    copy_payload=st.booleans(),
    copy_pad=st.booleans(),
    mode=st.integers(0, 3),
    hmac=st.booleans(),
    byte_offset=st.booleans(),
    offset=st.integers(0, 255),
    pad_streams=st.booleans(),
    header_processing=st.booleans(),
    sequence_check=st.booleans(),
)
# The key length of ARC4 lies over two fields of AES.
COMMANDS = st.builds(
    SACommand,
    cipher=st.integers(0, 15).filter(lambda cipher: cipher != Cipher.ARC4),
    aes_key_length=st.integers(0, 7),
    aes_last_key=st.booleans(),
    **FIELDS,
) | st.builds(SACommand, cipher=st.just(Cipher.ARC4), arc4_key_length=st.integers(0, 31), **FIELDS)


@given(COMMANDS)
def test_command_words_decode_to_what_they_were_built_from(command):
    assert SACommand.decode(command.word0, command.word1) == command


@pytest.mark.parametrize(
    "fields", [{"offset": 256}, {"digest_length": 16}, {"opcode": -1}, {"aes_key_length": 8}]
)
def test_command_field_that_does_not_fit_is_refused(fields):
    (name,) = fields
    with pytest.raises(ValueError, match=name):
        SARecord(command=SACommand(**fields)).pack()


def test_sa_record_has_its_fields_where_the_engine_reads_them():
    record = SARecord(
        command=skcipher(AES, CBC, 4),
        key=b"k" * 32,
        inner_digest=b"i" * 32,
        outer_digest=b"o" * 32,
        spi=0x01020304,
        sequence=0x1122334455667788,
        nonce=b"nonc",
    ).pack()
    assert len(record) == reg.SA_BYTES == 128
    assert record[:8] == bytes.fromhex("c0f3001200010004")
    assert record[reg.SA_KEY : reg.SA_KEY + 32] == b"k" * 32
    assert record[reg.SA_INNER_DIGEST : reg.SA_INNER_DIGEST + 32] == b"i" * 32
    assert record[reg.SA_OUTER_DIGEST : reg.SA_OUTER_DIGEST + 32] == b"o" * 32
    assert record[reg.SA_SPI : reg.SA_SPI + 4] == bytes([4, 3, 2, 1])
    assert record[reg.SA_SEQUENCE : reg.SA_SEQUENCE + 8].hex() == "8877665544332211"
    mask = record[reg.SA_SEQUENCE_MASK : reg.SA_SEQUENCE_MASK + 8]
    assert mask == b"\xff" * 4 + bytes(4)
    assert record[reg.SA_NONCE :] == b"nonc"


def test_state_record_has_its_fields_where_the_engine_reads_them():
    record = StateRecord(iv=b"v" * 16, byte_count=0x0102, digest=b"d" * 32)
    packed = record.pack()
    assert len(packed) == reg.STATE_BYTES == 56
    assert packed[reg.STATE_IV : 16] == b"v" * 16
    assert packed[reg.STATE_BYTE_COUNT : reg.STATE_DIGEST] == bytes([2, 1, 0, 0, 0, 0, 0, 0])
    assert packed[reg.STATE_DIGEST :] == b"d" * 32
    assert StateRecord.unpack(packed) == record


@pytest.mark.parametrize(
    "record",
    [
        SARecord(command=SACommand(), key=bytes(33)),
        SARecord(command=SACommand(), inner_digest=bytes(33)),
        SARecord(command=SACommand(), nonce=bytes(5)),
        StateRecord(iv=bytes(17)),
        StateRecord(digest=bytes(33)),
    ],
)
def test_byte_string_that_does_not_fit_is_refused(record):
    with pytest.raises(ValueError, match="there is room for"):
        record.pack()


@pytest.mark.parametrize(("length", "bypass"), [(1 << 20, 0), (-1, 0), (16, 256)])
def test_length_that_does_not_fit_is_refused(length, bypass):
    with pytest.raises(ValueError, match="does not fit"):
        command_length(length, bypass=bypass)


def test_descriptor_words_are_little_endian_and_in_order():
    descriptor = Descriptor(0x01020304, 1, 2, 3, 4, 5, 6, 7)
    packed = descriptor.pack()
    assert packed[:4] == bytes([4, 3, 2, 1])
    assert packed[4::4] == bytes([1, 2, 3, 4, 5, 6, 7])
    assert Descriptor.unpack(packed) == descriptor


def test_command_belongs_to_the_engine_in_both_halves():
    control = command_control(hash_final=True, pad_control=2, pad_value=0x5A)
    length = command_length(0xABCDE, bypass=3)
    assert control == 0x02005A11
    assert length == 0x034ABCDE
    assert ownership(control, length) is Ownership.ENGINE
    assert command_control(hash_final=False) == 1


@pytest.mark.parametrize("owner", Ownership)
def test_ownership_needs_both_halves(owner):
    assert ownership(owner, owner << 22) is owner
    assert ownership(owner, (owner ^ 1) << 22) is None
    assert ownership(owner, (owner ^ 2) << 22) is None


def test_result_fields_are_taken_from_their_bits():
    assert result_status(0x0F78_0002) == 0x78
    assert result_pad(0x0F78_0002) == 15
    assert result_length(0x038F_FFFF) == 0xF_FFFF


def test_words_are_swapped_in_place():
    assert swap_words(bytes(range(8))) == bytes([3, 2, 1, 0, 7, 6, 5, 4])
    assert swap_words(b"") == b""

"""SA records and state records: what the engine is told to do, and what it keeps between packets.

Pure encoding and decoding, used by both sides.  All words are little-endian.  Keys, IVs and nonces
are byte strings in their natural order; digests are words of the hash core (see `swap_words`).

Source: Analog Devices PKTE chapter, "Description and Use of the SA Record and State Record
Structure"; the values that the Linux drivers build.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass
from typing import Final

from tcrypt.engine.eip93 import registers as reg

__all__ = (
    "Cipher",
    "CipherMode",
    "Digest",
    "HashSource",
    "IVSource",
    "Opcode",
    "PadType",
    "SACommand",
    "SARecord",
    "StateRecord",
    "swap_words",
)

_SA_RECORD: Final = struct.Struct("<2I32s32s32sIQQ4s")
_STATE_RECORD: Final = struct.Struct("<16sQ32s")


class Opcode(enum.IntEnum):
    """Operations of the basic group; in the protocol group, 0 is ESP."""

    CRYPT = 0
    CRYPT_AND_HASH = 1  # outbound encrypt then hash, inbound hash then decrypt
    HASH = 3
    PRNG = 7


class PadType(enum.IntEnum):
    """What the engine appends to outbound data; bit 2 is EXT_PAD, and 4 and 7 are reserved."""

    IPSEC = 0
    PKCS7 = 1
    CONSTANT = 2
    ZERO = 3
    TLS = 5
    SSL = 6


class Cipher(enum.IntEnum):
    """Cipher cores; the numbers between are reserved."""

    DES = 0
    TDES = 1
    ARC4 = 2
    AES = 3
    NULL = 15


class Digest(enum.IntEnum):
    """Hash cores; the numbers between are reserved."""

    MD5 = 0
    SHA1 = 1
    SHA224 = 2
    SHA256 = 3
    NULL = 15


class CipherMode(enum.IntEnum):
    """Block cipher modes."""

    ECB = 0
    CBC = 1
    CTR = 2
    ICM = 3


class IVSource(enum.IntEnum):
    """Where the IV comes from."""

    KEEP = 0
    INPUT = 1
    STATE = 2
    PRNG = 3


class HashSource(enum.IntEnum):
    """Where the inner hash starts; 1 is reserved."""

    SA = 0  # the inner digest of the SA record, after 64 bytes
    STATE = 2  # digest and byte count of the state record
    CONSTANTS = 3  # the initial value of the hash


@dataclass(frozen=True, slots=True, kw_only=True)
class SACommand:
    """Both command words of an SA record, field by field.

    The enumerated fields are plain integers when they were decoded, because memory can hold
    reserved encodings.  `offset` is HASH_CRYPT_OFFSET: how much of the input is hashed and not
    ciphered, in 32-bit words, or in bytes with `byte_offset`.  `digest_length` and
    `aes_key_length` are the raw fields: 32-bit words (0 means 3), and key bytes divided by 8.
    `arc4_key_length`, in bytes (the manual names no unit), takes the place of the AES fields when
    the cipher is ARC4.  `pad_streams` is SCPAD, `header_processing` HDR_PROC, `aes_last_key`
    AES_DEC_KEY; `mode` 1 of ARC4 is stateful.
    """

    opcode: int = Opcode.CRYPT
    inbound: bool = False
    group: int = 0
    pad_type: int = PadType.ZERO
    cipher: int = Cipher.NULL
    digest: int = Digest.NULL
    digest_length: int = 0
    iv_source: int = IVSource.KEEP
    hash_source: int = HashSource.SA
    save_iv: bool = False
    save_hash: bool = False
    copy_digest: bool = False
    copy_header: bool = False
    copy_payload: bool = False
    copy_pad: bool = False
    mode: int = CipherMode.ECB
    hmac: bool = False
    byte_offset: bool = False
    offset: int = 0
    aes_key_length: int = 0
    arc4_key_length: int = 0
    pad_streams: bool = False
    header_processing: bool = False
    sequence_check: bool = False
    aes_last_key: bool = False

    @property
    def word0(self) -> int:
        """SA_CMD0; ValueError when a field does not fit."""
        return (
            _field("opcode", self.opcode, 3)
            | reg.CMD0_INBOUND * self.inbound
            | _field("group", self.group, 2) << reg.CMD0_GROUP_SHIFT
            | (_field("pad_type", self.pad_type, 3) & 3) << reg.CMD0_PAD_TYPE_SHIFT
            | reg.CMD0_EXT_PAD * (self.pad_type >> 2)
            | reg.CMD0_SCPAD * self.pad_streams
            | reg.CMD0_HDR_PROC * self.header_processing
            | _field("cipher", self.cipher, 4) << reg.CMD0_CIPHER_SHIFT
            | _field("digest", self.digest, 4) << reg.CMD0_HASH_SHIFT
            | _field("digest_length", self.digest_length, 4) << reg.CMD0_DIGEST_LENGTH_SHIFT
            | _field("iv_source", self.iv_source, 2) << reg.CMD0_IV_SOURCE_SHIFT
            | _field("hash_source", self.hash_source, 2) << reg.CMD0_HASH_SOURCE_SHIFT
            | reg.CMD0_SAVE_IV * self.save_iv
            | reg.CMD0_SAVE_HASH * self.save_hash
        )

    @property
    def word1(self) -> int:
        """SA_CMD1; ValueError when a field does not fit."""
        return (
            reg.CMD1_COPY_DIGEST * self.copy_digest
            | reg.CMD1_COPY_HEADER * self.copy_header
            | reg.CMD1_COPY_PAYLOAD * self.copy_payload
            | reg.CMD1_COPY_PAD * self.copy_pad
            | _field("mode", self.mode, 2) << reg.CMD1_CIPHER_MODE_SHIFT
            | reg.CMD1_HMAC * self.hmac
            | reg.CMD1_BYTE_OFFSET * self.byte_offset
            | _field("offset", self.offset, 8) << reg.CMD1_OFFSET_SHIFT
            | _field("aes_key_length", self.aes_key_length, 3) << reg.CMD1_AES_KEY_LENGTH_SHIFT
            | _field("arc4_key_length", self.arc4_key_length, 5) << reg.CMD1_ARC4_KEY_LENGTH_SHIFT
            | reg.CMD1_AES_DEC_KEY * self.aes_last_key
            | reg.CMD1_SEQNUM_CHECK * self.sequence_check
        )

    @classmethod
    def decode(cls, word0: int, word1: int) -> SACommand:
        """Take both words apart; bits that belong to no field of this class are dropped."""
        cipher = word0 >> reg.CMD0_CIPHER_SHIFT & 15
        arc4 = cipher == Cipher.ARC4
        return cls(
            opcode=word0 & reg.CMD0_OPCODE,
            inbound=bool(word0 & reg.CMD0_INBOUND),
            group=word0 >> reg.CMD0_GROUP_SHIFT & 3,
            pad_type=word0 >> reg.CMD0_PAD_TYPE_SHIFT & 3 | 4 * bool(word0 & reg.CMD0_EXT_PAD),
            cipher=cipher,
            digest=word0 >> reg.CMD0_HASH_SHIFT & 15,
            digest_length=word0 >> reg.CMD0_DIGEST_LENGTH_SHIFT & 15,
            iv_source=word0 >> reg.CMD0_IV_SOURCE_SHIFT & 3,
            hash_source=word0 >> reg.CMD0_HASH_SOURCE_SHIFT & 3,
            save_iv=bool(word0 & reg.CMD0_SAVE_IV),
            save_hash=bool(word0 & reg.CMD0_SAVE_HASH),
            copy_digest=bool(word1 & reg.CMD1_COPY_DIGEST),
            copy_header=bool(word1 & reg.CMD1_COPY_HEADER),
            copy_payload=bool(word1 & reg.CMD1_COPY_PAYLOAD),
            copy_pad=bool(word1 & reg.CMD1_COPY_PAD),
            mode=word1 >> reg.CMD1_CIPHER_MODE_SHIFT & 3,
            hmac=bool(word1 & reg.CMD1_HMAC),
            byte_offset=bool(word1 & reg.CMD1_BYTE_OFFSET),
            offset=word1 >> reg.CMD1_OFFSET_SHIFT & 0xFF,
            aes_key_length=0 if arc4 else word1 >> reg.CMD1_AES_KEY_LENGTH_SHIFT & 7,
            arc4_key_length=word1 >> reg.CMD1_ARC4_KEY_LENGTH_SHIFT & 0x1F if arc4 else 0,
            pad_streams=bool(word0 & reg.CMD0_SCPAD),
            header_processing=bool(word0 & reg.CMD0_HDR_PROC),
            sequence_check=bool(word1 & reg.CMD1_SEQNUM_CHECK),
            aes_last_key=not arc4 and bool(word1 & reg.CMD1_AES_DEC_KEY),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SARecord:
    """An SA record; byte strings shorter than their place are padded with zeros.

    Attributes:
        command: The two command words.
        key: Cipher key, at most 32 bytes.
        inner_digest: HMAC inner state in memory order, at most 32 bytes.
        outer_digest: HMAC outer state in memory order, at most 32 bytes.
        spi: The security parameters index of ESP.
        sequence: The sequence number of ESP.
        sequence_mask: Which of the last 64 numbers have arrived, the newest in bit 0.
        nonce: 4 bytes: the nonce of counter mode, or i and j of ARC4.
    """

    command: SACommand
    key: bytes = b""
    inner_digest: bytes = b""
    outer_digest: bytes = b""
    spi: int = 0
    sequence: int = 0
    sequence_mask: int = 0xFFFF_FFFF
    nonce: bytes = b""

    def pack(self) -> bytes:
        """The record as 128 bytes; ValueError when a field is too long."""
        return _SA_RECORD.pack(
            self.command.word0,
            self.command.word1,
            _bytes("key", self.key, 32),
            _bytes("inner_digest", self.inner_digest, 32),
            _bytes("outer_digest", self.outer_digest, 32),
            self.spi,
            self.sequence,
            self.sequence_mask,
            _bytes("nonce", self.nonce, 4),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecord:
    """A state record.

    Attributes:
        iv: 16 bytes, or 8 for DES.
        byte_count: Bytes hashed so far.
        digest: Hash state in memory order, at most 32 bytes.
    """

    iv: bytes = b""
    byte_count: int = 0
    digest: bytes = b""

    def pack(self) -> bytes:
        """The record as 56 bytes; ValueError when a field is too long."""
        iv = _bytes("iv", self.iv, 16)
        return _STATE_RECORD.pack(iv, self.byte_count, _bytes("digest", self.digest, 32))

    @classmethod
    def unpack(cls, data: bytes) -> StateRecord:
        """Read a record from exactly 56 bytes."""
        iv, byte_count, digest = _STATE_RECORD.unpack(data)
        return cls(iv=iv, byte_count=byte_count, digest=digest)


def swap_words(data: bytes) -> bytes:
    """Reverse the bytes inside every 32-bit word; `data` is a multiple of 4 bytes long.

    The hash core keeps its state as native 32-bit words, and memory holds them little-endian.  So
    the digest words of SHA-1, SHA-224 and SHA-256 lie in memory with their bytes reversed against
    the standards, which are big-endian; those of MD5 already lie in order.
    """
    count = len(data) // 4
    return struct.pack(f"<{count}I", *struct.unpack(f">{count}I", data))


def _field(name: str, value: int, bits: int) -> int:
    if not 0 <= value < 1 << bits:
        raise ValueError(f"{name} {value} does not fit in {bits} bits")
    return value


def _bytes(name: str, value: bytes, limit: int) -> bytes:
    if len(value) > limit:
        raise ValueError(f"{name} is {len(value)} bytes long, there is room for {limit}")
    return value

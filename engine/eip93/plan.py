"""What the engine makes of the two command words of an SA record.

A plan is decoded once per pair of command words and kept, since drivers build few of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.ciphers import AES_BLOCK, DES_BLOCK, CipherCore, CipherFunction
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.hashing import HASHES, HashAlgorithm
from tcrypt.engine.eip93.options import Options
from tcrypt.engine.eip93.padding import NEVER, NULL_ALIGNMENTS, block_alignments
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    Digest,
    HashSource,
    IVSource,
    Opcode,
    PadType,
    SACommand,
)
from tcrypt.engine.eip93.variants import MissingAESKey, Timing, Variant

__all__ = ("CipherPlan", "HashPlan", "Plan", "Planner")

# (group, inbound) -> opcodes that exist; every other combination is a reserved operation.  Group 3
# is reserved in the field table; one decode table of the manual prints it for group 2.
_OPCODES: Final = {
    (0, False): frozenset({0, 1, 3, 7}),
    (0, True): frozenset({0, 1, 3}),
    (1, False): frozenset({0, 4, 5, 7}),
    (1, True): frozenset({0, 2, 3, 7}),
    (2, False): frozenset({1, 4, 5, 6}),
    (2, True): frozenset({1, 4, 5, 6}),
}
_UNMODELLED: Final = (
    (0, reg.CMD0_SCPAD, "padding of stream ciphers (SCPAD)"),
    (0, reg.CMD0_EXT_PAD, "extended pad types (EXT_PAD)"),
    (0, reg.CMD0_HDR_PROC, "protocol header processing (HDR_PROC)"),
    (1, reg.CMD1_SSL_MAC, "the SSL MAC (SSL_MAC)"),
    (1, reg.CMD1_SEQNUM_CHECK, "sequence number checks (SEQNUM_CHK)"),
)
_AES_KEY_BYTES: Final = frozenset({16, 24, 32})
_KEY_BYTES: Final = {Cipher.DES: 8, Cipher.TDES: 24, Cipher.NULL: 0}
_DEFAULT_TAG_WORDS: Final = 3
_TEN_BYTE_TAG: Final = 10
_LONGEST_TAG_WORDS: Final = 8
_CACHED_PLANS: Final = 1024


@dataclass(frozen=True, slots=True)
class CipherPlan:
    """The cipher half of an operation.

    Attributes:
        run: Takes key, IV and data, gives output and next IV.
        key_bytes: Length of the key at the start of the SA record's key field.
        block: Bytes of which the input must be a multiple; 1 for stream ciphers.
        iv_bytes: Length of the IV; 0 where the mode has none.
        iv_from_state: Whether it is read from the state record, or kept from the last packet.
        save_iv: Whether the next IV goes into the state record.
        pad_type: What outbound data is padded with.
        alignments: Pad control to the bytes to which outbound data is padded.
        clocks: Engine clocks per 16 bytes.
    """

    run: CipherFunction
    key_bytes: int
    block: int
    iv_bytes: int
    iv_from_state: bool
    save_iv: bool
    pad_type: PadType
    alignments: Mapping[int, int]
    clocks: int


@dataclass(frozen=True, slots=True)
class HashPlan:
    """The hash half of an operation.

    Attributes:
        algorithm: The hash.
        source: Where its inner state and byte count come from.
        hmac: Whether the outer hash follows; then the hash is always final.
        save: Whether byte count and digest go into the state record.
        tag_bytes: How much of the digest is appended or compared.
        clocks: Engine clocks per 16 bytes.
    """

    algorithm: HashAlgorithm
    source: HashSource
    hmac: bool
    save: bool
    tag_bytes: int
    clocks: int


@dataclass(frozen=True, slots=True)
class Plan:
    """An operation, ready to be run on any number of packets.

    Attributes:
        command: The decoded command words.
        status: 0, or the error status of a reserved operation or algorithm.
        cipher: None when nothing is ciphered; the same for `hash`.
        offset: Leading bytes, after the bypass, that are hashed and not ciphered.
        clocks: Engine clocks per 16 bytes; cipher and hash work side by side.
    """

    command: SACommand
    status: int = 0
    cipher: CipherPlan | None = None
    hash: HashPlan | None = None
    offset: int = 0
    clocks: int = 0


class Planner:
    """Decodes command words for one device."""

    def __init__(self, variant: Variant) -> None:
        self._variant = variant
        self._options = Options.decode(variant.option_1)
        self._ciphers = CipherCore(ctr_tail_counts=variant.ctr_tail_counts)
        self._plans: dict[tuple[int, int], Plan] = {}

    def plan(self, words: tuple[int, int]) -> Plan:
        """The plan for SA_CMD0 and SA_CMD1.

        Raises:
            NotModelled: they ask for something that the hardware has and the model lacks.
            DriverFault: they hold a combination for which no answer is defined.
        """
        plan = self._plans.get(words)
        if plan is None:
            if len(self._plans) >= _CACHED_PLANS:
                self._plans.clear()
            plan = self._plans[words] = self._decode(words)
        return plan

    def _decode(self, words: tuple[int, int]) -> Plan:
        command = SACommand.decode(*words)
        if command.opcode not in _OPCODES.get((command.group, command.inbound), ()):
            return Plan(command, reg.ERR_OPERATION)
        if command.group:
            raise NotModelled("SA_CMD0", words[0], f"protocol operations, group {command.group}")
        if command.opcode == Opcode.PRNG:
            raise NotModelled("SA_CMD0", words[0], "the random number generator")
        for index, bit, feature in _UNMODELLED:
            if words[index] & bit:
                raise NotModelled(f"SA_CMD{index}", words[index], feature)
        if not self._algorithms_exist(command):
            return Plan(command, reg.ERR_ALGORITHM)
        offset = command.offset if command.byte_offset else command.offset * 4
        if offset and command.opcode != Opcode.CRYPT_AND_HASH:
            what = "HASH_CRYPT_OFFSET outside of combined operations"
            raise NotModelled("SA_CMD1", words[1], what)
        cipher, hash_ = self._cipher(command, words), self._hash(command, words)
        clocks = max(cipher.clocks if cipher else 0, hash_.clocks if hash_ else 0)
        return Plan(command, 0, cipher, hash_, offset, clocks)

    def _algorithms_exist(self, command: SACommand) -> bool:
        """Whether both encodings are valid, and the device has what the operation uses."""
        try:
            cipher, digest = Cipher(command.cipher), Digest(command.digest)
        except ValueError:
            return False
        options = self._options
        if command.opcode != Opcode.CRYPT and not options.supports_digest(digest):
            return False
        if command.opcode == Opcode.HASH:
            return True
        length = command.aes_key_length * 8
        if self._variant.missing_aes_key is MissingAESKey.ERROR and length in _AES_KEY_BYTES:
            return options.supports_cipher(cipher, length)
        return options.supports_cipher(cipher)

    def _cipher(self, command: SACommand, words: tuple[int, int]) -> CipherPlan | None:
        if command.opcode == Opcode.HASH:
            return None
        cipher, mode = Cipher(command.cipher), CipherMode(command.mode)
        if cipher is Cipher.ARC4:
            raise NotModelled("SA_CMD0", words[0], "the ARC4 cipher")
        key_bytes = self._key_bytes(cipher, command, words[1])
        native = AES_BLOCK if cipher is Cipher.AES else DES_BLOCK
        streams = cipher is Cipher.NULL or mode is CipherMode.CTR
        has_iv = cipher is not Cipher.NULL and mode is not CipherMode.ECB
        if has_iv:
            _check_iv_mode(cipher, mode, command, words)
        if cipher is Cipher.NULL and self._variant.null_cipher_pads:
            alignments = NULL_ALIGNMENTS
        else:
            alignments = NEVER if streams else block_alignments(native)
        return CipherPlan(
            run=self._ciphers.function(cipher, mode, command.inbound),
            key_bytes=key_bytes,
            block=1 if streams else native,
            iv_bytes=native if has_iv else 0,
            iv_from_state=command.iv_source == IVSource.STATE,
            save_iv=command.save_iv and has_iv,
            pad_type=PadType(command.pad_type),
            alignments=alignments,
            clocks=_cipher_clocks(self._variant.timing, cipher, key_bytes),
        )

    def _key_bytes(self, cipher: Cipher, command: SACommand, word1: int) -> int:
        if cipher is not Cipher.AES:
            return _KEY_BYTES[cipher]
        if word1 & reg.CMD1_AES_DEC_KEY:
            raise NotModelled("SA_CMD1", word1, "keys that hold the last round key (AES_DEC_KEY)")
        length = command.aes_key_length * 8
        if length not in _AES_KEY_BYTES:
            raise DriverFault("SA_CMD1", word1, "AES_KEY_LENGTH is 2, 3 or 4 (64-bit words)")
        # A length that the core was built without is taken for the one it surely can do.
        return length if self._options.supports_cipher(cipher, length) else AES_BLOCK

    def _hash(self, command: SACommand, words: tuple[int, int]) -> HashPlan | None:
        if command.opcode == Opcode.CRYPT or command.digest == Digest.NULL:
            return None
        digest = Digest(command.digest)
        try:
            source = HashSource(command.hash_source)
        except ValueError:
            raise DriverFault("SA_CMD0", words[0], "HASH_SOURCE 1 is reserved") from None
        timing = self._variant.timing
        clocks = {Digest.MD5: timing.md5, Digest.SHA1: timing.sha1}.get(digest, timing.sha256)
        return HashPlan(
            algorithm=HASHES[digest],
            source=source,
            hmac=command.hmac,
            save=command.save_hash,
            tag_bytes=_tag_bytes(command, HASHES[digest], words[0]),
            clocks=clocks,
        )


def _check_iv_mode(
    cipher: Cipher, mode: CipherMode, command: SACommand, words: tuple[int, int]
) -> None:
    if cipher is not Cipher.AES and mode is not CipherMode.CBC:
        raise DriverFault("SA_CMD1", words[1], f"{mode.name} mode is for AES only")
    if mode is CipherMode.ICM:
        raise NotModelled("SA_CMD1", words[1], "ICM mode")
    if command.iv_source == IVSource.INPUT:
        raise NotModelled("SA_CMD0", words[0], "an IV from the input of a basic operation")
    if command.iv_source == IVSource.PRNG:
        raise NotModelled("SA_CMD0", words[0], "an IV from the random number generator")


def _tag_bytes(command: SACommand, algorithm: HashAlgorithm, word0: int) -> int:
    """DIGEST_LENGTH in bytes; 0 there means 3 words."""
    words = command.digest_length or _DEFAULT_TAG_WORDS
    if words == _TEN_BYTE_TAG:
        raise NotModelled("SA_CMD0", word0, "the 10-byte digest of SRTP and TLS")
    if words > _LONGEST_TAG_WORDS:
        raise DriverFault("SA_CMD0", word0, f"DIGEST_LENGTH {words} is reserved")
    if words * 4 > algorithm.digest_bytes:
        rule = f"DIGEST_LENGTH {words} is more than {algorithm.name} has words"
        raise DriverFault("SA_CMD0", word0, rule)
    return words * 4


def _cipher_clocks(timing: Timing, cipher: Cipher, key_bytes: int) -> int:
    if cipher is Cipher.AES:
        return {16: timing.aes_128, 24: timing.aes_192, 32: timing.aes_256}[key_bytes]
    return {Cipher.DES: timing.des, Cipher.TDES: timing.tdes}.get(cipher, 0)

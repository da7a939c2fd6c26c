"""Decoding of the two command words of an SA record into a plan, for one device.

Source: Analog Devices PKTE chapter, "Configuring Operations in the PKTE" and the tables of
algorithms, IV formats and pad alignments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.ciphers import AES_BLOCK, DES_BLOCK, CipherCore
from tcrypt.engine.eip93.command_rules import (
    arc4_is_stateful,
    check_mode,
    crypt_offset,
    iv_source_of,
    pad_type_of,
    refuse_protocol_bits,
)
from tcrypt.engine.eip93.errors import DriverFault, NotModelled
from tcrypt.engine.eip93.hashing import HASHES, HashAlgorithm
from tcrypt.engine.eip93.options import Options
from tcrypt.engine.eip93.padding import (
    ESP_ALIGNMENTS,
    NEVER,
    NULL_ALIGNMENTS,
    STREAM_ALIGNMENTS,
    VERIFIED,
    block_alignments,
)
from tcrypt.engine.eip93.plan import CipherPlan, HashPlan, Kind, Plan
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    Digest,
    HashSource,
    IVSource,
    Opcode,
    SACommand,
)
from tcrypt.engine.eip93.variants import MissingAESKey, Timing, Variant

__all__ = ("Planner",)

# (group, inbound) -> opcodes that exist; every other combination is a reserved operation.
_BASIC: Final = {False: frozenset({0, 1, 3, 7}), True: frozenset({0, 1, 3})}
_PROTOCOL: Final = {False: frozenset({0, 4, 5, 7}), True: frozenset({0, 2, 3, 7})}
_EXTENDED: Final = frozenset({1, 4, 5, 6})
_ESP: Final = 0
_AES_KEY_BYTES: Final = frozenset({16, 24, 32})
_KEY_BYTES: Final = {Cipher.DES: 8, Cipher.TDES: 24, Cipher.NULL: 0}
_ARC4_KEY_BYTES: Final = range(5, 17)
_DEFAULT_TAG_WORDS: Final = 3
_TEN: Final = 10
_LONGEST_TAG_WORDS: Final = 8
_CACHED_PLANS: Final = 1024
_DES_ROUNDS: Final = {Cipher.DES: 16, Cipher.TDES: 48}
_HASH_ROUNDS: Final = {Digest.SHA1: 80}
_USUAL_HASH_ROUNDS: Final = 64


class Planner:
    """Decodes command words for one device."""

    def __init__(self, variant: Variant) -> None:
        self._variant = variant
        self._options = Options.decode(variant.option_1)
        self._ciphers = CipherCore(
            ctr_tail_counts=variant.ctr_tail_counts, icm_counter_bits=variant.icm_counter_bits
        )
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

    @cached_property
    def random(self) -> Plan:
        """The plan of a command whose PRNG mode needs no SA record."""
        timing = self._variant.timing
        return Plan(
            SACommand(opcode=Opcode.PRNG),
            Kind.RANDOM,
            fixed=timing.descriptor + timing.fill,
            clocks=3 * timing.aes(AES_BLOCK),
        )

    def _decode(self, words: tuple[int, int]) -> Plan:
        command = SACommand.decode(*words)
        timing = self._variant.timing
        fixed = timing.descriptor + timing.sa
        if not self._exists(command):
            return Plan(command, status=reg.ERR_OPERATION, fixed=fixed)
        if command.group == 0 and command.opcode == Opcode.PRNG:
            return Plan(command, Kind.RANDOM, fixed=fixed)
        esp = command.group == 1 and command.opcode == _ESP
        if command.group and not esp:
            what = f"the protocol operation {command.opcode} of group {command.group}"
            raise NotModelled("SA_CMD0", words[0], what)
        if not esp:
            refuse_protocol_bits(words)
        if not self._algorithms_exist(command, esp):
            return Plan(command, status=reg.ERR_ALGORITHM, fixed=fixed)
        cipher, hash_ = self._cipher(command, words, esp), self._hash(command, words, esp)
        kind = Kind.ESP if esp else Kind.BASIC
        offset = crypt_offset(command, words, cipher)
        return self._timed(Plan(command, kind, 0, cipher, hash_, offset, fixed))

    def _exists(self, command: SACommand) -> bool:
        """Whether the operation is none of the reserved ones."""
        if command.group == 0:
            return command.opcode in _BASIC[command.inbound]
        if command.group == 1:
            return command.opcode in _PROTOCOL[command.inbound]
        return command.group == self._variant.extended_group and command.opcode in _EXTENDED

    def _timed(self, plan: Plan) -> Plan:
        """The same plan with the clocks that its packets take."""
        timing, cipher, hash_ = self._variant.timing, plan.cipher, plan.hash
        iv = cipher.iv_bytes if cipher and cipher.iv_source is IVSource.STATE else 0
        loads = hash_ is not None and hash_.source is HashSource.STATE
        saved = cipher.iv_bytes if cipher and cipher.save_iv else 0
        saves = hash_ is not None and hash_.save
        fixed = plan.fixed + timing.fill + timing.state(iv_bytes=iv, hashes=loads)
        fixed += timing.state(iv_bytes=saved, hashes=saves)
        if cipher and cipher.arc4:
            fixed += timing.arc4_setup
        clocks = max(timing.move, cipher.clocks if cipher else 0, hash_.clocks if hash_ else 0)
        plain = plan.kind is Kind.BASIC
        return replace(plan, fixed=fixed, clocks=clocks, plain=plain)

    def _algorithms_exist(self, command: SACommand, esp: bool) -> bool:
        """Whether both encodings are valid, and the device has what the operation uses."""
        try:
            cipher, digest = Cipher(command.cipher), Digest(command.digest)
        except ValueError:
            return False
        options = self._options
        if (esp or command.opcode != Opcode.CRYPT) and not options.supports_digest(digest):
            return False
        if not esp and command.opcode == Opcode.HASH:
            return True
        length = command.aes_key_length * 8
        if self._variant.missing_aes_key is MissingAESKey.ERROR and length in _AES_KEY_BYTES:
            return options.supports_cipher(cipher, length)
        return options.supports_cipher(cipher)

    def _cipher(self, command: SACommand, words: tuple[int, int], esp: bool) -> CipherPlan | None:
        if not esp and command.opcode == Opcode.HASH:
            return None
        cipher, mode = Cipher(command.cipher), CipherMode(command.mode)
        pad_type = pad_type_of(command, words[0])
        key_bytes = self._key_bytes(cipher, command, words[1])
        native = AES_BLOCK if cipher is Cipher.AES else DES_BLOCK
        arc4 = cipher is Cipher.ARC4
        streams = cipher in (Cipher.NULL, Cipher.ARC4) or mode in (CipherMode.CTR, CipherMode.ICM)
        has_iv = cipher is not Cipher.NULL and not arc4 and mode is not CipherMode.ECB
        if has_iv:
            check_mode(cipher, mode, words, esp)
        counter = has_iv and mode is CipherMode.CTR
        return CipherPlan(
            run=self._ciphers.function(Cipher.NULL if arc4 else cipher, mode, command.inbound),
            key_bytes=key_bytes,
            last_key=cipher is Cipher.AES and command.aes_last_key,
            block=1 if streams else native,
            iv_bytes=native if has_iv else 0,
            iv_source=iv_source_of(command, mode, words[0], has_iv, esp),
            counter=counter,
            arc4=1 + arc4_is_stateful(command, words[1]) if arc4 else 0,
            save_iv=command.save_iv and (has_iv or arc4),
            pad_type=pad_type,
            alignments=self._alignments(command, cipher, native, streams, esp),
            verifies=pad_type in VERIFIED
            and (esp or not streams or cipher is Cipher.NULL or command.pad_streams),
            clocks=_cipher_clocks(self._variant.timing, cipher, key_bytes),
        )

    def _alignments(
        self, command: SACommand, cipher: Cipher, native: int, streams: bool, esp: bool
    ) -> Mapping[int, int]:
        if not streams:
            return block_alignments(native)
        if esp:
            return ESP_ALIGNMENTS
        if command.pad_streams:
            return STREAM_ALIGNMENTS
        pads = cipher is Cipher.NULL and self._variant.null_cipher_pads
        return NULL_ALIGNMENTS if pads else NEVER

    def _key_bytes(self, cipher: Cipher, command: SACommand, word1: int) -> int:
        if cipher is Cipher.ARC4:
            if command.arc4_key_length not in _ARC4_KEY_BYTES and not command.mode:
                raise DriverFault("SA_CMD1", word1, "ARC4 keys have 5 to 16 bytes")
            return command.arc4_key_length
        if cipher is not Cipher.AES:
            return _KEY_BYTES[cipher]
        length = command.aes_key_length * 8
        if length not in _AES_KEY_BYTES:
            raise DriverFault("SA_CMD1", word1, "AES_KEY_LENGTH is 2, 3 or 4 (64-bit words)")
        # A length that the core was built without is taken for the one it surely can do.
        return length if self._options.supports_cipher(cipher, length) else AES_BLOCK

    def _hash(self, command: SACommand, words: tuple[int, int], esp: bool) -> HashPlan | None:
        unused = not esp and command.opcode == Opcode.CRYPT
        if unused or command.digest == Digest.NULL:
            return None
        digest = Digest(command.digest)
        try:
            source = HashSource(command.hash_source)
        except ValueError:
            raise DriverFault("SA_CMD0", words[0], "HASH_SOURCE 1 is reserved") from None
        return HashPlan(
            algorithm=HASHES[digest],
            source=HashSource.SA if esp else source,
            hmac=esp or command.hmac,
            save=command.save_hash and not esp,
            tag_bytes=self._tag_bytes(command, HASHES[digest], words[0]),
            clocks=self._variant.timing.hash(_HASH_ROUNDS.get(digest, _USUAL_HASH_ROUNDS)),
        )

    def _tag_bytes(self, command: SACommand, algorithm: HashAlgorithm, word0: int) -> int:
        """DIGEST_LENGTH in bytes; 0 there means 3 words."""
        words = command.digest_length or _DEFAULT_TAG_WORDS
        if words == _TEN and self._variant.ten_is_bytes:
            return _TEN
        if words > _LONGEST_TAG_WORDS:
            raise DriverFault("SA_CMD0", word0, f"DIGEST_LENGTH {words} is reserved")
        if words * 4 > algorithm.digest_bytes:
            rule = f"DIGEST_LENGTH {words} is more than {algorithm.name} has words"
            raise DriverFault("SA_CMD0", word0, rule)
        return words * 4


def _cipher_clocks(timing: Timing, cipher: Cipher, key_bytes: int) -> float:
    if cipher is Cipher.AES:
        return timing.aes(key_bytes)
    if cipher is Cipher.ARC4:
        return 16 * timing.arc4_byte
    return timing.des(_DES_ROUNDS[cipher]) if cipher in _DES_ROUNDS else 0

"""What the engine makes of the two command words of an SA record.

A plan is decoded once per pair of command words and kept, since drivers build few of them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from tcrypt.engine.eip93.ciphers import CipherFunction
from tcrypt.engine.eip93.hashing import HashAlgorithm
from tcrypt.engine.eip93.records import HashSource, IVSource, PadType, SACommand

__all__ = ("CipherPlan", "HashPlan", "Kind", "Plan")


class Kind(enum.Enum):
    """Which part of the engine an operation is for."""

    BASIC = "basic"
    ESP = "ESP"
    RANDOM = "random numbers"


@dataclass(frozen=True, slots=True)
class CipherPlan:
    """The cipher half of an operation.

    Attributes:
        run: Takes key, IV and data, gives output and next IV.
        key_bytes: Length of the key at the start of the SA record's key field.
        last_key: Whether that field holds the last round keys instead.
        block: Bytes of which the input must be a multiple; 1 for stream ciphers.
        iv_bytes: Length of the IV; 0 where the mode has none.
        iv_source: Where it comes from.
        counter: Whether an IV is built around a nonce: AES in CTR mode.
        arc4: 0, or for ARC4 1 when stateless and 2 when stateful.
        save_iv: Whether the next IV goes into the state record.
        pad_type: What outbound data is padded with, and inbound data looked at for.
        alignments: Pad control to the bytes to which outbound data is padded; 0 for never.
        verifies: Whether inbound padding is looked for.
        clocks: Engine clocks per 16 bytes.
    """

    run: CipherFunction
    key_bytes: int
    last_key: bool
    block: int
    iv_bytes: int
    iv_source: IVSource
    counter: bool
    arc4: int
    save_iv: bool
    pad_type: PadType
    alignments: Mapping[int, int]
    verifies: bool
    clocks: float


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
    clocks: float


@dataclass(frozen=True, slots=True)
class Plan:
    """An operation, ready to be run on any number of packets.

    Attributes:
        command: The decoded command words.
        kind: Which part of the engine it is for.
        status: 0, or the error status of a reserved operation or algorithm.
        cipher: None when nothing is ciphered; the same for `hash`.
        offset: Leading bytes, after the bypass, that are hashed and not ciphered.
        fixed: Engine clocks of a packet besides its data.
        clocks: Engine clocks per 16 bytes; cipher, hash and bus work side by side.
        plain: Whether it is a basic operation that can be done.
    """

    command: SACommand
    kind: Kind = Kind.BASIC
    status: int = 0
    cipher: CipherPlan | None = None
    hash: HashPlan | None = None
    offset: int = 0
    fixed: float = 0
    clocks: float = 0
    plain: bool = False

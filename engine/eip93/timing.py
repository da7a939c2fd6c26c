"""How long the engine takes, in its own clocks: the figures, and what they make of a packet.

Nobody publishes cycle counts of the EIP-93.  The figures are fitted to what MT7621 owners measured
(eip93, section 6): large packets run at 65 MB/s with AES-128, 47.5 MB/s with AES-256 and 133 MB/s
with DES, whose ratio of 1.37 for 14 against 10 rounds says that the rounds set the pace; and 23.5
microseconds for 1 KiB in AES-256 under load leave 2 for everything around the data.  Hashes were
never measured alone; one clock per round is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("HOST_ALONE", "HOST_KERNEL", "HOST_LOADED", "Timing")

# What a request costs the processor, in ns: one process that waits for each, the same from inside
# of the kernel, and eight processes at once (see `calibration`).
HOST_ALONE = 34_800
HOST_KERNEL = 30_000
HOST_LOADED = 16_500

_DESCRIPTOR_WORDS = 8
_SA_WORDS = 32
_HASH_STATE_WORDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Clocks of the engine's parts.

    Attributes:
        dma_setup: From a request to the first word of a burst.
        dma_word: One 32-bit word of a burst.
        aes_block: Whatever an AES block takes besides its rounds.
        aes_round: One AES round, of 10, 12 or 14 per 16 bytes.
        des_round: One DES round, of 16 (48 in Triple-DES) per 8 bytes.
        arc4_byte: One byte of ARC4.
        arc4_setup: Building the S-box from a key.
        hash_block: Whatever a 64-byte block of a hash takes besides its steps.
        hash_round: One step of a hash: 64 per block in MD5 and SHA-2, 80 in SHA-1.
        interrupt: From the count of a result to the interrupt line.
        register_read: What a register read keeps the processor from its work; the processor's
            time, counted in the engine's clocks.  Nobody measured it on an EIP-93; assumed is a
            round trip over a bus such as the MT7621's.
        register_write: The same for a write, which the bus takes over before it arrives.
    """

    dma_setup: int = 16
    dma_word: int = 1
    aes_block: float = 2.2
    aes_round: float = 2.25
    des_round: float = 0.375
    arc4_byte: float = 4
    arc4_setup: float = 768
    hash_block: float = 4
    hash_round: float = 1
    interrupt: int = 0
    register_read: int = 15
    register_write: int = 5

    def burst(self, words: int) -> int:
        """Clocks of one transfer."""
        return self.dma_setup + words * self.dma_word

    @property
    def descriptor(self) -> int:
        """Clocks to fetch a command, to update it, and to write its result."""
        return 3 * self.burst(_DESCRIPTOR_WORDS)

    @property
    def sa(self) -> int:
        """Clocks to fetch an SA record."""
        return self.burst(_SA_WORDS)

    def state(self, *, iv_bytes: int, hashes: bool) -> int:
        """Clocks to read, or to write, the parts of the state record that a packet uses."""
        iv = self.burst(iv_bytes // 4) if iv_bytes else 0
        return iv + (self.burst(_HASH_STATE_WORDS) if hashes else 0)

    @property
    def fill(self) -> int:
        """Clocks for the first block to reach the core and the last one to leave it."""
        return 2 * self.burst(4)

    @property
    def move(self) -> int:
        """Clocks per 16 bytes that the bus is busy, in and out; the cores work meanwhile."""
        return 8 * self.dma_word

    def aes(self, key_bytes: int) -> float:
        """Clocks per 16 bytes of AES with a key of that length."""
        return self.aes_block + self.aes_round * (6 + key_bytes // 4)

    def des(self, rounds: int) -> float:
        """Clocks per 16 bytes of DES (16 rounds) or Triple-DES (48)."""
        return 2 * self.des_round * rounds

    def hash(self, rounds: int) -> float:
        """Clocks per 16 bytes of a hash with that many steps per 64-byte block."""
        return (self.hash_block + self.hash_round * rounds) / 4

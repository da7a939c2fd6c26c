"""The cipher half of the packet core: keys, IVs, and what of them goes back into the records.

Source: Analog Devices PKTE chapter, "IV Processing" and "ARC4 Processing".
"""

from __future__ import annotations

from typing import Final

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.aes_keys import original_key
from tcrypt.engine.eip93.arc4 import arc4_crypt, arc4_state
from tcrypt.engine.eip93.errors import FaultLog
from tcrypt.engine.eip93.lanes import DMABus
from tcrypt.engine.eip93.plan import CipherPlan
from tcrypt.engine.eip93.prng import Random
from tcrypt.engine.eip93.records import IVSource
from tcrypt.engine.eip93.variants import Variant
from tcrypt.engine.sim import BusError

__all__ = ("CipherUnit",)

_AES_IV_BYTES: Final = 16
_EXPLICIT: Final = slice(4, 12)  # of a counter block: between nonce and block counter
_FIRST_BLOCK: Final = (1).to_bytes(4)
_ARC4_STATEFUL: Final = 2
_STATE: Final = IVSource.STATE


class _Missing:
    """Memory that does not answer once, and then is again what it was."""

    def __init__(self, unit: CipherUnit, bus: DMABus) -> None:
        self._unit = unit
        self._bus = bus

    def read(self, address: int, length: int, /) -> bytes:
        self._unit._records = self._bus
        raise BusError(address, length, "injected fault")

    def write(self, address: int, data: bytes, /) -> None:
        self.read(address, len(data))


class CipherUnit:
    """Ciphers of one device, with the way to data and records.

    Attributes:
        random: The random number generator.
        faults: The log of rules that a driver broke.
    """

    def __init__(self, bus: DMABus, variant: Variant) -> None:
        self.random = Random()
        self.faults = FaultLog()
        self._bus = bus
        self._records = bus
        self._held: list[tuple[int, bytes]] | None = None
        self._variant = variant
        self._finds_tags = True
        self._iv = bytes(_AES_IV_BYTES)

    def reset(self) -> None:
        """Forget the IV that the last packet left behind, and the random numbers."""
        self._iv = bytes(_AES_IV_BYTES)
        self.random.reset()

    def mount(self, data: DMABus, records: DMABus, *, finds_tags: bool = True) -> None:
        """Say where data lies, and where SA and state records do.

        Where input is streamed and not addressed, a tag behind it cannot be found.
        """
        self._bus, self._records, self._finds_tags = data, records, finds_tags

    def miss_state(self) -> None:
        """Inject a fault: the next access to a record meets a bus error."""
        self._records = _Missing(self, self._records)

    def hold(self) -> None:
        """Let the writes to SA and state record of the next packet wait for `commit`."""
        self._held = []

    def commit(self) -> None:
        """Do the writes that were held back; raises BusError."""
        held, self._held = self._held or (), None
        for address, data in held:
            self._records.write(address, data)

    def _cipher(
        self, cipher: CipherPlan, words: tuple[int, ...], sa: bytes, data: bytes, header: bytes
    ) -> tuple[bytes, bytes]:
        """Output and next IV; the engine keeps that IV for packets that read none."""
        if cipher.arc4:
            return arc4_crypt(self._arc4_state(cipher, words, sa), data)
        key = sa[reg.SA_KEY : reg.SA_KEY + cipher.key_bytes]
        if cipher.last_key:
            key = original_key(key)
        size = cipher.iv_bytes
        if not size:
            return cipher.run(key, b"", data)
        if cipher.iv_source is _STATE:
            iv = self._records.read(words[4] + reg.STATE_IV, size)
        else:
            iv = self._first_iv(cipher, words, sa, header)
        text, iv = cipher.run(key, iv, data)
        self._iv = iv + self._iv[size:]
        return text, iv

    def _first_iv(
        self, cipher: CipherPlan, words: tuple[int, ...], sa: bytes, header: bytes
    ) -> bytes:
        size, source = cipher.iv_bytes, cipher.iv_source
        if source is _STATE:
            return self._records.read(words[4] + reg.STATE_IV, size)
        if source is IVSource.KEEP:
            return self._iv[:size]
        if source is IVSource.PRNG:
            iv = self.random.block()
            explicit = iv[_EXPLICIT] if cipher.counter else iv[:size]
        else:
            length = 8 if cipher.counter else size
            ends = self._variant.input_iv_ends_header
            explicit = header[-length:] if ends else header[:length]
        if cipher.counter:
            return sa[reg.SA_NONCE : reg.SA_NONCE + 4] + explicit + _FIRST_BLOCK
        return explicit

    def _arc4_state(self, cipher: CipherPlan, words: tuple[int, ...], sa: bytes) -> bytes:
        """The state that a packet begins with: from its key, or where the last one left it."""
        if cipher.arc4 == _ARC4_STATEFUL and not words[0] & reg.CONTROL_INIT_ARC4:
            pointers = sa[reg.SA_NONCE : reg.SA_NONCE + 2]
            return pointers + self._records.read(words[5], reg.ARC4_BYTES)
        return arc4_state(sa[reg.SA_KEY : reg.SA_KEY + cipher.key_bytes])

    def _save_iv(self, cipher: CipherPlan, words: tuple[int, ...], iv: bytes) -> None:
        if cipher.arc4:
            self._save(words[5], iv[2:])
            self._save(words[3] + reg.SA_NONCE, iv[:2] + bytes(2))
        else:
            self._save(words[4] + reg.STATE_IV, iv)

    def _save(self, address: int, data: bytes) -> None:
        """Write to a record, or hold that back."""
        if self._held is None:
            self._records.write(address, data)
        else:
            self._held.append((address, data))

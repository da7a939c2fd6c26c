"""The random number generator: ANSI X9.31 (appendix A.2.4) over AES-128.

    I = E(DT)    R = E(I ^ V)    V = E(R ^ I)

with R the output, V the seed and DT the date and time vector.  The engine's DT is a shift register
that its clock advances every 128 cycles, by a rule that is not published; so that a run can be
repeated, the model adds 1 to DT for every block instead.

Source: Analog Devices PKTE chapter, "Pseudo-Random Number Generator".
"""

from __future__ import annotations

from typing import Final

from Crypto.Cipher import AES

from tcrypt.engine.eip93.errors import DriverFault

__all__ = ("BLOCK_BYTES", "Random")

BLOCK_BYTES: Final = 16
_DT_VALUES: Final = 1 << 128


class Random:
    """The generator of one device; it has to be initialised before it gives anything."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Power-on reset: no key, no seed."""
        self._key = b""
        self._seed = 0
        self._time = 0

    def initialise(self, key: bytes, seed: bytes, time: bytes) -> None:
        """Set key, seed V and date/time vector DT, 16 bytes each.

        Raises:
            DriverFault: DT is zero, which the manual forbids.
        """
        if not any(time):
            raise DriverFault("SA outer digest", time, "the date/time vector is not zero")
        self._key = key
        self._seed = int.from_bytes(seed)
        self._time = int.from_bytes(time)

    def block(self, time: bytes | None = None) -> bytes:
        """The next 16 bytes; test mode gives the date/time vector itself.

        Raises:
            DriverFault: the generator was not initialised.
        """
        if not self._key:
            raise DriverFault("descriptor word 0", time, "random numbers follow a PRNG init")
        if time is None:
            time = self._time.to_bytes(BLOCK_BYTES)
            self._time = (self._time + 1) % _DT_VALUES
        encrypt = AES.new(self._key, AES.MODE_ECB).encrypt
        middle = int.from_bytes(encrypt(time))
        result = encrypt((middle ^ self._seed).to_bytes(BLOCK_BYTES))
        self._seed = int.from_bytes(
            encrypt((int.from_bytes(result) ^ middle).to_bytes(BLOCK_BYTES))
        )
        return result

"""The ARC4 cipher with its state in the open: the engine saves it and goes on from it.

A state is 258 bytes: the pointers i and j, then the 256 bytes of the S-box.  As the engine keeps
it, i is the place that the next byte uses, so a fresh state has i = 1 and j = 0.

Source: Analog Devices PKTE chapter, "ARC4 Processing"; the algorithm itself is public since 1994.
"""

from __future__ import annotations

__all__ = ("arc4_crypt", "arc4_state")


def arc4_state(key: bytes) -> bytes:
    """The state that a key of 1 to 256 bytes sets up."""
    box = bytearray(range(256))
    j = 0
    for i in range(256):
        j = j + box[i] + key[i % len(key)] & 0xFF
        box[i], box[j] = box[j], box[i]
    return b"\x01\x00" + box


def arc4_crypt(state: bytes, data: bytes) -> tuple[bytes, bytes]:
    """`data` encrypted or decrypted, and the state afterwards."""
    i, j, box = state[0], state[1], bytearray(state[2:])
    output = bytearray(data)
    for index, byte in enumerate(data):
        a = box[i]
        j = j + a & 0xFF
        b = box[j]
        box[i], box[j] = b, a
        output[index] = byte ^ box[a + b & 0xFF]
        i = i + 1 & 0xFF
    return bytes(output), bytes((i, j)) + box

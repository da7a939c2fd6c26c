"""GHASH against the published intermediate values of GCM's test cases."""

from __future__ import annotations

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.shash import Shash, ShashDesc

# McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B: H, the message that GHASH
# is given (associated data, ciphertext, lengths), and its value, of test cases 2 and 4.
_CASES = [
    (
        "66e94bd4ef8a2c3b884cfa59ca342b2e",
        "0388dace60b6a392f328c2b971b2fe78" + "00000000000000000000000000000080",
        "f38cbb1ad69223dcc3457ae5b6b0f885",
    ),
    (
        "b83b533708bf535d0aa6e52980d53b78",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2000000000000000000000000"
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
        "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e09100000000"
        "00000000000000a000000000000001e0",
        "698e57f70e6ecc7fd9463b7260a9ae5f",
    ),
]
_CUTS = (0, 1, 7, 16, 17, 31, 32)


@pytest.fixture
def tfm() -> Shash:
    machine = Machine()
    software.register(machine)
    return machine.registry.alloc_shash("ghash-generic")


@pytest.mark.parametrize(("key", "message", "value"), _CASES, ids=["case-2", "case-4"])
def test_published_values(tfm: Shash, key: str, message: str, value: str) -> None:
    tfm.setkey(bytes.fromhex(key))
    out = bytearray(16)
    assert tfm.digest(ShashDesc(tfm), bytes.fromhex(message), out) == 0
    assert out.hex() == value


@pytest.mark.parametrize("cut", _CUTS)
def test_a_message_may_come_in_pieces_and_move_by_export(tfm: Shash, cut: int) -> None:
    key, text, value = _CASES[0]
    tfm.setkey(bytes.fromhex(key))
    message, alg = bytes.fromhex(text), tfm.alg
    first, second, state, out = tfm.start(), ShashDesc(tfm), bytearray(20), bytearray(16)
    assert alg.update(first, message[:cut]) == 0
    assert alg.export(first, state) == 0
    assert alg.import_state(second, bytes(state)) == 0
    assert alg.update(second, message[cut:]) == 0
    assert alg.final(second, out) == 0
    assert out.hex() == value


def test_a_last_block_is_filled_up_with_zeros(tfm: Shash) -> None:
    tfm.setkey(bytes.fromhex(_CASES[1][0]))
    short, whole = bytearray(16), bytearray(16)
    tfm.digest(ShashDesc(tfm), b"\xaa" * 20, short)
    tfm.digest(ShashDesc(tfm), b"\xaa" * 20 + bytes(12), whole)
    assert short == whole
    assert tfm.digest(ShashDesc(tfm), b"", short) == 0
    assert short == bytes(16)


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_other_keys_than_16_bytes_are_refused(tfm: Shash, size: int) -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        tfm.setkey(bytes(size))

"""Ciphers on the engine: published vectors, IVs through the state record, padding, odd keys."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.records import Cipher, CipherMode, IVSource, Opcode, PadType, SACommand
from tcrypt.engine.eip93.variants import AES128_ONLY, MT7621

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

ECB, CBC, CTR = CipherMode.ECB, CipherMode.CBC, CipherMode.CTR
DES, TDES, AES = Cipher.DES, Cipher.TDES, Cipher.AES
CIPHERS = [(AES, ECB), (AES, CBC), (AES, CTR), (DES, ECB), (DES, CBC), (TDES, ECB), (TDES, CBC)]
KEY_BYTES = {DES: 8, TDES: 24, AES: 32}

# SP 800-38A, appendix F: one plaintext, three keys, one IV for CBC and one for CTR.
PLAIN = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
KEYS = {
    128: "2b7e151628aed2a6abf7158809cf4f3c",
    192: "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
    256: "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
}
IVS = {
    ECB: "",
    CBC: "000102030405060708090a0b0c0d0e0f",
    CTR: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
}
SECRETS = {
    (ECB, 128): "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
    "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
    (ECB, 192): "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eef"
    "ef7afd2270e2e60adce0ba2face6444e9a4b41ba738d6c72fb16691603c18e0e",
    (ECB, 256): "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"
    "b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7",
    (CBC, 128): "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
    "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
    (CBC, 192): "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
    "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
    (CBC, 256): "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
    "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
    (CTR, 128): "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
    "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
    (CTR, 192): "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94"
    "1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050",
    (CTR, 256): "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
}


def command(cipher: Cipher, mode: CipherMode, key: bytes, **fields: object) -> SACommand:
    """What the drivers build: IV from the state record, saved there unless the mode has none."""
    return replace(
        SACommand(
            cipher=cipher,
            mode=mode,
            aes_key_length=len(key) // 8 if cipher is AES else 0,
            iv_source=IVSource.STATE,
            save_iv=mode is not ECB,
        ),
        **fields,
    )


class Tube:
    """A key and a state record, through which data passes in one or more packets."""

    def __init__(
        self, bench: Bench, cipher: Cipher, mode: CipherMode, key: bytes, iv: bytes = b""
    ) -> None:
        self.bench = bench
        self.outward = bench.sa(command(cipher, mode, key), key=key)
        self.inward = bench.sa(command(cipher, mode, key, inbound=True), key=key)
        self.state = bench.state(iv=iv)

    def _pass(self, sa: int, data: bytes, in_place: bool) -> bytes:
        memory = self.bench.memory
        source = memory.alloc(data)
        destination = source if in_place else memory.alloc(len(data) + 16)
        result = self.bench.run(
            self.bench.descriptor(
                sa=sa,
                source=source,
                destination=destination,
                state=self.state,
                length=len(data),
            )
        )
        assert result.status == 0
        assert in_place or memory.peek(source, len(data)) == data, "the source was changed"
        return memory.peek(destination, result.length)

    def encrypt(self, data: bytes, *, in_place: bool = False) -> bytes:
        return self._pass(self.outward, data, in_place)

    def decrypt(self, data: bytes, *, in_place: bool = False) -> bytes:
        return self._pass(self.inward, data, in_place)

    @property
    def iv(self) -> bytes:
        return self.bench.state_at(self.state).iv


@pytest.mark.parametrize("in_place", [False, True], ids=["out of place", "in place"])
@pytest.mark.parametrize(("mode", "bits"), SECRETS.keys(), ids=lambda value: str(value))
def test_aes_gives_the_published_ciphertext_and_back(bench, mode, bits, in_place):
    key, iv = bytes.fromhex(KEYS[bits]), bytes.fromhex(IVS[mode])
    secret = bytes.fromhex(SECRETS[mode, bits])
    assert Tube(bench, AES, mode, key, iv).encrypt(PLAIN, in_place=in_place) == secret
    assert Tube(bench, AES, mode, key, iv).decrypt(secret, in_place=in_place) == PLAIN


# DES: Grabbe, "The DES Algorithm Illustrated"; CBC: FIPS 81, table C1; 3DES: SP 800-67, B.1.
DES_CASES = {
    "DES ECB": (DES, ECB, "133457799bbcdff1", "", "0123456789abcdef", "85e813540f0ab405"),
    "DES CBC": (
        DES,
        CBC,
        "0123456789abcdef",
        "1234567890abcdef",
        b"Now is the time for all ".hex(),
        "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
    ),
    "3DES ECB": (
        TDES,
        ECB,
        "0123456789abcdef23456789abcdef01456789abcdef0123",
        "",
        b"The qufck brown fox jump".hex(),
        "a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900",
    ),
}


@pytest.mark.parametrize(
    ("cipher", "mode", "key", "iv", "plain", "secret"), DES_CASES.values(), ids=DES_CASES.keys()
)
def test_des_gives_the_published_ciphertext_and_back(bench, cipher, mode, key, iv, plain, secret):
    arguments = (cipher, mode, bytes.fromhex(key), bytes.fromhex(iv))
    assert Tube(bench, *arguments).encrypt(bytes.fromhex(plain)).hex() == secret
    assert Tube(bench, *arguments).decrypt(bytes.fromhex(secret)).hex() == plain


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def test_triple_des_chains_blocks_by_definition(bench):
    key, iv = bytes(range(24)), bytes(range(8))
    chained = Tube(bench, TDES, CBC, key, iv).encrypt(PLAIN[:24])
    blocks = [iv, *(chained[n : n + 8] for n in (0, 8, 16))]
    single = Tube(bench, TDES, ECB, key)
    for number, (before, after) in enumerate(pairwise(blocks)):
        plain = PLAIN[8 * number : 8 * number + 8]
        assert single.encrypt(xor(before, plain)) == after


K1, K2, K3 = (bytes([value] * 8) for value in (0x10, 0x32, 0x54))
DEGENERATE = {
    "K1 = K2": (K1 + K1 + K3, K3),
    "K2 = K3": (K1 + K3 + K3, K1),
    "all equal": (K2 * 3, K2),
    "K1 = K2 but for parity": (K1 + bytes([0x11] * 8) + K3, K3),
}


@pytest.mark.parametrize("mode", [ECB, CBC])
@pytest.mark.parametrize(("key", "single"), DEGENERATE.values(), ids=DEGENERATE.keys())
def test_degenerate_triple_des_is_single_des(bench, mode, key, single):
    iv = bytes(range(8)) if mode is CBC else b""
    secret = Tube(bench, TDES, mode, key, iv).encrypt(PLAIN)
    assert secret == Tube(bench, DES, mode, single, iv).encrypt(PLAIN)
    assert Tube(bench, TDES, mode, key, iv).decrypt(secret) == PLAIN


def test_triple_des_with_equal_outer_keys_is_not_single_des(bench):
    secret = Tube(bench, TDES, ECB, K1 + K2 + K1).encrypt(PLAIN)
    assert secret not in [Tube(bench, DES, ECB, key).encrypt(PLAIN) for key in (K1, K2)]
    assert Tube(bench, TDES, ECB, K1 + K2 + K1).decrypt(secret) == PLAIN


@pytest.mark.parametrize("key", ["0101010101010101", "fefefefefefefefe", "0000000000000000"])
def test_weak_des_keys_are_their_own_inverse(bench, key):
    tube = Tube(bench, DES, ECB, bytes.fromhex(key))
    assert tube.encrypt(tube.encrypt(PLAIN)) == PLAIN


@pytest.mark.parametrize(("cipher", "mode"), CIPHERS, ids=lambda value: value.name)
@pytest.mark.parametrize("cuts", [(16,), (16, 48), (32, 16, 16)], ids=str)
def test_segments_chain_through_the_state_record(bench, cipher, mode, cuts):
    key, iv = bytes(range(KEY_BYTES[cipher])), bytes(range(100, 116))
    whole = Tube(bench, cipher, mode, key, iv)
    secret = whole.encrypt(PLAIN)
    outward, inward = Tube(bench, cipher, mode, key, iv), Tube(bench, cipher, mode, key, iv)
    sent = got = b""
    for cut in (*cuts, 64 - sum(cuts)):
        if cut:
            sent += outward.encrypt(PLAIN[len(sent) : len(sent) + cut])
            got += inward.decrypt(secret[len(got) : len(got) + cut])
    assert (sent, got) == (secret, PLAIN)
    assert outward.iv == inward.iv == whole.iv


@pytest.mark.parametrize("in_place", [False, True], ids=["out of place", "in place"])
def test_cbc_saves_the_last_ciphertext_block_in_both_directions(bench, in_place):
    tube = Tube(bench, AES, CBC, bytes(16), bytes(16))
    secret = tube.encrypt(PLAIN, in_place=in_place)
    assert tube.iv == secret[-16:]
    back = Tube(bench, AES, CBC, bytes(16), bytes(16))
    assert back.decrypt(secret, in_place=in_place) == PLAIN
    assert back.iv == secret[-16:]


def test_des_touches_eight_bytes_of_iv_only(bench):
    tube = Tube(bench, DES, CBC, bytes(range(8)), bytes(range(16)))
    bench.memory.reads.clear()
    bench.memory.writes.clear()
    secret = tube.encrypt(PLAIN)
    assert tube.iv == secret[-8:] + bytes(range(8, 16))
    assert (tube.state, 8) in bench.memory.reads
    assert (tube.state, 8) in bench.memory.writes


@pytest.mark.parametrize(("cipher", "mode"), CIPHERS, ids=lambda value: value.name)
def test_cipher_packet_touches_only_the_iv_of_the_state_record(bench, cipher, mode):
    tube = Tube(bench, cipher, mode, bytes(range(KEY_BYTES[cipher])), bytes(16))
    bench.memory.close(tube.state + 16, 40)
    if mode is ECB:
        bench.memory.close(tube.state, 16)
    tube.encrypt(PLAIN)


@pytest.mark.parametrize("save_iv", [False, True])
@pytest.mark.parametrize("inbound", [False, True])
def test_ecb_accepts_state_address_zero(bench, inbound, save_iv):
    data = bench.memory.alloc(PLAIN)
    build = command(AES, ECB, bytes(16), inbound=inbound, save_iv=save_iv)
    sa = bench.sa(build, key=bytes(16))
    packet = bench.descriptor(sa=sa, source=data, destination=data, state=0, length=64)
    assert bench.run(packet).status == 0


def test_kept_iv_continues_the_packet_before(bench):
    key, iv = bytes(range(16)), bytes(range(16))
    whole = Tube(bench, AES, CBC, key, iv).encrypt(PLAIN)
    head = Tube(bench, AES, CBC, key, iv)
    assert head.encrypt(PLAIN[:32]) == whole[:32]
    keep = bench.sa(command(AES, CBC, key, iv_source=IVSource.KEEP, save_iv=False), key=key)
    data = bench.memory.alloc(PLAIN[32:])
    bench.run(bench.descriptor(sa=keep, source=data, destination=data, length=32))
    assert bench.memory.peek(data, 32) == whole[32:]


def test_kept_iv_does_not_survive_a_power_on_reset(bench):
    key = bytes(range(16))
    fresh = Tube(bench, AES, CBC, key, bytes(16)).encrypt(PLAIN)
    Tube(bench, AES, CBC, key, b"\xff" * 16).encrypt(PLAIN)
    bench.device.reset()
    bench.start()
    keep = bench.sa(command(AES, CBC, key, iv_source=IVSource.KEEP, save_iv=False), key=key)
    data = bench.memory.alloc(PLAIN)
    assert bench.run(bench.descriptor(sa=keep, source=data, destination=data, length=64)).length
    assert bench.memory.peek(data, 64) == fresh


# The second block is what a carry out of the low 32 bits would change.
CTR_KEY = bytes(range(16))
CTR_WRAPS = {
    "from ffffffff": (
        "000102030405060708090a0bffffffff",
        "656f643cb5c1d8fb6c7545b6924c5474f6677c97f280c501bf7f3bd0eba0afa9",
        "000102030405060708090a0b00000001",
    ),
    "from all ones": (
        "ff" * 16,
        "3c441f32ce07822364d7a2990e50bb13ff055937756cadce6974ed4b8c987dae",
        "ff" * 12 + "00000001",
    ),
}


@pytest.mark.parametrize(("iv", "stream", "after"), CTR_WRAPS.values(), ids=CTR_WRAPS.keys())
def test_counter_wraps_without_a_carry(bench, iv, stream, after):
    tube = Tube(bench, AES, CTR, CTR_KEY, bytes.fromhex(iv))
    assert tube.encrypt(bytes(32)).hex() == stream
    assert tube.iv.hex() == after


def test_counter_that_ends_on_the_boundary_is_saved_without_a_carry(bench):
    tube = Tube(bench, AES, CTR, CTR_KEY, bytes.fromhex("000102030405060708090a0bffffffff"))
    tube.encrypt(bytes(16))
    assert tube.iv.hex() == "000102030405060708090a0b00000000"


@pytest.mark.parametrize("blocks", [16, 17, 40])
def test_long_counter_packets_wrap_like_short_ones(bench, blocks):
    iv = bytes(range(12)) + bytes.fromhex("fffffffa")
    tube = Tube(bench, AES, CTR, CTR_KEY, iv)
    stream = tube.encrypt(bytes(16 * blocks))
    single = Tube(bench, AES, CTR, CTR_KEY, iv)
    assert stream == b"".join(single.encrypt(bytes(16)) for _ in range(blocks))
    assert tube.iv == single.iv


@pytest.mark.parametrize("length", [1, 15, 17, 31, 300])
def test_counter_mode_neither_pads_nor_writes_past_the_end(bench, length):
    data = (PLAIN * 5)[:length]
    tube = Tube(bench, AES, CTR, CTR_KEY, bytes(16))
    reference = Tube(bench, AES, CTR, CTR_KEY, bytes(16)).encrypt(PLAIN * 5)[:length]
    source, destination = bench.memory.alloc(data), bench.memory.alloc(length + 16)
    packet = bench.descriptor(
        sa=tube.outward,
        source=source,
        destination=destination,
        state=tube.state,
        length=length,
    )
    result = bench.run(packet)
    assert (result.length, result.pad) == (length, 0)
    assert bench.memory.peek(destination, length + 16) == reference + b"\xfe" * 16


@pytest.mark.parametrize(("tail_counts", "expected"), [(True, 2), (False, 1)])
def test_saved_counter_after_a_partial_block_follows_the_variant(
    make_bench, tail_counts, expected
):
    bench = make_bench(replace(MT7621, ctr_tail_counts=tail_counts))
    bench.start()
    tube = Tube(bench, AES, CTR, CTR_KEY, bytes(16))
    tube.encrypt(bytes(17))
    assert int.from_bytes(tube.iv, "big") == expected


def crypt(bench: Bench, sa_command: SACommand, data: bytes, **fields: object) -> object:
    """Run one packet; the result, and what it wrote, in a tuple."""
    destination = bench.memory.alloc(len(data) + 320)
    packet = bench.descriptor(
        sa=bench.sa(sa_command, key=bytes(range(32))),
        source=bench.memory.alloc(data),
        destination=destination,
        state=bench.state(iv=bytes(16)),
        length=len(data),
        **fields,
    )
    result = bench.run(packet)
    return result, bench.memory.peek(destination, result.length)


@pytest.mark.parametrize(
    ("cipher", "length", "grown"), [(AES, 17, 32), (AES, 1, 16), (DES, 17, 24), (TDES, 9, 16)]
)
def test_outbound_block_ciphers_grow_to_whole_blocks(bench, cipher, length, grown):
    key = bytes(range(KEY_BYTES[cipher]))
    build = command(cipher, CBC, key)
    result, secret = crypt(bench, build, PLAIN[:length])
    assert (result.status, result.length, result.pad) == (0, grown, grown - length)
    _, plain = crypt(bench, replace(build, inbound=True), secret)
    assert plain == PLAIN[:length] + bytes(grown - length)


@pytest.mark.parametrize(
    ("control", "grown"), [(0, 32), (1, 32), (2, 32), (8, 32), (16, 32), (32, 64), (128, 256)]
)
def test_pad_control_asks_for_a_longer_alignment(bench, control, grown):
    build = command(AES, CBC, bytes(32))
    result, _ = crypt(bench, build, PLAIN[:20], pad_control=control)
    assert (result.length, result.pad) == (grown, grown - 20)


PADS = {
    PadType.ZERO: bytes(12),
    PadType.CONSTANT: b"\xa5" * 12,
    PadType.PKCS7: b"\x0c" * 12,
}


@pytest.mark.parametrize(("pad_type", "pad"), PADS.items(), ids=lambda value: str(value))
def test_pad_type_chooses_the_bytes_that_are_added(bench, pad_type, pad):
    build = command(AES, CBC, bytes(32), pad_type=pad_type)
    result, secret = crypt(bench, build, PLAIN[:20], pad_value=0xA5)
    assert result.pad == 12
    _, plain = crypt(bench, command(AES, CBC, bytes(32), inbound=True), secret)
    assert plain == PLAIN[:20] + pad


@pytest.mark.parametrize(("copy_pad", "length"), [(False, 20), (True, 32)])
def test_inbound_pkcs7_is_counted_and_stripped_unless_copied(bench, copy_pad, length):
    build = command(AES, CBC, bytes(32), pad_type=PadType.PKCS7)
    _, secret = crypt(bench, build, PLAIN[:20])
    result, plain = crypt(bench, replace(build, inbound=True, copy_pad=copy_pad), secret)
    assert (result.status, result.pad, result.length) == (0, 12, length)
    assert plain == (PLAIN[:20] + b"\x0c" * 12)[:length]


def test_pkcs7_of_whole_blocks_adds_a_block(bench):
    build = command(AES, CBC, bytes(32), pad_type=PadType.PKCS7)
    result, secret = crypt(bench, build, PLAIN[:32])
    assert (result.length, result.pad) == (48, 16)
    _, plain = crypt(bench, replace(build, inbound=True), secret)
    assert plain == PLAIN[:32]


@pytest.mark.parametrize("ending", [b"\x00", b"\x11", b"\x02\x03\x03"])
def test_inbound_pkcs7_that_is_none_is_a_pad_error(bench, ending):
    plain = PLAIN[: 32 - len(ending)] + ending
    _, secret = crypt(bench, command(AES, CBC, bytes(32)), plain)
    build = command(AES, CBC, bytes(32), pad_type=PadType.PKCS7, inbound=True)
    result, text = crypt(bench, build, secret)
    assert (result.status, result.length) == (reg.ERR_PAD, 32)
    assert text == plain


@pytest.mark.parametrize(
    ("pads", "control", "grown"), [(True, 0, 24), (True, 1, 17), (False, 0, 17)]
)
def test_null_cipher_pads_as_the_variant_says(make_bench, pads, control, grown):
    bench = make_bench(replace(MT7621, null_cipher_pads=pads))
    bench.start()
    result, text = crypt(bench, SACommand(), PLAIN[:17], pad_control=control)
    assert result.length == grown
    assert text == PLAIN[:17] + bytes(grown - 17)


def test_bypass_is_copied_in_the_clear(bench):
    build = command(AES, ECB, bytes(32))
    result, text = crypt(bench, build, b"HEADER!!" + PLAIN[:16], bypass=2)
    _, block = crypt(bench, build, PLAIN[:16])
    assert text == b"HEADER!!" + block
    assert result.length == 24
    assert result.descriptor.length >> reg.LENGTH_BYPASS_SHIFT == 2


def test_bypass_longer_than_the_packet_is_a_bad_length(bench):
    assert crypt(bench, command(AES, ECB, bytes(32)), PLAIN, bypass=17)[0].status == reg.ERR_LENGTH


@pytest.mark.parametrize("words", [3, 4])
def test_missing_key_size_quietly_works_with_the_first_sixteen_bytes(make_bench, words):
    bench = make_bench(AES128_ONLY)
    bench.start()
    wrong = crypt(bench, command(AES, CBC, bytes(8 * words)), PLAIN)
    small = crypt(bench, command(AES, CBC, bytes(16)), PLAIN)
    assert wrong[0].status == 0
    assert wrong[1] == small[1]


def test_largest_packet_is_processed_whole(bench):
    length = 0xF_FFF0
    data = bytes(length)
    tube = Tube(bench, AES, CBC, bytes(16), bytes(16))
    secret = tube.encrypt(data, in_place=True)
    assert len(secret) == length
    back = Tube(bench, AES, CBC, bytes(16), bytes(16))
    assert back.decrypt(secret, in_place=True) == data


def test_unaligned_data_is_processed_byte_by_byte(bench):
    source = bench.memory.alloc(PLAIN, offset=1)
    destination = bench.memory.alloc(64, offset=3)
    sa = bench.sa(command(AES, ECB, bytes(32)), key=bytes(range(32)))
    bench.run(bench.descriptor(sa=sa, source=source, destination=destination, length=64))
    expected = crypt(bench, command(AES, ECB, bytes(32)), PLAIN)[1]
    assert bench.memory.peek(destination, 64) == expected


def test_null_combined_with_null_copies(bench):
    _, text = crypt(bench, SACommand(opcode=Opcode.CRYPT_AND_HASH), PLAIN)
    assert text == PLAIN

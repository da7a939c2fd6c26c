"""The mainline Linux driver as eip93 describes it, played on a device here and far away.

Sections: 1.8 for the first writes, 2 and 3.4 for descriptors and command words, 4.1 to 4.3 for
rings and interrupts, 5.3 for HMAC states, 5.6 and 5.7 for combined packets and hashes.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator

import pytest
from Crypto.Cipher import AES, DES, DES3

from tcrypt.engine.eip93.device import Latency
from tests.engine.eip93.foreign import DIGESTS, HASH, LAST, MASK_ENABLE, RDR, SKCIPHER, Mainline
from tests.engine.eip93.ports import BASE, LocalPort, StreamPort

PLAIN = bytes(range(1, 161))
IV = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")


@pytest.fixture(params=Latency, ids=lambda latency: latency.value)
def driver(request: pytest.FixtureRequest) -> Mainline:
    """The driver, bound to a device."""
    return Mainline(LocalPort(request.param), BASE)


@pytest.fixture(params=["inside", "after", "later"])
def distant(request: pytest.FixtureRequest) -> Iterator[Mainline]:
    """The driver, bound to a device in another process."""
    port = StreamPort(request.param)
    yield Mainline(port, BASE)
    assert port.close() == 0


def counter(key: bytes, iv: bytes) -> object:
    start = int.from_bytes(iv[12:], "big")
    return AES.new(key, AES.MODE_CTR, nonce=iv[:12], initial_value=start)


class Row:
    """One row of the table of command words in section 3.4."""

    def __init__(
        self, cmd0: int, cmd1: int, key: int, iv: int, make: Callable[[bytes, bytes], object]
    ) -> None:
        self.cmd0 = cmd0
        self.cmd1 = cmd1
        self.key = bytes(range(key))
        self.iv = IV[:iv]
        self.make = make

    def encrypted(self, data: bytes) -> bytes:
        return self.make(self.key, self.iv).encrypt(data)


def electronic(module: object) -> Callable[[bytes, bytes], object]:
    return lambda key, iv: module.new(key, module.MODE_ECB)


def chained(module: object) -> Callable[[bytes, bytes], object]:
    return lambda key, iv: module.new(key, module.MODE_CBC, iv)


ROWS = {
    "ecb(aes) 128": Row(0x0200F3C0, 0x02000000, 16, 0, electronic(AES)),
    "ecb(aes) 192": Row(0x0200F3C0, 0x03000000, 24, 0, electronic(AES)),
    "ecb(aes) 256": Row(0x0200F3C0, 0x04000000, 32, 0, electronic(AES)),
    "cbc(aes) 128": Row(0x1200F3C0, 0x02000100, 16, 16, chained(AES)),
    "cbc(aes) 192": Row(0x1200F3C0, 0x03000100, 24, 16, chained(AES)),
    "cbc(aes) 256": Row(0x1200F3C0, 0x04000100, 32, 16, chained(AES)),
    "ctr(aes) 128": Row(0x1200F3C0, 0x02000200, 16, 16, counter),
    "ctr(aes) 256": Row(0x1200F3C0, 0x04000200, 32, 16, counter),
    "ecb(des)": Row(0x0200F0C0, 0x00000000, 8, 0, electronic(DES)),
    "cbc(des)": Row(0x1200F0C0, 0x00000100, 8, 8, chained(DES)),
    "ecb(des3_ede)": Row(0x0200F1C0, 0x00000000, 24, 0, electronic(DES3)),
    "cbc(des3_ede)": Row(0x1200F1C0, 0x00000100, 24, 8, chained(DES3)),
}
each_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())


@each_row
def test_ciphers_by_their_command_words(driver, row):
    secret = row.encrypted(PLAIN)
    assert driver.crypt(row.cmd0, row.cmd1, row.key, row.iv, PLAIN)[:2] == (0, secret)
    assert driver.crypt(row.cmd0 | 8, row.cmd1, row.key, row.iv, secret)[:2] == (0, PLAIN)


@each_row
def test_segments_chain_through_one_state_record(driver, row):
    status, secret, iv = driver.crypt(
        row.cmd0, row.cmd1, row.key, row.iv, PLAIN, cuts=(16, 32, 48, 16)
    )
    assert (status, secret) == (0, row.encrypted(PLAIN))
    if "cbc" in str(row.make.__qualname__):
        assert iv == secret[-len(row.iv) :]


@pytest.mark.parametrize("length", [1, 55, 56, 63, 64, 65, 128, 200])
@pytest.mark.parametrize("name", DIGESTS)
def test_hashes_in_blocks_through_the_state_record(driver, name, length):
    message = (PLAIN * 2)[:length]
    assert driver.hash(name, message) == (0, hashlib.new(name, message).digest())


@pytest.mark.parametrize("key", [b"k", b"k" * 64, b"k" * 65], ids=len)
@pytest.mark.parametrize("name", DIGESTS)
def test_hmac_with_states_that_the_engine_computed(driver, name, key):
    for message in (PLAIN[:50], PLAIN[:64], b"x"):
        expected = hmac.new(key, message, name).digest()
        assert driver.hmac(name, key, message) == (0, expected)


# Name, key bytes, IV bytes, CMD0 outbound, CMD1 outbound and inbound, tag, header.
AUTHENC = {
    "sha1, cbc(aes)": ("sha1", 16, 16, 0x123013C1, 0x0206110B, 0x02061102, 12, 24, chained(AES)),
    "sha256, cbc(aes)": (
        *("sha256", 32, 16, 0x124033C1, 0x0406110B, 0x04061102, 16, 24),
        chained(AES),
    ),
    "md5, cbc(des3_ede)": (
        *("md5", 24, 8, 0x123001C1, 0x0004110B, 0x00041102, 12, 16),
        chained(DES3),
    ),
    "sha256, rfc3686": ("sha256", 16, 16, 0x128033C1, 0x0204120B, 0x02041202, 32, 16, counter),
}


@pytest.mark.parametrize("case", AUTHENC.values(), ids=AUTHENC.keys())
def test_combined_packets_by_their_command_words(driver, case):
    check_combined(driver, case)


def check_combined(driver: Mainline, case: tuple[object, ...]) -> None:
    """Encrypt, decrypt, and refuse a forgery."""
    name, key_bytes, iv_bytes, cmd0, outbound, inbound, tag, header, make = case
    keys, iv = (bytes(range(key_bytes)), b"authenticate" * 2), IV[:iv_bytes]
    body = PLAIN[:header] + make(keys[0], iv).encrypt(PLAIN[:96])
    whole = body + hmac.new(keys[1], body, name).digest()[:tag]
    arguments = (keys, iv)
    sent = driver.authenc(name, cmd0, outbound, *arguments, PLAIN[:header] + PLAIN[:96], tag)
    assert sent == (0, whole)
    back = driver.authenc(name, cmd0 | 8, inbound, *arguments, whole, tag)
    assert back == (0, PLAIN[:header] + PLAIN[:96])
    forged = whole[:-1] + bytes([whole[-1] ^ 1])
    assert driver.authenc(name, cmd0 | 8, inbound, *arguments, forged, tag)[0] == 0x01


def test_interrupt_comes_once_and_is_quiet_until_the_tasklet_is_through(driver):
    row = ROWS["cbc(aes) 128"]
    driver.crypt(row.cmd0, row.cmd1, row.key, row.iv, PLAIN, cuts=(16,) * 9)
    assert driver.interrupts in range(1, 11)
    assert driver.unexpected == 0
    assert not driver.port.high
    assert driver.port.read32(0x208) == RDR


def test_results_come_in_order_with_their_user_ids(driver):
    row = ROWS["cbc(aes) 128"]
    driver.crypt(row.cmd0, row.cmd1, row.key, row.iv, PLAIN[:48], cuts=(16, 16))
    driver.hash("sha256", PLAIN[:130])
    assert driver.order == [SKCIPHER | 1] * 2 + [SKCIPHER | LAST | 1, HASH, HASH, HASH | LAST | 2]


def test_error_of_one_descriptor_reaches_its_result(driver):
    row = ROWS["cbc(aes) 128"]
    assert driver.crypt(row.cmd0 | 8, row.cmd1, row.key, row.iv, PLAIN[:17])[0] == 0x78
    assert driver.crypt(row.cmd0 | 2, row.cmd1, row.key, row.iv, PLAIN[:16])[0] == 0x28
    assert driver.crypt(0x0200F4C0, row.cmd1, row.key, b"", PLAIN[:16])[0] == 0x38
    status, secret, _ = driver.crypt(row.cmd0, row.cmd1, row.key, row.iv, PLAIN)
    assert (status, secret) == (0, row.encrypted(PLAIN))


def test_a_message_longer_than_the_ring_goes_round(driver):
    message = PLAIN * 220  # 550 blocks, in a ring of 512.
    assert driver.hash("sha1", message) == (0, hashlib.sha1(message).digest())


@pytest.mark.parametrize("latency", Latency)
@pytest.mark.parametrize(("reset", "works"), [(0x0703, True), (0x0705, False)])
def test_a_reload_needs_the_ring_reset_at_bit_one(latency, reset, works):
    """The header that shipped first named bit 2: then the driver looks where no result is."""
    port = LocalPort(latency)
    first = Mainline(port, BASE)
    assert first.hash("md5", PLAIN)[0] == 0
    first.remove()
    assert port.read32(0x098) == 3 | 3 << 16
    second = Mainline(port, BASE + (1 << 20), reset=reset)
    if works:
        assert second.hash("md5", PLAIN) == (0, hashlib.md5(PLAIN).digest())
    else:
        with pytest.raises(AssertionError, match="before it is handed over"):
            second.hash("md5", PLAIN)


def test_the_whole_driver_works_on_a_distant_device(distant):
    for row in ROWS.values():
        cuts = (16, 32, 48, 16)
        status, secret, _ = distant.crypt(row.cmd0, row.cmd1, row.key, row.iv, PLAIN, cuts)
        assert (status, secret) == (0, row.encrypted(PLAIN))
    for name in DIGESTS:
        assert distant.hash(name, PLAIN) == (0, hashlib.new(name, PLAIN).digest())
        expected = hmac.new(b"key", PLAIN, name).digest()
        assert distant.hmac(name, b"key", PLAIN) == (0, expected)
    for case in AUTHENC.values():
        check_combined(distant, case)
    assert distant.unexpected == 0
    assert not distant.port.high


def test_first_probe_of_the_header_with_bit_two_works():
    driver = Mainline(LocalPort(Latency.SIMULATED), BASE, reset=0x0705)
    assert driver.hash("sha224", PLAIN) == (0, hashlib.sha224(PLAIN).digest())


@pytest.mark.parametrize("latency", Latency)
def test_line_that_rises_inside_of_an_enable_is_answered_there(latency):
    """A handler that runs inside of a register write finds the registers as they are."""
    port = LocalPort(latency)
    driver = Mainline(port, BASE)
    port.on_interrupt = lambda: None
    request, _ = driver.start_hash("md5", b"abc")
    port.wait()
    assert port.high
    port.write32(0x214, RDR)
    port.on_interrupt = driver.handle_interrupt
    port.write32(MASK_ENABLE, RDR)
    assert driver.interrupts == 1
    assert not port.high
    driver.run_tasklet()
    assert request.status == 0

"""Data lengths and AEAD rules: the rows of kernel-crypto, sections 6.3 and 6.4, by name."""

from __future__ import annotations

import errno
import hashlib
import hmac
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.machine import Machine

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_EINVAL, _EBADMSG = -errno.EINVAL, -errno.EBADMSG
_KEY = bytes(range(1, 65))
_DATA = bytes(range(256)) * 2
_IV = bytes(range(200, 216))
_AUTHENC = "authenc(hmac(sha1),cbc(aes))"


def rows(*names: str) -> pytest.MarkDecorator:
    """Put the names of the rows that a test is about into its id."""
    return pytest.mark.parametrize("row", names)


@pytest.fixture
def caller(make_caller: Callable[[Machine], Caller]) -> Caller:
    machine = Machine()
    software.register(machine)
    return make_caller(machine)


def skcipher(caller: Caller, name: str) -> Any:
    tfm = caller.machine.registry.alloc_skcipher(name)
    tfm.setkey(_KEY[: tfm.alg.min_keysize])
    return tfm


def blob(authkey: bytes = _KEY[:20], enckey: bytes = _KEY[32:48]) -> bytes:
    return struct.pack("<HH", 8, 1) + struct.pack(">I", len(enckey)) + authkey + enckey


def aead(caller: Caller, name: str, length: int = 16, authsize: int | None = None) -> Any:
    tfm = caller.machine.registry.alloc_aead(name)
    tfm.setkey(blob() if name.startswith("authenc") else _KEY[:length])
    if authsize is not None:
        tfm.setauthsize(authsize)
    return tfm


def iv_of(tfm: Any) -> bytes:
    # The first byte is a length field in CCM.
    return (b"\3" + _IV)[: tfm.alg.ivsize]


def taken(caller: Caller, tfm: Any, lengths: range) -> list[int]:
    """Which data lengths are done, in both directions; all others must be -EINVAL."""
    found = []
    for length in lengths:
        statuses = {
            caller.crypt(tfm, _DATA[:length], iv_of(tfm), decrypt=decrypt).status
            for decrypt in (False, True)
        }
        assert statuses in ({0}, {_EINVAL}), f"length {length}"
        if statuses == {0}:
            found.append(length)
    return found


def taken_authsizes(tfm: Any) -> list[int]:
    """Which tag lengths are taken; all others must be -EINVAL."""
    statuses = {size: authsize_status(tfm, size) for size in range(tfm.alg.maxauthsize + 3)}
    assert set(statuses.values()) == {0, _EINVAL}
    return [size for size, status in statuses.items() if not status]


def authsize_status(tfm: Any, size: int) -> int:
    """0, or the negative errno of a refused tag length."""
    try:
        tfm.setauthsize(size)
    except OSError as error:
        return -(error.errno or 0)
    return 0


# 6.3


@rows("6.3 ecb, cbc", "6.3 essiv(cbc)")
@pytest.mark.parametrize("name", ["ecb(aes)", "cbc(aes)", "essiv(cbc(aes),sha256)", "cbc(des)"])
def test_block_modes_take_whole_blocks(caller: Caller, row: str, name: str) -> None:
    tfm = skcipher(caller, name)
    block = tfm.alg.cra_blocksize
    assert block == (8 if "des" in name else 16)
    assert taken(caller, tfm, range(50)) == [*range(0, 50, block)]


@rows("6.3 ctr", "6.3 rfc3686(ctr)")
@pytest.mark.parametrize("name", ["ctr(aes)", "rfc3686(ctr(aes))"])
def test_ctr_takes_any_length(caller: Caller, row: str, name: str) -> None:
    tfm = skcipher(caller, name)
    assert (tfm.alg.cra_blocksize, tfm.alg.chunksize) == (1, 16)
    assert taken(caller, tfm, range(50)) == [*range(50)]


@rows("6.3 ctr")
def test_ctr_counts_over_the_whole_iv_and_a_part_of_a_block_as_a_block(
    caller: Caller, row: str
) -> None:
    tfm = skcipher(caller, "ctr(aes)")
    last = b"\xff" * 16
    ended = caller.crypt(tfm, bytes(17), last)
    assert ended.iv_out == bytes(15) + b"\1"
    second = caller.crypt(tfm, bytes(16), bytes(16)).out
    assert ended.out[16:] == second[:1], "after all ones comes zero"


@rows("6.3 rfc3686(ctr)")
def test_rfc3686_is_ctr_from_one(caller: Caller, row: str) -> None:
    tfm = skcipher(caller, "rfc3686(ctr(aes))")
    assert tfm.alg.ivsize == 8
    key, nonce = _KEY[:16], _KEY[16:20]
    inner = caller.machine.registry.alloc_skcipher("ctr(aes)")
    inner.setkey(key)
    counter = nonce + _IV[:8] + b"\0\0\0\1"
    wanted = caller.crypt(inner, _DATA[:40], counter).out
    assert caller.crypt(tfm, _DATA[:40], _IV[:8]).out == wanted


@rows("6.3 cts(cbc)")
def test_cts_takes_a_block_and_more(caller: Caller, row: str) -> None:
    tfm, cbc = skcipher(caller, "cts(cbc(aes))"), skcipher(caller, "cbc(aes)")
    assert taken(caller, tfm, range(40)) == [*range(16, 40)]
    plain = caller.crypt(cbc, _DATA[:32], _IV).out
    assert caller.crypt(tfm, _DATA[:16], _IV).out == plain[:16], "one block is plain CBC"
    swapped = plain[16:] + plain[:16]
    assert caller.crypt(tfm, _DATA[:32], _IV).out == swapped, "the last two, always"


@rows("6.3 xts")
def test_xts_takes_a_block_and_more(caller: Caller, row: str) -> None:
    assert taken(caller, skcipher(caller, "xts(aes)"), range(40)) == [*range(16, 40)]


@rows("6.3 IV after the operation")
@pytest.mark.parametrize("decrypt", [False, True])
def test_the_iv_after_cbc_is_the_last_ciphertext_block(
    caller: Caller, row: str, decrypt: bool
) -> None:
    done = caller.crypt(skcipher(caller, "cbc(aes)"), _DATA[:48], _IV, decrypt=decrypt)
    ctext = _DATA[:48] if decrypt else done.out
    assert done.iv_out == ctext[-16:]


@rows("6.3 in-place and separate lists")
@pytest.mark.parametrize("name", ["ecb(aes)", "cbc(aes)", "ctr(aes)", "xts(aes)", "cts(cbc(aes))"])
@pytest.mark.parametrize("decrypt", [False, True])
def test_in_place_is_as_out_of_place(caller: Caller, row: str, name: str, decrypt: bool) -> None:
    tfm = skcipher(caller, name)
    iv = iv_of(tfm)
    src = caller.scatter(_DATA[:64], (20,))
    entries = list(src.entries)
    wanted = caller.crypt(tfm, _DATA[:64], iv, src=src, decrypt=decrypt).out
    assert src.read(64) == _DATA[:64], "the source is left alone"
    again = caller.crypt(tfm, _DATA[:64], iv, src=src, dst=src, decrypt=decrypt)
    assert again.out == wanted
    assert list(src.entries) == entries


# 6.4


@rows("6.4 layout")
def test_aad_text_and_tag_stand_in_this_order(caller: Caller, row: str) -> None:
    tfm = aead(caller, "gcm(aes)")
    iv, assoc, text = iv_of(tfm), _DATA[100:120], _DATA[:33]
    src = caller.scatter(assoc + text + bytes(16))
    made = caller.crypt(tfm, text, iv, assoc=assoc, src=src, dst=src)
    assert made.status == 0
    sealed = src.read(20 + 33 + 16)
    assert sealed[:20] == assoc
    back = caller.crypt(tfm, sealed[20:], iv, assoc=assoc, decrypt=True)
    assert (back.status, back.out[20:]) == (0, text)


@rows("6.4 AAD in dst")
@pytest.mark.parametrize(
    ("name", "length", "copied"),
    [
        (_AUTHENC, 16, True),
        (_AUTHENC.replace("authenc", "authencesn"), 16, True),
        ("rfc4543(gcm(aes))", 20, True),
        ("gcm(aes)", 16, False),
        ("ccm(aes)", 16, False),
    ],
)
def test_who_copies_the_aad_out_of_place(
    caller: Caller, row: str, name: str, length: int, copied: bool
) -> None:
    tfm = aead(caller, name, length)
    assoc, text = _DATA[60:80], _DATA[:32]
    room = len(assoc + text) + tfm.authsize
    dst = caller.scatter(room)
    made = caller.crypt(tfm, text, iv_of(tfm), assoc=assoc, dst=dst)
    assert made.status == 0
    assert dst.read(len(assoc)) == (assoc if copied else b"\xfe" * len(assoc))
    assert dst.read(len(text), len(assoc)) != b"\xfe" * len(text), "the output stands behind it"


@rows("6.4 setauthsize")
def test_setauthsize(caller: Caller, row: str) -> None:
    tfm = aead(caller, _AUTHENC)
    assert tfm.authsize == tfm.alg.maxauthsize == 20, "without setauthsize the longest"
    assert taken_authsizes(tfm) == [*range(1, 21)]


@rows("6.4 decrypt with cryptlen < authsize")
@pytest.mark.parametrize("name", ["gcm(aes)", "ccm(aes)", _AUTHENC])
def test_a_ciphertext_shorter_than_its_tag(caller: Caller, row: str, name: str) -> None:
    tfm = aead(caller, name)
    iv = iv_of(tfm)
    for length in (0, tfm.authsize - 1):
        assert caller.crypt(tfm, _DATA[:length], iv, decrypt=True).status == _EINVAL
    forged = caller.crypt(tfm, _DATA[: tfm.authsize], iv, decrypt=True)
    assert forged.status == _EBADMSG


@rows("6.4 tag mismatch")
@pytest.mark.parametrize("name", ["gcm(aes)", "ccm(aes)", _AUTHENC])
def test_a_forged_message(caller: Caller, row: str, name: str) -> None:
    tfm = aead(caller, name)
    iv = iv_of(tfm)
    sealed = bytearray(caller.crypt(tfm, _DATA[:32], iv).out)
    assert caller.crypt(tfm, bytes(sealed), iv, decrypt=True).status == 0
    for place in (0, len(sealed) - 1):
        sealed[place] ^= 1
        assert caller.crypt(tfm, bytes(sealed), iv, decrypt=True).status == _EBADMSG
        sealed[place] ^= 1


@rows("6.4 tag mismatch")
def test_authenc_leaves_the_text_of_a_forgery_alone(caller: Caller, row: str) -> None:
    tfm = aead(caller, _AUTHENC)
    dst = caller.scatter(32)
    before = dst.read(32)
    made = caller.crypt(tfm, _DATA[:52], _IV, decrypt=True, dst=dst)
    assert made.status == _EBADMSG
    assert dst.read(32) == before


@rows("6.4 authsizes of gcm, rfc4106, rfc4543, ccm, rfc4309, authenc")
@pytest.mark.parametrize(
    ("name", "length", "sizes"),
    [
        ("gcm(aes)", 16, [4, 8, 12, 13, 14, 15, 16]),
        ("rfc4106(gcm(aes))", 20, [8, 12, 16]),
        ("rfc4543(gcm(aes))", 20, [16]),
        ("ccm(aes)", 16, [4, 6, 8, 10, 12, 14, 16]),
        ("rfc4309(ccm(aes))", 19, [8, 12, 16]),
        ("authenc(hmac(sha256),cbc(aes))", 0, [*range(1, 33)]),
    ],
)
def test_authsizes(caller: Caller, row: str, name: str, length: int, sizes: list[int]) -> None:
    assert taken_authsizes(aead(caller, name, length)) == sizes


@rows("6.4 ivsizes")
@pytest.mark.parametrize(
    ("name", "ivsize"),
    [
        ("gcm(aes)", 12),
        ("rfc4106(gcm(aes))", 8),
        ("rfc4543(gcm(aes))", 8),
        ("ccm(aes)", 16),
        ("rfc4309(ccm(aes))", 8),
        (_AUTHENC, 16),
    ],
)
def test_ivsizes(caller: Caller, row: str, name: str, ivsize: int) -> None:
    assert caller.machine.registry.alloc_aead(name).alg.ivsize == ivsize


@rows("6.4 assoclen of rfc4106, rfc4543, rfc4309")
@pytest.mark.parametrize(
    ("name", "length"),
    [("rfc4106(gcm(aes))", 20), ("rfc4543(gcm(aes))", 20), ("rfc4309(ccm(aes))", 19)],
)
def test_assoclen_of_the_esp_modes(caller: Caller, row: str, name: str, length: int) -> None:
    tfm = aead(caller, name, length)
    statuses = {
        size: caller.crypt(tfm, _DATA[:32], _IV[:8], assoc=_DATA[:size]).status
        for size in range(30)
    }
    assert [size for size, found in statuses.items() if found == 0] == [16, 20]
    assert set(statuses.values()) == {0, _EINVAL}


@rows("6.4 ccm: iv[0] and message length")
@pytest.mark.parametrize("first", range(10))
def test_ccm_wants_a_length_field_of_two_to_eight_bytes(
    caller: Caller, row: str, first: int
) -> None:
    made = caller.crypt(aead(caller, "ccm(aes)"), _DATA[:16], bytes([first]) + _IV[1:])
    assert made.status == (0 if 1 <= first <= 7 else _EINVAL)


@rows("6.4 ccm: iv[0] and message length")
def test_ccm_refuses_a_message_that_its_length_field_cannot_hold(caller: Caller, row: str) -> None:
    tfm = aead(caller, "ccm(aes)")
    iv = b"\1" + _IV[1:]
    assert caller.crypt(tfm, bytes(0xFFFF), iv).status == 0
    assert caller.crypt(tfm, bytes(0x10000), iv).status == -errno.EOVERFLOW


@rows("6.4 authenc: the MAC is checked before the length")
def test_authenc_checks_the_mac_before_the_length(caller: Caller, row: str) -> None:
    tfm = aead(caller, _AUTHENC)
    assert caller.crypt(tfm, _DATA[:15], _IV).status == _EINVAL
    assert caller.crypt(tfm, _DATA[:35], _IV, decrypt=True).status == _EBADMSG
    text = _DATA[:15]
    tag = hmac.digest(_KEY[:20], text, "sha1")
    assert caller.crypt(tfm, text + tag, _IV, decrypt=True).status == _EINVAL


@rows("6.4 essiv(aead): assoclen < ivsize")
def test_essiv_wants_the_iv_in_the_aad(caller: Caller, row: str) -> None:
    name = f"essiv({_AUTHENC.replace('sha1', 'sha256')},sha256)"
    tfm = caller.machine.registry.alloc_aead(name)
    tfm.setkey(blob(enckey=_KEY[32:48]))
    for size in (0, 15):
        assert caller.crypt(tfm, _DATA[:32], _IV, assoc=_DATA[:size]).status == _EINVAL
    assert caller.crypt(tfm, _DATA[:32], _IV, assoc=_DATA[:16]).status == 0


@rows("6.4 authencesn: assoclen >= 8")
@pytest.mark.parametrize("decrypt", [False, True])
def test_authencesn_wants_a_whole_sequence_number(caller: Caller, row: str, decrypt: bool) -> None:
    tfm = aead(caller, _AUTHENC.replace("authenc", "authencesn"))
    data = _DATA[: 32 + 20 * decrypt]
    statuses = [
        caller.crypt(tfm, data, _IV, assoc=_DATA[:size], decrypt=decrypt).status
        for size in range(11)
    ]
    assert statuses == [_EINVAL] * 8 + [_EBADMSG if decrypt else 0] * 3


@rows("6.4 authencesn: assoclen >= 8")
def test_authencesn_moves_the_high_half_of_the_sequence_number(caller: Caller, row: str) -> None:
    tfm = aead(caller, _AUTHENC.replace("authenc", "authencesn"))
    assoc = _DATA[60:72]
    made = caller.crypt(tfm, _DATA[:32], _IV, assoc=assoc)
    ctext, tag = made.out[12:44], made.out[44:]
    covered = assoc[:4] + assoc[8:] + ctext + assoc[4:8]
    assert tag == hmac.new(_KEY[:20], covered, hashlib.sha1).digest()


@rows("6.4 authenc key blob")
@pytest.mark.parametrize(
    "key",
    [
        b"",
        blob()[:7],
        struct.pack("<HH", 8, 2) + blob()[4:],
        struct.pack("<HH", 7, 1) + blob()[4:],
        struct.pack("<HH", 12, 1) + blob()[4:],
        blob()[:4] + struct.pack(">I", 37) + blob()[8:],
        blob()[:4] + struct.pack("<I", 16) + blob()[8:],
        blob(enckey=_KEY[:17]),
    ],
    ids=["empty", "cut", "type", "short", "long", "enckeylen", "little-endian", "AES key"],
)
def test_a_malformed_key_blob(caller: Caller, row: str, key: bytes) -> None:
    tfm = caller.machine.registry.alloc_aead(_AUTHENC)
    with pytest.raises(OSError, match="setkey") as caught:
        tfm.setkey(key)
    assert caught.value.errno == errno.EINVAL


@rows("6.4 authenc key blob")
@pytest.mark.parametrize("authkey", [b"", _KEY[:1], _KEY, bytes(100)], ids=len)
def test_the_authentication_key_has_any_length(caller: Caller, row: str, authkey: bytes) -> None:
    caller.machine.registry.alloc_aead(_AUTHENC).setkey(blob(authkey))


@rows("6.4 the MAC covers AAD and ciphertext")
def test_the_mac_covers_aad_and_ciphertext(caller: Caller, row: str) -> None:
    made = caller.crypt(aead(caller, _AUTHENC), _DATA[:32], _IV, assoc=_DATA[60:80])
    ctext, tag = made.out[20:52], made.out[52:]
    assert tag == hmac.new(_KEY[:20], _DATA[60:80] + ctext, hashlib.sha1).digest()

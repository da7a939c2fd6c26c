"""Edge cases 17, 18, 21 to 24 and 26 to 28 of eip93, section 8: keys and tag sizes."""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from tcrypt.engine.api.flags import ReqFlag
from tests.engine.eip93.driver.edge_cases import (
    AUTH,
    AUTHENC,
    HMACS,
    IV,
    KEY,
    RFC3686,
    blob,
    hashed,
    iv_of,
    library,
    rfc3686,
    round_trip,
    stream_for,
    text,
)

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_MODES = ("ecb", "cbc", "ctr")


@pytest.mark.parametrize("size", [0, 15, 17, 20, 33])
@pytest.mark.parametrize("mode", _MODES)
def test_case_17_other_key_sizes_are_einval(rig: Rig, mode: str, size: int) -> None:
    tfm = rig.tfm(f"{mode}(aes)")
    with pytest.raises(OSError, match=f"setkey of {size} bytes") as caught:
        tfm.setkey(bytes(size))
    assert caught.value.errno == errno.EINVAL
    assert rig.caller.crypt(tfm, text(16), iv_of(mode)).status == -errno.ENOKEY
    assert rig.tap.work == []


@pytest.mark.parametrize("size", [0, 3, 4, 16, 19, 21, 24, 32, 37])
def test_case_18_wrong_sizes_of_rfc3686_keys(rig: Rig, size: int) -> None:
    with pytest.raises(OSError, match=f"setkey of {size} bytes") as caught:
        rig.tfm(RFC3686, bytes(size))
    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize("size", [20, 28, 36])
def test_case_18_right_sizes_of_rfc3686_keys(rig: Rig, size: int) -> None:
    key = bytes(range(size))
    call = rig.caller.crypt(rig.tfm(RFC3686, key), text(20), IV[:8])
    assert call.out == rfc3686(key, IV[:8], text(20))
    assert rig.hardware == 1


_WEAK = bytes.fromhex("0101010101010101")


@pytest.mark.parametrize("cipher", ["ecb(des)", "cbc(des)", "authenc(hmac(sha1),cbc(des))"])
def test_case_21_weak_des_keys(rig: Rig, cipher: str) -> None:
    tfm = rig.tfm(cipher)
    key = blob(_WEAK) if "authenc" in cipher else _WEAK
    tfm.setkey(key)
    tfm.set_flags(ReqFlag.FORBID_WEAK_KEYS)
    with pytest.raises(OSError, match="setkey") as caught:
        tfm.setkey(key)
    assert caught.value.errno == errno.EINVAL


def triple(which: str) -> bytes:
    """A triple DES key of the parts A and B."""
    return b"".join({"A": text(8), "B": text(16)[8:]}[letter] for letter in which)


@pytest.mark.parametrize("which", ["AAB", "ABB", "ABA", "AAA"])
@pytest.mark.parametrize("aead", [False, True], ids=["cipher", "aead"])
def test_case_22_equal_parts_of_a_triple_des_key_are_refused(
    rig: Rig, which: str, aead: bool
) -> None:
    tfm = rig.tfm("authenc(hmac(md5),cbc(des3_ede))" if aead else "cbc(des3_ede)")
    tfm.set_flags(ReqFlag.FORBID_WEAK_KEYS)
    key = blob(triple(which)) if aead else triple(which)
    if which == "ABA":  # Such a key is only refused in FIPS mode.
        tfm.setkey(key)
        return
    with pytest.raises(OSError, match="setkey") as caught:
        tfm.setkey(key)
    assert caught.value.errno in (errno.ENOKEY, errno.EINVAL)


@pytest.mark.parametrize(("which", "left"), [("AAB", "B"), ("ABB", "A"), ("AAA", "A")])
def test_case_23_equal_parts_without_the_flag_are_single_des(
    rig: Rig, which: str, left: str
) -> None:
    call = rig.caller.crypt(rig.tfm("cbc(des3_ede)", triple(which)), text(32), IV[:8])
    single = Cipher(TripleDES(triple(left * 3)), modes.CBC(IV[:8])).encryptor()
    assert (call.status, call.out) == (0, single.update(text(32)) + single.finalize())
    other = rig.caller.crypt(rig.tfm("cbc(des)", triple(left)), text(32), IV[:8])
    assert other.out == call.out


@pytest.mark.parametrize(
    "key",
    [
        b"",
        blob()[:3],
        blob()[:7],
        struct.pack("<HH", 8, 2) + blob()[4:],
        struct.pack("<HH", 7, 1) + blob()[4:],
        struct.pack("<HH", 12, 1) + struct.pack(">II", 16, 0) + AUTH + KEY,
        blob()[:4] + struct.pack(">I", len(AUTH + KEY) + 1) + AUTH + KEY,
        blob()[:4] + b"\xff" * 4 + AUTH + KEY,
        blob(bytes(20)),
        blob(b""),
    ],
    ids=[
        "empty",
        "half an attribute",
        "short",
        "type 2",
        "payload of 3",
        "payload of 8",
        "cipher key longer than the rest",
        "cipher key of 4 GiB",
        "20-byte key",
        "no cipher key",
    ],
)
def test_case_24_a_bad_blob_is_einval_and_unsets_the_old_key(rig: Rig, key: bytes) -> None:
    tfm = rig.tfm(AUTHENC, blob())
    with pytest.raises(OSError, match="setkey") as caught:
        tfm.setkey(key)
    assert caught.value.errno == errno.EINVAL
    assert rig.caller.crypt(tfm, text(16), IV).status == -errno.ENOKEY


# RFC 4231, test case 6.
_LONG_KEY = b"\xaa" * 131
_LONG_KEY_TEXT = b"Test Using Larger Than Block-Size Key - Hash Key First"
_LONG_KEY_MAC = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"


def test_case_26_a_key_longer_than_a_block_is_hashed_whole(rig: Rig) -> None:
    assert hashed(rig, "hmac(sha256)", _LONG_KEY_TEXT, key=_LONG_KEY).hex() == _LONG_KEY_MAC


def test_case_26_so_is_that_of_an_aead_with_a_shorter_tag(rig: Rig) -> None:
    tfm = rig.tfm(f"authenc(hmac(sha256),{RFC3686})", blob(KEY + b"nonc", _LONG_KEY))
    tfm.setauthsize(16)
    call = rig.caller.crypt(tfm, stream_for(_LONG_KEY_TEXT), IV[:8])
    assert (call.status, call.out) == (0, _LONG_KEY_TEXT + bytes.fromhex(_LONG_KEY_MAC)[:16])
    assert rig.hardware == 1


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 200])
@pytest.mark.parametrize("name", HMACS)
def test_case_27_hmac_keys_of_any_length(rig: Rig, name: str, size: int) -> None:
    wanted = library(name, text(100), text(size))
    assert hashed(rig, name, text(100), key=text(size)) == wanted


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 200])
def test_case_27_authentication_keys_of_any_length(rig: Rig, size: int) -> None:
    tfm = rig.tfm(AUTHENC, blob(authkey=text(size)))
    round_trip(rig, tfm, b"abcd", text(16), authkey=text(size))
    assert rig.hardware == 2


@pytest.mark.parametrize("authsize", [0, 21])
def test_case_28_tag_sizes_outside_the_range(rig: Rig, authsize: int) -> None:
    with pytest.raises(OSError, match=f"setauthsize {authsize}") as caught:
        rig.tfm(AUTHENC, blob()).setauthsize(authsize)
    assert caught.value.errno == errno.EINVAL

"""Each row of what was measured on Linux 6.12 (real-kernel, 3), on the AF_ALG model."""

from __future__ import annotations

import errno
import hmac
import struct
from collections.abc import Callable, Sequence

import pytest
from Crypto.Cipher import AES

from tcrypt.engine.af_alg import (
    MSG_TRUNC,
    AlgSocket,
    BlocksError,
    CipherSocket,
    OperationSocket,
    Option,
    Pending,
)
from tcrypt.engine.af_alg.calls import finish
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.templates.cryptd import cryptd

KEY = bytes(range(16))
IV = bytes(range(100, 116))
TEXT = bytes(range(64))
KERN_DRIVER_ONLY = 0x1000
AUTHENC = "authenc(hmac(sha1),cbc(aes))"


def cbc(data: bytes, iv: bytes = IV) -> bytes:
    return AES.new(KEY, AES.MODE_CBC, iv=iv).encrypt(data)


def uncbc(data: bytes, iv: bytes = IV) -> bytes:
    return AES.new(KEY, AES.MODE_CBC, iv=iv).decrypt(data)


def word(call: Callable[[], object]) -> str:
    """`ok`, `BLOCKS`, or the errno of a call."""
    try:
        call()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    except BlocksError:
        return "BLOCKS"
    return "ok"


def opened(machine: Machine, kind: str, name: str, key: bytes | None = KEY) -> OperationSocket:
    socket = AlgSocket(machine)
    socket.bind(kind, name)
    if key is not None:
        socket.set_key(key)
    return socket.accept()


def skcipher(machine: Machine, name: str = "cbc(aes)", key: bytes = KEY) -> OperationSocket:
    return opened(machine, "skcipher", name, key)


def blob(authkey: bytes, enckey: bytes, length: int = 8, kind: int = 1) -> bytes:
    return struct.pack("<HH", length, kind) + struct.pack(">I", len(enckey)) + authkey + enckey


# bind


@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        pytest.param("skcipher", "cbc(aes)", "ok", id="known"),
        pytest.param("skcipher", "nosuch", "ENOENT", id="unknown name"),
        pytest.param("skcipher", "nosuch(aes)", "ENOENT", id="unknown template"),
        pytest.param("nosuch", "cbc(aes)", "ENOENT", id="unknown type"),
        pytest.param("akcipher", "rsa", "ENOENT", id="akcipher"),
        pytest.param("kpp", "dh", "ENOENT", id="kpp"),
        pytest.param("skcipher", "aes", "ENOENT", id="bare cipher"),
        pytest.param("skcipher", "__cbc(aes)", "ENOENT", id="internal"),
        pytest.param("skcipher", "CBC(AES)", "ENOENT", id="wrong case"),
        pytest.param("skcipher", "", "ENOENT", id="empty"),
        pytest.param("skcipher", "cbc(aes", "ENOENT", id="no closing parenthesis"),
        pytest.param("skcipher", "sha256", "ENOENT", id="hash as skcipher"),
        pytest.param("aead", "cbc(aes)", "EINVAL", id="aead cbc(aes)"),
        pytest.param("skcipher", "gcm(aes)", "EINVAL", id="skcipher gcm(aes)"),
        pytest.param("hash", "cbc(aes)", "EINVAL", id="hash cbc(aes)"),
        pytest.param("skcipher", "cbc(aes))", "EEXIST", id="a parenthesis too many"),
        pytest.param("skcipher", "cbc(aes) ", "EEXIST", id="trailing blank"),
    ],
)
def test_bind(machine: Machine, kind: str, name: str, wanted: str) -> None:
    skcipher(machine).close()  # cbc(aes) was instantiated before, as on the measured kernel.
    assert word(lambda: AlgSocket(machine).bind(kind, name)) == wanted


@pytest.mark.parametrize(
    ("feat", "mask", "wanted"),
    [
        (0, 0, "ok"),
        (0, KERN_DRIVER_ONLY, "ok"),
        (0, 0x80, "EINVAL"),
        (0, 0x100, "EINVAL"),
        (0x2000, 0x2000, "EINVAL"),
        (0, 8, "EINVAL"),
    ],
)
def test_bind_flags(machine: Machine, feat: int, mask: int, wanted: str) -> None:
    assert word(lambda: AlgSocket(machine).bind("skcipher", "cbc(aes)", feat, mask)) == wanted


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda s: s.bind("aead", AUTHENC), id="bind"),
        pytest.param(lambda s: s.set_key(blob(KEY, KEY)), id="SET_KEY"),
        pytest.param(lambda s: s.set_authsize(12), id="SET_AEAD_AUTHSIZE"),
    ],
)
def test_an_open_op_socket_makes_it_busy(
    socket: AlgSocket, call: Callable[[AlgSocket], object]
) -> None:
    socket.bind("aead", AUTHENC)
    socket.set_key(blob(KEY, KEY))
    op = socket.accept()
    assert word(lambda: call(socket)) == "EBUSY"
    op.close()
    assert word(lambda: call(socket)) == "ok"


def test_before_bind(socket: AlgSocket) -> None:
    assert word(lambda: socket.set_key(KEY)) == "ENOPROTOOPT"
    assert word(socket.accept) == "EINVAL"


def test_calls_on_the_wrong_socket(socket: AlgSocket) -> None:
    socket.bind("skcipher", "cbc(aes)")
    socket.set_key(KEY)
    op = socket.accept()
    assert word(lambda: op.setsockopt(Option.KEY, KEY)) == "ENOTSUP"
    assert word(lambda: socket.sendmsg(TEXT)) == "ENOTSUP"
    assert word(op.accept) == "ENOTSUP"


@pytest.mark.parametrize(
    ("kind", "protocol", "wanted"),
    [(1, 0, "ESOCKTNOSUPPORT"), (2, 0, "ESOCKTNOSUPPORT"), (5, 1, "EPROTONOSUPPORT")],
    ids=["SOCK_STREAM", "SOCK_DGRAM", "protocol 1"],
)
def test_socket(machine: Machine, kind: int, protocol: int, wanted: str) -> None:
    assert word(lambda: AlgSocket(machine, kind, protocol)) == wanted


# setkey


def lengths(name: str, kind: str, machine: Machine) -> list[int]:
    """Which lengths from 0 to 69 setkey accepts."""
    with AlgSocket(machine) as socket:
        socket.bind(kind, name)
        return [n for n in range(70) if word(lambda n=n: socket.set_key(bytes(n))) == "ok"]


@pytest.mark.parametrize(
    ("kind", "name", "accepted"),
    [
        ("skcipher", "ecb(aes)", [16, 24, 32]),
        ("skcipher", "cbc(aes)", [16, 24, 32]),
        ("skcipher", "ctr(aes)", [16, 24, 32]),
        ("skcipher", "cts(cbc(aes))", [16, 24, 32]),
        ("skcipher", "rfc3686(ctr(aes))", [20, 28, 36]),
        ("skcipher", "xts(aes)", [32, 48, 64]),
        ("skcipher", "ecb(des)", [8]),
        ("skcipher", "cbc(des)", [8]),
        ("skcipher", "ecb(des3_ede)", [24]),
        ("skcipher", "cbc(des3_ede)", [24]),
        ("hash", "hmac(md5)", list(range(70))),
        ("hash", "hmac(sha1)", list(range(70))),
        ("hash", "hmac(sha256)", list(range(70))),
        ("hash", "cmac(aes)", [16, 24, 32]),
        ("hash", "ghash", [16]),
        ("aead", "gcm(aes)", [16, 24, 32]),
        ("aead", "ccm(aes)", [16, 24, 32]),
        ("aead", "rfc4106(gcm(aes))", [20, 28, 36]),
        ("aead", "rfc4543(gcm(aes))", [20, 28, 36]),
        ("aead", "rfc4309(ccm(aes))", [19, 27, 35]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_setkey_lengths(machine: Machine, kind: str, name: str, accepted: list[int]) -> None:
    # Equal halves of xts keys and weak DES keys (all zeros here) are among what is accepted.
    assert lengths(name, kind, machine) == accepted


def test_setkey_of_an_unkeyed_hash(socket: AlgSocket) -> None:
    socket.bind("hash", "sha256")
    assert word(lambda: socket.set_key(b"")) == "ENOSYS"


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        pytest.param(blob(KEY, KEY), "ok", id="right"),
        pytest.param(blob(b"", KEY), "ok", id="empty authkey"),
        pytest.param(blob(KEY, bytes(17)), "EINVAL", id="bad cipher key"),
        pytest.param(blob(KEY, KEY, kind=2), "EINVAL", id="type 2"),
        pytest.param(blob(KEY, KEY, kind=0), "EINVAL", id="type 0"),
        pytest.param(blob(KEY, KEY, length=0), "EINVAL", id="rta_len 0"),
        pytest.param(blob(KEY, KEY, length=7), "EINVAL", id="rta_len 7"),
        pytest.param(blob(KEY, KEY, length=12), "EINVAL", id="rta_len 12"),
        pytest.param(blob(KEY, KEY, length=200), "EINVAL", id="rta_len 200"),
        pytest.param(blob(b"", KEY)[:-1], "EINVAL", id="enckeylen > rest"),
        pytest.param(
            struct.pack("<HHI", 8, 1, 16) + KEY + KEY, "EINVAL", id="little-endian length"
        ),
        pytest.param(KEY + KEY, "EINVAL", id="raw key"),
        pytest.param(b"", "EINVAL", id="empty"),
    ],
)
def test_setkey_of_authenc(socket: AlgSocket, key: bytes, wanted: str) -> None:
    socket.bind("aead", AUTHENC)
    assert word(lambda: socket.set_key(key)) == wanted


def test_a_failed_setkey_leaves_no_key(socket: AlgSocket) -> None:
    socket.bind("skcipher", "cbc(aes)")
    socket.set_key(KEY)
    assert word(lambda: socket.set_key(bytes(17))) == "EINVAL"
    op = socket.accept()
    assert word(lambda: op.sendmsg(TEXT, op=1, iv=IV)) == "ENOKEY"
    assert word(lambda: op.recv(64)) == "ENOKEY"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("skcipher", "cbc(aes)"), ("aead", "gcm(aes)"), ("hash", "hmac(sha1)")],
    ids=["skcipher", "aead", "hmac"],
)
def test_without_a_key(socket: AlgSocket, kind: str, name: str) -> None:
    socket.bind(kind, name)
    op = socket.accept()
    assert word(lambda: op.sendmsg(b"abc")) == "ENOKEY"
    assert word(lambda: op.recv(16)) == "ENOKEY"


def test_a_key_set_after_accept_works(socket: AlgSocket) -> None:
    socket.bind("skcipher", "cbc(aes)")
    op = socket.accept()
    socket.set_key(KEY)
    op.sendmsg(TEXT, op=1, iv=IV)
    assert op.recv(64) == cbc(TEXT)


# authsize


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("gcm(aes)", [4, 8, 12, 13, 14, 15, 16]),
        ("rfc4106(gcm(aes))", [8, 12, 16]),
        ("rfc4309(ccm(aes))", [8, 12, 16]),
        ("rfc4543(gcm(aes))", [16]),
        ("ccm(aes)", [4, 6, 8, 10, 12, 14, 16]),
        (AUTHENC, list(range(1, 21))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_authsize(socket: AlgSocket, name: str, accepted: list[int]) -> None:
    socket.bind("aead", name)
    assert [n for n in range(40) if word(lambda n=n: socket.set_authsize(n)) == "ok"] == accepted


def test_authsize_of_an_skcipher(socket: AlgSocket) -> None:
    socket.bind("skcipher", "cbc(aes)")
    assert word(lambda: socket.set_authsize(16)) == "ENOPROTOOPT"


def test_the_default_authsize_is_the_longest(machine: Machine) -> None:
    op = opened(machine, "aead", AUTHENC, blob(KEY, KEY))
    op.sendmsg(TEXT[:16], op=1, iv=IV)
    assert len(op.recv(64, dontwait=True)) == 16 + 20


# skcipher operations


@pytest.mark.parametrize(
    ("name", "key", "iv", "length", "wanted"),
    [
        pytest.param("cbc(aes)", 16, 16, 0, "ok", id="skcipher-op: len 0 cbc"),
        pytest.param("ecb(aes)", 16, 0, 0, "ok", id="skcipher-op: len 0 ecb"),
        pytest.param("ctr(aes)", 16, 16, 0, "ok", id="skcipher-op: len 0 ctr"),
        pytest.param("cbc(des)", 8, 8, 0, "ok", id="skcipher-op: len 0 des"),
        pytest.param("xts(aes)", 32, 16, 0, "EINVAL", id="skcipher-op: len 0 xts"),
        pytest.param("xts(aes)", 32, 16, 15, "EINVAL", id="skcipher-op: len 15 xts"),
        pytest.param("xts(aes)", 32, 16, 17, "ok", id="skcipher-op: len 17 xts"),
        pytest.param("cts(cbc(aes))", 16, 16, 0, "EINVAL", id="skcipher-op: len 0 cts"),
        pytest.param("cts(cbc(aes))", 16, 16, 15, "EINVAL", id="skcipher-op: len 15 cts"),
        pytest.param("cts(cbc(aes))", 16, 16, 31, "ok", id="skcipher-op: len 31 cts"),
        pytest.param("ctr(aes)", 16, 16, 33, "ok", id="skcipher-op: len 33 ctr"),
        pytest.param("rfc3686(ctr(aes))", 20, 8, 1, "ok", id="skcipher-op: len 1 rfc3686"),
        pytest.param("ecb(aes)", 16, 0, 17, "EINVAL", id="skcipher-op: len 17 ecb"),
        pytest.param("cbc(des3_ede)", 24, 8, 9, "EINVAL", id="skcipher-op: len 9 des3_ede"),
    ],
)
def test_length(machine: Machine, name: str, key: int, iv: int, length: int, wanted: str) -> None:
    op = skcipher(machine, name, bytes(range(key)))
    assert op.sendmsg(TEXT[:length], op=1, iv=bytes(iv) or None) == length
    assert word(lambda: op.recv(64, dontwait=True)) == wanted


def test_a_bad_length_is_refused_at_recv_and_consumed(machine: Machine) -> None:
    op = skcipher(machine)
    op.sendmsg(TEXT[:17], op=1, iv=IV)
    assert word(lambda: op.recv(64, dontwait=True)) == "EINVAL"
    assert word(lambda: op.recv(64, dontwait=True)) == "EAGAIN"
    op.sendmsg(TEXT, op=1, iv=IV)
    assert op.recv(64) == cbc(TEXT)


@pytest.mark.parametrize("size", [0, 1, 8, 12, 15, 17, 32])
def test_ivlen_of_cbc(machine: Machine, size: int) -> None:
    op = skcipher(machine)
    assert word(lambda: op.sendmsg(TEXT, op=1, iv=bytes(size))) == "EINVAL"


def test_ivlen_of_ecb(machine: Machine) -> None:
    op = skcipher(machine, "ecb(aes)")
    assert word(lambda: op.sendmsg(TEXT, op=1, iv=bytes(16))) == "EINVAL"
    assert word(lambda: op.sendmsg(TEXT, op=1, iv=b"")) == "ok"


def test_without_an_iv_it_is_zero_first_and_chains_afterwards(machine: Machine) -> None:
    op = skcipher(machine)
    op.sendmsg(TEXT[:32], op=1)
    first = op.recv(32)
    op.sendmsg(TEXT[32:], op=1)
    assert first + op.recv(32) == cbc(TEXT, bytes(16))


def test_any_control_message_without_an_operation_decrypts(machine: Machine) -> None:
    op = skcipher(machine)
    op.sendmsg(cbc(TEXT), iv=IV)
    assert op.recv(64) == TEXT
    op.sendmsg(TEXT, op=1, iv=IV)
    assert op.recv(64) == cbc(TEXT)
    op.sendmsg(cbc(TEXT), iv=IV)
    assert op.recv(64) == TEXT


def test_a_send_without_control_messages_keeps_the_operation(machine: Machine) -> None:
    op = skcipher(machine)
    op.sendmsg(TEXT[:32], op=1, iv=IV)
    first = op.recv(32)
    op.sendmsg(TEXT[32:])
    assert first + op.recv(32) == cbc(TEXT)


@pytest.mark.parametrize("number", [2, 3, 7, 0xFFFFFFFF])
def test_an_unknown_operation(machine: Machine, number: int) -> None:
    op = skcipher(machine)
    assert word(lambda: op.sendmsg(TEXT, op=number, iv=IV)) == "EINVAL"


def test_a_second_send_before_the_first_was_received(machine: Machine) -> None:
    op = skcipher(machine)
    op.sendmsg(TEXT[:16], op=1, iv=IV)
    assert word(lambda: op.sendmsg(TEXT[16:32])) == "EINVAL"
    assert op.recv(16) == cbc(TEXT[:16])


@pytest.mark.parametrize("encrypt", [True, False], ids=["enc", "dec"])
@pytest.mark.parametrize("sizes", [[16] * 4, [48, 16], [64]])
def test_receiving_in_parts(machine: Machine, sizes: list[int], encrypt: bool) -> None:
    op = skcipher(machine)
    op.sendmsg(TEXT, op=int(encrypt), iv=IV)
    out = b"".join(op.recv(size) for size in sizes)
    assert out == (cbc(TEXT) if encrypt else uncbc(TEXT))


@pytest.mark.parametrize("sizes", [[10, 6, 21, 27], [64, 0], [16, 16, 32]])
def test_sending_in_parts(machine: Machine, sizes: list[int]) -> None:
    op = skcipher(machine)
    left = TEXT
    for place, size in enumerate(sizes):
        more = place + 1 < len(sizes)
        op.sendmsg(left[:size], op=None if place else 1, iv=None if place else IV, more=more)
        left = left[size:]
    assert op.recv(64) == cbc(TEXT)


@pytest.mark.parametrize("size", [1, 15])
def test_receiving_less_than_a_block(machine: Machine, size: int) -> None:
    op = skcipher(machine)
    op.sendmsg(TEXT, op=1, iv=IV)
    assert word(lambda: op.recv(size)) == "EINVAL"
    assert op.recv(64) == cbc(TEXT), "nothing was consumed"


@pytest.mark.parametrize(("size", "got"), [(17, 16), (31, 16), (33, 32), (63, 48)])
def test_receiving_whole_blocks_only(machine: Machine, size: int, got: int) -> None:
    op = skcipher(machine)
    op.sendmsg(TEXT, op=1, iv=IV)
    assert op.recv(size) == cbc(TEXT)[:got]


def test_a_buffer_bigger_than_the_output_waits(machine: Machine) -> None:
    op = skcipher(machine)
    op.sendmsg(TEXT, op=1, iv=IV)
    with pytest.raises(BlocksError):
        op.recv(128)
    op.sendmsg(TEXT, op=1, iv=IV)
    assert op.recv(128, dontwait=True) == cbc(TEXT)


def test_receiving_before_sending(machine: Machine) -> None:
    op = skcipher(machine)
    assert word(lambda: op.recv(16)) == "BLOCKS"
    assert word(lambda: op.recv(16, dontwait=True)) == "EAGAIN"


def test_the_counter_goes_on_behind_the_last_block_begun(machine: Machine) -> None:
    op = skcipher(machine, "ctr(aes)")
    op.sendmsg(TEXT[:20], op=1, iv=bytes(16))
    op.recv(20)
    op.sendmsg(bytes(16))
    assert op.recv(16) == AES.new(KEY, AES.MODE_ECB).encrypt((2).to_bytes(16, "big"))


@pytest.mark.parametrize(
    ("name", "key", "iv"), [("rfc3686(ctr(aes))", 20, 8), ("xts(aes)", 32, 16)]
)
def test_other_modes_start_again(machine: Machine, name: str, key: int, iv: int) -> None:
    op = skcipher(machine, name, bytes(range(key)))
    op.sendmsg(TEXT, op=1, iv=bytes(iv))
    first = op.recv(64)
    op.sendmsg(TEXT)
    assert op.recv(64) == first


def test_the_counter_wraps_over_128_bits(machine: Machine) -> None:
    op = skcipher(machine, "ctr(aes)")
    op.sendmsg(bytes(32), op=1, iv=b"\xff" * 16)
    assert op.recv(32)[16:] == AES.new(KEY, AES.MODE_ECB).encrypt(bytes(16))


def test_send_limits(machine: Machine) -> None:
    op = skcipher(machine)
    assert op.sndbuf == 212_992
    with pytest.raises(BlocksError):
        op.sendmsg(bytes(262_144), op=1, iv=IV)
    assert skcipher(machine).sendmsg(bytes(1 << 20), op=1, iv=IV, dontwait=True) == 212_992


# hash operations


def test_a_hash_without_any_data(machine: Machine) -> None:
    op = opened(machine, "hash", "hmac(sha1)", b"k")
    empty = hmac.digest(b"k", b"", "sha1")
    assert op.recv(64) == empty
    op.sendmsg(b"")
    assert op.recv(64) == empty


@pytest.mark.parametrize("size", [0, 1, 19, 20, 64])
def test_a_short_buffer_cuts_the_digest(machine: Machine, size: int) -> None:
    op = opened(machine, "hash", "hmac(sha1)", b"k")
    op.sendmsg(b"abc")
    flags = MSG_TRUNC if size < 20 else 0
    assert op.recvmsg(size) == (hmac.digest(b"k", b"abc", "sha1")[:size], flags)
    assert op.recv(64) == hmac.digest(b"k", b"", "sha1")


def test_a_second_send_restarts_and_recv_finalises(machine: Machine) -> None:
    op = opened(machine, "hash", "hmac(sha1)", b"k")
    op.sendmsg(b"abc")
    op.sendmsg(b"def")
    assert op.recv(64) == hmac.digest(b"k", b"def", "sha1")
    op.sendmsg(b"ab", more=True)
    assert op.recv(64) == hmac.digest(b"k", b"ab", "sha1")


def test_accept_clones_the_state(machine: Machine) -> None:
    op = opened(machine, "hash", "hmac(sha1)", b"k")
    op.sendmsg(b"ab", more=True)
    clone = op.accept()
    op.sendmsg(b"c")
    clone.sendmsg(b"d")
    assert op.recv(64) == hmac.digest(b"k", b"abc", "sha1")
    assert clone.recv(64) == hmac.digest(b"k", b"abd", "sha1")


# AEAD operations

AAD = bytes(range(20))
NONCE = bytes(range(12))


def gcm(text: bytes = TEXT) -> bytes:
    cipher = AES.new(KEY, AES.MODE_GCM, nonce=NONCE)
    cipher.update(AAD)
    return AAD + b"".join(cipher.encrypt_and_digest(text))


def aead(machine: Machine) -> OperationSocket:
    return opened(machine, "aead", "gcm(aes)")


@pytest.mark.parametrize("place", [0, 20, -1], ids=["bad aad", "bad ct", "bad tag"])
def test_a_forgery_is_ebadmsg_and_the_socket_usable(machine: Machine, place: int) -> None:
    op = aead(machine)
    forged = bytearray(gcm())
    forged[place] ^= 1
    op.sendmsg(bytes(forged), op=0, iv=NONCE, assoclen=20)
    assert word(lambda: op.recv(84)) == "EBADMSG"
    op.sendmsg(gcm(), op=0, iv=NONCE, assoclen=20)
    assert op.recv(84) == AAD + TEXT


def test_authenc_does_not_authenticate_the_iv(machine: Machine) -> None:
    op = opened(machine, "aead", AUTHENC, blob(KEY, KEY))
    whole = cbc(TEXT) + hmac.digest(KEY, cbc(TEXT), "sha1")
    op.sendmsg(whole, op=0, iv=bytes(16), assoclen=0)
    assert op.recv(64) == uncbc(cbc(TEXT), bytes(16))


@pytest.mark.parametrize(
    ("right", "wanted"), [(True, "EINVAL"), (False, "EBADMSG")], ids=["right mac", "wrong mac"]
)
def test_authenc_looks_at_the_mac_first(machine: Machine, right: bool, wanted: str) -> None:
    op = opened(machine, "aead", AUTHENC, blob(KEY, KEY))
    mac = hmac.digest(KEY, AAD + TEXT[:17], "sha1")
    tag = mac if right else bytes(20)
    op.sendmsg(AAD + TEXT[:17] + tag, op=0, iv=IV, assoclen=20)
    assert word(lambda: op.recv(64, dontwait=True)) == wanted


@pytest.mark.parametrize(
    ("encrypt", "length", "assoclen"),
    [(0, 15, 0), (0, 35, 20), (1, 20, 100)],
    ids=["input < authsize", "aad only + 15", "assoclen > data"],
)
def test_too_little_data(machine: Machine, encrypt: int, length: int, assoclen: int) -> None:
    op = aead(machine)
    op.sendmsg(bytes(length), op=encrypt, iv=NONCE, assoclen=assoclen)
    assert word(lambda: op.recv(256)) == "EINVAL"


def test_an_output_one_byte_short(machine: Machine) -> None:
    op = aead(machine)
    op.sendmsg(AAD + TEXT, op=1, iv=NONCE, assoclen=20)
    assert op.recv(99) == gcm(TEXT[:63])
    op = aead(machine)
    op.sendmsg(gcm(), op=0, iv=NONCE, assoclen=20)
    assert word(lambda: op.recv(83)) == "EBADMSG"


def test_an_unfinished_message_waits(machine: Machine) -> None:
    op = aead(machine)
    op.sendmsg(AAD + TEXT, op=1, iv=NONCE, assoclen=20, more=True)
    assert word(lambda: op.recv(100)) == "BLOCKS"
    assert word(lambda: op.recv(100, dontwait=True)) == "EAGAIN"
    op.sendmsg(b"")
    assert op.recv(100) == gcm()


@pytest.mark.parametrize("assoclen", [8, 15, 16, 17, 20, 24])
def test_assoclen_of_rfc4106(machine: Machine, assoclen: int) -> None:
    op = opened(machine, "aead", "rfc4106(gcm(aes))", bytes(20))
    op.sendmsg(bytes(assoclen + 16), op=1, iv=bytes(8), assoclen=assoclen)
    wanted = "ok" if assoclen in (16, 20) else "EINVAL"
    assert word(lambda: op.recv(assoclen + 32)) == wanted


@pytest.mark.parametrize("first", [0, 1, 7, 8])
def test_the_first_iv_byte_of_ccm(machine: Machine, first: int) -> None:
    op = opened(machine, "aead", "ccm(aes)")
    op.sendmsg(bytes(16), op=1, iv=bytes([first]) + bytes(15), assoclen=0)
    assert word(lambda: op.recv(32)) == ("ok" if 1 <= first <= 7 else "EINVAL")


@pytest.mark.parametrize("size", [0, 8, 11, 13, 16])
def test_ivlen_of_gcm(machine: Machine, size: int) -> None:
    op = aead(machine)
    assert word(lambda: op.sendmsg(TEXT, op=1, iv=bytes(size), assoclen=0)) == "EINVAL"


@pytest.mark.parametrize("name", ["gcm(aes)", AUTHENC])
def test_a_second_send_keeps_operation_iv_and_assoclen(machine: Machine, name: str) -> None:
    op = opened(machine, "aead", name, KEY if name == "gcm(aes)" else blob(KEY, KEY))
    op.sendmsg(AAD + TEXT, op=1, iv=NONCE if name == "gcm(aes)" else IV, assoclen=20)
    first = op.recv(256, dontwait=True)
    op.sendmsg(AAD + TEXT)
    assert op.recv(256, dontwait=True) == first


@pytest.mark.parametrize("assoclen", [0, 20])
@pytest.mark.parametrize("name", ["gcm(aes)", AUTHENC])
def test_an_empty_text_is_a_tag_only(machine: Machine, name: str, assoclen: int) -> None:
    stream = name == "gcm(aes)"
    iv = NONCE if stream else IV
    op = opened(machine, "aead", name, KEY if stream else blob(KEY, KEY))
    op.sendmsg(AAD[:assoclen], op=1, iv=iv, assoclen=assoclen)
    out = op.recv(256, dontwait=True)
    assert len(out) == assoclen + (16 if stream else 20)
    op.sendmsg(out, op=0, iv=iv, assoclen=assoclen)
    assert op.recv(assoclen, dontwait=True) == AAD[:assoclen]


def released(machine: Machine, name: str, iv: bytes) -> bytes:
    """What stands in the receive buffer after a message with a bad tag, of which 0xee was left."""
    op = opened(machine, "aead", name, KEY if name == "gcm(aes)" else blob(KEY, KEY))
    op.sendmsg(AAD + TEXT, op=1, iv=iv, assoclen=20)
    forged = bytearray(op.recv(256, dontwait=True))
    forged[-1] ^= 1
    op.sendmsg(bytes(forged), op=0, iv=iv, assoclen=20)
    buffer = bytearray(b"\xee" * 84)
    assert word(lambda: op.recv_into(buffer)) == "EBADMSG"
    return bytes(buffer)


def test_the_receive_buffer_on_ebadmsg(machine: Machine) -> None:
    assert released(machine, "gcm(aes)", NONCE) == AAD + TEXT, "decrypted before the tag is known"
    assert released(machine, AUTHENC, IV) == AAD + b"\xee" * 64, "the mac is checked first"


@pytest.mark.parametrize(("assoclen", "wanted"), [(16, "EINVAL"), (8, "ok"), (12, "ok")])
def test_assoclen_of_seqiv(machine: Machine, assoclen: int, wanted: str) -> None:
    op = opened(machine, "aead", "seqiv(rfc4106(gcm(aes)))", bytes(20))
    op.sendmsg(bytes(assoclen + 8 + 16), op=1, iv=bytes(8), assoclen=assoclen)
    assert word(lambda: op.recv(assoclen + 8 + 32)) == wanted


def test_echainiv_repeats_its_iv(machine: Machine) -> None:
    op = opened(machine, "aead", f"echainiv({AUTHENC})", blob(KEY, KEY))
    op.sendmsg(AAD[:8] + bytes(16) + TEXT[:16], op=1, iv=IV, assoclen=8)
    first = op.recv(60)
    op.sendmsg(AAD[:8] + bytes(16) + TEXT[16:32])
    second = op.recv(60)
    assert first[8:24] == second[8:24] != bytes(16)
    assert first[24:40] != second[24:40]


# Many requests at once, on an asynchronous cipher.


@pytest.fixture
def queued(machine: Machine) -> str:
    """The name of a cbc(aes) behind a queue of 10."""
    inner = machine.registry.find("cbc(aes)", AlgType.SKCIPHER)
    return cryptd(machine, inner, qlen=10).cra_driver_name


def ready(machine: Machine, kind: str, name: str, messages: Sequence[bytes]) -> list[CipherSocket]:
    """Sockets of one transform, with a message each, to be decrypted."""
    socket = AlgSocket(machine)
    socket.bind(kind, name)
    socket.set_key(blob(KEY, KEY) if kind == "aead" else KEY)
    found = []
    for message in messages:
        op = socket.accept()
        assert isinstance(op, CipherSocket)
        op.sendmsg(message, op=0, iv=IV, assoclen=0 if kind == "aead" else None)
        found.append(op)
    return found


def sealed_by_authenc() -> bytes:
    return cbc(TEXT) + hmac.digest(KEY, cbc(TEXT), "sha1")


def test_requests_of_an_skcipher_are_waited_for(machine: Machine, queued: str) -> None:
    ops = ready(machine, "skcipher", queued, [cbc(TEXT)] * 14)
    assert [op.recv_async(64).result for op in ops] == [TEXT] * 14


def test_a_full_queue_refuses_what_nobody_waits_for(machine: Machine, queued: str) -> None:
    name = f"authenc(hmac(sha1-generic),{queued})"
    submitted = [
        op.recv_async(64) for op in ready(machine, "aead", name, [sealed_by_authenc()] * 14)
    ]
    finish(machine)
    results = [pending.result for pending in submitted]
    assert results == [TEXT] * 10 + [-errno.ENOSPC] * 4
    waiting = [
        op.recv_thread(64) for op in ready(machine, "aead", name, [sealed_by_authenc()] * 14)
    ]
    finish(machine)
    assert [pending.result for pending in waiting] == [TEXT] * 14, "MAY_BACKLOG never fails"


def test_forgeries_overtake_messages(machine: Machine, queued: str) -> None:
    whole = sealed_by_authenc()
    name = f"authenc(hmac(sha1-generic),{queued})"
    log: list[Pending] = []
    for op in ready(machine, "aead", name, [whole[:-1] + b"?", whole] * 4):
        op.recv_async(64, log)
    finish(machine)
    assert [pending.result for pending in log] == [-errno.EBADMSG] * 4 + [TEXT] * 4


def test_requests_outlive_their_sockets(machine: Machine, queued: str) -> None:
    log: list[Pending] = []
    name = f"authenc(hmac(sha1-generic),{queued})"
    for op in ready(machine, "aead", name, [sealed_by_authenc()] * 8):
        op.recv_async(64, log)
        op.close()
    assert log == []
    finish(machine)
    assert [pending.result for pending in log] == [TEXT] * 8

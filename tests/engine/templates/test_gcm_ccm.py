"""gcm, ccm and their ESP forms: what the parts are given, names, refusals, and the EIP-93."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from tcrypt.engine import software
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.eip93.device import Device
from tcrypt.engine.eip93.driver.probe import probe
from tcrypt.engine.eip93.variants import MT7621
from tcrypt.engine.sim import IrqLine

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_KEY = bytes(range(16))
_NONCE = bytes(range(100, 112))
_ASSOC = b"associated data"
_TEXT = bytes(range(200)) * 2
_GCM = "gcm_base(ctr(aes-generic),ghash-generic)"
_CCM = "ccm_base(ctr(aes-generic),cbcmac(aes-generic))"
_EIP93_GCM = "gcm_base(ctr(aes-eip93),ghash-generic)"
_EIP93_CCM = "ccm_base(ctr(aes-eip93),cbcmac(aes-generic))"


@pytest.fixture
def with_device(make_caller: Callable[[Machine], Caller]) -> tuple[Caller, Device]:
    machine = Machine()
    software.register(machine)
    irq = IrqLine(machine.sim, "eip93")
    device = Device(machine.sim, machine.dma, irq, MT7621)
    probe(machine, device, irq)
    return make_caller(machine), device


@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("gcm(aes)", _GCM),
        (_GCM, _GCM),
        ("gcm_base(ctr(aes),ghash)", _GCM),
        ("ccm(aes)", _CCM),
        ("rfc4106(gcm(aes))", f"rfc4106({_GCM})"),
        (f"rfc4106({_GCM})", f"rfc4106({_GCM})"),
        ("rfc4309(ccm(aes))", f"rfc4309({_CCM})"),
        ("rfc4543(gcm(aes))", f"rfc4543({_GCM})"),
    ],
)
def test_names_of_instances(caller: Caller, name: str, driver: str) -> None:
    if name == "gcm_base(ctr(aes),ghash)":
        # Neither of the instance's names is the one that was asked for (crypto API, 6.8).
        with pytest.raises(OSError, match=r"File exists|No such file"):
            caller.machine.registry.alloc_aead(name)
        name = driver
    assert caller.machine.registry.alloc_aead(name).alg.cra_driver_name == driver


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("gcm(nothing)", errno.ENOENT, "nothing"),
        ("ccm(nothing)", errno.ENOENT, "nothing"),
        ("gcm_base(ctr(aes-generic),nohash)", errno.ENOENT, "nohash"),
        ("gcm_base(ctr(aes-generic),sha1-generic)", errno.EINVAL, "no ghash"),
        ("gcm_base(cbc(aes-generic),ghash-generic)", errno.EINVAL, "no 128-bit ctr"),
        ("ccm_base(ctr(aes-generic),cbcmac(des-generic))", errno.EINVAL, "no cbcmac"),
        ("rfc4106(ccm(aes))", errno.EINVAL, "12 bytes"),
        ("rfc4309(gcm(aes))", errno.EINVAL, "16 bytes"),
        ("gcm(aes,aes)", errno.EINVAL, "2 arguments"),
    ],
)
def test_parts_that_are_missing_or_do_not_fit_are_named(
    caller: Caller, name: str, error: int, words: str
) -> None:
    with pytest.raises(OSError, match=words) as raised:
        caller.machine.registry.alloc_aead(name)
    assert raised.value.errno == error


def test_the_message_names_every_template_down_to_the_part_that_is_missing(caller: Caller) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        caller.machine.registry.alloc_aead("rfc4106(gcm(nothing))")
    words = "template rfc4106 cannot make rfc4106(gcm(nothing)): ", "template gcm cannot make "
    places = [str(raised.value).index(word) for word in (*words, "nothing: No such file")]
    assert places == sorted(places)


def test_the_cipher_gets_one_request_with_the_mask_block_in_front(caller: Caller) -> None:
    tfm = caller.machine.registry.alloc_aead("gcm(aes)")
    tfm.setkey(_KEY)
    cipher: Any = tfm.ctx.cipher
    seen: list[tuple[list[int], int, bytes, bytes]] = []
    encrypt = cipher.alg.encrypt

    def watched(request: SkcipherRequest) -> int:
        assert request.iv is not None
        lengths = [entry.length for entry in request.src.entries]
        seen.append((lengths, request.cryptlen, request.src.read(16), request.iv.read()))
        status: int = encrypt(request)
        return status

    cipher.alg = cipher.alg.variant(encrypt=watched)
    src = caller.scatter(_ASSOC + _TEXT, (len(_ASSOC) + 100,))
    call = caller.crypt(tfm, _TEXT, _NONCE, assoc=_ASSOC, src=src)

    assert call.status == 0
    assert seen == [([16, 100, 300], 416, bytes(16), _NONCE + b"\0\0\0\1")]
    assert call.out[len(_ASSOC) :] == AESGCM(_KEY).encrypt(_NONCE, _TEXT, _ASSOC)


@pytest.mark.parametrize(("cuts", "decrypt"), [((), False), ((5, 30), False), ((60, 9), True)])
def test_gcm_over_the_eip93_runs_its_blocks_there(
    with_device: tuple[Caller, Device], cuts: tuple[int, ...], decrypt: bool
) -> None:
    caller, device = with_device
    tfm = caller.machine.registry.alloc_aead(_EIP93_GCM)
    jobs = device.jobs
    tfm.setkey(_KEY)
    assert device.jobs > jobs, "the hash's key is the encryption of a block of zeros"

    jobs = device.jobs
    sealed = AESGCM(_KEY).encrypt(_NONCE, _TEXT, _ASSOC)
    given, wanted = (sealed, _TEXT) if decrypt else (_TEXT, sealed)
    src = caller.scatter(_ASSOC + given, cuts)
    call = caller.crypt(tfm, given, _NONCE, assoc=_ASSOC, src=src, decrypt=decrypt)

    assert (call.submitted, call.status) == (-errno.EINPROGRESS, 0)
    assert call.out[len(_ASSOC) :] == wanted
    assert device.jobs > jobs
    assert caller.machine.warnings == []


def test_ccm_over_the_eip93_runs_its_blocks_there(with_device: tuple[Caller, Device]) -> None:
    caller, device = with_device
    tfm = caller.machine.registry.alloc_aead(_EIP93_CCM)
    tfm.setkey(_KEY)
    jobs = device.jobs
    sealed = AESCCM(_KEY, 16).encrypt(_NONCE, _TEXT, _ASSOC)
    iv = b"\2" + _NONCE + bytes(3)
    assert caller.crypt(tfm, _TEXT, iv, assoc=_ASSOC).out[len(_ASSOC) :] == sealed
    back = caller.crypt(tfm, sealed, iv, assoc=_ASSOC, decrypt=True)
    assert (back.status, back.out[len(_ASSOC) :]) == (0, _TEXT)
    assert device.jobs > jobs


def test_instances_inherit_flags_and_average_priorities(
    with_device: tuple[Caller, Device],
) -> None:
    registry = with_device[0].machine.registry
    alg, ctr = registry.alloc_aead(_EIP93_GCM).alg, registry.alloc_skcipher("ctr(aes-eip93)").alg
    assert alg.cra_flags & AlgFlag.ASYNC
    assert alg.cra_priority == (ctr.cra_priority + 100) // 2
    assert not registry.alloc_aead(_GCM).alg.cra_flags & AlgFlag.ASYNC
    with pytest.raises(OSError, match="No such file"):
        registry.alloc_aead(_EIP93_GCM, 0, AlgFlag.ASYNC)


@pytest.mark.parametrize("encrypt", [True, False])
def test_scratch_is_wiped_and_given_back(caller: Caller, encrypt: bool) -> None:
    tfm = caller.machine.registry.alloc_aead("gcm(aes)")
    tfm.setkey(_KEY)
    sealed = AESGCM(_KEY).encrypt(_NONCE, _TEXT, _ASSOC)
    mask = AESGCM(_KEY).encrypt(_NONCE, b"", b"")
    subkey = _block(_KEY)
    src, dst = caller.scatter(_ASSOC + sealed), caller.scatter(len(_ASSOC + sealed))
    live = caller.memory.live_blocks
    data = _TEXT if encrypt else sealed
    caller.crypt(tfm, data, _NONCE, assoc=_ASSOC, src=src, dst=dst, decrypt=not encrypt)
    assert caller.memory.find(subkey) is None
    assert caller.memory.find(mask) is None
    # The IV of the request is the test's.
    assert caller.memory.live_blocks == live + 1


def _block(key: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(bytes(16))


@pytest.mark.parametrize(
    ("first", "length", "status"),
    [
        (0, 16, -errno.EINVAL),
        (8, 16, -errno.EINVAL),
        (255, 16, -errno.EINVAL),
        (1, 65_535, 0),
        (1, 65_536, -errno.EOVERFLOW),
        (2, 65_536, 0),
    ],
)
def test_ccm_refuses_bad_counters_and_lengths_that_do_not_fit(
    caller: Caller, first: int, length: int, status: int
) -> None:
    tfm = caller.machine.registry.alloc_aead("ccm(aes)")
    tfm.setkey(_KEY)
    assert caller.crypt(tfm, bytes(length), bytes([first]) + bytes(15)).status == status


@pytest.mark.parametrize("assoclen", [0, 1, 0xFEFF, 0xFF00])
def test_ccm_tells_long_associated_data_in_another_way(caller: Caller, assoclen: int) -> None:
    tfm = caller.machine.registry.alloc_aead("ccm(aes)")
    tfm.setkey(_KEY)
    assoc = bytes(assoclen)
    call = caller.crypt(tfm, _TEXT, b"\2" + _NONCE + bytes(3), assoc=assoc)
    assert call.out[assoclen:] == AESCCM(_KEY, 16).encrypt(_NONCE, _TEXT, assoc)


@pytest.mark.parametrize("name", ["rfc4106(gcm(aes))", "rfc4309(ccm(aes))", "rfc4543(gcm(aes))"])
@pytest.mark.parametrize("assoclen", [0, 8, 15, 16, 17, 20, 24])
def test_esp_takes_associated_data_of_two_lengths(
    caller: Caller, name: str, assoclen: int
) -> None:
    tfm = caller.machine.registry.alloc_aead(name)
    tfm.setkey(_KEY + bytes(3 if "4309" in name else 4))
    call = caller.crypt(tfm, bytes(16), bytes(8), assoc=bytes(assoclen))
    assert call.status == (0 if assoclen in (16, 20) else -errno.EINVAL)


def test_rfc4106_leaves_the_associated_data_of_the_destination_alone(caller: Caller) -> None:
    tfm = caller.machine.registry.alloc_aead("rfc4106(gcm(aes))")
    tfm.setkey(_KEY + b"salt")
    assoc = bytes(range(16))
    call = caller.crypt(tfm, _TEXT, bytes(8), assoc=assoc)
    assert call.out[:16] == b"\xfe" * 16
    assert call.out[16:] == AESGCM(_KEY).encrypt(b"salt" + bytes(8), _TEXT, assoc[:8])


def test_rfc4543_copies_all_and_encrypts_nothing(caller: Caller) -> None:
    tfm = caller.machine.registry.alloc_aead("rfc4543(gcm(aes))")
    tfm.setkey(_KEY + b"salt")
    assoc = bytes(range(20))
    call = caller.crypt(tfm, _TEXT, bytes(8), assoc=assoc)
    tag = AESGCM(_KEY).encrypt(b"salt" + bytes(8), b"", assoc + _TEXT)
    assert call.out == assoc + _TEXT + tag
    forged = caller.crypt(tfm, _TEXT + bytes(16), bytes(8), assoc=assoc, decrypt=True)
    assert forged.status == -errno.EBADMSG

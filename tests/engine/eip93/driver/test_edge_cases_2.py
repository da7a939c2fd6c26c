"""Edge cases 39 to 75 of eip93, section 8, one test of its number each.

Through the driver wherever a driver can meet the case; those of the raw model (47 to 51 in part,
61 to 66) are packets on a bare device.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tcrypt import mutants
from tcrypt.engine import software
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.eip93 import records as rec
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.device import Latency
from tcrypt.engine.eip93.driver.policy import FallbackPolicy, Reason
from tcrypt.engine.eip93.variants import AES128_ONLY, MT7621, TINY_RING
from tcrypt.engine.sim import Context
from tcrypt.plugins.eip93 import attach_eip93

if TYPE_CHECKING:
    from tests.engine.conftest import Call, Caller
    from tests.engine.eip93.conftest import Bench, Result
    from tests.engine.eip93.driver.conftest import Rig

    MakeRig = Callable[..., Rig]
    MakeBench = Callable[..., Bench]

_KEY, _IV = bytes(range(16)), bytes(range(16, 32))
_CBC = "cbc(aes)"
_DIGESTS = ("md5", "sha1", "sha224", "sha256")
_HMACS = tuple(f"hmac({name})" for name in _DIGESTS)
_EINPROGRESS, _EBUSY = -errno.EINPROGRESS, -errno.EBUSY
_EBADMSG, _EINVAL, _EIO = -errno.EBADMSG, -errno.EINVAL, -errno.EIO

PLANTED = {
    39: ("AE-22",),
    41: ("CR-09b",),
    43: ("CR-03", "CC-13c"),
    55: ("HS-03",),
    60: ("HM-04",),
    68: ("IV-12",),
    70: ("KF-04",),
    71: ("CR-15",),
    72: ("KF-05",),
    73: ("EQ-06",),
    74: ("CC-13c",),
}
"""Cases that a driver is known to get wrong, and the ids that plant the defect.

No mutant plants the endless wait of case 46, or the unmapping of address 0 of case 75.
"""

NOT_HERE = {
    45: "the machine has one processor; its softirqs preempt it between any two accesses instead",
    52: "what a handler returns is not modelled, so IRQ_NONE itself is not seen",
    75: "a mapping that was never made cannot be taken back: the bus raises, whatever the address",
}
"""What of a case this model cannot have; its test holds the rest."""


def text(length: int) -> bytes:
    return bytes(i * 7 % 251 for i in range(length))


def aes(mode: Any, data: bytes, key: bytes = _KEY) -> bytes:
    context = Cipher(algorithms.AES(key), mode).encryptor()
    return context.update(data) + context.finalize()


def cbc(data: bytes, key: bytes = _KEY) -> bytes:
    return aes(modes.CBC(_IV), data, key)


def library(name: str, data: bytes) -> bytes:
    if name in _DIGESTS:
        return hashlib.new(name, data).digest()
    return hmac.new(_KEY, data, name[5:-1]).digest()


def keyed(rig: Rig, name: str) -> Any:
    return rig.tfm(name, _KEY if name in _HMACS else None)


def hashed(rig: Rig, name: str, *chunks: bytes) -> bytes:
    hashing = rig.caller.hash(keyed(rig, name))
    assert hashing.step("init") == 0
    assert [hashing.step("update", chunk) for chunk in chunks] == [0] * len(chunks)
    assert hashing.step("final") == 0
    return hashing.result.read()


def in_order(calls: list[Call]) -> list[int]:
    """A list that will say which of the calls completed when."""
    order: list[int] = []
    for number, call in enumerate(calls):
        complete = call.request.complete

        def noted(data: Any, status: int, n: int = number, tell: Any = complete) -> None:
            if status != _EINPROGRESS:
                order.append(n)
            tell(data, status)

        call.request.complete = noted
    return order


def answered(make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch, status: int) -> int:
    """How a request ends whose result says `status`."""
    rig = make_rig()
    take = rig.driver.core.rings.take

    def changed() -> Any:
        result = take()
        said = status << reg.CONTROL_STATUS_SHIFT
        return result and result._replace(control=result.control & ~(0xFF << 16) | said)

    monkeypatch.setattr(rig.driver.core.rings, "take", changed)
    return rig.caller.crypt(rig.tfm(_CBC, _KEY), text(32), _IV).status


def test_edge_case_39_auth_and_pad_errors_together(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answered(make_rig, monkeypatch, 0x03) == _EBADMSG


def test_edge_case_40_a_sequence_number_error_alone(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answered(make_rig, monkeypatch, 0x04) == 0


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_edge_case_41_a_bus_error_in_one_of_three_descriptors(rig: Rig, bad: int) -> None:
    entries = list(rig.caller.scatter(text(48), [16, 16]).entries)
    entries[bad] = Segment(0x100, 16)
    src = Scatterlist(rig.machine.memory, entries)
    call = rig.caller.crypt(rig.tfm(_CBC, _KEY), text(48), _IV, src=src)
    assert len(rig.tap.work) == 3
    assert call.status == _EIO


_CODES = (_EIO, -errno.EACCES, *[_EINVAL] * 3, *[_EBADMSG] * 3, _EIO, _EINVAL)


@pytest.mark.parametrize(("code", "wanted"), list(enumerate(_CODES)))
def test_edge_case_42_extended_codes(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch, code: int, wanted: int
) -> None:
    assert answered(make_rig, monkeypatch, code << 4 | 8) == wanted


@pytest.mark.parametrize("mode", ["engine", "direct"])
def test_edge_case_43_600_requests_and_more_than_a_ring_holds(
    make_rig: MakeRig, mode: str
) -> None:
    for variant, count in ((MT7621, 600), (TINY_RING, 20)):
        rig = make_rig(variant, mode=mode)
        tfm = rig.tfm(_CBC, _KEY)
        texts = [n.to_bytes(4, "big") * 4 for n in range(count)]
        calls = [rig.caller.start(tfm, data, _IV) for data in texts]
        order = in_order(calls)
        rig.caller.settle()
        assert order == list(range(count))
        assert [call.out for call in calls] == [cbc(data) for data in texts]
        heard = {_EINPROGRESS: [0], _EBUSY: [_EINPROGRESS, 0]}
        assert all(call.notes == heard[call.submitted] for call in calls)
    assert calls[-1].submitted == _EBUSY


def test_edge_case_44_one_request_of_600_segments(make_rig: MakeRig) -> None:
    rig = make_rig()
    data = text(16 * 600)
    src = rig.caller.scatter(data, [16] * 599)
    call = rig.caller.crypt(rig.tfm(_CBC, _KEY), data, _IV, src=src)
    assert (call.status, call.out) == (0, cbc(data))


def test_edge_case_45_requests_of_8_segments_from_two_contexts(
    make_caller: Callable[[Machine], Caller],
) -> None:
    machine = Machine(setup=Setup(knobs={"preempt": 70}))
    software.register(machine)
    attach_eip93(machine, MT7621, mode="direct")
    caller = make_caller(machine)
    tfm: Any = machine.registry.alloc_skcipher("cbc(aes-eip93)")
    tfm.setkey(_KEY)
    data, calls = text(128), list[Any]()

    def submit() -> None:
        src, dst = caller.scatter(data, [16] * 7), caller.scatter(128, [16] * 7)
        calls.append(caller.start(tfm, data, _IV, src=src, dst=dst))

    for n in range(20):
        context = (Context.TASK, Context.SOFTIRQ)[n % 2]
        machine.sim.schedule(n // 2 * 500, context, "submit", submit)
    caller.settle()
    assert [call.out for call in calls] == [cbc(data)] * 20
    assert machine.warnings == []


@pytest.mark.parametrize("mode", ["engine", "direct"])
@pytest.mark.parametrize("late", [1, 1_000, 100_000])
def test_edge_case_46_the_consumer_waits_for_both_ownership_halves(
    make_rig: MakeRig, late: int, mode: str
) -> None:
    rig = make_rig(replace(MT7621, torn_result_ns=late), mode=mode)
    tfm = rig.tfm(_CBC, _KEY)
    calls = [rig.caller.start(tfm, text(16 * n), _IV) for n in range(1, 9)]
    rig.caller.settle()
    assert [call.out for call in calls] == [cbc(text(16 * n)) for n in range(1, 9)]


def test_edge_case_47_a_command_that_is_not_handed_over(
    make_rig: MakeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = make_rig()
    rings, found = rig.driver.core.rings, list[int]()
    put, take = rings.put, rings.take
    bits = reg.CONTROL_HOST_READY, reg.LENGTH_HOST_READY

    def disowned(command: Any) -> None:
        control, length = command.control & ~bits[0], command.length & ~bits[1]
        put(command._replace(control=control, length=length))

    def taken() -> Any:
        result = take()
        if result:
            found.append(result.control >> reg.CONTROL_STATUS_SHIFT & 0xFF)
        return result

    monkeypatch.setattr(rings, "put", disowned)
    monkeypatch.setattr(rings, "take", taken)
    assert rig.caller.crypt(rig.tfm(_CBC, _KEY), text(32), _IV).status == -errno.EACCES
    assert found == [0x18]


# The raw model.

_AES = rec.SACommand(
    cipher=rec.Cipher.AES,
    mode=rec.CipherMode.CBC,
    aes_key_length=2,
    iv_source=rec.IVSource.STATE,
    save_iv=True,
)
_HASH = rec.SACommand(
    opcode=rec.Opcode.HASH,
    digest=rec.Digest.SHA256,
    digest_length=8,
    hash_source=rec.HashSource.CONSTANTS,
    save_hash=True,
    copy_digest=True,
)
_BOTH = replace(
    _AES, opcode=rec.Opcode.CRYPT_AND_HASH, digest=rec.Digest.SHA1, hmac=True, offset=4
)


def packet(
    bench: Bench, command: rec.SACommand, data: bytes, *, final: bool = True
) -> tuple[Result, bytes]:
    """Run one packet over poisoned memory; its result, and what the destination holds."""
    destination = bench.memory.alloc(len(data) + 64)
    descriptor = bench.descriptor(
        sa=bench.sa(command, key=_KEY),
        source=bench.memory.alloc(data + b"."),
        destination=destination,
        state=bench.state(iv=_IV),
        length=len(data),
        final=final,
    )
    return bench.run(descriptor), bench.memory.peek(destination, len(data) + 64)


def blocks(bench: Bench, count: int) -> None:
    """Count `count` blocks in, and run until the last of them is counted as a result."""
    data = bench.memory.alloc(16)
    sa, state = bench.sa(_AES, key=_KEY), bench.state()
    before = bench.device.read32(reg.PE_RD_COUNT)
    for _ in range(count):
        command = bench.descriptor(sa=sa, state=state, source=data, destination=data, length=16)
        bench.queue(command)
    bench.ring(count)
    bench.sim.run(until=lambda: bench.device.read32(reg.PE_RD_COUNT) == before + count)


def raised(bench: Bench, source: int) -> bool:
    return bool(bench.device.read32(reg.INT_UNMASK_STAT) & source)


def test_edge_case_48_counting_in_256_or_more_than_the_ring(bench: Bench) -> None:
    bench.ring(256)
    assert bench.device.read32(reg.PE_CD_COUNT) == 0
    assert bench.device.read32(reg.PE_RING_STAT) == 0
    bench.ring(9)
    assert bench.device.read32(reg.PE_CD_COUNT) == 0
    assert bench.device.read32(reg.PE_RING_STAT) == reg.RING_STAT_CDROVFL
    assert raised(bench, reg.INT_RING_ERR)


def test_edge_case_49_taking_more_results_than_there_are(bench: Bench) -> None:
    blocks(bench, 2)
    bench.device.write32(reg.PE_RD_COUNT, 3)
    assert bench.device.read32(reg.PE_RD_COUNT) == 2
    assert bench.device.read32(reg.PE_RING_STAT) == reg.RING_STAT_RDRUNFL


@pytest.mark.parametrize("exponent", [0, 5])
def test_edge_case_50_three_results_at_a_threshold_of_three(bench: Bench, exponent: int) -> None:
    timeout = exponent << reg.RING_THRESH_TIMEOUT_SHIFT | reg.RING_THRESH_TIMEOUT_ENABLE
    bench.device.write32(reg.PE_RING_THRESH, 3 << reg.RING_THRESH_RDR_SHIFT | timeout)
    blocks(bench, 1)
    first = bench.sim.now
    blocks(bench, 2)
    assert not raised(bench, reg.INT_RDR_THRESH)
    bench.sim.run(until=lambda: raised(bench, reg.INT_RDR_THRESH))
    assert bench.sim.now - first == 2 ** (exponent + 10) * 1_000_000_000 // MT7621.clock_hz
    bench.device.write32(reg.INT_CLR, reg.INT_RDR_THRESH)
    assert raised(bench, reg.INT_RDR_THRESH), "not before a result is taken"
    bench.device.write32(reg.PE_RD_COUNT, 1)
    bench.device.write32(reg.INT_CLR, reg.INT_RDR_THRESH)
    assert not raised(bench, reg.INT_RDR_THRESH)


def test_edge_case_51_clearing_while_results_are_above_the_threshold(bench: Bench) -> None:
    bench.device.write32(reg.PE_RING_THRESH, 1 << reg.RING_THRESH_RDR_SHIFT)
    blocks(bench, 2)
    bench.device.write32(reg.INT_CLR, reg.INT_RDR_THRESH)
    assert raised(bench, reg.INT_RDR_THRESH)
    bench.device.write32(reg.PE_RD_COUNT, 1)
    bench.device.write32(reg.INT_CLR, reg.INT_RDR_THRESH)
    assert not raised(bench, reg.INT_RDR_THRESH)


def test_edge_case_52_an_interrupt_with_a_processing_error_only(make_rig: MakeRig) -> None:
    rig = make_rig()
    rig.device.write32(reg.INT_MASK_DISABLE, reg.INT_RDR_THRESH)
    rig.device.write32(reg.INT_MASK_ENABLE, reg.INT_PROC_ERR)
    tfm = rig.tfm(_CBC, _KEY)
    lost = Scatterlist(rig.machine.memory, [Segment(0x100, 16)])
    call = rig.caller.start(tfm, text(16), _IV, src=lost)
    rig.caller.settle()
    assert rig.irq.delivered == 1
    assert rig.device.read32(reg.INT_MASK) == 0
    assert not rig.device.read32(reg.INT_UNMASK_STAT) & reg.INT_PROC_ERR
    assert call.notes == [], "no result was looked for"
    rig.device.write32(reg.INT_MASK_ENABLE, reg.INT_RDR_THRESH)
    rig.caller.settle()
    assert call.status == _EIO


# Hashes.

_EMPTY = {
    "md5": "d41d8cd98f00b204e9800998ecf8427e",
    "sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "sha224": "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}


@pytest.mark.parametrize(("name", "wanted"), list(_EMPTY.items()))
def test_edge_case_53_an_empty_message_at_once(rig: Rig, name: str, wanted: str) -> None:
    hashing = rig.caller.hash(rig.tfm(name))
    hashing.request.set_crypt(None, hashing.result, 0)
    assert rig.caller.submit(hashing.request, hashing.tfm.digest).submitted == 0
    assert hashing.hexdigest() == wanted
    assert rig.tap.work == []


@pytest.mark.parametrize("length", [1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 129])
@pytest.mark.parametrize("name", _DIGESTS)
def test_edge_case_54_lengths_around_the_padding(rig: Rig, name: str, length: int) -> None:
    hashing = rig.caller.hash(rig.tfm(name))
    assert hashing.step("digest", text(length)) == 0
    assert hashing.result.read() == library(name, text(length))
    assert rig.hardware == 1


@pytest.mark.parametrize("sizes", [(1,) * 200, (64, 0, 64), (63, 2), (128,)], ids=len)
@pytest.mark.parametrize("name", _DIGESTS)
def test_edge_case_55_updates_of_any_size(rig: Rig, name: str, sizes: tuple[int, ...]) -> None:
    data = text(sum(sizes))
    chunks = [data[sum(sizes[:n]) :][:size] for n, size in enumerate(sizes)]
    assert hashed(rig, name, *chunks) == library(name, data)


@pytest.mark.parametrize(("name", "wanted"), list(_EMPTY.items()))
def test_edge_case_56_an_empty_update_then_final(rig: Rig, name: str, wanted: str) -> None:
    assert hashed(rig, name, b"").hex() == wanted


@pytest.mark.parametrize("length", [0, 1, 64])
@pytest.mark.parametrize("name", _HMACS)
def test_edge_case_57_short_hmacs(rig: Rig, name: str, length: int) -> None:
    assert hashed(rig, name, text(length)) == library(name, text(length))


def continued(rig: Rig, name: str, length: int, *, same_tfm: bool) -> None:
    """Export after `length` bytes; the message and its copy must end alike."""
    tfm = keyed(rig, name)
    first = rig.caller.hash(tfm)
    assert (first.step("init"), first.step("update", text(length))) == (0, 0)
    state = first.export()
    assert len(state) == 120
    second = rig.caller.hash(tfm if same_tfm else keyed(rig, name))
    assert second.import_state(state) == 0
    for hashing in (first, second):
        assert (hashing.step("update", b"tail"), hashing.step("final")) == (0, 0)
        assert hashing.result.read() == library(name, text(length) + b"tail")


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 200])
@pytest.mark.parametrize("name", _DIGESTS)
def test_edge_case_58_export_and_import(rig: Rig, name: str, length: int) -> None:
    continued(rig, name, length, same_tfm=True)


@pytest.mark.parametrize("length", [0, 1, 64, 65, 200])
@pytest.mark.parametrize("name", _HMACS)
def test_edge_case_59_hmac_state_in_another_transform(rig: Rig, name: str, length: int) -> None:
    continued(rig, name, length, same_tfm=False)


@pytest.mark.parametrize("name", _HMACS)
def test_edge_case_60_hmac_without_a_key(rig: Rig, name: str) -> None:
    hashing = rig.caller.hash(rig.tfm(name))
    assert hashing.step("init") == -errno.ENOKEY
    assert hashing.step("digest", b"abc") == -errno.ENOKEY
    assert rig.tap.work == []


# Packets that no correct driver sends.


def test_edge_case_61_an_intermediate_hash_of_65_bytes(bench: Bench) -> None:
    assert packet(bench, _HASH, text(65), final=False)[0].status == 0x78


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (replace(_AES, opcode=2), 0x28),
        (replace(_AES, cipher=4), 0x38),
        (replace(_HASH, digest=9), 0x38),
    ],
    ids=["opcode 2", "cipher 4", "hash 9"],
)
def test_edge_case_62_reserved_values(bench: Bench, command: rec.SACommand, status: int) -> None:
    result, written = packet(bench, command, text(64))
    assert (result.status, set(written)) == (status, {0xFE})


@pytest.mark.parametrize("command", [_AES, _HASH], ids=["cipher", "hash"])
def test_edge_case_63_length_zero(bench: Bench, command: rec.SACommand) -> None:
    result, _ = packet(bench, command, b"")
    assert (result.status, result.length) == (0x58, 0)


def test_edge_case_64_a_length_below_the_offset(bench: Bench) -> None:
    result, _ = packet(bench, _BOTH, text(15))
    assert (result.status, result.length) == (0x68, 0)


def test_edge_case_65_cbc_of_17_bytes(bench: Bench) -> None:
    assert packet(bench, replace(_AES, inbound=True), text(17))[0].status == 0x78
    result, written = packet(bench, _AES, text(17))
    assert (result.status, result.length, result.pad) == (0, 32, 15)
    assert written == cbc(text(17) + bytes(15)) + b"\xfe" * 49


@pytest.mark.parametrize("name", _DIGESTS)
def test_edge_case_66_the_order_of_tag_bytes(bench: Bench, name: str) -> None:
    wanted = library(name, b"abc")
    digest = rec.Digest[name.upper()]
    command = replace(_HASH, digest=digest, digest_length=len(wanted) // 4)
    written = packet(bench, command, b"abc")[1][: len(wanted)]
    words = struct.unpack(f">{len(wanted) // 4}I", wanted)
    reversed_words = struct.pack(f"<{len(words)}I", *words)
    assert written == (wanted if name == "md5" else reversed_words)


# Keys of authenc: an attribute of 8 bytes and type 1, and the length of the cipher key.


def blob(key: bytes) -> bytes:
    return struct.pack("<HH", 8, 1) + struct.pack(">I", len(key)) + _KEY + key


def test_edge_case_67_a_tag_of_sha224(rig: Rig) -> None:
    secret = cbc(text(32))
    wanted = secret + library("hmac(sha224)", b"AAD." + secret)
    assert len(wanted) == 32 + 28
    tfm = rig.tfm("authenc(hmac(sha224),cbc(aes))", blob(_KEY))
    call = rig.caller.crypt(tfm, text(32), _IV, assoc=b"AAD.")
    assert (call.status, call.out) == (0, b"AAD." + wanted)
    assert rig.hardware == 1


def test_edge_case_68_gcm_built_on_the_drivers_ctr(make_rig: MakeRig) -> None:
    """With test cases 1 and 2 of the GCM specification, and 48 requests against OpenSSL."""
    rig = make_rig()
    tfm = rig.machine.registry.alloc_aead("gcm_base(ctr(aes-eip93),ghash-generic)")

    def sealed(key: bytes, iv: bytes, data: bytes, offset: int) -> bytes:
        tfm.setkey(key)
        request, dst = tfm.request(), rig.caller.scatter(len(data) + 16, offset=offset)
        src, place = rig.caller.scatter(data, offset=offset), rig.caller.buffer(iv, offset=offset)
        request.set_crypt(src, dst, len(data), place)
        request.set_ad(0)
        call = rig.caller.submit(request, tfm.encrypt)
        rig.caller.settle()
        assert (call.status, place.read()) == (0, iv)
        return dst.read(len(data) + 16)

    assert sealed(bytes(16), bytes(12), b"", 0).hex() == "58e2fccefa7e3061367f1d57a4e7455a"
    assert sealed(bytes(16), bytes(12), bytes(16), 0).hex() == (
        "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"
    )
    for n in range(48):
        iv, data = bytes([n]) * 12, text(n)
        assert sealed(_KEY, iv, data, n % 4) == AESGCM(_KEY).encrypt(iv, data, b"")
    assert rig.hardware > 48


# Probe, limits and completion.


@pytest.mark.parametrize(("bit", "lost"), [(0, "des"), (16, "md5")])
def test_edge_case_69_capabilities_that_are_missing(
    make_rig: MakeRig, bit: int, lost: str
) -> None:
    rig = make_rig(replace(MT7621, option_1=MT7621.option_1 & ~(1 << bit)))
    names = [alg.cra_name for alg in rig.machine.registry if alg.cra_module == "eip93"]
    assert names
    assert not [name for name in names if lost in name]
    assert rig.driver.remove() == 0
    assert not [alg for alg in rig.machine.registry if alg.cra_module == "eip93"]
    rig.idle_mappings = 0


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("name", [_CBC, "rfc3686(ctr(aes))", "authenc(hmac(sha1),cbc(aes))"])
def test_edge_case_70_aes_with_128_bit_keys_only(make_rig: MakeRig, name: str, size: int) -> None:
    """Here every size is a key, and software does those that the device lacks."""
    rig, key = make_rig(AES128_ONLY), bytes(range(size))
    counter = b"nonc" + _IV[:8] + b"\0\0\0\1"
    wanted = aes(modes.CTR(counter), text(32), key) if "ctr" in name else cbc(text(32), key)
    material = key + b"nonc" if "ctr" in name else blob(key) if "authenc" in name else key
    tfm = rig.tfm(name, material)
    call = rig.caller.crypt(tfm, text(32), _IV[:8] if "ctr" in name else _IV)
    assert (call.status, call.out[:32]) == (0, wanted)
    assert (rig.hardware, rig.count(Reason.KEY_SIZE)) == ((1, 0) if size == 16 else (0, 1))


@pytest.mark.parametrize("used", range(1, 5))
def test_edge_case_71_binding_again_with_pointers_that_moved(make_rig: MakeRig, used: int) -> None:
    rig = make_rig(TINY_RING)
    for again in (True, False):
        tfm = rig.tfm(_CBC, _KEY)
        calls = [rig.caller.crypt(tfm, text(48), _IV) for _ in range(used)]
        assert [call.out for call in calls] == [cbc(text(48))] * used
        if again:
            rig.machine.registry.free(tfm)
            assert rig.driver.remove() == 0
            rig.driver = rig.probe()
            assert rig.device.read32(reg.PE_RING_RW_PNTR) == 0


@pytest.mark.parametrize("length", [256, 257, 512, 513])
@pytest.mark.parametrize("threshold", [256, 512])
def test_edge_case_72_both_sides_of_the_fallback_boundary(
    make_rig: MakeRig, threshold: int, length: int
) -> None:
    rig = make_rig(policy=FallbackPolicy(threshold))
    call = rig.caller.crypt(rig.tfm("ctr(aes)", _KEY), text(length), _IV)
    assert (call.status, call.out) == (0, aes(modes.CTR(_IV), text(length)))
    after = int.from_bytes(_IV, "big") + -(-length // 16)
    assert call.iv_out == after.to_bytes(16, "big")
    assert (rig.hardware, rig.count(Reason.SHORT)) == ((0, 1) if length <= threshold else (1, 0))


@pytest.mark.parametrize("mode", ["engine", "direct"])
@pytest.mark.parametrize("latency", list(Latency), ids=lambda latency: latency.value)
def test_edge_case_73_one_completion_in_softirq_context(
    make_rig: MakeRig, mode: str, latency: Latency
) -> None:
    rig = make_rig(TINY_RING, mode=mode, latency=latency)
    contexts: list[bool] = []
    calls = []
    for name, length in [(_CBC, 16), (_CBC, 4096), (_CBC, 1), (_CBC, 0), ("ctr(aes)", 1)]:
        call = rig.caller.start(rig.tfm(name, _KEY), text(length), _IV)
        tell = call.request.complete
        call.request.complete = lambda data, status, tell=tell: (
            contexts.append(rig.sim.in_softirq),
            tell(data, status),
        )
        calls.append(call)
    rig.caller.settle()
    # `status` holds that each was told of once, by the return value or by a callback.
    assert [call.status for call in calls] == [0, 0, _EINVAL, 0, 0]
    assert contexts == [True] * 3


@pytest.mark.parametrize("mode", ["engine", "direct"])
@pytest.mark.parametrize("context", [Context.TASK, Context.SOFTIRQ], ids=lambda c: c.value)
def test_edge_case_74_submitting_where_nobody_may_sleep(
    make_rig: MakeRig, mode: str, context: Context
) -> None:
    rig = make_rig(TINY_RING, mode=mode)
    tfm = rig.tfm(_CBC, _KEY)
    calls: list[Call] = []

    def submit() -> None:
        rig.sim.local_bh_disable()
        calls.extend(rig.caller.start(tfm, text(16 * n), _IV) for n in range(1, 31))
        rig.sim.local_bh_enable()

    rig.sim.schedule(0, context, "submit", submit)
    rig.caller.settle()
    assert [call.out for call in calls] == [cbc(text(16 * n)) for n in range(1, 31)]
    assert _EBUSY in [call.submitted for call in calls], "the ring must have been full"


@pytest.mark.parametrize("key", [None, _KEY], ids=["no key", "key"])
def test_edge_case_75_a_transform_that_is_never_used(rig: Rig, key: bytes | None) -> None:
    names = [alg.cra_name for alg in rig.machine.registry if alg.cra_module == "eip93"]
    maps = rig.machine.dma.maps
    for name in names if key is None else [_CBC, "ctr(aes)", *_HMACS]:
        rig.machine.registry.free(rig.tfm(name, key))
    assert (rig.machine.dma.maps, rig.tap.work) == (maps, [])
    assert all(rig.machine.registry.users(alg) == 0 for alg in rig.machine.registry)


# The table itself.


def test_every_case_from_39_to_75_has_its_test() -> None:
    numbers = [int(found[1]) for name in globals() if (found := re.match(_NAME, name))]
    assert numbers == list(range(39, 76))
    assert {*PLANTED, *NOT_HERE} <= set(numbers)


_NAME = r"test_edge_case_(\d+)_"


@pytest.mark.parametrize("case", list(PLANTED))
def test_every_defect_that_is_named_is_planted(case: int) -> None:
    assert set(PLANTED[case]) <= {mutant.id for mutant in mutants.all_mutants()}

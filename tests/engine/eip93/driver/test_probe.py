"""Probe and remove: register writes, what is registered, what is given back (eip93, 1.5, 1.8)."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.device import Device
from tcrypt.engine.eip93.driver.probe import probe
from tcrypt.engine.eip93.variants import AES128_ONLY, AN7583, MT7621, NO_MD5
from tcrypt.engine.sim import IrqLine

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_DES = {"ecb(des)", "cbc(des)", "ecb(des3_ede)", "cbc(des3_ede)"}
_AES_SKCIPHERS = {"ecb(aes)", "cbc(aes)", "ctr(aes)", "rfc3686(ctr(aes))"}
_HASHES = ("md5", "sha1", "sha224", "sha256")
_AES_AEADS = ("cbc(aes)", "rfc3686(ctr(aes))")
_DES_AEADS = ("cbc(des)", "cbc(des3_ede)")


def hashes(*names: str) -> set[str]:
    return {*names, *(f"hmac({name})" for name in names)}


def aeads(names: Iterable[str], ciphers: Iterable[str]) -> set[str]:
    return {f"authenc(hmac({name}),{cipher})" for name in names for cipher in ciphers}


_ALL_AEADS = aeads(_HASHES, (*_AES_AEADS, *_DES_AEADS))
_ALL = _DES | _AES_SKCIPHERS | hashes(*_HASHES) | _ALL_AEADS
_AES = reg.OPTION_1_AES
_DIGESTS = 0xF * reg.OPTION_1_MD5


def registered(machine: Machine) -> set[str]:
    return {alg.cra_name for alg in machine.registry if alg.cra_module == "eip93"}


def test_the_engine_is_brought_up_in_order(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    writes = rig.tap.writes
    assert [offset for offset, _ in writes[:2]] == [reg.PE_CDR_BASE, reg.PE_RDR_BASE]
    assert writes[0][1] != writes[1][1]
    assert writes[2:] == [
        (reg.PE_RING_CONFIG, 0x0008_01FF),
        (reg.PE_CONFIG, 0x0703),
        (reg.PE_CONFIG, 0x0700),
        (reg.PE_CLOCK_CTRL, 0x17),
        (reg.PE_BUF_THRESH, 0x0080_0080),
        (reg.PE_RING_THRESH, 0x9400_01E0),
        (reg.INT_MASK_DISABLE, 0xFFFF_FFFF),
        (reg.INT_CLR, 0xFFFF_FFFF),
        (reg.INT_MASK_ENABLE, reg.INT_RDR_THRESH),
    ]
    assert 10_000 <= rig.tap.times[4] - rig.tap.times[3] <= 20_000, "a reset takes 10 to 20 us"


def test_bringing_up_raises_no_interrupt(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.sim.run()
    assert rig.irq.delivered == 0


@pytest.mark.parametrize(
    ("option_1", "names"),
    [
        (MT7621.option_1, _ALL),
        (AN7583.option_1, _ALL),
        (AES128_ONLY.option_1, _ALL),
        (
            MT7621.option_1 & ~_AES,
            _DES | hashes(*_HASHES) | aeads(_HASHES, _DES_AEADS),
        ),
        (
            MT7621.option_1 & ~reg.OPTION_1_TDES,
            _AES_SKCIPHERS | hashes(*_HASHES) | aeads(_HASHES, _AES_AEADS),
        ),
        (
            NO_MD5.option_1,
            _DES
            | _AES_SKCIPHERS
            | hashes(*_HASHES[1:])
            | aeads(_HASHES[1:], (*_AES_AEADS, *_DES_AEADS)),
        ),
        (MT7621.option_1 & ~_DIGESTS, _DES | _AES_SKCIPHERS),
        (reg.OPTION_1_MD5, hashes("md5")),
    ],
    ids=["MT7621", "AN7583", "AES-128", "no AES", "no DES", "no MD5", "no hash", "only MD5"],
)
def test_algorithms_follow_the_capability_bits(
    make_rig: Callable[..., Rig], option_1: int, names: set[str]
) -> None:
    rig = make_rig(replace(MT7621, option_1=option_1))
    assert registered(rig.machine) == names
    assert rig.driver.remove() == 0
    rig.idle_mappings = 0
    assert registered(rig.machine) == set()


def test_hashes_are_registered_before_what_needs_them(make_rig: Callable[..., Rig]) -> None:
    algs = reversed(list(make_rig().machine.registry))
    ours = [alg.cra_name for alg in algs if alg.cra_module == "eip93"]
    assert ours.index("hmac(sha1)") < ours.index("authenc(hmac(sha1),cbc(aes))")


# Name in the driver: block size, IV size, smallest and largest key (eip93, section 5.1).
_CIPHERS = {
    "ecb(des-eip93)": (8, 0, 8, 8),
    "cbc(des-eip93)": (8, 8, 8, 8),
    "ecb(des3_ede-eip93)": (8, 0, 24, 24),
    "cbc(des3_ede-eip93)": (8, 8, 24, 24),
    "ecb(aes-eip93)": (16, 0, 16, 32),
    "cbc(aes-eip93)": (16, 16, 16, 32),
    "ctr(aes-eip93)": (1, 16, 16, 32),
    "rfc3686(ctr(aes-eip93))": (1, 8, 20, 36),
}
_DIGEST_SIZES = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32}
_COMMON = AlgFlag.ASYNC | AlgFlag.KERN_DRIVER_ONLY | AlgFlag.ALLOCATES_MEMORY


@pytest.fixture
def algs(make_rig: Callable[..., Rig]) -> dict[str, Any]:
    found = make_rig().machine.registry
    return {alg.cra_driver_name: alg for alg in found if alg.cra_module == "eip93"}


def test_declared_properties_of_ciphers(algs: dict[str, Any]) -> None:
    """As section 5.1, with the chunk sizes that both drivers forgot, and a fallback for all."""
    for name, sizes in _CIPHERS.items():
        alg = algs[name]
        assert alg.cra_name == name.replace("-eip93", "")
        got = (alg.cra_blocksize, alg.ivsize, alg.min_keysize, alg.max_keysize)
        assert got == sizes
        assert alg.chunksize == (16 if "aes" in name else 8)
        assert (alg.cra_priority, alg.cra_flags) == (1500, _COMMON | AlgFlag.NEED_FALLBACK)


def test_declared_properties_of_hashes(algs: dict[str, Any]) -> None:
    for digest, size in _DIGEST_SIZES.items():
        for name in (f"{digest}-eip93", f"hmac({digest}-eip93)"):
            alg = algs[name]
            assert alg.cra_name == name.replace("-eip93", "")
            assert (alg.cra_priority, alg.cra_flags, alg.cra_blocksize) == (300, _COMMON, 64)
            assert (alg.digestsize, alg.statesize) == (size, 120)


def test_declared_properties_of_aeads(algs: dict[str, Any]) -> None:
    for digest, size in _DIGEST_SIZES.items():
        for cipher in _CIPHERS:
            if cipher.startswith(("ecb", "ctr")):
                continue
            alg = algs[f"authenc(hmac({digest}-eip93),{cipher})"]
            half = algs[cipher]
            assert alg.cra_name == f"authenc(hmac({digest}),{half.cra_name})"
            assert alg.maxauthsize == size
            for name in ("cra_blocksize", "ivsize", "chunksize", "cra_priority", "cra_flags"):
                assert getattr(alg, name) == getattr(half, name), name


def test_there_is_nothing_else(algs: dict[str, Any]) -> None:
    assert len(algs) == len(_ALL) == 32


def test_remove_gives_everything_back() -> None:
    machine = Machine()
    software.register(machine)
    irq = IrqLine(machine.sim, "eip93")
    device = Device(machine.sim, machine.dma, irq)
    before = machine.dma.live_mappings, machine.memory.live_blocks, set(machine.registry)
    driver = probe(machine, device, irq)
    assert driver.remove() == 0
    after = machine.dma.live_mappings, machine.memory.live_blocks, set(machine.registry)
    assert after == before
    assert device.read32(reg.INT_MASK) == 0
    assert machine.warnings == []
    irq.request(lambda: None)


def test_remove_waits_for_requests_in_hardware(make_rig: Callable[..., Rig]) -> None:
    """The engine's own stop does not (kernel-crypto, 5.7, wedge K)."""
    rig = make_rig()
    tfm = rig.tfm("cbc(aes)", bytes(16))
    calls = [rig.caller.start(tfm, bytes(length), bytes(16)) for length in (16, 1 << 18, 1 << 18)]
    rig.sim.run(until=lambda: bool(calls[0].notes))
    rig.sim.run(until=lambda: not rig.driver.core.engine.busy)
    assert not calls[2].notes, "the last request must still be in hardware"
    assert rig.driver.core.remove() == 0
    assert [call.status for call in calls] == [0, 0, 0]
    rig.idle_mappings = 0


def test_remove_gives_up_on_hardware_that_never_answers(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    tfm = rig.tfm("cbc(aes)", bytes(16))
    first, second = (rig.caller.start(tfm, bytes(16), bytes(16)) for _ in range(2))
    rig.sim.run(until=lambda: bool(first.notes))
    rig.device.reset()
    assert rig.driver.core.remove() == -errno.EBUSY
    assert not second.notes
    rig.idle_mappings = rig.machine.dma.live_mappings
    assert rig.idle_mappings > 0, "the device may still write there"


def test_a_removed_driver_is_gone_for_new_users(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.driver.remove()
    rig.idle_mappings = 0
    tfm = rig.machine.registry.alloc_skcipher("cbc(aes)")
    assert tfm.alg.cra_driver_name == "cbc(aes-generic)"


def test_without_a_fallback_a_cipher_cannot_be_allocated() -> None:
    machine = Machine()
    irq = IrqLine(machine.sim, "eip93")
    probe(machine, Device(machine.sim, machine.dma, irq), irq)
    for allocate, name in (
        (machine.registry.alloc_skcipher, "cbc(aes-eip93)"),
        (machine.registry.alloc_aead, "authenc(hmac(sha1-eip93),cbc(aes-eip93))"),
    ):
        with pytest.raises(FileNotFoundError, match="init"):
            allocate(name)
    machine.registry.alloc_ahash("sha1-eip93")

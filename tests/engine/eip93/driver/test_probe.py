"""Probe and remove: register writes, what is registered, what is given back (eip93, 1.5, 1.8)."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.device import Device
from tcrypt.engine.eip93.driver.probe import probe
from tcrypt.engine.eip93.variants import AES128_ONLY, MT7621
from tcrypt.engine.sim import IrqLine

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig

_SKCIPHERS = {"ecb(aes)", "cbc(aes)", "ctr(aes)"}
_AEAD = {"authenc(hmac(sha1),cbc(aes))"}
_SHA1 = {"sha1", "hmac(sha1)"}
_SHA256 = {"sha256", "hmac(sha256)"}
_AES = reg.OPTION_1_AES


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
        (MT7621.option_1, _SKCIPHERS | _AEAD | _SHA1 | _SHA256),
        (AES128_ONLY.option_1, _SKCIPHERS | _AEAD | _SHA1 | _SHA256),
        (MT7621.option_1 & ~_AES, _SHA1 | _SHA256),
        (MT7621.option_1 & ~reg.OPTION_1_SHA_1, _SKCIPHERS | _SHA256),
        (MT7621.option_1 & ~reg.OPTION_1_SHA_256, _SKCIPHERS | _AEAD | _SHA1),
        (reg.OPTION_1_TDES | reg.OPTION_1_MD5, set()),
    ],
    ids=["MT7621", "AES-128 only", "no AES", "no SHA-1", "no SHA-256", "neither"],
)
def test_case_69_algorithms_follow_the_capability_bits(
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


def test_declared_properties(make_rig: Callable[..., Rig]) -> None:
    """Table of eip93, section 5.1, with the chunk sizes that both drivers forgot."""
    algs = {a.cra_driver_name: a for a in make_rig().machine.registry if a.cra_module == "eip93"}
    common = AlgFlag.ASYNC | AlgFlag.KERN_DRIVER_ONLY | AlgFlag.ALLOCATES_MEMORY
    got = {name: (a.cra_priority, a.cra_flags, a.cra_blocksize) for name, a in algs.items()}
    needy = common | AlgFlag.NEED_FALLBACK
    assert got == {
        "ecb(aes-eip93)": (1500, needy, 16),
        "cbc(aes-eip93)": (1500, needy, 16),
        "ctr(aes-eip93)": (1500, needy, 1),
        "authenc(hmac(sha1-eip93),cbc(aes-eip93))": (1500, needy, 16),
        "sha1-eip93": (300, common, 64),
        "hmac(sha1-eip93)": (300, common, 64),
        "sha256-eip93": (300, common, 64),
        "hmac(sha256-eip93)": (300, common, 64),
    }
    ciphers = [a for name, a in algs.items() if "aes" in name]
    assert {a.chunksize for a in ciphers} == {16}  # type: ignore[union-attr]
    assert {a.statesize for n, a in algs.items() if "aes" not in n} == {120}  # type: ignore[union-attr]


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


def test_case_71_a_driver_can_be_bound_again(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    for _ in range(3):
        tfm = rig.tfm("ecb(aes)", bytes(16))
        for _ in range(5):
            assert rig.caller.crypt(tfm, bytes(16)).status == 0
        assert rig.device.read32(reg.PE_RING_RW_PNTR) == 0x0005_0005
        rig.machine.registry.free(tfm)
        assert rig.driver.remove() == 0
        rig.driver = rig.probe()


def test_case_75_a_transform_that_was_never_used_leaves_nothing(rig: Rig) -> None:
    for name in _SKCIPHERS | _AEAD | _SHA1:
        rig.machine.registry.free(rig.tfm(name))
    assert all(rig.machine.registry.users(alg) == 0 for alg in rig.machine.registry)


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

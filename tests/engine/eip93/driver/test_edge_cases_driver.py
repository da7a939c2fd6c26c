"""Edge cases 69 to 75 of eip93, section 8: probe, limits and completion."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.device import Latency
from tcrypt.engine.eip93.driver.policy import MAINLINE, FallbackPolicy, Reason
from tcrypt.engine.eip93.variants import AES128_ONLY, MT7621, TINY_RING
from tcrypt.engine.sim import Context
from tests.engine.eip93.driver.edge_cases import (
    AUTHENC,
    CBC,
    HMACS,
    IV,
    KEY,
    RFC3686,
    blob,
    cbc,
    crypted,
    iv_of,
    text,
)

if TYPE_CHECKING:
    from tests.engine.conftest import Call
    from tests.engine.eip93.driver.conftest import Rig

    MakeRig = Callable[..., Rig]

_EBUSY, _EINVAL = -errno.EBUSY, -errno.EINVAL


@pytest.mark.parametrize(("bit", "lost"), [(0, "des"), (16, "md5")])
def test_case_69_capabilities_that_are_missing(make_rig: MakeRig, bit: int, lost: str) -> None:
    rig = make_rig(replace(MT7621, option_1=MT7621.option_1 & ~(1 << bit)))
    names = [alg.cra_name for alg in rig.machine.registry if alg.cra_module == "eip93"]
    assert names
    assert not [name for name in names if lost in name]
    assert rig.driver.remove() == 0
    assert not [alg for alg in rig.machine.registry if alg.cra_module == "eip93"]
    rig.idle_mappings = 0


@pytest.mark.parametrize("size", [16, 24, 32])
@pytest.mark.parametrize("name", ["ecb(aes)", CBC, "ctr(aes)", RFC3686, AUTHENC])
def test_case_70_keys_that_the_device_lacks_fall_back(
    make_rig: MakeRig, name: str, size: int
) -> None:
    """The default: every size is a key, and software does those that the device lacks."""
    rig, key = make_rig(AES128_ONLY), bytes(range(size))
    mode = name[:3] if name.endswith("(aes)") else "ctr" if name == RFC3686 else "cbc"
    iv = IV[:8] if name == RFC3686 else iv_of(mode)
    counter = b"nonc" + iv + b"\0\0\0\1" if name == RFC3686 else iv
    wanted = crypted(mode, text(32), counter, key=key)
    material = {RFC3686: key + b"nonc", AUTHENC: blob(key)}.get(name, key)
    tfm = rig.tfm(name, material)
    call = rig.caller.crypt(tfm, text(32), iv)
    assert (call.status, call.out[:32]) == (0, wanted)
    back = rig.caller.crypt(tfm, call.out, iv, decrypt=True)
    assert (back.status, back.out) == (0, text(32))
    assert (rig.hardware, rig.count(Reason.KEY_SIZE)) == ((2, 0) if size == 16 else (0, 2))
    assert rig.device.jobs == (2 if size == 16 else 0)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("ecb(aes)", 16, 16), (CBC, 16, 16), ("ctr(aes)", 16, 16), (RFC3686, 20, 20)],
)
def test_case_70_or_such_keys_are_refused(
    make_rig: MakeRig, name: str, least: int, most: int
) -> None:
    """As the table has it: the registered sizes are the device's, and no other is a key."""
    rig = make_rig(AES128_ONLY, policy=MAINLINE)
    tfm = rig.tfm(name)
    assert (tfm.alg.min_keysize, tfm.alg.max_keysize) == (least, most)
    for size in (most + 8, most + 16):
        with pytest.raises(OSError, match=f"setkey of {size} bytes") as caught:
            tfm.setkey(bytes(size))
        assert caught.value.errno == errno.EINVAL
    assert rig.caller.crypt(tfm, text(32), IV[: tfm.alg.ivsize]).status == -errno.ENOKEY
    tfm.setkey(bytes(most))
    assert rig.caller.crypt(tfm, text(32), IV[: tfm.alg.ivsize]).status == 0
    assert (rig.hardware, rig.count(Reason.KEY_SIZE)) == (1, 0)


@pytest.mark.parametrize("size", [24, 32])
def test_case_70_or_such_keys_of_an_aead_are_refused(make_rig: MakeRig, size: int) -> None:
    rig = make_rig(AES128_ONLY, policy=MAINLINE)
    tfm = rig.tfm(AUTHENC, blob())
    with pytest.raises(OSError, match="setkey") as caught:
        tfm.setkey(blob(bytes(size)))
    assert caught.value.errno == errno.EINVAL
    assert rig.caller.crypt(tfm, text(32), IV).status == -errno.ENOKEY


def test_case_70_a_size_between_those_of_the_device_is_refused(make_rig: MakeRig) -> None:
    """Mainline would give it to the hardware: it only registers the largest (eip93, 1.5)."""
    variant = replace(MT7621, option_1=MT7621.option_1 & ~reg.OPTION_1_AES_192)
    tfm = make_rig(variant, policy=MAINLINE).tfm(CBC)
    assert (tfm.alg.min_keysize, tfm.alg.max_keysize) == (16, 32)
    with pytest.raises(OSError, match="setkey of 24 bytes"):
        tfm.setkey(bytes(24))
    tfm.setkey(bytes(32))


@pytest.mark.parametrize("policy", [None, MAINLINE], ids=["fallback", "refuse"])
def test_case_70_aes_without_any_key_size(
    make_rig: MakeRig, policy: FallbackPolicy | None
) -> None:
    """There is no key that such a device could take, so refusing leaves nothing to register."""
    sizes = reg.OPTION_1_AES_128 | reg.OPTION_1_AES_192 | reg.OPTION_1_AES_256
    rig = make_rig(replace(MT7621, option_1=MT7621.option_1 & ~sizes), policy=policy)
    names = [alg.cra_name for alg in rig.machine.registry if alg.cra_module == "eip93"]
    assert any("aes" in name for name in names) == (policy is None)
    assert CBC.replace("aes", "des") in names


@pytest.mark.parametrize("used", range(1, 5))
def test_case_71_binding_again_with_pointers_that_moved(make_rig: MakeRig, used: int) -> None:
    rig = make_rig(TINY_RING)
    for again in (True, False):
        tfm = rig.tfm(CBC, KEY)
        calls = [rig.caller.crypt(tfm, text(48), IV) for _ in range(used)]
        assert [call.out for call in calls] == [cbc(text(48))] * used
        if again:
            rig.machine.registry.free(tfm)
            assert rig.driver.remove() == 0
            rig.driver = rig.probe()
            assert rig.device.read32(reg.PE_RING_RW_PNTR) == 0


@pytest.mark.parametrize("over", [-1, 0, 1])
@pytest.mark.parametrize("threshold", [256, 512])
@pytest.mark.parametrize("mode", ["ecb", "cbc", "ctr"])
def test_case_72_both_sides_of_the_fallback_boundary(
    make_rig: MakeRig, mode: str, threshold: int, over: int
) -> None:
    rig = make_rig(policy=FallbackPolicy(threshold))
    length = threshold + over * (1 if mode == "ctr" else 16)
    call = rig.caller.crypt(rig.tfm(f"{mode}(aes)", KEY), text(length), iv_of(mode))
    assert (call.status, call.out) == (0, crypted(mode, text(length)))
    if mode == "cbc":
        assert call.iv_out == call.out[-16:]
    if mode == "ctr":
        after = int.from_bytes(IV, "big") + -(-length // 16)
        assert call.iv_out == after.to_bytes(16, "big")
    assert (rig.hardware, rig.count(Reason.SHORT)) == ((1, 0) if over > 0 else (0, 1))


@pytest.mark.parametrize("mode", ["engine", "direct"])
@pytest.mark.parametrize("latency", list(Latency), ids=lambda latency: latency.value)
def test_case_73_one_completion_in_softirq_context(
    make_rig: MakeRig, mode: str, latency: Latency
) -> None:
    rig = make_rig(TINY_RING, mode=mode, latency=latency)
    contexts: list[bool] = []
    calls = []
    for name, length in [(CBC, 16), (CBC, 4096), (CBC, 1), (CBC, 0), ("ctr(aes)", 1)]:
        call = rig.caller.start(rig.tfm(name, KEY), text(length), IV)
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
def test_case_74_submitting_where_nobody_may_sleep(
    make_rig: MakeRig, mode: str, context: Context
) -> None:
    rig = make_rig(TINY_RING, mode=mode)
    tfm = rig.tfm(CBC, KEY)
    calls: list[Call] = []

    def submit() -> None:
        rig.sim.local_bh_disable()
        calls.extend(rig.caller.start(tfm, text(16 * n), IV) for n in range(1, 31))
        rig.sim.local_bh_enable()

    rig.sim.schedule(0, context, "submit", submit)
    rig.caller.settle()
    assert [call.out for call in calls] == [cbc(text(16 * n)) for n in range(1, 31)]
    assert _EBUSY in [call.submitted for call in calls], "the ring must have been full"


@pytest.mark.parametrize("key", [None, KEY], ids=["no key", "key"])
def test_case_75_a_transform_that_is_never_used(rig: Rig, key: bytes | None) -> None:
    names = [alg.cra_name for alg in rig.machine.registry if alg.cra_module == "eip93"]
    maps = rig.machine.dma.maps
    for name in names if key is None else [CBC, "ctr(aes)", *HMACS]:
        rig.machine.registry.free(rig.tfm(name, key))
    assert (rig.machine.dma.maps, rig.tap.work) == (maps, [])
    assert rig.machine.dma.live_mappings == rig.idle_mappings
    assert all(rig.machine.registry.users(alg) == 0 for alg in rig.machine.registry)

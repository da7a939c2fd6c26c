"""The EIP-93's providers: what is tested on each device, and the evidence that the suite gets."""

from __future__ import annotations

import pytest

from tcrypt.engine.api.machine import Accelerator, Machine, Shape
from tcrypt.plugins import providers as builtin
from tcrypt.plugins.discovery import subjects_of
from tcrypt.plugins.providers import Providers
from tcrypt.subject import Provider

_AGAIN = (
    "an7583",
    "aes128_only",
    "no_md5",
    "tiny_ring",
    "slow_irq",
    "flaky",
    "openwrt",
    "async_fallback",
)
_SHAPE = Shape(encrypt=True, text=64, assoc=16, tag=12)


def provider(name: str) -> Provider:
    providers = Providers()
    providers.add(name, getattr(builtin, f"eip93_{name}"))
    (found,) = providers
    return found


def evidence(name: str) -> Accelerator:
    (found,) = provider(name).boot().accelerators
    return found


def ours(machine: Machine) -> set[str]:
    return {alg.cra_name for alg in machine.registry if alg.cra_module == "eip93"}


def test_the_mt7621_is_tested_with_all_that_it_has() -> None:
    found = provider("mt7621")
    assert {subject.algorithm for subject in subjects_of(found)} == ours(found.boot())
    assert len(subjects_of(found)) == 32


@pytest.mark.parametrize("name", _AGAIN)
def test_another_device_has_all_and_is_tested_with_some(name: str) -> None:
    found = provider(name)
    machine = found.boot()
    (device,) = machine.accelerators
    tested = subjects_of(found)
    assert 3 <= len(tested) <= 6
    assert all(device.drives(subject.driver) for subject in tested)
    assert not any(subject.instance for subject in tested)
    assert len(ours(machine)) == (26 if name == "no_md5" else 32)


def test_without_md5_nothing_over_it_is_there_nor_left_behind() -> None:
    machine = provider("no_md5").boot()
    assert not any("md5" in name for name in ours(machine))
    (device,) = machine.accelerators
    assert device.unbind is not None
    assert device.unbind() == 0
    assert ours(machine) == set()


@pytest.mark.parametrize(
    ("name", "algorithm", "size", "wanted"),
    [
        ("mt7621", "cbc(aes)", 32, True),
        ("mt7621", "hmac(md5)", 32, True),
        ("mt7621", "cbc(des3_ede)", 24, True),
        ("aes128_only", "cbc(aes)", 16, True),
        ("aes128_only", "cbc(aes)", 24, False),
        ("aes128_only", "rfc3686(ctr(aes))", 20, True),
        ("aes128_only", "rfc3686(ctr(aes))", 36, False),
        ("aes128_only", "authenc(hmac(sha1),rfc3686(ctr(aes)))", 16, True),
        ("aes128_only", "authenc(hmac(sha1),rfc3686(ctr(aes)))", 32, False),
        ("aes128_only", "authenc(hmac(sha1),cbc(des))", 32, True),
        ("no_md5", "md5", 0, False),
        ("no_md5", "authenc(hmac(md5),cbc(aes))", 16, False),
        ("no_md5", "sha224", 0, True),
    ],
)
def test_evidence_of_key_sizes(name: str, algorithm: str, size: int, wanted: bool) -> None:
    assert evidence(name).supports(algorithm, size) is wanted


@pytest.mark.parametrize(
    ("cipher", "length", "wanted"),
    [
        ("cbc(aes)", 24, False),
        ("cbc(aes)", 32, True),
        ("cbc(des)", 24, True),
        ("cbc(des3_ede)", 12, False),
        ("rfc3686(ctr(aes))", 13, True),
        ("rfc3686(ctr(aes))", 0, False),
    ],
)
def test_evidence_of_payloads(cipher: str, length: int, wanted: bool) -> None:
    takes = evidence("mt7621").takes
    assert takes is not None
    assert takes(f"authenc(hmac(sha1),{cipher})", _SHAPE._replace(text=length)) is wanted


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"assoc": 1020}, True),
        ({"assoc": 1024}, False),
        ({"assoc": 18}, False),
        ({"tag": 10}, False),
    ],
)
def test_evidence_of_aad_and_tag(change: dict[str, int], wanted: bool) -> None:
    takes = evidence("mt7621").takes
    assert takes is not None
    assert takes("authenc(hmac(sha1),cbc(aes))", _SHAPE._replace(**change)) is wanted


@pytest.mark.parametrize(
    ("name", "algorithm", "shortest"),
    [
        ("mt7621", "cbc(aes)", 1),
        ("openwrt", "cbc(aes)", 513),
        ("openwrt", "rfc3686(ctr(aes))", 1),
        ("slow_irq", "rfc3686(ctr(aes))", 257),
        ("slow_irq", "cbc(des)", 1),
    ],
)
def test_evidence_of_the_length_policy(name: str, algorithm: str, shortest: int) -> None:
    assert evidence(name).shortest(algorithm) == shortest


@pytest.mark.parametrize("algorithm", ["md5", "hmac(sha224)"])
def test_hashes_have_a_ceiling_and_ciphers_none(algorithm: str) -> None:
    ceiling = evidence("mt7621").ceiling
    assert ceiling(algorithm) == 300
    assert ceiling("cbc(des)") is ceiling(f"authenc({algorithm},cbc(aes))") is None


def test_the_driver_has_counted_nothing_before_its_first_request() -> None:
    assert evidence("mt7621").statistics() == ""

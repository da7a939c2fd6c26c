"""What of a provider's machine is tested: what it registers, and the instances that it offers."""

from __future__ import annotations

from typing import Any

import pytest

from tcrypt.engine.api.flags import AlgFlag, AlgType
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.software.block_ciphers import cipher_algs
from tcrypt.plugins.discovery import subjects_of
from tcrypt.plugins.providers import Providers, eip93_templates, openssl, software
from tcrypt.subject import Subject


def subjects(register: Any, name: str = "mine") -> list[Subject]:
    providers = Providers()
    providers.add(name, register)
    (provider,) = providers
    return subjects_of(provider)


def drivers(register: Any) -> list[str]:
    return [subject.driver for subject in subjects(register)]


def test_a_synchronous_hash_is_tested_as_an_ahash() -> None:
    def register(machine: Machine) -> None:
        sha1: Any = machine.registry.find("sha1-generic", AlgType.SHASH)
        machine.registry.register(sha1.variant(cra_driver_name="sha1-mine"))

    (found,) = subjects(register)
    assert (found.driver, found.type, found.instance) == ("sha1-mine", AlgType.AHASH, False)


def test_instances_that_came_about_on_the_way_are_not_the_providers() -> None:
    def register(machine: Machine) -> None:
        cbc: Any = machine.registry.find("cbc(aes)", AlgType.SKCIPHER)
        machine.registry.register(cbc.variant(cra_driver_name="cbc-mine"))

    assert drivers(register) == ["cbc-mine"]


def test_an_instance_that_is_offered_is_tested() -> None:
    def register(machine: Machine) -> None:
        machine.offer(AlgType.SKCIPHER, "cts(cbc(aes-generic))")

    (found,) = subjects(register)
    assert (found.driver, found.instance) == ("cts(cbc(aes-generic))", True)


def test_an_offer_may_name_the_checks_to_run() -> None:
    def register(machine: Machine) -> None:
        machine.offer(AlgType.SKCIPHER, "cbc(aes-generic)")
        machine.offer(AlgType.SKCIPHER, "ctr(aes-generic)", checks=("keys", "vectors"))

    assert [s.checks for s in subjects(register)] == [(), ("keys", "vectors")]


def algorithms(register: Any, name: str) -> set[str]:
    return {subject.algorithm for subject in subjects(register, name)}


def test_openssl_has_what_the_generics_have_but_what_the_library_lacks() -> None:
    # Counter mode of DES, GHASH by itself; and a template that has no known answers anyway.
    lacking = {"ctr(des)", "ctr(des3_ede)", "ghash", "authenc(hmac(sha256),ctr(aes))"}
    assert algorithms(software, "software") - algorithms(openssl, "openssl") == lacking


def test_an_offer_that_cannot_be_built_says_why() -> None:
    def register(machine: Machine) -> None:
        machine.offer(AlgType.SKCIPHER, "cts(cbc(rot13))")

    with pytest.raises(OSError, match="rot13"):
        subjects(register)


@pytest.mark.parametrize("offers", [False, True])
def test_a_block_cipher_is_tested_through_ecb(offers: bool) -> None:
    def register(machine: Machine) -> None:
        aes = next(alg for alg in cipher_algs() if alg.cra_name == "aes")
        machine.registry.register(aes.variant(cra_driver_name="aes-mine"))
        if offers:
            machine.offer(AlgType.SKCIPHER, "ecb(aes-mine)", "cbc(aes-mine)")

    assert drivers(register) == (
        ["ecb(aes-mine)", "cbc(aes-mine)"] if offers else ["ecb(aes-mine)"]
    )


def test_what_was_there_before_is_not_the_providers() -> None:
    def register(machine: Machine) -> None:
        sha1: Any = machine.registry.find("sha1-generic", AlgType.SHASH)
        machine.registry.register(sha1.variant(cra_driver_name="sha1-fallback"))
        machine.settle()
        machine.registry.register(sha1.variant(cra_driver_name="sha1-mine"))

    assert drivers(register) == ["sha1-mine"]


_NAMES = (
    "cts(cbc(aes-eip93))",
    "xts(ecb(aes-eip93))",
    "essiv(cbc(aes-eip93),sha256-generic)",
)


@pytest.mark.parametrize("name", _NAMES)
def test_templates_over_the_eip93_run_their_blocks_on_the_device(name: str) -> None:
    found = {subject.driver: subject for subject in subjects(eip93_templates)}[name]
    assert found.alg.cra_flags & AlgFlag.ASYNC
    machine = found.provider.boot()
    tfm = machine.registry.alloc_skcipher(name)
    tfm.setkey(bytes(range(tfm.alg.min_keysize)))
    (device,) = machine.accelerators
    jobs = device.jobs()
    assert _encrypted(machine, tfm, 40 if name.startswith(("cts", "xts", "rfc")) else 48) == 0
    steps = 2 if name.startswith(("cts", "xts")) else 1
    assert device.jobs() == jobs + steps


def _encrypted(machine: Machine, tfm: Any, length: int) -> int:
    """The final status of one encryption in place."""
    memory = machine.memory
    statuses: list[int] = []
    data = Scatterlist(memory, [Segment(memory.zalloc(length), length)])
    request = tfm.request()
    request.set_crypt(data, data, length, Buffer(memory, memory.zalloc(16), tfm.alg.ivsize))
    request.set_callback(0, lambda _, status: statuses.append(status), None)
    submitted = tfm.encrypt(request)
    assert machine.sim.run()
    return statuses[-1] if statuses else submitted

"""Edge cases 53 to 60 of eip93, section 8: hashes."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from tests.engine.eip93.driver.edge_cases import (
    DIGESTS,
    HMACS,
    hashed,
    keyed,
    library,
    text,
)

if TYPE_CHECKING:
    from tests.engine.eip93.driver.conftest import Rig


_EMPTY = {
    "md5": "d41d8cd98f00b204e9800998ecf8427e",
    "sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "sha224": "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
}


@pytest.mark.parametrize("way", ["digest", "final", "finup"])
@pytest.mark.parametrize(("name", "wanted"), list(_EMPTY.items()))
def test_case_53_an_empty_message_at_once(rig: Rig, name: str, wanted: str, way: str) -> None:
    hashing = rig.caller.hash(rig.tfm(name))
    if way != "digest":
        assert hashing.step("init") == 0
    hashing.request.set_crypt(None, hashing.result, 0)
    assert rig.caller.submit(hashing.request, getattr(hashing.tfm, way)).submitted == 0
    assert hashing.hexdigest() == wanted
    assert rig.tap.work == []


@pytest.mark.parametrize("length", [1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 129])
@pytest.mark.parametrize("name", [*DIGESTS, *HMACS])
def test_case_54_lengths_around_the_padding(rig: Rig, name: str, length: int) -> None:
    data, hashing = text(length), rig.caller.hash(keyed(rig, name))
    for steps in ((), ("init", "finup"), ("init", "update", "final")):
        hashing.result.write(bytes(hashing.tfm.alg.digestsize))
        for step in steps or ("digest",):
            takes = step in ("digest", "finup", "update")
            assert hashing.step(step, data if takes else None) == 0
        assert hashing.result.read() == library(name, data)
    assert rig.device.jobs >= 3


@pytest.mark.parametrize(
    "sizes",
    [(1,) * 200, (64, 0, 64), (63, 2), (128,), (64,), (65,), (1, 63, 64, 65, 64)],
    ids=["200 of 1", "64+0+64", "63+2", "128", "64", "65", "mixed"],
)
@pytest.mark.parametrize("name", [*DIGESTS, *HMACS])
def test_case_55_updates_of_any_size(rig: Rig, name: str, sizes: tuple[int, ...]) -> None:
    data = text(sum(sizes))
    chunks = [data[sum(sizes[:n]) :][:size] for n, size in enumerate(sizes)]
    assert hashed(rig, name, *chunks) == library(name, data)


@pytest.mark.parametrize(("name", "wanted"), list(_EMPTY.items()))
def test_case_56_an_empty_update_then_final(rig: Rig, name: str, wanted: str) -> None:
    assert hashed(rig, name, b"").hex() == wanted
    assert rig.tap.work == []


@pytest.mark.parametrize("length", [0, 1, 64])
@pytest.mark.parametrize("name", HMACS)
def test_case_57_short_hmacs(rig: Rig, name: str, length: int) -> None:
    assert hashed(rig, name, text(length)) == library(name, text(length))
    hashing = rig.caller.hash(keyed(rig, name))
    assert hashing.step("digest", text(length)) == 0
    assert hashing.result.read() == library(name, text(length))
    assert rig.hardware >= 2


def continued(rig: Rig, name: str, length: int, *, same_tfm: bool) -> None:
    """Export after `length` bytes; the message and its copy must end alike."""
    tfm = keyed(rig, name)
    first = rig.caller.hash(tfm)
    assert tfm.alg.statesize == 120
    assert (first.step("init"), first.step("update", text(length))) == (0, 0)
    state = first.export()
    assert len(state) == 120
    second = rig.caller.hash(tfm if same_tfm else keyed(rig, name))
    assert second.import_state(state) == 0
    for hashing, tail in ((first, b"tail"), (second, text(99))):
        assert (hashing.step("update", tail), hashing.step("final")) == (0, 0)
        assert hashing.result.read() == library(name, text(length) + tail)


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 200])
@pytest.mark.parametrize("name", DIGESTS)
def test_case_58_export_and_import(rig: Rig, name: str, length: int) -> None:
    continued(rig, name, length, same_tfm=True)


@pytest.mark.parametrize("length", [0, 1, 64, 65, 200])
@pytest.mark.parametrize("name", HMACS)
def test_case_59_hmac_state_in_another_transform(rig: Rig, name: str, length: int) -> None:
    continued(rig, name, length, same_tfm=False)


@pytest.mark.parametrize("name", HMACS)
def test_case_60_hmac_without_a_key(rig: Rig, name: str) -> None:
    hashing = rig.caller.hash(rig.tfm(name))
    assert hashing.step("init") == -errno.ENOKEY
    assert hashing.step("digest", b"abc") == -errno.ENOKEY
    assert hashing.import_state(bytes(120)) == -errno.ENOKEY
    assert rig.tap.work == []

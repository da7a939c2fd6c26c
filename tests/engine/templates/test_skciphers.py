"""rfc3686, cts, xts and essiv against the oracle, over parts that complete at once or later."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcrypt.engine import software
from tcrypt.engine.api.flags import AlgFlag, AlgType, ReqFlag
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.templates.cryptd import cryptd
from tcrypt.oracle import SkcipherReference, reference

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

# What each is built over, and how it is called over the asynchronous part.
_PARTS = {
    "rfc3686(ctr(aes))": ("ctr(aes-generic)", "rfc3686({})"),
    "cts(cbc(aes))": ("cbc(aes-generic)", "cts({})"),
    "xts(aes)": ("ecb(aes-generic)", "xts({})"),
    "essiv(cbc(aes),sha256)": ("cbc(aes-generic)", "essiv({},sha256-generic)"),
}
_LENGTHS = (1, 15, 16, 17, 31, 32, 33, 47, 48, 63, 100, 160)
each = pytest.mark.parametrize("name", _PARTS)
both = pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
directions = pytest.mark.parametrize("decrypt", [False, True], ids=["encrypt", "decrypt"])


def oracle(name: str) -> SkcipherReference:
    found = reference(name)
    assert isinstance(found, SkcipherReference)
    return found


def key_of(name: str, size: int = 0) -> bytes:
    return bytes(range(50, 50 + (size or oracle(name).key_sizes[0])))


def opened(caller: Caller, name: str, *, later: bool, qlen: int = 100) -> Skcipher:
    """A transform over generics, or over a part of them that cryptd makes asynchronous."""
    registry = caller.machine.registry
    if not later:
        return registry.alloc_skcipher(name)
    part, form = _PARTS[name]
    driver = f"cryptd({part})"
    if not any(alg.cra_driver_name == driver for alg in registry):
        cryptd(caller.machine, registry.find(part, AlgType.SKCIPHER), qlen=qlen)
    return registry.alloc_skcipher(form.format(driver))


def keyed(caller: Caller, name: str, *, later: bool = False, qlen: int = 100) -> Skcipher:
    tfm = opened(caller, name, later=later, qlen=qlen)
    tfm.setkey(key_of(name))
    return tfm


def iv_of(name: str) -> bytes:
    return bytes(range(200, 200 + oracle(name).ivsize))


def answer(name: str, data: bytes, *, decrypt: bool = False, key: bytes = b"") -> bytes:
    crypt = oracle(name).decrypt if decrypt else oracle(name).encrypt
    return crypt(key or key_of(name), iv_of(name), data).out


@each
@both
@directions
@pytest.mark.parametrize("in_place", [False, True], ids=["out of place", "in place"])
@pytest.mark.parametrize("length", _LENGTHS)
def test_output_or_refusal_is_the_oracles(
    caller: Caller, name: str, later: bool, decrypt: bool, in_place: bool, length: int
) -> None:
    data = bytes(i * 7 % 251 for i in range(length))
    src = caller.scatter(data, (min(5, length),), offset=1)
    call = caller.crypt(
        keyed(caller, name, later=later),
        data,
        iv_of(name),
        decrypt=decrypt,
        src=src,
        dst=src if in_place else None,
    )
    wanted = oracle(name).length_status(length)
    assert call.status == wanted
    assert wanted or call.out == answer(name, data, decrypt=decrypt)
    assert in_place or src.read(length) == data


@each
@pytest.mark.parametrize("later", [True])
def test_what_completes_later_says_so_and_only_once(
    caller: Caller, name: str, later: bool
) -> None:
    tfm = keyed(caller, name, later=later)
    assert tfm.alg.cra_flags & AlgFlag.ASYNC
    call = caller.start(tfm, bytes(48), iv_of(name))
    assert (call.submitted, call.notes) == (-errno.EINPROGRESS, [])
    caller.settle()
    assert call.notes == [0]
    assert call.out == answer(name, bytes(48))


@each
def test_a_backlogged_request_is_noticed_once(caller: Caller, name: str) -> None:
    tfm = keyed(caller, name, later=True, qlen=1)
    calls = [caller.start(tfm, bytes([n]) * 40, iv_of(name)) for n in range(3)]
    assert [call.submitted for call in calls] == [-errno.EINPROGRESS, -errno.EBUSY, -errno.EBUSY]
    caller.settle()
    if oracle(name).length_status(40):
        finals = [-errno.EINVAL]
    else:
        finals = [0]
    assert [call.notes for call in calls] == [
        finals,
        [-errno.EINPROGRESS, *finals],
        [-errno.EINPROGRESS, *finals],
    ]
    if finals == [0]:
        for number, call in enumerate(calls):
            assert call.out == answer(name, bytes([number]) * 40)


@each
def test_a_full_queue_refuses_without_a_trace(caller: Caller, name: str) -> None:
    tfm = keyed(caller, name, later=True, qlen=1)
    first = caller.start(tfm, bytes(32), iv_of(name), flags=0)
    blocks = caller.memory.live_blocks
    second = caller.start(tfm, bytes(32), iv_of(name), flags=0)
    assert second.submitted == -errno.ENOSPC
    caller.settle()
    assert (first.notes, second.notes) == ([0], [])
    # Source, destination and IV of the second request are the test's own.
    assert caller.memory.live_blocks <= blocks + 3


@each
@both
def test_nothing_is_left_in_memory(caller: Caller, name: str, later: bool) -> None:
    tfm = keyed(caller, name, later=later)
    src, iv = caller.scatter(bytes(40)), caller.buffer(iv_of(name))
    made, blocks = caller.memory.allocations, caller.memory.live_blocks
    request = tfm.request()
    request.set_crypt(src, src, 32, iv)
    call = caller.submit(request, tfm.encrypt)
    caller.settle()
    assert call.status == 0
    assert (caller.memory.allocations, caller.memory.live_blocks) == (made, blocks)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@each
def test_placement_does_not_matter(caller: Caller, name: str, data: Any) -> None:
    length = 16 * data.draw(st.integers(1, 6))
    if not oracle(name).length_status(33):
        length += data.draw(st.integers(0, 15))
    cuts = [data.draw(st.lists(st.integers(0, length // 3), max_size=3)) for _ in range(2)]
    text = bytes(i % 256 for i in range(length))
    src, dst = caller.scatter(text, cuts[0], offset=3), caller.scatter(length, cuts[1], offset=1)
    call = caller.crypt(keyed(caller, name), text, iv_of(name), src=src, dst=dst)
    assert call.out == answer(name, text)


@each
@both
@pytest.mark.parametrize("short", ["src", "dst"])
def test_a_list_that_is_too_short_is_einval(
    caller: Caller, name: str, later: bool, short: str
) -> None:
    lists = {"src": caller.scatter(48), "dst": caller.scatter(48), short: caller.scatter(47)}
    call = caller.crypt(keyed(caller, name, later=later), bytes(48), iv_of(name), **lists)
    assert call.status == -errno.EINVAL


@each
def test_every_key_size_and_no_other(caller: Caller, name: str) -> None:
    tfm, sizes = opened(caller, name, later=False), oracle(name).key_sizes
    for size in range(1, max(sizes) + 2):
        if size in sizes:
            tfm.setkey(key_of(name, size))
            call = caller.crypt(tfm, bytes(32), iv_of(name))
            assert call.out == answer(name, bytes(32), key=key_of(name, size))
        else:
            with pytest.raises(OSError, match=f"setkey of {size} bytes") as caught:
                tfm.setkey(key_of(name, size))
            assert caught.value.errno == errno.EINVAL


def test_equal_xts_halves_are_refused_on_request_and_in_fips_mode(
    make_caller: Callable[[Machine], Caller],
) -> None:
    for fips, flags in ((False, 0), (False, ReqFlag.FORBID_WEAK_KEYS), (True, 0)):
        machine = Machine(setup=Setup(fips=fips))
        software.register(machine)
        tfm = machine.registry.alloc_skcipher("xts(aes)")
        tfm.set_flags(flags)
        if not fips and not flags:
            tfm.setkey(bytes(32))
            call = make_caller(machine).crypt(tfm, bytes(20), iv_of("xts(aes)"))
            assert call.out == answer("xts(aes)", bytes(20), key=bytes(32))
            continue
        with pytest.raises(OSError, match="setkey of 32 bytes") as caught:
            tfm.setkey(bytes(32))
        assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize(
    ("name", "driver", "sizes"),
    [
        ("rfc3686(ctr(aes))", "rfc3686(ctr(aes-generic))", (1, 8, 16, 20, 36)),
        ("cts(cbc(aes))", "cts(cbc(aes-generic))", (16, 16, 16, 16, 32)),
        ("xts(aes)", "xts(ecb(aes-generic))", (16, 16, 16, 32, 64)),
        (
            "essiv(cbc(aes),sha256)",
            "essiv(cbc(aes-generic),sha256-generic)",
            (16, 16, 16, 16, 32),
        ),
    ],
)
def test_composed_names_and_sizes(
    caller: Caller, name: str, driver: str, sizes: tuple[int, ...]
) -> None:
    alg = caller.machine.registry.alloc_skcipher(name).alg
    assert (alg.cra_name, alg.cra_driver_name, alg.cra_priority) == (name, driver, 100)
    assert (
        alg.cra_blocksize,
        alg.ivsize,
        alg.chunksize,
        alg.min_keysize,
        alg.max_keysize,
    ) == sizes
    assert not alg.cra_flags & AlgFlag.ALLOCATES_MEMORY
    assert caller.machine.registry.find(driver, AlgType.SKCIPHER) is alg


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("rfc3686(cbc(aes))", errno.EINVAL),
        ("rfc3686(ctr(des))", errno.EINVAL),
        ("cts(ecb(aes))", errno.EINVAL),
        ("cts(ctr(aes))", errno.EINVAL),
        ("xts(des)", errno.EINVAL),
        ("xts(cbc(aes))", errno.EINVAL),
        ("xts(rot13)", errno.ENOENT),
        ("essiv(cbc(aes),sha512)", errno.EINVAL),
        ("essiv(cbc(aes),hmac(sha256))", errno.EINVAL),
        ("essiv(cbc(aes))", errno.EINVAL),
        ("cbc(sha1)", errno.ENOENT),
        ("ecb(aes,aes)", errno.EINVAL),
    ],
)
def test_parts_that_do_not_fit(caller: Caller, name: str, error: int) -> None:
    with pytest.raises(OSError, match=os.strerror(error)) as caught:
        caller.machine.registry.find(name, AlgType.SKCIPHER)
    assert caught.value.errno == error


@each
@both
def test_a_freed_transform_frees_its_parts(caller: Caller, name: str, later: bool) -> None:
    tfm = keyed(caller, name, later=later)
    registry = caller.machine.registry
    registry.free(tfm)
    assert [entry.alg.cra_driver_name for entry in registry.entries() if entry.users] == []
    assert caller.machine.warnings == []

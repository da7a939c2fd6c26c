"""cryptd: the inner algorithm's answers, later, in the right context and under queue rules."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.flags import AlgFlag, AlgType, ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.sim import Context
from tcrypt.engine.templates.cryptd import cryptd

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_KEY, _IV, _TEXT = bytes(range(16)), bytes(16), bytes(range(64))
_PROGRESS, _BUSY = -errno.EINPROGRESS, -errno.EBUSY


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    software.register(machine)
    return machine


@pytest.fixture
def caller(machine: Machine, make_caller: Callable[[Machine], Caller]) -> Caller:
    return make_caller(machine)


def wrapped(machine: Machine, name: str, kind: AlgType, qlen: int = 100) -> Any:
    inner = machine.registry.find(name, kind)
    outer = cryptd(machine, inner, qlen=qlen)
    tfm = getattr(machine.registry, f"alloc_{kind.word}")(name)
    assert tfm.alg is outer
    return tfm


def test_a_wrapper_is_preferred_to_what_it_wraps_and_named_after_it(machine: Machine) -> None:
    inner = machine.registry.find("cbc(aes)", AlgType.SKCIPHER)
    outer = cryptd(machine, inner)
    assert isinstance(inner, SkcipherAlg)
    assert isinstance(outer, SkcipherAlg)
    assert outer.cra_name == "cbc(aes)"
    assert outer.cra_driver_name == f"cryptd({inner.cra_driver_name})"
    assert outer.cra_priority == inner.cra_priority + 50
    assert outer.cra_flags & AlgFlag.ASYNC
    sizes = ("min_keysize", "max_keysize", "ivsize", "chunksize", "cra_blocksize")
    assert [getattr(outer, s) for s in sizes] == [getattr(inner, s) for s in sizes]
    assert machine.registry.find("cbc(aes)", AlgType.SKCIPHER) is outer


def test_a_single_block_cipher_cannot_be_wrapped(machine: Machine) -> None:
    cipher = machine.registry.find("aes", AlgType.CIPHER)
    with pytest.raises(OSError, match="is a cipher") as caught:
        cryptd(machine, cipher)
    assert caught.value.errno == errno.EINVAL


def test_the_work_is_done_later_and_right(machine: Machine, caller: Caller) -> None:
    plain = machine.registry.alloc_skcipher("cbc(aes)")
    tfm = wrapped(machine, "cbc(aes)", AlgType.SKCIPHER)
    for each in (plain, tfm):
        each.setkey(_KEY)
    want = caller.crypt(plain, _TEXT, _IV)
    made = caller.start(tfm, _TEXT, _IV)
    assert (made.submitted, made.notes) == (_PROGRESS, [])
    caller.settle()
    assert (made.notes, made.out, made.iv_out) == ([0], want.out, want.iv_out)


def test_an_aead_keeps_its_tag_size_and_its_verdict(machine: Machine, caller: Caller) -> None:
    name = "authenc(hmac(sha1),cbc(aes))"
    tfm = wrapped(machine, name, AlgType.AEAD)
    blob = bytes([8, 0, 1, 0, 0, 0, 0, 16]) + bytes(20) + _KEY
    tfm.setkey(blob)
    tfm.setauthsize(12)
    sealed = caller.crypt(tfm, _TEXT, _IV, assoc=b"head").out[4:]
    assert len(sealed) == len(_TEXT) + 12
    opened = caller.crypt(tfm, sealed, _IV, assoc=b"head", decrypt=True)
    assert (opened.status, opened.out[4:]) == (0, _TEXT)
    forged = caller.crypt(tfm, sealed, _IV, assoc=b"heap", decrypt=True)
    assert forged.status == -errno.EBADMSG


def test_a_hash_keeps_its_state_between_steps(machine: Machine, caller: Caller) -> None:
    tfm = wrapped(machine, "sha256", AlgType.AHASH)
    first = caller.hash(tfm)
    assert first.step("init") == first.step("update", b"one ") == 0
    state = first.export()
    assert first.step("finup", b"two") == 0
    assert first.hexdigest() == hashlib.sha256(b"one two").hexdigest()
    second = caller.hash(tfm)
    assert second.import_state(state) == second.step("update", b"three") == 0
    assert second.step("final") == 0
    assert second.hexdigest() == hashlib.sha256(b"one three").hexdigest()
    assert second.step("digest", b"four") == 0
    assert second.hexdigest() == hashlib.sha256(b"four").hexdigest()


def test_a_refused_key_is_refused_with_the_inner_errno(machine: Machine) -> None:
    tfm = wrapped(machine, "xts(aes)", AlgType.SKCIPHER)
    tfm.set_flags(ReqFlag.FORBID_WEAK_KEYS)
    with pytest.raises(OSError, match="setkey") as caught:
        tfm.setkey(bytes(32))
    assert caught.value.errno == errno.EINVAL


def test_a_full_queue_backlogs_in_order_and_gives_notice(machine: Machine, caller: Caller) -> None:
    tfm = wrapped(machine, "cbc(aes)", AlgType.SKCIPHER, qlen=2)
    tfm.setkey(_KEY)
    flags = (ReqFlag.MAY_BACKLOG, 0, 0, ReqFlag.MAY_BACKLOG)
    made = [caller.start(tfm, _TEXT, _IV, flags=int(f)) for f in flags]
    assert [m.submitted for m in made] == [_PROGRESS, _PROGRESS, -errno.ENOSPC, _BUSY]
    caller.settle()
    assert [m.notes for m in made] == [[0], [0], [], [_PROGRESS, 0]]


def test_completions_have_bottom_halves_disabled(machine: Machine, caller: Caller) -> None:
    tfm = wrapped(machine, "cbc(aes)", AlgType.SKCIPHER, qlen=1)
    tfm.setkey(_KEY)
    seen: list[tuple[int, bool]] = []
    for _ in range(2):
        request = tfm.request()
        source = caller.scatter(_TEXT)
        request.set_crypt(source, source, len(_TEXT), caller.buffer(_IV))
        request.set_callback(
            int(ReqFlag.MAY_BACKLOG),
            lambda data, status: seen.append((status, machine.sim.in_softirq)),
            None,
        )
        tfm.encrypt(request)
    caller.settle()
    assert seen == [(_PROGRESS, True), (0, True), (0, True)]


def test_the_worker_may_sleep_whatever_the_caller_may(machine: Machine, caller: Caller) -> None:
    """The inner request's MAY_SLEEP is the worker's own, and ends with it."""
    flags: list[tuple[Context, int]] = []

    def encrypt(request: SkcipherRequest) -> int:
        flags.append((machine.sim.context, request.flags & ReqFlag.MAY_SLEEP))
        machine.sim.might_sleep("an allocation")
        return 0

    machine.registry.register(
        SkcipherAlg(
            cra_name="sleepy",
            cra_driver_name="sleepy-generic",
            cra_priority=1,
            min_keysize=0,
            max_keysize=0,
            setkey=lambda tfm, key: 0,
            encrypt=encrypt,
            decrypt=encrypt,
        )
    )
    tfm = wrapped(machine, "sleepy", AlgType.SKCIPHER)
    assert caller.crypt(tfm, _TEXT, flags=0).status == 0
    assert flags == [(Context.WORK, ReqFlag.MAY_SLEEP)]


def test_an_asynchronous_algorithm_can_be_wrapped_as_well(
    machine: Machine, caller: Caller
) -> None:
    plain = machine.registry.alloc_skcipher("cbc(aes)")
    wrapped(machine, "cbc(aes)", AlgType.SKCIPHER, qlen=1)
    tfm = wrapped(machine, "cbc(aes)", AlgType.SKCIPHER)
    assert tfm.alg.cra_driver_name.startswith("cryptd(cryptd(")
    for each in (plain, tfm):
        each.setkey(_KEY)
    want = caller.crypt(plain, _TEXT, _IV).out
    made = [caller.start(tfm, _TEXT, _IV) for _ in range(4)]
    caller.settle()
    assert [(m.status, m.out) for m in made] == [(0, want)] * 4


def test_a_freed_wrapper_frees_what_it_wraps(machine: Machine) -> None:
    inner = machine.registry.find("cbc(aes)", AlgType.SKCIPHER)
    tfm = wrapped(machine, "cbc(aes)", AlgType.SKCIPHER)
    assert machine.registry.users(inner) == 1
    machine.registry.free(tfm)
    assert machine.registry.users(inner) == 0

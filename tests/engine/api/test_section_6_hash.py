"""Hashes and completion: the rows of kernel-crypto, sections 6.5 and 6.10, by name."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.algorithms import AhashAlg, AnyAlg, ShashAlg, SkcipherAlg
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.machine import Machine, Setup
from tcrypt.engine.api.requests import REQUEST_BYTES
from tcrypt.engine.api.shash import Shash, ShashDesc
from tcrypt.engine.sim import AtomicSleepError, Context

if TYPE_CHECKING:
    from tests.engine.conftest import Caller

_STEPS = ("hash_init", "update", "final", "finup", "digest", "export", "import_state")
_MESSAGE = bytes(range(256))


def rows(*names: str) -> pytest.MarkDecorator:
    """Put the names of the rows that a test is about into its id."""
    return pytest.mark.parametrize("row", names)


@pytest.fixture
def caller(make_caller: Callable[[Machine], Caller]) -> Caller:
    machine = Machine()
    software.register(machine)
    return make_caller(machine)


def ahash(**changes: Any) -> AhashAlg:
    values: dict[str, Any] = {
        "cra_name": "x",
        "cra_driver_name": "x-mine",
        "cra_priority": 1,
        "digestsize": 4,
        "statesize": 8,
        **dict.fromkeys(_STEPS, lambda *arguments: 0),
    }
    return AhashAlg(**(values | changes))


def _start(desc: ShashDesc) -> int:
    desc.ctx = bytearray(4)
    return 0


def _add(desc: ShashDesc, data: bytes) -> int:
    total = int.from_bytes(desc.ctx, "big") + sum(data)
    desc.ctx[:] = total.to_bytes(4, "big")
    return 0


def _give(desc: ShashDesc, out: bytearray) -> int:
    key = desc.tfm.ctx or b"\0"
    out[:] = bytes(byte ^ key[0] for byte in desc.ctx)
    return 0


def _setkey(tfm: Shash, key: bytearray) -> int:
    tfm.ctx = bytes(key)
    return 0


def summing(**changes: Any) -> ShashAlg:
    """A sum of bytes as a hash, whose state is its descriptor of 4 bytes."""
    values: dict[str, Any] = {
        "cra_name": "sum",
        "cra_driver_name": "sum-mine",
        "cra_priority": 1,
        "digestsize": 4,
        "descsize": 4,
        "hash_init": _start,
        "update": _add,
        "final": _give,
    }
    return ShashAlg(**(values | changes))


def refused(alg: AnyAlg) -> str:
    with pytest.raises(OSError, match="registering") as caught:
        Machine().registry.register(alg)
    assert caught.value.errno == errno.EINVAL
    return str(caught.value)


# 6.5


@rows("6.5 registration limits")
@pytest.mark.parametrize(
    ("alg", "why"),
    [
        (ahash(digestsize=65), "digestsize 65"),
        (ahash(statesize=0), "statesize 0"),
        (ahash(statesize=513), "statesize 513"),
        (summing(digestsize=65), "digestsize 65"),
        (summing(descsize=369), "descsize 369"),
        (summing(export=lambda d, o: 0, statesize=513), "statesize 513"),
    ],
    ids=["digest", "no state", "state", "shash digest", "shash descriptor", "shash state"],
)
def test_limits(row: str, alg: AnyAlg, why: str) -> None:
    assert why in refused(alg)


@rows("6.5 default export of a shash")
def test_a_shash_without_export_exports_its_descriptor(
    make_caller: Callable[[Machine], Caller], row: str
) -> None:
    machine = Machine()
    alg = summing()
    machine.registry.register(alg)
    assert alg.statesize == alg.descsize == 4
    caller = make_caller(machine)
    tfm = machine.registry.alloc_ahash("sum")
    first, second = caller.hash(tfm), caller.hash(tfm)
    assert first.step("init") == first.step("update", b"\3\4") == 0
    state = first.export()
    assert state == b"\0\0\0\7"
    assert second.import_state(state) == 0
    assert first.step("finup", b"\1") == second.step("finup", b"\5") == 0
    assert (first.hexdigest(), second.hexdigest()) == ("00000008", "0000000c")


@rows("6.5 all operations work on the request context")
@pytest.mark.parametrize("cut", [0, 1, 63, 64, 65, 200, 256])
@pytest.mark.parametrize("name", ["sha1", "sha256", "md5", "sha512"])
def test_a_state_goes_on_in_another_request(caller: Caller, row: str, name: str, cut: int) -> None:
    tfm = caller.machine.registry.alloc_ahash(name)
    wanted = hashlib.new(name, _MESSAGE).hexdigest()
    first = caller.hash(tfm)
    assert first.step("init") == first.step("update", _MESSAGE[:cut]) == 0
    second = caller.hash(tfm)
    assert second.import_state(first.export()) == 0
    assert second.step("finup", _MESSAGE[cut:]) == 0
    assert first.step("update", _MESSAGE[cut:]) == first.step("final") == 0
    assert first.hexdigest() == second.hexdigest() == wanted


@rows("6.5 reqsize is set before requests are allocated")
def test_reqsize_raised_too_late_is_warned_about(row: str) -> None:
    machine = Machine()
    machine.registry.register(ahash(reqsize=16))
    tfm = machine.registry.alloc_ahash("x")
    tfm.reqsize = 24
    assert machine.warnings == []
    tfm.request()
    tfm.reqsize = 24
    assert machine.warnings == []
    tfm.reqsize = 25
    assert machine.warnings == ["x-mine: reqsize raised from 24 to 25 after a request"]


@rows("6.5 reqsize is set before requests are allocated")
@pytest.mark.parametrize("missing", [0, 1], ids=["enough", "a byte too little"])
def test_reqsize_must_hold_a_request_on_the_fallback(
    caller: Caller, row: str, missing: int
) -> None:
    registry = caller.machine.registry
    fallback = registry.alloc_ahash("sha1")
    fallback.reqsize = 100

    def digest(request: Any) -> int:
        request.ctx = fallback.request()
        return 0

    registry.register(ahash(reqsize=REQUEST_BYTES + 100 - missing, digest=digest))
    tfm = registry.alloc_ahash("x")
    for _ in range(2):
        assert tfm.digest(tfm.request()) == 0
    told = "x-mine: reqsize is 163, and its request on sha1-generic needs 164"
    assert caller.machine.warnings == [told] * missing


@rows("6.5 reqsize is set before requests are allocated")
def test_reqsize_of_a_template_includes_its_parts(caller: Caller, row: str) -> None:
    registry = caller.machine.registry

    def init(tfm: Any) -> int:
        tfm.reqsize = 1000
        return 0

    generic = registry.alloc_skcipher("ctr(aes)").alg
    greedy = generic.variant(cra_driver_name="ctr-greedy", init=init, exit=None, cra_priority=900)
    registry.register(greedy)
    assert registry.alloc_skcipher("rfc3686(ctr-greedy)").reqsize >= 1000


@rows("6.5 zero-length steps and messages")
@pytest.mark.parametrize("steps", [("digest",), ("init", "final"), ("init", "finup")])
@pytest.mark.parametrize("name", ["sha1", "sha256", "hmac(sha1)"])
def test_empty_messages(caller: Caller, row: str, name: str, steps: tuple[str, ...]) -> None:
    tfm = caller.machine.registry.alloc_ahash(name)
    wanted = hashlib.new(name, b"").hexdigest() if "(" not in name else None
    if wanted is None:
        tfm.setkey(b"")
        wanted = "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d"
    message = caller.hash(tfm)
    assert [message.step(step) for step in steps] == [0] * len(steps)
    assert message.hexdigest() == wanted


@rows("6.5 zero-length steps and messages")
def test_an_update_with_nothing_changes_nothing(caller: Caller, row: str) -> None:
    message = caller.hash(caller.machine.registry.alloc_ahash("sha256"))
    for step, data in (("init", None), ("update", b""), ("update", b"abc"), ("update", b"")):
        assert message.step(step, data) == 0
    assert message.step("final") == 0
    assert message.hexdigest() == hashlib.sha256(b"abc").hexdigest()


@rows("6.5 import before setkey")
def test_import_before_setkey(caller: Caller, row: str) -> None:
    tfm = caller.machine.registry.alloc_ahash("hmac(sha1)")
    assert caller.hash(tfm).import_state(bytes(tfm.alg.statesize)) == -errno.ENOKEY


@rows("6.5 the result buffer")
@pytest.mark.parametrize("offset", [1, 3, 63])
def test_the_result_has_no_alignment_and_only_the_end_writes_it(
    caller: Caller, row: str, offset: int
) -> None:
    message = caller.hash(caller.machine.registry.alloc_ahash("sha1"))
    message.result = caller.buffer(b"\xfe" * 20, offset=offset)
    assert message.step("init") == message.step("update", b"abc" * 50) == 0
    assert message.result.read() == b"\xfe" * 20
    assert message.step("final") == 0
    assert message.hexdigest() == hashlib.sha1(b"abc" * 50).hexdigest()


# Clones.


def keyed_sum(**changes: Any) -> Machine:
    machine = Machine()
    machine.registry.register(summing(setkey=_setkey, **changes))
    return machine


def digest(caller: Caller, tfm: Any) -> str:
    message = caller.hash(tfm)
    assert message.step("digest", b"\1\2") == 0
    return message.hexdigest()


def test_a_clone_keeps_the_key_of_its_origin(make_caller: Callable[[Machine], Caller]) -> None:
    machine = keyed_sum()
    caller, registry = make_caller(machine), machine.registry
    first = registry.alloc_ahash("sum")
    first.setkey(b"\x10")
    second = registry.clone_ahash(first)
    first.setkey(b"\x20")
    assert (digest(caller, first), digest(caller, second)) == ("20202023", "10101013")
    registry.free(first)
    assert registry.users(next(iter(registry))) == 1
    assert digest(caller, second) == "10101013"


def test_a_clone_of_a_transform_without_a_key_has_none(machine: Machine) -> None:
    registry = keyed_sum().registry
    assert registry.clone_shash(registry.alloc_shash("sum")).needs_key


def test_a_hash_without_keys_is_shared_by_its_clones(caller: Caller) -> None:
    registry = caller.machine.registry
    first = registry.alloc_ahash("sha1")
    second = registry.clone_ahash(first)
    registry.free(first)
    assert digest(caller, second) == hashlib.sha1(b"\1\2").hexdigest()
    registry.free(second)
    assert caller.machine.warnings == []
    registry.free(second)
    assert caller.machine.warnings == ["transform of sha1-generic freed twice"]


def test_a_driver_with_an_init_and_no_clone_tfm_cannot_be_cloned() -> None:
    registry = keyed_sum(init=lambda tfm: 0).registry
    tfm = registry.alloc_shash("sum")
    with pytest.raises(OSError, match="sum-mine: clone") as caught:
        registry.clone_shash(tfm)
    assert caught.value.errno == errno.ENOSYS


def test_clone_tfm_gets_the_new_and_the_old_transform() -> None:
    given: list[Any] = []

    def clone_tfm(new: Shash, old: Shash) -> int:
        given.extend((new, old, new.ctx))
        return -errno.ENOMEM if len(given) > 3 else 0

    registry = keyed_sum(init=lambda tfm: 0, clone_tfm=clone_tfm).registry
    first = registry.alloc_shash("sum")
    first.setkey(b"\7")
    second = registry.clone_shash(first)
    assert given == [second, first, b"\7"]
    with pytest.raises(OSError, match="sum-mine: clone"):
        registry.clone_shash(first)
    assert registry.users(first.alg) == 2


def test_linux_6_1_has_no_clones() -> None:
    machine = Machine(setup=Setup(core="linux-6.1"))
    machine.registry.register(summing())
    tfm = machine.registry.alloc_shash("sum")
    with pytest.raises(OSError, match="clone") as caught:
        machine.registry.clone_shash(tfm)
    assert caught.value.errno == errno.ENOSYS


# 6.10


class Later:
    """A driver that answers and completes as it is told."""

    def __init__(self, answer: int, *notes: int) -> None:
        self.answer = answer
        self.notes = notes
        self.contexts: list[bool] = []

    def alg(self) -> SkcipherAlg:
        return SkcipherAlg(
            cra_name="cbc(x)",
            cra_driver_name="cbc-x",
            cra_priority=1,
            min_keysize=0,
            max_keysize=0,
            setkey=lambda tfm, key: 0,
            encrypt=self.encrypt,
            decrypt=self.encrypt,
        )

    def encrypt(self, request: Any) -> int:
        sim = request.tfm.machine.sim
        for delay, note in enumerate(self.notes, 1):
            sim.schedule(
                delay,
                Context.SOFTIRQ,
                "complete",
                lambda n=note: request.complete(request.data, n),
            )
        return self.answer

    def tfm(self, machine: Machine) -> Any:
        machine.registry.register(self.alg())
        return machine.registry.alloc_skcipher("cbc(x)")


@rows("6.10 statuses and callbacks")
@pytest.mark.parametrize(
    ("answer", "notes"),
    [
        (0, []),
        (-errno.EINPROGRESS, [0]),
        (-errno.EINPROGRESS, [-errno.EIO]),
        (-errno.EBUSY, [-errno.EINPROGRESS, 0]),
        (-errno.ENOSPC, []),
    ],
)
def test_what_the_driver_says_reaches_the_caller(
    machine: Machine, row: str, answer: int, notes: list[int]
) -> None:
    tfm = Later(answer, *notes).tfm(machine)
    request, seen = tfm.request(), []
    request.set_callback(ReqFlag.MAY_BACKLOG, lambda data, status: seen.append(status), None)
    assert tfm.encrypt(request) == answer
    assert seen == []
    machine.sim.run()
    assert seen == notes


@rows("6.10 completion may submit the next request")
def test_the_callback_submits_the_same_request_again(machine: Machine, row: str) -> None:
    tfm = Later(-errno.EINPROGRESS, 0).tfm(machine)
    request, atomic = tfm.request(), []

    def complete(left: list[int], status: int) -> None:
        atomic.append(machine.sim.in_softirq)
        left[0] -= 1
        if left[0]:
            request.set_callback(0, complete, left)
            assert tfm.encrypt(request) == -errno.EINPROGRESS

    request.set_callback(0, complete, [3])
    assert tfm.encrypt(request) == -errno.EINPROGRESS
    machine.sim.run()
    assert atomic == [True, True, True]


@rows("6.10 without MAY_SLEEP the driver must not sleep")
@pytest.mark.parametrize("operation", ["encrypt", "decrypt"])
def test_a_driver_sleeps_only_where_it_may(machine: Machine, row: str, operation: str) -> None:
    later = Later(0)

    def sleepy(request: Any) -> int:
        machine.sim.sleep(10, "allocation")
        return 0

    machine.registry.register(later.alg().variant(encrypt=sleepy, decrypt=sleepy))
    tfm = machine.registry.alloc_skcipher("cbc(x)")
    request = tfm.request()
    request.set_callback(ReqFlag.MAY_SLEEP, print, None)
    assert getattr(tfm, operation)(request) == 0
    request.set_callback(0, print, None)
    with pytest.raises(
        AtomicSleepError, match="allocation sleeps for a request without MAY_SLEEP"
    ):
        getattr(tfm, operation)(request)
    machine.sim.sleep(10, "the caller itself")


@rows("6.10 without MAY_SLEEP the driver must not sleep")
@pytest.mark.parametrize("step", ["init", "update", "final", "finup", "digest"])
def test_a_hash_sleeps_only_where_it_may(machine: Machine, row: str, step: str) -> None:
    def sleepy(request: Any) -> int:
        machine.sim.sleep(10, "allocation")
        return 0

    machine.registry.register(ahash(**dict.fromkeys(_STEPS[:5], sleepy)))
    tfm = machine.registry.alloc_ahash("x")
    request = tfm.request()
    with pytest.raises(AtomicSleepError):
        getattr(tfm, step)(request)
    request.set_callback(ReqFlag.MAY_SLEEP, print, None)
    assert getattr(tfm, step)(request) == 0


@rows("6.10 a fallback is bound by its owner's caller")
def test_a_fallback_may_sleep_no_more_than_its_owner(machine: Machine, row: str) -> None:
    def sleepy(request: Any) -> int:
        machine.sim.sleep(10, "fallback")
        return 0

    def hand_over(request: Any) -> int:
        inner = request.tfm.ctx.request()
        inner.set_callback(ReqFlag.MAY_SLEEP, print, None)
        status: int = request.tfm.ctx.encrypt(inner)
        return status

    def init(tfm: Any) -> int:
        tfm.ctx = machine.registry.alloc_skcipher("inner")
        return 0

    alg = Later(0).alg()
    machine.registry.register(
        alg.variant(cra_name="inner", cra_driver_name="inner-x", encrypt=sleepy)
    )
    machine.registry.register(alg.variant(init=init, encrypt=hand_over))
    tfm = machine.registry.alloc_skcipher("cbc(x)")
    with pytest.raises(AtomicSleepError):
        tfm.encrypt(tfm.request())


@rows("6.10 requests of one transform run together")
def test_requests_of_one_transform_run_together(machine: Machine, row: str) -> None:
    tfm = Later(-errno.EINPROGRESS, 0).tfm(machine)
    done: list[int] = []
    for number in range(3):
        request = tfm.request()
        request.set_callback(0, lambda data, status: done.append(data), number)
        assert tfm.encrypt(request) == -errno.EINPROGRESS
    machine.sim.run()
    assert done == [0, 1, 2]


@rows("6.10 the request context is not zeroed")
def test_a_driver_finds_in_a_request_what_was_left_there(machine: Machine, row: str) -> None:
    found: list[Any] = []
    alg = Later(0).alg()

    def encrypt(request: Any) -> int:
        found.append(request.ctx)
        request.ctx = "mine"
        return 0

    machine.registry.register(alg.variant(encrypt=encrypt))
    tfm = machine.registry.alloc_skcipher("cbc(x)")
    request = tfm.request()
    request.ctx = "poison"
    assert tfm.encrypt(request) == tfm.encrypt(request) == 0
    assert found == ["poison", "mine"]

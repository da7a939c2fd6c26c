"""One request to one algorithm on one machine, as a self-test at registration makes it.

It needs no bench and no machine that has finished booting: the algorithm is allocated by its
driver name among those that were not tested yet, gets a good key, and must give the oracle's
answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tcrypt import facts
from tcrypt.cipher_bench import CipherCase
from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import AlgFlag, AlgType, ReqFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.scatterlist import Scatterlist, Segment
from tcrypt.engine.api.transforms import Aead, Ahash, Skcipher
from tcrypt.hash_bench import HashCase
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference
from tcrypt.problems import Problem, hex_excerpt
from tcrypt.specs import AeadSpec, HashSpec, SkcipherSpec

__all__ = ("AnyTfm", "good_spec", "open_tfm", "trial")

_LENGTH = 64
_MESSAGE = 200
_HMAC_KEY = 20
_DEADLINE_NS = 10_000_000_000
_STEPS = 100_000

AnyReference = SkcipherReference | AeadReference | HashReference
AnyTfm = Skcipher | Aead | Ahash


def good_spec(reference: AnyReference, seed: int = 0) -> SkcipherSpec | AeadSpec | HashSpec:
    """A case that every implementation of the algorithm can do, with the shortest good key."""
    if isinstance(reference, SkcipherReference):
        return SkcipherSpec("enc", reference.key_sizes[0], _LENGTH, seed=seed)
    if isinstance(reference, HashReference):
        sizes = reference.key_sizes or (_HMAC_KEY,)
        return HashSpec(_MESSAGE, sizes[0] if reference.keyed else -1, seed=seed)
    key, assoc = reference.enckey_sizes[0], reference.usual_assoc
    return AeadSpec("enc", key, _LENGTH, assoc, reference.maxauthsize, seed=seed)


def open_tfm(machine: Machine, alg: AnyAlg, type_: int = 0, mask: int = 0) -> AnyTfm:
    """A transform of an algorithm by its driver name; OSError as the allocation says."""
    registry, name = machine.registry, alg.cra_driver_name
    if alg.type is AlgType.SKCIPHER:
        return registry.alloc_skcipher(name, type_, mask)
    if alg.type is AlgType.AEAD:
        return registry.alloc_aead(name, type_, mask)
    return registry.alloc_ahash(name, type_, mask)


def trial(machine: Machine, alg: AnyAlg, reference: AnyReference) -> list[Problem]:
    """Allocate, set a key, run one request, free; what is wrong, the first error first."""
    step = "allocation"
    try:
        tfm = open_tfm(machine, alg, 0, AlgFlag.TESTED)
        step = "setkey"
        case: Any = good_spec(reference).case(reference)  # type: ignore[arg-type]
        if case.key is not None:
            tfm.setkey(case.key)
        if isinstance(tfm, Aead):
            tfm.setauthsize(case.authsize)
        found = _hash(machine, tfm, case) if isinstance(tfm, Ahash) else _crypt(machine, tfm, case)
        machine.registry.free(tfm)
    except OSError as error:
        got = errno_name(-(error.errno or 0))
        return [Problem(f"{step} fails", facts.SELFTEST, "0", got, details=(str(error),))]
    return found


def _buffer(machine: Machine, data: bytes) -> Buffer:
    address = machine.memory.alloc(len(data))
    machine.memory.write(address, data)
    return Buffer(machine.memory, address, len(data))


def _crypt(machine: Machine, tfm: Skcipher | Aead, case: CipherCase) -> list[Problem]:
    room = len(case.assoc) + max(len(case.data), len(case.out))
    data = _buffer(machine, (case.assoc + case.data).ljust(room, b"\0"))
    iv = _buffer(machine, case.iv) if case.iv else None
    whole = Scatterlist(machine.memory, [Segment(data.address, room)])
    request: Any = tfm.request()
    request.set_crypt(whole, whole, len(case.data), iv)
    if isinstance(tfm, Aead):
        request.set_ad(len(case.assoc))
    status = _run(machine, request, tfm.encrypt)
    out = case.out
    if case.derive is not None:
        out = case.derive(data.read(len(case.assoc) + len(out))[len(case.assoc) :])
    return _judge(machine, (status, case.status), case.assoc + out, data, iv)


def _hash(machine: Machine, tfm: Ahash, case: HashCase) -> list[Problem]:
    message = _buffer(machine, case.message)
    result = _buffer(machine, bytes(tfm.alg.digestsize))
    request = tfm.request()
    whole = Scatterlist(machine.memory, [Segment(message.address, message.length)])
    request.set_crypt(whole, result, message.length)
    status = _run(machine, request, tfm.digest)
    return _judge(machine, (status, 0), case.digest, result, message)


def _run(machine: Machine, request: Any, call: Callable[[Any], int]) -> int | None:
    """The final status; None when there is none."""
    notes: list[int] = []
    request.set_callback(ReqFlag.MAY_BACKLOG, lambda data, status: notes.append(status), None)
    status = call(request)
    if status and errno_name(status) in ("-EINPROGRESS", "-EBUSY"):
        sim = machine.sim
        sim.run(deadline=sim.now + _DEADLINE_NS, max_steps=_STEPS)
        finals = [note for note in notes if errno_name(note) != "-EINPROGRESS"]
        return finals[-1] if finals else None
    return status


def _judge(
    machine: Machine,
    statuses: tuple[int | None, int],
    wanted: bytes,
    output: Buffer,
    other: Buffer | None,
) -> list[Problem]:
    """Compare status and output; the buffers are not needed any more."""
    got = output.read(len(wanted))
    for buffer in (output, other):
        if buffer is not None:
            machine.memory.free(buffer.address)
    status, expected = statuses
    if status != expected:
        names = errno_name(expected), errno_name(status)
        return [Problem("the request fails", facts.SELFTEST, *names)]
    if not status and got != wanted:
        return [Problem("wrong output", facts.SELFTEST, hex_excerpt(wanted), hex_excerpt(got))]
    return []

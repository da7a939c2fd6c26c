"""What is wrong with a finished skcipher or AEAD request: its fields, or the first wrong byte."""

from __future__ import annotations

from tcrypt import facts
from tcrypt.arena import GUARD, CipherPlan, load
from tcrypt.cipher_case import CipherCase, Prepared
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.problems import Problem, hex_excerpt

__all__ = ("FOREIGN_IV", "changes", "difference", "released", "room", "with_header")

# Bytes of something else's live data that a mode without IV may be given as one (LRW).
FOREIGN_IV = 16


def with_header(
    plan: CipherPlan, image: bytearray, actual: bytes, whole: bytes, header: tuple[int, ...]
) -> bytes:
    """The expected destination: every piece of its header that was left alone is as it was."""
    expected, start = bytearray(whole), 0
    front = sum(header)
    before, now = load(image, plan.dst, front), load(actual, plan.dst, front)
    for length in header:
        stop = start + length
        if now[start:stop] == before[start:stop]:
            expected[start:stop] = before[start:stop]
        start = stop
    return bytes(expected)


def changes(prepared: Prepared) -> tuple[str, ...]:
    """Which fields of the request are not what they were."""
    request, case = prepared.request, prepared.case
    changed = []
    same = request.src is prepared.src and request.dst is prepared.dst
    if not same or request.iv is not prepared.iv:
        changed.append("src, dst or iv pointer")
    if request.cryptlen != len(case.data):
        changed.append(f"cryptlen ({len(case.data)} is now {request.cryptlen})")
    if isinstance(request, AeadRequest) and request.assoclen != len(case.assoc):
        changed.append(f"assoclen ({len(case.assoc)} is now {request.assoclen})")
    _, src, dst = prepared.lists
    if tuple(prepared.src.entries) != src or tuple(prepared.dst.entries) != dst:
        changed.append("scatterlist entries")
    iv = prepared.iv
    if iv is not None and iv.address != prepared.base + prepared.plan.iv:
        changed.append("iv address")
    return tuple(changed)


def released(secret: bytes, room: bytes) -> bool:
    """Whether any block of the plaintext, or all of a shorter one, is in the destination."""
    pieces = [secret[i : i + 16] for i in range(0, len(secret), 16)]
    return any(piece in room for piece in pieces if len(piece) >= min(16, len(secret)))


def room(plan: CipherPlan, actual: bytes, case: CipherCase) -> bytes:
    """The text part of the destination."""
    assoclen = len(case.assoc)
    return load(actual, plan.dst, assoclen + len(case.data))[assoclen:]


def difference(
    plan: CipherPlan,
    expected: bytearray,
    actual: bytes,
    case: CipherCase,
) -> Problem:
    """Name the first wrong byte: output, IV, source, or memory around a buffer."""
    first = next(i for i, (a, b) in enumerate(zip(expected, actual, strict=True)) if a != b)
    ivroom = len(case.iv) or FOREIGN_IV
    if plan.iv <= first < plan.iv + ivroom:
        fact = facts.IV_OUT if case.iv_out is not None and not case.status else facts.IV_KEPT
        place = slice(plan.iv, plan.iv + ivroom)
        return Problem("wrong output IV", fact, expected[place].hex(), actual[place].hex())
    assoclen = len(case.assoc)
    length = assoclen + len(case.out)
    for chunk in plan.dst:
        inside = first - chunk.offset
        if 0 <= inside < chunk.length and chunk.start + inside < length:
            where = chunk.start + inside
            if where < assoclen:
                return _bytes_problem(
                    "AAD in the destination", facts.AAD, plan, expected, actual, length, where
                )
            return _bytes_problem(
                "wrong output", facts.OUTPUT, plan, expected, actual, length, where
            )
    for chunk in plan.src:
        if chunk.offset <= first < chunk.offset + chunk.length and not plan.shared:
            where = chunk.start + first - chunk.offset
            return Problem(
                "source changed",
                facts.SOURCE,
                f"{expected[first]:02x}",
                f"{actual[first]:02x}",
                details=(f"byte {where}",),
            )
    return _guard_problem(plan, len(case.iv), first, expected, actual)


def _bytes_problem(
    what: str,
    fact: str,
    plan: CipherPlan,
    expected: bytes | bytearray,
    actual: bytes,
    length: int,
    where: int,
) -> Problem:
    wanted, got = load(expected, plan.dst, length), load(actual, plan.dst, length)
    return Problem(
        what,
        fact,
        hex_excerpt(wanted, where),
        hex_excerpt(got, where),
        details=(f"first wrong byte {where} of {length}",),
    )


def _guard_problem(
    plan: CipherPlan, ivsize: int, first: int, expected: bytes | bytearray, actual: bytes
) -> Problem:
    buffers = [("IV", plan.iv, ivsize)] if ivsize else []
    buffers += [("source", c.offset, c.length) for c in plan.src]
    if not plan.shared:
        buffers += [("destination", c.offset, c.length) for c in plan.dst]
    name, start, length = min(
        buffers, key=lambda b: min(abs(first - b[1]), abs(first - b[1] - b[2]))
    )
    side = (
        f"{start - first} bytes before"
        if first < start
        else f"{first - start - length} bytes behind"
    )
    stop = first + GUARD
    return Problem(
        f"memory around the {name} overwritten",
        facts.GUARD,
        bytes(expected[first:stop]).hex(),
        actual[first:stop].hex(),
        details=(f"{side} a buffer of {length} bytes",),
    )

"""Which measured rows say something about a driver, and what the driver says to them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tcrypt.answers import (
    aead_messages,
    aeads,
    binding,
    hashes,
    keys,
    messages,
    parallel,
    skciphers,
)
from tcrypt.answers.binding import bind_name
from tcrypt.answers.probe import NotHere, Probe, attempt, find_form
from tcrypt.answers.texts import agrees
from tcrypt.engine.af_alg import AlgSocket
from tcrypt.vectors.linux_answers import Answer
from tcrypt.vectors.linux_behaviour import KERNEL, Row
from tcrypt.vectors.linux_names import algorithm_of

__all__ = (
    "Class",
    "Finding",
    "Question",
    "answer_result",
    "ask",
    "bound",
    "classify",
    "wanted_of",
)

# Importing the modules of forms is what fills the table.
_FORMS = (aead_messages, aeads, binding, hashes, keys, messages, parallel, skciphers)

_WORKHORSE = "cbc(aes)"
_RNGS = "there are no random number generators here"
_DEVICE = "a limit of the virtio device that was measured"
_SPILL = "how many requests a queue takes at once is the measured device's and its clock's"


class Class(enum.Enum):
    """What became of a row."""

    EXECUTED = "executed"
    NOT_APPLICABLE = "not applicable"
    UNPARSED = "unparsed"


@dataclass(frozen=True, slots=True)
class Question:
    """A row that can be asked.

    Attributes:
        row: the row.
        algorithm: whose drivers it is asked of.
        expected: what Linux said.
        cost: about how many requests it takes.
        general: whether the answer holds for every algorithm of the type.
    """

    row: Row
    algorithm: str
    expected: str
    cost: int
    general: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a driver said to one row: executed, or why it says nothing about this driver."""

    kind: Class
    expected: str
    got: str

    @property
    def right(self) -> bool:
        """Whether it is what Linux said."""
        return self.kind is not Class.EXECUTED or agrees(self.expected, self.got)


def classify(row: Row, kernel: str = KERNEL) -> Question | tuple[Class, str]:
    """A row as a question, or why it cannot be one.

    Args:
        row: the row.
        kernel: whose result is wanted.
    """
    expected = row.results.get(kernel)
    if expected is None:
        others = ", ".join(row.results) or "none"
        return Class.NOT_APPLICABLE, f"not measured on {kernel} (on: {others})"
    if row.group == "rng" or (row.group == "bind" and row.driver == "rng"):
        return Class.NOT_APPLICABLE, _RNGS
    if "HANGS" in expected or "fails EINVAL; earlier tfm" in expected:
        return Class.NOT_APPLICABLE, _DEVICE
    if "'ENOSPC'" in expected:
        return Class.NOT_APPLICABLE, _SPILL
    found = find_form(row.group, row.case)
    if found is None:
        return Class.UNPARSED, f"no form of group {row.group} for {row.case!r}"
    chosen, match = found
    cost = max(1, chosen.cost(match))
    return Question(row, _algorithm(row, expected), expected, cost, chosen.general)


def _algorithm(row: Row, expected: str) -> str:
    """Whose drivers a row is about."""
    if row.group != "bind":
        return algorithm_of(row.driver)
    name = bind_name(row.case)
    # What a bind refuses is the same whatever else is registered.
    return algorithm_of(name) if name and expected == "ok" else _WORKHORSE


def ask(probe: Probe, question: Question) -> Finding:
    """Run one row against a driver."""
    row, expected = question.row, question.expected
    found = find_form(row.group, row.case)
    assert found is not None, row.case
    chosen, match = found
    try:
        if row.group == "bind" and bind_name(row.case) is not None:
            got = _bind(probe, row, expected)
        else:
            got = attempt(lambda: chosen.run(probe, match))
    except NotHere as error:
        return Finding(Class.NOT_APPLICABLE, expected, str(error))
    return Finding(Class.EXECUTED, expected, got)


def _bind(probe: Probe, row: Row, expected: str) -> str:
    """Bind the name of a row, or this driver where the row names another of its algorithm."""
    name = bind_name(row.case) or ""
    if expected == "ok" and algorithm_of(name) != name:
        name = probe.driver

    def bind() -> None:
        with AlgSocket(probe.machine) as socket:
            socket.bind(row.driver, name)

    got = attempt(bind)
    if got == "ENOENT" and expected != "ENOENT" and not _known(probe, name):
        raise NotHere(f"this machine has no {name}")
    return got


def _known(probe: Probe, name: str) -> bool:
    """Whether any type has such a name here."""
    bare = name.rstrip(" )") + ")" * (name.count("(") if "(" in name else 0)
    for kind in ("skcipher", "aead", "hash"):
        with AlgSocket(probe.machine) as socket:
            try:
                socket.bind(kind, bare)
            except OSError:
                continue
            return True
    return False


def bound(probe: Probe) -> str:
    """Whether a driver can be bound: `ok`, or the error."""

    def bind() -> None:
        with probe.bound():
            return

    return attempt(bind)


def wanted_of(answer: Answer) -> str:
    """The recorded result as a text."""
    return (
        answer.output.hex() if answer.output is not None else f"{answer.errno} at {answer.stage}"
    )


def answer_result(probe: Probe, answer: Answer) -> str:
    """What a driver says to a recorded answer, as `wanted_of` writes it."""
    stage = ["bind"]
    found = attempt(lambda: _replay(probe, answer, stage).hex())
    return found if not stage else f"{found} at {stage[-1]}"


def _replay(probe: Probe, answer: Answer, stage: list[str]) -> bytes:
    """Make the calls of an answer; `stage` ends with the call that is being made."""
    with probe.bound() as socket:
        if answer.key is not None:
            stage.append("setkey")
            socket.set_key(answer.key)
        if answer.kind == "aead":
            stage.append("authsize")
            socket.set_authsize(answer.authsize)
        stage.append("accept")
        op = socket.accept()
        out = b""
        left, pieces = answer.data, answer.pieces or (len(answer.data),)
        for place, size in enumerate(pieces):
            part, left = left[:size], left[size:]
            last = place + 1 == len(pieces)
            stage.append("send")
            if answer.kind == "hash":
                op.sendmsg(part, more=not last)
            elif place:
                op.sendmsg(part)
            else:
                assoclen = answer.assoclen if answer.kind == "aead" else None
                op.sendmsg(part, op=int(answer.encrypt), iv=answer.iv, assoclen=assoclen)
            if last or answer.kind != "hash":
                stage.append("recv")
                out += op.recv(len(part) + 64, dontwait=True)
    stage.clear()
    return out

"""One driver behind the AF_ALG model, and the table of forms that are asked of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tcrypt.answers.material import Material, material
from tcrypt.answers.texts import blob, errno_word, group
from tcrypt.engine.af_alg import AlgSocket, BlocksError, NeverCompletedError, OperationSocket
from tcrypt.engine.api.algorithms import AeadAlg, SkcipherAlg
from tcrypt.engine.api.machine import Machine
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference, reference

__all__ = (
    "FORMS",
    "Form",
    "NotHere",
    "Probe",
    "attempt",
    "counted",
    "find_form",
    "form",
    "told",
)


class NotHere(Exception):
    """A case says nothing about this driver; the message says why."""


class Probe:
    """One driver under test.

    Attributes:
        machine: where it is registered.
        kind: its type as AF_ALG names it.
        algorithm: its `cra_name`.
        driver: what is bound: its driver name, or a template over it.
        data: keys and texts to use with it.
    """

    def __init__(self, machine: Machine, kind: str, algorithm: str, driver: str) -> None:
        self.machine = machine
        self.kind = kind
        self.algorithm = algorithm
        self.driver = driver
        self._material: Material | None = None

    @property
    def data(self) -> Material:
        """Keys and texts, by the algorithm's sizes."""
        if self._material is None:
            with AlgSocket(self.machine) as socket:
                socket.bind(self.kind, self.driver)
                alg = socket.tfm.alg
                ivsize = alg.ivsize if isinstance(alg, AeadAlg | SkcipherAlg) else 0
                keysize = alg.min_keysize if isinstance(alg, SkcipherAlg) else 20
                self._material = material(self.algorithm, keysize, ivsize)
        return self._material

    @contextmanager
    def bound(self) -> Iterator[AlgSocket]:
        """A bound socket without a key, closed afterwards with all that was accepted from it."""
        with AlgSocket(self.machine) as socket:
            socket.bind(self.kind, self.driver)
            yield socket

    @contextmanager
    def keyed(self, authsize: int | None = None) -> Iterator[AlgSocket]:
        """A bound socket with the usual key."""
        with self.bound() as socket:
            if self.data.key is not None:
                socket.set_key(self.data.key)
            if authsize is not None:
                socket.set_authsize(authsize)
            yield socket

    @contextmanager
    def operation(self, authsize: int | None = None) -> Iterator[OperationSocket]:
        """An operation socket of a keyed socket."""
        with self.keyed(authsize) as socket:
            yield socket.accept()

    @property
    def skcipher(self) -> SkcipherReference:
        """What the algorithm must answer; NotHere when nothing knows that."""
        found = reference(self.algorithm)
        if isinstance(found, SkcipherReference):
            return found
        raise self._unknown()

    @property
    def aead(self) -> AeadReference:
        """The same for an AEAD."""
        found = reference(self.algorithm)
        if isinstance(found, AeadReference):
            return found
        raise self._unknown()

    @property
    def hash(self) -> HashReference:
        """The same for a hash."""
        found = reference(self.algorithm)
        if isinstance(found, HashReference):
            return found
        raise self._unknown()

    def _unknown(self) -> NotHere:
        return NotHere(f"there is no reference implementation of {self.algorithm}")


class Form(NamedTuple):
    """Cases of one shape.

    Attributes:
        group: the groups of rows that have such cases.
        pattern: the whole sentence.
        run: makes the calls; what it returns, or the error that it raises, is the result.
        cost: about how many requests that are, as a function of the match.
        general: whether what Linux said holds for every algorithm of the type.
    """

    group: tuple[str, ...]
    pattern: re.Pattern[str]
    run: Callable[[Probe, re.Match[str]], object]
    cost: Callable[[re.Match[str]], int]
    general: bool = False


FORMS: list[Form] = []
Run = Callable[[Probe, re.Match[str]], object]


def form(
    groups: str,
    pattern: str,
    cost: Callable[[re.Match[str]], int] = lambda match: 1,
    *,
    general: bool = False,
) -> Callable[[Run], Run]:
    """Add a form; `groups` is a list of groups, separated by blanks."""

    def register(run: Run) -> Run:
        FORMS.append(Form(tuple(groups.split()), re.compile(pattern), run, cost, general))
        return run

    return register


def find_form(group_: str, case: str) -> tuple[Form, re.Match[str]] | None:
    """The form of a case; None when it has none."""
    for candidate in FORMS:
        if group_ in candidate.group:
            match = candidate.pattern.fullmatch(case)
            if match:
                return candidate, match
    return None


def counted(out: bytes, wanted: bytes) -> int | str:
    """The length of a right output: of a length alone the measuring program told; else `WRONG`."""
    return len(out) if out == wanted else f"WRONG {blob(out)}"


def told(value: object) -> str:
    """A result as text."""
    if isinstance(value, bytes):
        return blob(value)
    if isinstance(value, tuple):
        return group(*map(told, value))
    return "ok" if value is None else str(value)


def attempt(call: Callable[[], object]) -> str:
    """What a call gives, or the error that it ends with."""
    try:
        return told(call())
    except OSError as error:
        return errno_word(error)
    except BlocksError:
        return "BLOCKS"
    except NeverCompletedError:
        return "HANGS"

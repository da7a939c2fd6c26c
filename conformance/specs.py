"""Generated cases as short texts: what a fuzzer draws, what a report prints, what replays it.

A spec holds sizes and choices, never data; keys and messages are drawn from its seed.  Its token,
such as `op=enc,key=16,len=33,iv=wrap32:2,seed=7`, is the whole case.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cache, partial
from operator import attrgetter
from typing import Any, Self

from tcrypt.cipher_bench import CipherCase
from tcrypt.hash_bench import HashCase
from tcrypt.kept_answers import kept_answer
from tcrypt.material import counter_iv, draw
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference

__all__ = ("AeadSpec", "HashSpec", "SkcipherSpec", "SpecError", "flip")

_LARGEST = 1 << 24
_WRAP = re.compile(r"wrap([0-9]+):([0-9]+)")


class SpecError(ValueError):
    """A token is not one that this version writes."""


@dataclass(frozen=True, slots=True)
class _Spec:
    """Token reading and writing: the fields in order, `name=value`."""

    @property
    def token(self) -> str:
        """The case as text; fields that have their default are left out."""
        words, kind = [], _kind(self)
        for name, default in _defaults(kind):
            value = getattr(self, name)
            if value != default:
                words.append(f"{name}={value}")
        return ",".join(words)

    @property
    def identity(self) -> str:
        """What tells the case from others; less to write, and to read, than its token."""
        return repr(_values(_kind(self))(self))

    @property
    def drawn(self) -> str:
        """What the case's data are drawn by; its key is drawn by the seed alone."""
        seed, text = getattr(self, "seed", 0), getattr(self, "text", 0)
        return f"{seed}/{text}" if text else f"{seed}"

    @classmethod
    def parse(cls, token: str) -> Self:
        """Read a token back.

        Raises:
            SpecError: with the field that is unknown, missing, malformed or given twice.
        """
        known = {item.name: item for item in fields(cls)}
        values: dict[str, Any] = {}
        for word in token.split(","):
            name, mark, text = word.partition("=")
            if name not in known or not mark:
                raise SpecError(f"case {token!r}: {word!r} is not one of {', '.join(known)}")
            if name in values:
                raise SpecError(f"case {token!r}: {name} is given twice")
            values[name] = _value(token, name, text, known[name].type)
        missing = [n for n, f in known.items() if f.default is MISSING and n not in values]
        if missing:
            raise SpecError(f"case {token!r}: {', '.join(missing)} missing")
        return cls(**values)


def _kind(spec: _Spec) -> Any:
    # Of a class with a hash for its instances, type checkers do not see its own.
    return type(spec)


@cache
def _values(kind: type[Any]) -> Callable[[_Spec], tuple[Any, ...]]:
    """What gives the values of a spec's fields."""
    return attrgetter(*(item.name for item in fields(kind)))


@cache
def _defaults(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    """The names and defaults of a spec's fields; no value equals that of one without."""
    return tuple((item.name, item.default) for item in fields(kind))


def _value(token: str, name: str, text: str, kind: Any) -> int | str:
    if kind != "int":
        return text
    try:
        number = int(text)
    except ValueError:
        raise SpecError(f"case {token!r}: {name}={text!r} is not a number") from None
    # -1 is the key of a hash that takes none.
    if not (-1 if name == "key" else 0) <= number <= _LARGEST:
        raise SpecError(f"case {token!r}: {name}={text} is not in 0..{_LARGEST}")
    return number


def _direction(op: str) -> bool:
    if op not in ("enc", "dec"):
        raise SpecError(f"op={op!r} is neither enc nor dec")
    return op == "enc"


def flip(data: bytes, bit: int) -> bytes:
    """`data` with one bit inverted; bit 0 is the lowest of the first byte."""
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


@dataclass(frozen=True, slots=True)
class SkcipherSpec(_Spec):
    """One skcipher request; sizes in bytes.

    `iv` is `random`, `ones`, or `wrap<bits>:<blocks>` for a counter that wraps after that many.
    `text` tells apart the IVs and data of requests with the same key, which is that of `seed`.
    """

    op: str
    key: int
    len: int
    layout: str = "out-of-place"
    iv: str = "random"
    seed: int = 0
    text: int = 0

    def case(self, reference: SkcipherReference, *, with_key: bool = True) -> CipherCase:
        """The request and the oracle's answer to it."""
        case = kept_answer(self, reference, self._answered)
        return case if with_key else case._replace(key=None)

    def _answered(self, reference: SkcipherReference) -> CipherCase:
        encrypt = _direction(self.op)
        key, data = draw(f"key {self.seed}", self.key), draw(f"data {self.drawn}", self.len)
        iv = self._iv(reference.ivsize)
        status = reference.length_status(self.len)
        if status:
            out = bytes(self.len)
            return CipherCase(encrypt, key, iv, data, out, None, status)
        answer = (reference.encrypt if encrypt else reference.decrypt)(key, iv, data)
        return CipherCase(encrypt, key, iv, data, answer.out, answer.iv_out)

    def _iv(self, size: int) -> bytes:
        label = f"iv {self.drawn}"
        if self.iv == "random":
            return draw(label, size)
        if self.iv == "ones":
            return b"\xff" * size
        wrap = _WRAP.fullmatch(self.iv)
        if wrap is None:
            raise SpecError(f"iv={self.iv!r} is not random, ones or wrap<bits>:<blocks>")
        try:
            iv = counter_iv(label, int(wrap[1]), int(wrap[2]))
        except ValueError as error:
            raise SpecError(f"iv={self.iv!r}: {error}") from None
        if len(iv) != size:
            raise SpecError(f"iv={self.iv!r} has {len(iv)} bytes, the algorithm's has {size}")
        return iv


@dataclass(frozen=True, slots=True)
class AeadSpec(_Spec):
    """One AEAD request; sizes in bytes.

    `key` is the size of the cipher key: a size that the algorithm has not stands for its next
    longer one, or its longest.  `auth` is the size of the authentication key.  `assoc` counts the
    associated data, with the IV that some algorithms send behind them.  `tamper` is empty, or
    `tag:<bit>`, `text:<bit>` or `aad:<bit>` for a forged message.  `iv` is `good`, or `any` where
    the algorithm may refuse it.  `text` tells apart the IVs, AAD and data of requests with the
    same key, which is that of `seed`.
    """

    op: str
    key: int
    len: int
    assoc: int
    tag: int
    auth: int = 20
    layout: str = "out-of-place"
    tamper: str = ""
    seed: int = 0
    iv: str = "good"
    text: int = 0

    def key_bytes(self, reference: AeadReference) -> bytes:
        """The key as setkey takes it."""
        sizes = reference.enckey_sizes
        size = next((size for size in sizes if size >= self.key), sizes[-1])
        enckey = draw(f"key {self.seed}", size)
        if reference.key_sizes is not None:
            return enckey
        return reference.join_key(draw(f"auth {self.seed}", self.auth), enckey)

    def case(self, reference: AeadReference, *, with_key: bool = True) -> CipherCase:
        """The request and the oracle's answer to it."""
        case = kept_answer(self, reference, self._answered)
        return case if with_key else case._replace(key=None)

    def _answered(self, reference: AeadReference) -> CipherCase:
        encrypt = _direction(self.op)
        key, iv = self.key_bytes(reference), self._iv(reference)
        lead = reference.ivsize if reference.iv_in_text else 0
        assoc = draw(f"assoc {self.drawn}", max(0, self.assoc - lead))
        assoc = reference.laid_out(key, iv, assoc)
        ptext = iv[:lead] + draw(f"data {self.drawn}", self.len)
        status = reference.crypt_status(True, len(assoc), len(ptext), self.tag, iv)
        if status:
            return self._refused(reference, key, iv, assoc, ptext, status)
        sealed = reference.encrypt(key, iv, assoc, ptext, self.tag)
        if encrypt:
            case = CipherCase(True, key, iv, ptext, sealed, assoc=assoc, authsize=self.tag)
            if not lead:
                return case
            with_iv = partial(self._with_iv, reference, key, assoc, ptext)
            return case._replace(derive=with_iv)
        assoc, sealed = self._tampered(reference, assoc, sealed)
        if self.tamper:
            answer = reference.decrypt(key, iv, assoc, sealed, self.tag)
            # A tag of a few bits is now and then right for another text, which is then the output.
            status, ptext = (answer, ptext) if isinstance(answer, int) else (0, answer)
        hidden = status and self.len >= 8 and reference.verifies_first
        secret = ptext[lead:] if hidden else b""
        header = reference.header(False, len(assoc))
        case = CipherCase(False, key, iv, sealed, ptext, None, status, assoc, self.tag, secret)
        return case._replace(header=header) if len(header) > 1 else case

    def _iv(self, reference: AeadReference) -> bytes:
        if self.iv not in ("good", "any"):
            raise SpecError(f"iv={self.iv!r} is neither good nor any")
        drawn = draw(f"iv {self.drawn}", reference.ivsize)
        return reference.good_iv(drawn) if self.iv == "good" else drawn

    def _with_iv(
        self, reference: AeadReference, key: bytes, assoc: bytes, ptext: bytes, out: bytes
    ) -> bytes:
        """What encryption must give when it has chosen the IV that `out` begins with."""
        return reference.encrypt(key, out[: reference.ivsize], assoc, ptext, self.tag)

    def _refused(
        self,
        reference: AeadReference,
        key: bytes,
        iv: bytes,
        assoc: bytes,
        ptext: bytes,
        status: int,
    ) -> CipherCase:
        """A message of a length that cannot be encrypted, or one that claims to be such."""
        if _direction(self.op):
            out = bytes(len(ptext) + self.tag)
            return CipherCase(True, key, iv, ptext, out, None, status, assoc, self.tag)
        sealed = ptext + draw(f"tag {self.drawn}", self.tag)
        answer = reference.decrypt(key, iv, assoc, sealed, self.tag)
        assert isinstance(answer, int), "the oracle accepted a random tag"
        out = bytes(len(ptext))
        return CipherCase(False, key, iv, sealed, out, None, answer, assoc, self.tag)

    def _tampered(
        self, reference: AeadReference, assoc: bytes, sealed: bytes
    ) -> tuple[bytes, bytes]:
        if not self.tamper:
            return assoc, sealed
        where, _, bit = self.tamper.partition(":")
        if not bit.isdecimal():
            raise SpecError(f"tamper={self.tamper!r} is not tag:<bit>, text:<bit> or aad:<bit>")
        covered = reference.authenticated(len(assoc))
        if where == "aad" and covered:
            return flip(assoc[:covered], int(bit)) + assoc[covered:], sealed
        text, tag = sealed[: -self.tag], sealed[-self.tag :]
        if where == "text" and text:
            return assoc, flip(text, int(bit)) + tag
        if where == "tag":
            return assoc, text + flip(tag, int(bit))
        raise SpecError(f"tamper={self.tamper!r} has nothing to change")


@dataclass(frozen=True, slots=True)
class HashSpec(_Spec):
    """One message; sizes in bytes, `key` -1 for an unkeyed hash."""

    len: int
    key: int = -1
    layout: str = "digest-aligned-buffer"
    seed: int = 0

    def case(self, reference: HashReference) -> HashCase:
        """The message and the oracle's digest of it."""
        return kept_answer(self, reference, self._answered)

    def _answered(self, reference: HashReference) -> HashCase:
        key = draw(f"key {self.seed}", self.key) if self.key >= 0 else None
        message = draw(f"data {self.seed}", self.len)
        return HashCase(key, message, reference.digest(key, message))

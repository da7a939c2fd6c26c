"""Numbers of C source: expressions, named constants, and the sizes of arrays."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tcrypt.vectors.c_tokens import Source, Token, decode_string
from tcrypt.vectors.errors import VectorError

__all__ = ("DEEPEST", "TYPES", "Declared", "Numbers", "declarations")

_MOST_DIGITS = 24

DEEPEST = 16
"""How many braces or brackets may stand in each other."""

TYPES = {
    "u8": 1, "char": 1, "__u8": 1, "uint8_t": 1, "void": 1, "unsigned": 4, "signed": 4, "const": 0,
    "u16": 2, "__le16": 2, "short": 2, "u32": 4, "__le32": 4, "int": 4, "u64": 8, "__le64": 8,
    "long": 8,
}  # fmt: skip
"""The size in bytes of the types of arrays."""

# FIPS 180-4, RFC 1321 and others: names of sizes that initialisers use, in bytes.
_CONSTANTS = {
    "MD5_DIGEST_SIZE": 16,
    "SHA1_DIGEST_SIZE": 20,
    "SHA224_DIGEST_SIZE": 28,
    "SHA256_DIGEST_SIZE": 32,
    "SHA384_DIGEST_SIZE": 48,
    "SHA512_DIGEST_SIZE": 64,
    "SHA1_BLOCK_SIZE": 64,
    "SHA256_BLOCK_SIZE": 64,
    "SHA512_BLOCK_SIZE": 128,
    "AES_BLOCK_SIZE": 16,
    "AES_KEYSIZE_128": 16,
    "AES_KEYSIZE_192": 24,
    "AES_KEYSIZE_256": 32,
    "DES_BLOCK_SIZE": 8,
    "DES_KEY_SIZE": 8,
    "DES3_EDE_KEY_SIZE": 24,
    "true": 1,
    "false": 0,
}

_DECLARATION = re.compile(
    r"^static\s+(?:const\s+)?((?:struct\s+)?\w+)\s+(\w+)\s*\[([^\]\n]*)\][^=;{}]*(=|;)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Declared:
    """A static array of a file: its type, the size between its brackets, where its value is."""

    type: str
    size: str
    place: int
    initialised: bool


def declarations(source: Source) -> dict[str, Declared]:
    """The static arrays of a file, none of them read yet."""
    return {
        match[2]: Declared(match[1].strip(), match[3].strip(), match.end(), match[4] == "=")
        for match in _DECLARATION.finditer(source.text)
    }


class Numbers:
    """Reads numbers from the tokens of one initialiser.

    Args:
        source: the file.
        tokens: the initialiser.
        known: the file's arrays, for `sizeof`.
        depth: how many expressions this one stands in.
    """

    def __init__(
        self, source: Source, tokens: Sequence[Token], known: dict[str, Declared], depth: int = 0
    ) -> None:
        self._source = source
        self._tokens = tokens
        self._known = known
        self._at = 0
        self._depth = depth

    def is_constant(self, word: str) -> bool:
        """Whether a name stands for a number."""
        code = getattr(errno, word, None) if word.startswith("E") else None
        return word in _CONSTANTS or isinstance(code, int) or word in self._source.macros

    def _only(self) -> int:
        """The number that all tokens make."""
        total = self._sum()
        if self._at < len(self._tokens):
            raise self._wrong("the end of the expression")
        return total

    def _sum(self) -> int:
        """A sum, the widest expression that initialisers have."""
        total = self._product()
        while self._at < len(self._tokens) and self._tokens[self._at].text in ("+", "-"):
            self._at += 1
            sign = 1 if self._tokens[self._at - 1].text == "+" else -1
            total += sign * self._product()
        return total

    def _product(self) -> int:
        total = self._factor()
        while self._at < len(self._tokens) and self._tokens[self._at].text in ("*", "/"):
            operation = self._tokens[self._at]
            self._at += 1
            by = self._factor()
            if operation.text == "/" and by == 0:
                raise self._source.error(operation.place, "division by zero")
            total = total * by if operation.text == "*" else total // by
            if abs(total) > 1 << 64:
                raise self._source.error(operation.place, "a number of more than 64 bits")
        return total

    def _factor(self) -> int:
        token = self._peek("a number")
        self._at += 1
        if token.text == "-":
            return -self._factor()
        if token.text == "(":
            if self._depth > DEEPEST:
                raise self._source.error(token.place, "brackets too deep")
            self._depth += 1
            total = self._sum()
            self._depth -= 1
            self._take(")")
            return total
        if token.kind == "number":
            return self._literal(token)
        if token.kind == "char":
            return self._character(token)
        if token.kind == "name":
            return self._constant(token)
        self._at -= 1
        raise self._wrong("a number")

    def _character(self, token: Token) -> int:
        try:
            data = decode_string(token.text)
        except ValueError as error:
            raise self._source.error(token.place, str(error)) from None
        if len(data) != 1:
            raise self._source.error(token.place, f"no single character: {token.text[:20]}")
        return data[0]

    def _constant(self, token: Token) -> int:
        word = token.text
        if word == "sizeof":
            self._take("(")
            name = self._peek("an array")
            self._at += 1
            self._take(")")
            return self._sizeof(name)
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        if word.startswith("E") and isinstance(code := getattr(errno, word, None), int):
            return code
        macro = self._source.macros.get(word, "")
        if macro and macro != word and self._depth <= DEEPEST:
            inner = Source(macro + ";", self._source.label)
            inner.macros = self._source.macros
            return Numbers(inner, inner.tokens(0), self._known, self._depth + 4)._only()
        raise self._source.error(token.place, f"no known constant: {word}")

    def _sizeof(self, name: Token) -> int:
        known = self._known.get(name.text)
        if known is None:
            raise self._source.error(name.place, f"no such array: {name.text}")
        element = TYPES.get(known.type.split()[-1], 0)
        if known.size.isdecimal() and element:
            return int(known.size) * element
        tokens = self._source.tokens(known.place)
        if element == 1 and tokens and all(token.kind == "string" for token in tokens):
            return sum(len(decode_string(token.text)) for token in tokens) + 1
        if element and tokens and tokens[0].text == "{":
            marks = [token.text for token in tokens]
            if marks.count("{") == 1 and "[" not in marks:
                return element * (marks.count(",") + (marks[-2:] != [",", "}"]))
        raise self._source.error(name.place, f"{name.text} has no size that is known")

    def _peek(self, wanted: str) -> Token:
        if self._at >= len(self._tokens):
            raise self._wrong(wanted)
        return self._tokens[self._at]

    def _take(self, text: str) -> Token:
        token = self._peek(f"'{text}'")
        if token.text != text:
            raise self._wrong(f"'{text}'")
        self._at += 1
        return token

    def _wrong(self, wanted: str) -> VectorError:
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            return self._source.error(token.place, f"want {wanted}, found {token.text[:20]!r}")
        place = self._tokens[-1].place if self._tokens else 0
        return self._source.error(place, f"want {wanted}, found the end")

    def _literal(self, token: Token) -> int:
        digits = token.text.rstrip("uUlL")
        octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"
        if len(digits) > _MOST_DIGITS:
            raise self._source.error(token.place, f"a number of {len(digits)} digits")
        try:
            return int(digits, 8 if octal else 0)
        except ValueError:
            raise self._source.error(token.place, f"no number of C: {digits}") from None

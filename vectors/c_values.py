"""Values of C initialisers: strings, numbers, blocks and the names of other arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

from tcrypt.vectors.c_numbers import DEEPEST, TYPES, Numbers
from tcrypt.vectors.c_tokens import Token, decode_string

__all__ = ("Block", "Name", "Parser", "Text", "Value")

_LARGEST = 1 << 24


@dataclass(frozen=True, slots=True)
class Text:
    """The bytes of a literal; one that C ends with a zero has it."""

    data: bytes
    place: int


@dataclass(frozen=True, slots=True)
class Name:
    """Another array."""

    word: str
    place: int


@dataclass(slots=True)
class Block:
    """A pair of braces: fields by name, and what has no name."""

    place: int
    fields: dict[str, Value] = field(default_factory=dict)
    items: list[Value] = field(default_factory=list)


Value = Text | Name | Block | int


class Parser(Numbers):
    """Reads one initialiser, whose tokens it is given."""

    def whole(self) -> Value:
        """The value of all tokens.

        Raises:
            VectorError: with line and what was found.
        """
        value = self.value()
        if self._at < len(self._tokens):
            raise self._wrong("the end of the initialiser")
        return value

    def value(self) -> Value:
        """One value; a compound literal or a cast is its bytes."""
        token = self._peek("a value")
        if token.text == "{":
            return self._block()
        if token.kind == "string":
            return self._text()
        if token.text == "(" and (size := self._cast()) is not None:
            inner = self.value()
            return self.packed(inner, size) if isinstance(inner, Block) else inner
        if token.text == "__VECS":
            block = Block(token.place)
            self._vecs(block)
            return block
        if token.kind == "name" and self._is_name(token):
            self._at += 1
            return Name(token.text, token.place)
        return self._sum()

    def _is_name(self, token: Token) -> bool:
        """Whether a name stands for itself, as that of an array or a function does."""
        following = self._tokens[self._at + 1 : self._at + 2]
        alone = not following or following[0].text in (",", "}")
        return alone and not self.is_constant(token.text)

    def _block(self) -> Block:
        opening = self._take("{")
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._source.error(opening.place, "braces too deep")
        block = Block(opening.place)
        while self._peek("'}'").text != "}":
            self._entry(block)
            if self._peek("'}'").text != "}":
                self._take(",")
        self._at += 1
        self._depth -= 1
        return block

    def _entry(self, block: Block) -> None:
        token = self._peek("a value")
        if token.text == ".":
            self._at += 1
            name = self._peek("a field")
            self._at += 1
            self._take("=")
            if name.text in block.fields:
                raise self._source.error(name.place, "given twice", name.text)
            block.fields[name.text] = self.value()
        elif token.text == "[":
            self._range(block)
        elif token.kind == "name" and token.text == "____VECS":
            self._vecs(block)
        else:
            block.items.append(self.value())

    def _vecs(self, block: Block) -> None:
        """The kernel's macro for an array of vectors and its length."""
        self._at += 1
        self._take("(")
        token = self._peek("an array")
        self._at += 1
        self._take(")")
        block.fields["vecs"] = Name(token.text, token.place)

    def _range(self, block: Block) -> None:
        """`[first ... last] = value`, or one index; only where nothing stands behind a gap."""
        opening = self._take("[")
        first = last = self._sum()
        if self._peek("']'").text == "...":
            self._at += 1
            last = self._sum()
        self._take("]")
        self._take("=")
        value = self.value()
        if first != len(block.items) or not first <= last < _LARGEST:
            raise self._source.error(opening.place, f"a range from {first} to {last}")
        block.items.extend([value] * (last - first + 1))

    def _text(self) -> Text:
        parts, place = [], self._tokens[self._at].place
        while self._at < len(self._tokens) and self._tokens[self._at].kind == "string":
            token = self._tokens[self._at]
            try:
                parts.append(decode_string(token.text))
            except ValueError as error:
                raise self._source.error(token.place, str(error)) from None
            self._at += 1
        return Text(b"".join(parts) + b"\0", place)

    def _cast(self) -> int | None:
        """Step over `(type *)` or `(type [])`: the size of its elements; None for no cast."""
        end = self._at + 1
        words = []
        while end < len(self._tokens) and self._tokens[end].text != ")":
            words.append(self._tokens[end].text)
            end += 1
        if not words or words[0] not in TYPES:
            return None
        self._at = end + 1
        return max([TYPES[word] for word in words if word in TYPES and word != "unsigned"] or [4])

    def packed(self, block: Block, size: int) -> Text:
        """The bytes of an array of numbers, the lowest byte of each first."""
        try:
            data = b"".join(item.to_bytes(size, "little") for item in self._numbers(block))
        except OverflowError:
            raise self._source.error(block.place, f"a number of more than {size} bytes") from None
        return Text(data, block.place)

    def _numbers(self, block: Block) -> list[int]:
        numbers = [item for item in block.items if isinstance(item, int)]
        if block.fields or len(numbers) != len(block.items):
            raise self._source.error(block.place, "want numbers alone")
        return numbers

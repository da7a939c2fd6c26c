"""Templates: algorithms that are built on demand over others, by the name asked for.

`cbc(aes)` that nobody registered is template `cbc` over whatever implements `aes`.  The grammar,
the composed names and the flags that an instance takes over are those of kernel-crypto, 6.8.
"""

from __future__ import annotations

import errno
import string
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from tcrypt.engine.api.algorithms import (
    AeadAlg,
    AhashAlg,
    AnyAlg,
    CipherAlg,
    ShashAlg,
    SkcipherAlg,
)
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.flags import INHERITED_FLAGS, AlgFlag, AlgType

if TYPE_CHECKING:
    from tcrypt.engine.api.registry import Registry

__all__ = ("Builder", "Template", "split_name")

_COMPONENT = frozenset(string.ascii_letters + string.digits + "-_")

Create: TypeAlias = "Callable[[Builder, Sequence[str]], AnyAlg]"


class Template:
    """A named recipe.

    Attributes:
        name: the part before the parenthesis.
        type: the type of its instances.
        create: called with a builder and the arguments as text; returns a descriptor.  It
            raises OSError: ENOENT for a part that does not exist, EINVAL for one that
            does not fit.
        others: templates of the same name that make another type, as essiv does.
    """

    __slots__ = ("create", "name", "others", "type")

    def __init__(
        self, name: str, type_: AlgType, create: Create, others: Sequence[Template] = ()
    ) -> None:
        self.name = name
        self.type = type_
        self.create = create
        self.others = others

    def making(self, kind: AlgType) -> Template:
        """The one of this name that makes a type; itself when there is none."""
        return next((other for other in self.others if other.type is kind), self)


class Builder:
    """Finds the parts of one instance, and remembers which they are.

    Attributes:
        parts: what was found so far.
        masks: the flags and type bits that each was chosen by.
        flags: what the instance inherits from them.
    """

    def __init__(self, registry: Registry, type_: int, mask: int) -> None:
        self._registry = registry
        # A caller who rules a flag out rules it out for the parts as well.
        self._mask = mask & ~type_ & INHERITED_FLAGS
        self.parts: list[AnyAlg] = []
        self.masks: list[int] = []

    @property
    def flags(self) -> int:
        """ASYNC, NEED_FALLBACK and ALLOCATES_MEMORY as far as any part has them."""
        flags = 0
        for part in self.parts:
            flags |= part.cra_flags
        return flags & INHERITED_FLAGS

    def _grab(self, name: str, kind: AlgType, mask: int) -> AnyAlg:
        # What FIPS mode does not allow by itself may be a part of something that it does allow.
        mask |= self._mask
        part = self._registry.find(name, kind, AlgFlag.FIPS_INTERNAL, mask)
        self.parts.append(part)
        self.masks.append(mask | kind.lookup_mask)
        return part

    def cipher(self, name: str) -> CipherAlg:
        """A single-block cipher by algorithm or driver name; OSError(ENOENT) without one."""
        part = self._grab(name, AlgType.CIPHER, 0)
        assert isinstance(part, CipherAlg)
        return part

    def skcipher(self, name: str, mask: int = 0) -> SkcipherAlg:
        """An skcipher; `mask` rules out further flags."""
        part = self._grab(name, AlgType.SKCIPHER, mask)
        assert isinstance(part, SkcipherAlg)
        return part

    def aead(self, name: str) -> AeadAlg:
        """An AEAD."""
        part = self._grab(name, AlgType.AEAD, 0)
        assert isinstance(part, AeadAlg)
        return part

    def shash(self, name: str) -> ShashAlg:
        """A synchronous hash."""
        part = self._grab(name, AlgType.SHASH, 0)
        assert isinstance(part, ShashAlg)
        return part

    def ahash(self, name: str) -> AhashAlg | ShashAlg:
        """Any hash."""
        part = self._grab(name, AlgType.AHASH, 0)
        assert isinstance(part, AhashAlg | ShashAlg)
        return part


def split_name(name: str) -> tuple[str, list[str]] | None:
    """Template and arguments of `tmpl(arg,tmpl(arg))`; None when it is not of that form.

    What stands behind the closing parenthesis is not looked at, as in the kernel.
    """
    template, bracket, rest = name.partition("(")
    if not bracket or not template or not _COMPONENT.issuperset(template):
        return None
    arguments: list[str] = []
    depth, start = 0, 0
    for place, character in enumerate(rest):
        if character == "(":
            depth += 1
        elif character == ")" and depth:
            depth -= 1
        elif character in ",)" and not depth:
            arguments.append(rest[start:place])
            start = place + 1
            if character == ")":
                return (template, arguments) if all(arguments) else None
    return None


def check_count(name: str, arguments: Sequence[str], count: int) -> None:
    """OSError(EINVAL) unless a template has as many arguments as it takes."""
    if len(arguments) != count:
        raise crypto_error(-errno.EINVAL, f"{name}: {len(arguments)} arguments, takes {count}")

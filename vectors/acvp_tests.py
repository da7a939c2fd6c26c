"""One test of an ACVP vector set, with what its group says of it."""

from __future__ import annotations

from dataclasses import dataclass

from tcrypt.vectors.errors import clip
from tcrypt.vectors.json_fields import Node
from tcrypt.vectors.model import Chain, Inapplicable, Vector

__all__ = ("Made", "Test")

Made = Vector | Inapplicable | Chain


@dataclass(frozen=True, slots=True)
class Test:
    """One test.

    Attributes:
        name: The id of what is made of it.
        algorithm: The kernel's `cra_name`.
        type: AFT, MCT, LDT and others.
        group: The group it stands in.
        node: The test itself, results included.
        largest: The largest message to take, in bytes.
    """

    __test__ = False

    name: str
    algorithm: str
    type: str
    group: Node
    node: Node
    largest: int

    def encrypt(self) -> bool:
        """The direction of the group."""
        word = self.group.text("direction")
        if word not in ("encrypt", "decrypt"):
            raise self.group.error("direction", f"want encrypt or decrypt, found {clip(word)}")
        return word == "encrypt"

    def size(self, name: str, default: int | None = 0) -> int | None:
        """A size in bits, of the test or of its group; the default where neither tells."""
        for node in (self.node, self.group):
            if name in node:
                return node.integer(name)
        return default

    def key(self) -> bytes:
        """The key, or the three parts of one of triple DES."""
        if "key1" in self.node:
            return b"".join(self.node.octets(f"key{i}", 64) for i in (1, 2, 3))
        return self.node.octets("key")

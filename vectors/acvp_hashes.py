"""ACVP tests of digests, HMACs and CMACs."""

from __future__ import annotations

from collections.abc import Iterator

from tcrypt.vectors.acvp_tests import Made, Test
from tcrypt.vectors.model import HashChain, HashVector, Inapplicable, Reason
from tcrypt.vectors.shapes import digest_size

__all__ = ("digests", "macs")


def digests(test: Test) -> Iterator[Made]:
    """The vector of a functional test, or the rounds of a Monte Carlo test."""
    if test.type == "MCT":
        yield from _chain(test)
        return
    size = digest_size(test.algorithm) or 0
    if test.type == "LDT":
        yield from _large(test, size)
        return
    bits = test.node.integer("len")
    if bits % 8:
        yield Inapplicable(test.name, Reason.BIT_LENGTH)
        return
    data = test.node.octets("msg")
    message = b"" if bits == 0 and data == b"\0" else data
    if 8 * len(message) != bits:
        raise test.node.error("msg", f"{len(message)} bytes, but len is {bits} bits")
    yield HashVector(test.name, None, message, test.node.octets("md", 8 * size))


def _large(test: Test, size: int) -> Iterator[Made]:
    """A message of gibibytes, told as a piece that is repeated."""
    large = test.node.node("largeMsg")
    bits = large.integer("fullLength")
    if bits % 8:
        yield Inapplicable(test.name, Reason.BIT_LENGTH)
    elif bits // 8 > test.largest:
        yield Inapplicable(test.name, Reason.LARGE)
    else:
        piece = large.octets("content", large.integer("contentLength"))
        if large.text("expansionTechnique") != "repeating" or not piece:
            raise large.error("expansionTechnique", "want repeating, of a piece that is not empty")
        digest = test.node.octets("md", 8 * size)
        yield HashVector(test.name, None, piece, digest, length=bits // 8)


def _chain(test: Test) -> Iterator[Made]:
    size = digest_size(test.algorithm) or 0
    alternate = "mctVersion" in test.group and test.group.text("mctVersion") != "standard"
    seed = test.node.octets("msg")
    if alternate or len(seed) != size:
        yield Inapplicable(test.name, Reason.CHAIN)
        return
    for index, result in enumerate(test.node.nodes("resultsArray")):
        digest = result.octets("md", 8 * size)
        yield HashChain(f"{test.name}-j{index}", seed, digest)
        seed = digest


def macs(test: Test) -> Iterator[Made]:
    """The vector of an HMAC or CMAC, whose tag may be truncated or wrong."""
    field = "message" if "message" in test.node else "msg"
    bits, wanted = test.size("msgLen"), test.size("macLen") or 0
    if wanted % 8 or (bits is not None and bits % 8):
        yield Inapplicable(test.name, Reason.BIT_LENGTH)
        return
    key, message = test.key(), test.node.octets(field, bits)
    if not key:
        yield Inapplicable(test.name, Reason.FIELDS)
        return
    mac = test.node.octets("mac", wanted)
    size = digest_size(test.algorithm) or 0
    if not 0 < len(mac) <= size:
        raise test.node.error("mac", f"{len(mac)} bytes, want 1 to {size}")
    forged = not test.node.flag("testPassed", True)
    yield HashVector(test.name, key, message, mac, None, forged)

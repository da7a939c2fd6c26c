"""Loader for NIST's ACVP JSON: a prompt joined with its expected results, or both in one file.

Tests are joined by (tgId, tcId).  Sizes are in bits.  Functional tests (AFT) become vectors and
Monte Carlo tests (MCT) chains; tests of large data (LDT) are taken only up to the size that is
asked for.  Everything else is not applicable, for a reason that is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tcrypt.vectors.acvp_hashes import digests, macs
from tcrypt.vectors.acvp_tests import Made, Test
from tcrypt.vectors.cavp_aead import ccm_iv
from tcrypt.vectors.errors import clip
from tcrypt.vectors.json_fields import Node, read_json
from tcrypt.vectors.model import (
    AeadVector,
    CipherChain,
    Inapplicable,
    Operation,
    Origin,
    Reason,
    SkcipherVector,
    VectorSet,
)
from tcrypt.vectors.shapes import aead_shape, cipher_shape

__all__ = ("ALGORITHMS", "load")

_SHA = {"1": "sha1", **{f"2-{n}": f"sha{n}" for n in (224, 256, 384, 512)}}
ALGORITHMS = {
    "ACVP-AES-ECB": ("ecb(aes)", "skcipher"),
    "ACVP-AES-CBC": ("cbc(aes)", "skcipher"),
    "ACVP-AES-CTR": ("ctr(aes)", "skcipher"),
    "ACVP-AES-XTS": ("xts(aes)", "skcipher"),
    "ACVP-TDES-ECB": ("ecb(des3_ede)", "skcipher"),
    "ACVP-TDES-CBC": ("cbc(des3_ede)", "skcipher"),
    "ACVP-AES-GCM": ("gcm(aes)", "aead"),
    "ACVP-AES-CCM": ("ccm(aes)", "aead"),
    "CMAC-AES": ("cmac(aes)", "ahash"),
    "CMAC-TDES": ("cmac(des3_ede)", "ahash"),
    **{f"SHA{'-' if n == '1' else ''}{n}": (name, "ahash") for n, name in _SHA.items()},
    **{f"HMAC-SHA{'-' if n == '1' else ''}{n}": (f"hmac({x})", "ahash") for n, x in _SHA.items()},
}
"""What a set's `algorithm` is in the Linux crypto API, and its kind."""


def load(text: str, origin: Origin, results: str = "", largest: int = 0) -> VectorSet:
    """Turn one vector set into vectors.

    Args:
        text: The prompt, or an internal projection, which has the results in it.
        origin: Source and name of the file.
        results: The expected results of a prompt; empty for a projection.
        largest: Up to how many bytes the messages of tests of large data are taken.

    Raises:
        VectorError: The data depart from the format, or prompt and results do not match.
    """
    root = read_json(text, origin.label)
    name = root.text("algorithm")
    if name not in ALGORITHMS:
        raise root.error("algorithm", f"none of this suite: {clip(name)}")
    algorithm, kind = ALGORITHMS[name]
    whole = Origin(
        origin.source, origin.name, algorithm, kind, origin.title, origin.url, origin.licence
    )
    answers = _answers(read_json(results, f"{origin.label} (results)")) if results else None
    records = [
        made for test in _tests(root, whole, answers, largest) for made in _READERS[kind](test)
    ]
    if answers:
        left = ", ".join(f"{group}/{case}" for group, case in sorted(answers)[:5])
        raise root.error("testGroups", f"results without a prompt: {left}")
    return whole.made(records)


def _answers(root: Node) -> dict[tuple[int, int], Node]:
    found: dict[tuple[int, int], Node] = {}
    for group in root.nodes("testGroups"):
        for test in group.nodes("tests"):
            key = (group.integer("tgId"), test.integer("tcId"))
            if key in found:
                raise test.error("tcId", f"given twice: {key[0]}/{key[1]}")
            found[key] = test
    return found


def _tests(
    root: Node, origin: Origin, answers: dict[tuple[int, int], Node] | None, largest: int
) -> Iterator[Test]:
    seen: set[tuple[int, int]] = set()
    for group in root.nodes("testGroups"):
        for test in group.nodes("tests"):
            key = (group.integer("tgId"), test.integer("tcId"))
            if key in seen:
                raise test.error("tcId", f"given twice: {key[0]}/{key[1]}")
            seen.add(key)
            whole = test
            if answers is not None:
                if key not in answers:
                    raise test.error("tcId", f"no result for {key[0]}/{key[1]}")
                whole = test.joined(answers.pop(key))
            name = f"{origin.label}#g{key[0]}-t{key[1]}"
            yield Test(name, origin.algorithm, group.text("testType"), group, whole, largest)


def _ciphers(test: Test) -> Iterator[Made]:
    shape = cipher_shape(test.algorithm)
    assert shape is not None
    encrypt = test.encrypt()
    if test.type == "MCT":
        yield from _chains(test, encrypt)
        return
    if test.type != "AFT" or "pt" not in test.node or "ct" not in test.node:
        # The counter test leaves the counters to who is tested.
        yield Inapplicable(test.name, Reason.FIELDS)
        return
    bits = test.size("payloadLen", None)
    if bits is not None and bits % 8:
        yield Inapplicable(test.name, Reason.BIT_LENGTH)
        return
    key, iv = test.key(), _tweak(test) if test.algorithm == "xts(aes)" else b""
    if shape.ivsize and test.algorithm != "xts(aes)":
        iv = test.node.octets("iv", 8 * shape.ivsize)
    ptext, ctext = test.node.octets("pt", bits), test.node.octets("ct", bits)
    operation = Operation.ENCRYPT if encrypt else Operation.DECRYPT
    yield SkcipherVector(test.name, key, iv, ptext, ctext, None, operation)


def _tweak(test: Test) -> bytes:
    """The IV of XTS: given, or the number of the data unit, the lowest byte first."""
    for name in ("tweakValue", "i"):
        if name in test.node:
            return test.node.octets(name, 128)
    return test.node.integer("sequenceNumber").to_bytes(16, "little")


def _chains(test: Test, encrypt: bool) -> Iterator[Made]:
    """The outer rounds of a Monte Carlo test of AES; that of TDES goes by another rule."""
    if test.algorithm not in ("ecb(aes)", "cbc(aes)"):
        yield Inapplicable(test.name, Reason.CHAIN)
        return
    for index, result in enumerate(test.node.nodes("resultsArray")):
        iv = result.octets("iv", 128) if test.algorithm == "cbc(aes)" else b""
        ptext, ctext = result.octets("pt", 128), result.octets("ct", 128)
        start, end = (ptext, ctext) if encrypt else (ctext, ptext)
        name = f"{test.name}-j{index}"
        yield CipherChain(name, result.octets("key"), iv, start, end, encrypt)


def _aeads(test: Test) -> Iterator[Made]:
    shape = aead_shape(test.algorithm)
    assert shape is not None
    ccm = test.algorithm == "ccm(aes)"
    forged = not test.node.flag("testPassed", True)
    sizes = {name: test.size(name) for name in ("payloadLen", "aadLen", "ivLen", "tagLen")}
    if any(size is not None and size % 8 for size in sizes.values()):
        yield Inapplicable(test.name, Reason.BIT_LENGTH)
        return
    size = (sizes["tagLen"] or 0) // 8
    if not ccm and sizes["ivLen"] != 8 * shape.cipher.ivsize:
        yield Inapplicable(test.name, Reason.IV_LENGTH)
        return
    if size not in shape.authsizes:
        yield Inapplicable(test.name, Reason.TAG_LENGTH)
        return
    if test.type not in ("AFT", "VADT") or "iv" not in test.node or "ct" not in test.node:
        yield Inapplicable(test.name, Reason.FIELDS)
        return
    encrypt = test.encrypt()
    nonce = test.node.octets("iv", sizes["ivLen"])
    assoc = test.node.octets("aad", sizes["aadLen"])
    ctext = test.node.octets("ct") + (b"" if ccm else test.node.octets("tag", sizes["tagLen"]))
    known = "pt" in test.node
    ptext = test.node.octets("pt") if known else bytes(max(0, len(ctext) - size))
    if len(ctext) != len(ptext) + size or 8 * len(ptext) != (sizes["payloadLen"] or 0):
        reason = f"{len(ctext)} bytes with its tag, {len(ptext)} of plaintext"
        raise test.node.error("ct", reason)
    if ccm and not 7 <= len(nonce) <= 13:
        raise test.node.error("iv", f"{len(nonce)} bytes, want 7 to 13")
    iv = ccm_iv(nonce) if ccm else nonce
    operation = Operation.ENCRYPT if encrypt else Operation.DECRYPT
    yield AeadVector(
        test.name, test.key(), iv, assoc, ptext, ctext, size, operation, forged, None, not known
    )


def _hashes(test: Test) -> Iterator[Made]:
    if test.algorithm.startswith(("hmac(", "cmac(")):
        return macs(test)
    return digests(test)


_READERS: dict[str, Callable[[Test], Iterator[Made]]] = {
    "skcipher": _ciphers,
    "aead": _aeads,
    "ahash": _hashes,
}

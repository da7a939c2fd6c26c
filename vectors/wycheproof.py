"""Loader for Project Wycheproof's JSON, both generations of the format.

The first had no `source`, kept its flags in `notes` of plain text, and gave modified tags no flag
at all; the second names a schema that ends in `_v1.json`.  Sizes stand in the groups, in bits.

What a test demands follows from its sizes and its result, and its flags must agree: a verdict is
total, so that a flag or result that is not known here is an error, not a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tcrypt.vectors.cavp_aead import ccm_iv
from tcrypt.vectors.errors import clip
from tcrypt.vectors.json_fields import Node, read_json
from tcrypt.vectors.model import (
    AeadVector,
    Expect,
    HashVector,
    Inapplicable,
    Operation,
    Origin,
    Reason,
    SkcipherVector,
    Vector,
    VectorSet,
)
from tcrypt.vectors.shapes import aead_shape, cipher_shape, digest_size

__all__ = ("ALGORITHMS", "load")

ALGORITHMS = {
    "AES-GCM": ("gcm(aes)", "aead"),
    "AES-CCM": ("ccm(aes)", "aead"),
    "AES-CMAC": ("cmac(aes)", "ahash"),
    "AES-XTS": ("xts(aes)", "skcipher"),
    "AES-CBC-PKCS5": ("cbc(aes)", "skcipher"),
    **{f"HMACSHA{n}": (f"hmac(sha{n})", "ahash") for n in (1, 224, 256, 384, 512)},
}
"""What a file's `algorithm` is in the Linux crypto API, and its kind."""

# What flags say of an invalid test; in the first generation a modified tag has none.
_MODIFIED = frozenset({"ModifiedTag", "MacCollision"})
_KEY = frozenset({"InvalidKeySize"})
_NONCE = frozenset({"InvalidNonceSize", "ZeroLengthIv", "CVE-2017-18330", "SmallIv", "LongIv"})
_TAG = frozenset({"InvalidTagSize", "InsecureTagSize"})
_PADDING = frozenset({"BadPadding", "NoPadding", "InvalidPadding", "ModifiedPadding"})
_INVALID = _MODIFIED | _KEY | _NONCE | _TAG | _PADDING

_BLOCK = 16
_LONGEST_NONCE = 14
_CCM_NONCES = range(7, 14)

_Made = Vector | Inapplicable
_Reader = Callable[[str, Node, Node], _Made]


def load(text: str, origin: Origin) -> VectorSet:
    """Turn the contents of one file into vectors.

    Raises:
        VectorError: The file departs from the format, counts other tests than it says, or holds
            a result or flag whose meaning is not known.
    """
    root = read_json(text, origin.label)
    name = root.text("algorithm")
    if name not in ALGORITHMS:
        raise root.error("algorithm", f"none of this suite: {clip(name)}")
    algorithm, kind = ALGORITHMS[name]
    for field, found, listed in (
        ("algorithm", algorithm, origin.algorithm),
        ("kind", kind, origin.kind),
    ):
        if listed and found != listed:
            raise root.error(field, f"{found}, but the catalogue lists {listed}")
    whole = Origin(
        origin.source, origin.name, algorithm, kind, origin.title, origin.url, origin.licence
    )
    records = list(_records(root, whole))
    if len(records) != root.integer("numberOfTests"):
        reason = f"{root.integer('numberOfTests')}, but there are {len(records)}"
        raise root.error("numberOfTests", reason)
    return whole.made(records)


def _records(root: Node, origin: Origin) -> Iterator[_Made]:
    seen: set[int] = set()
    reader = _READERS[origin.kind]
    for group in root.nodes("testGroups"):
        for test in group.nodes("tests"):
            number = test.integer("tcId")
            if number in seen:
                raise test.error("tcId", f"given twice: {number}")
            seen.add(number)
            _known(test)
            yield reader(f"{origin.label}#tc{number}", group, test.joined(_named(origin, group)))


def _named(origin: Origin, group: Node) -> Node:
    return Node(origin.label, group.path, {"algorithm": origin.algorithm})


def _known(test: Node) -> None:
    """Refuse a result, or a flag of an invalid test, that has no meaning here."""
    result = test.text("result")
    if result not in ("valid", "invalid", "acceptable"):
        raise test.error("result", f"want valid, invalid or acceptable, found {clip(result)}")
    unknown = set(test.words("flags")) - _INVALID
    if result == "invalid" and unknown:
        raise test.error("flags", f"of unknown meaning: {', '.join(sorted(unknown))}")


def _blamed(test: Node, flags: frozenset[str], what: str) -> None:
    """Refuse an invalid test that says it is so for a reason which its values do not show."""
    if test.text("result") == "invalid" and flags & set(test.words("flags")):
        raise test.error("flags", f"{', '.join(test.words('flags'))}, but {what} is right")


def _aead(name: str, group: Node, test: Node) -> _Made:
    algorithm = test.text("algorithm")
    shape = aead_shape(algorithm)
    assert shape is not None
    key = test.octets("key", group.integer("keySize"))
    nonce = test.octets("iv", group.integer("ivSize"))
    size = group.integer("tagSize") // 8
    ptext, assoc = test.octets("msg"), test.octets("aad")
    ctext = test.octets("ct") + test.octets("tag", group.integer("tagSize"))
    if test.text("result") == "acceptable":
        return Inapplicable(name, Reason.ACCEPTABLE)
    if len(key) not in shape.cipher.key_sizes:
        return _refused(name, key, "setkey", size)
    _blamed(test, _KEY, "the size of the key")
    if len(nonce) != shape.cipher.ivsize and algorithm == "gcm(aes)":
        return Inapplicable(name, Reason.IV_LENGTH)
    if algorithm == "ccm(aes)" and len(nonce) > _LONGEST_NONCE:
        return Inapplicable(name, Reason.IV_LENGTH)
    iv = ccm_iv(nonce) if algorithm == "ccm(aes)" else nonce
    if size not in shape.authsizes:
        return _refused(name, key, "setauthsize", size)
    _blamed(test, _TAG, "the size of the tag")
    if algorithm == "ccm(aes)" and len(nonce) not in _CCM_NONCES:
        expect = Expect("crypt", "EINVAL")
        both = Operation.BOTH
        return AeadVector(name, key, iv, assoc, ptext, ctext, size, both, False, expect)
    _blamed(test, _NONCE, "the size of the nonce")
    forged = test.text("result") == "invalid"
    operation = Operation.DECRYPT if forged else Operation.BOTH
    return AeadVector(name, key, iv, assoc, ptext, ctext, size, operation, forged)


def _refused(name: str, key: bytes, stage: str, size: int) -> AeadVector:
    expect = Expect(stage, "EINVAL")
    return AeadVector(name, key, b"", b"", b"", b"", size, Operation.BOTH, False, expect)


def _mac(name: str, group: Node, test: Node) -> _Made:
    algorithm = test.text("algorithm")
    key = test.octets("key", group.integer("keySize"))
    message, tag = test.octets("msg"), test.octets("tag")
    if test.text("result") == "acceptable":
        return Inapplicable(name, Reason.ACCEPTABLE)
    sizes = (16, 24, 32) if algorithm == "cmac(aes)" else ()
    if sizes and len(key) not in sizes:
        return HashVector(name, key, message, b"", Expect("setkey", "EINVAL"))
    _blamed(test, _KEY, "the size of the key")
    size = digest_size(algorithm) or 0
    if len(tag) * 8 != group.integer("tagSize") or not 0 < len(tag) <= size:
        raise test.error("tag", f"{len(tag)} bytes, want {group.integer('tagSize')} bits")
    return HashVector(name, key, message, tag, None, test.text("result") == "invalid")


def _cipher(name: str, group: Node, test: Node) -> _Made:
    algorithm = test.text("algorithm")
    shape = cipher_shape(algorithm)
    assert shape is not None
    key, iv = test.octets("key", group.integer("keySize")), test.octets("iv")
    ptext, ctext = test.octets("msg"), test.octets("ct")
    if test.text("result") == "acceptable":
        return Inapplicable(name, Reason.ACCEPTABLE)
    if len(key) not in shape.key_sizes:
        raise test.error("key", f"{len(key)} bytes, want one of {shape.key_sizes}")
    if algorithm == "cbc(aes)":
        if test.text("result") == "invalid":
            return Inapplicable(name, Reason.PADDING)
        padding = _BLOCK - len(ptext) % _BLOCK
        ptext += bytes([padding]) * padding
    elif test.text("result") == "invalid":
        raise test.error("result", "invalid, for a cipher that has nothing to verify")
    # XTS: a short tweak is a number whose highest bytes, which come last, are zeros.
    iv = iv.ljust(shape.ivsize, b"\0")
    if len(iv) != shape.ivsize or len(ptext) != len(ctext) or len(ptext) < shape.least:
        sizes = f"iv {len(iv)}, plaintext {len(ptext)}, ciphertext {len(ctext)} bytes"
        raise test.error("ct", f"sizes that do not fit: {sizes}")
    return SkcipherVector(name, key, iv, ptext, ctext)


_READERS: dict[str, _Reader] = {"aead": _aead, "ahash": _mac, "skcipher": _cipher}

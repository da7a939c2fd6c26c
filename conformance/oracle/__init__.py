"""What a correct implementation of an algorithm answers: bytes, output IV and errno.

The oracle is a second opinion on every driver, so it shares nothing with them: no module of the
engine, other libraries than the software drivers use, its own reading of the rules
(kernel-crypto, section 6; real-kernel, section 3).  Statuses are those of the kernel: 0 or a
negative errno.

A reference knows nothing of state: "no key set" (-ENOKEY), flags and queues are the suite's.
Its methods take what setkey, setauthsize and the length rules accept and raise `ValueError` for
anything else; ask `setkey`, `length_status`, `authsize_status` and `crypt_status` first.
"""

from __future__ import annotations

from functools import lru_cache

from tcrypt.oracle.aead import AeadReference
from tcrypt.oracle.authenc import build_authenc
from tcrypt.oracle.blocks import SEMI_WEAK_DES_KEYS, WEAK_DES_KEYS
from tcrypt.oracle.gcm_ccm import AES_AEADS
from tcrypt.oracle.hashes import HashReference, build_hash
from tcrypt.oracle.modes import build_skcipher
from tcrypt.oracle.names import Name, parse_name
from tcrypt.oracle.skcipher import Answer, SkcipherReference
from tcrypt.oracle.wrapped import EssivReference, GenivReference

__all__ = (
    "SEMI_WEAK_DES_KEYS",
    "WEAK_DES_KEYS",
    "AeadReference",
    "Answer",
    "HashReference",
    "SkcipherReference",
    "reference",
)


@lru_cache(maxsize=1024)
def reference(cra_name: str) -> SkcipherReference | AeadReference | HashReference | None:
    """The reference for an algorithm name such as `authenc(hmac(sha1),cbc(aes))`.

    None when there is none: the name is malformed, or the algorithm is not covered.
    """
    name = parse_name(cra_name)
    if name is None:
        return None
    return _aead(name) or build_skcipher(name) or build_hash(name)


def _aead(name: Name) -> AeadReference | None:
    """The reference for a parsed name of an AEAD."""
    match name:
        case Name("essiv", (Name("authenc", (_, Name("cbc", (Name("aes", ()),)))), hashed)):
            inner = _aead(name.args[0])
            return EssivReference(str(name), inner) if inner and str(hashed) == "sha256" else None
        case Name("seqiv" | "echainiv", (wrapped,)):
            inner = _aead(wrapped)
            return GenivReference(str(name), inner) if inner else None
    return AES_AEADS.get(str(name)) or build_authenc(name)

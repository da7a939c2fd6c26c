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
from tcrypt.oracle.gcm_ccm import CcmReference, GcmReference, Rfc4106Reference
from tcrypt.oracle.hashes import HashReference, build_hash
from tcrypt.oracle.modes import build_skcipher
from tcrypt.oracle.names import parse_name
from tcrypt.oracle.skcipher import Answer, SkcipherReference

__all__ = (
    "SEMI_WEAK_DES_KEYS",
    "WEAK_DES_KEYS",
    "AeadReference",
    "Answer",
    "HashReference",
    "SkcipherReference",
    "reference",
)

_AES_AEADS = {alg.name: alg for alg in (CcmReference(), GcmReference(), Rfc4106Reference())}


@lru_cache(maxsize=1024)
def reference(cra_name: str) -> SkcipherReference | AeadReference | HashReference | None:
    """The reference for an algorithm name such as `authenc(hmac(sha1),cbc(aes))`.

    None when there is none: the name is malformed, or the algorithm is not covered.
    """
    name = parse_name(cra_name)
    if name is None:
        return None
    aead = _AES_AEADS.get(cra_name) or build_authenc(name)
    return aead or build_skcipher(name) or build_hash(name)

"""What the registration of an algorithm must declare, whoever implements it.

The kernel's test manager compares a driver's declaration with the generic implementation's
(kernel-crypto, section 2.5).  It leaves out chunksize, in which drivers err (ctr without one
reports its block size, 1), so chunksize is here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tcrypt.oracle import AeadReference, SkcipherReference, reference

__all__ = ("registration_properties",)


def registration_properties(cra_name: str) -> Mapping[str, int] | None:
    """The declared values, by the field's name in the kernel's descriptors; sizes in bytes.

    A skcipher has `cra_blocksize`, `ivsize`, `chunksize`, `min_keysize` and `max_keysize`; an
    AEAD `cra_blocksize`, `ivsize`, `chunksize` and `maxauthsize`; a hash `cra_blocksize` and
    `digestsize`.  A descriptor's chunksize of 0 stands for its block size: resolve that before
    comparing.  None when the oracle has no reference for the name.
    """
    alg = reference(cra_name)
    if alg is None:
        return None
    declared = {"cra_blocksize": alg.block_size}
    if isinstance(alg, SkcipherReference):
        declared |= {"ivsize": alg.ivsize, "chunksize": alg.chunksize}
        declared |= {"min_keysize": alg.min_keysize, "max_keysize": alg.max_keysize}
    elif isinstance(alg, AeadReference):
        declared |= {"ivsize": alg.ivsize, "chunksize": alg.chunksize}
        declared |= {"maxauthsize": alg.maxauthsize}
    else:
        declared |= {"digestsize": alg.digestsize}
    return MappingProxyType(declared)

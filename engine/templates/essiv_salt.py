"""What both forms of essiv do: find the block cipher for the IVs, and make its key."""

from __future__ import annotations

import errno

from tcrypt.engine.api.algorithms import ShashAlg
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.shash import ShashDesc
from tcrypt.engine.api.templates import Builder
from tcrypt.engine.api.transforms import Transform

__all__ = ("salt_cipher", "salted")


def salt_cipher(builder: Builder, mode: str, ivsize: int, digest: ShashAlg) -> str:
    """The name of the block cipher inside of a mode such as `cbc(aes)`.

    Raises:
        OSError: ENOENT when there is no such cipher; EINVAL when its block is not the IV's size,
            the hash is keyed, or no digest of the hash's size can be its key.
    """
    name = mode.rpartition("(")[2].partition(")")[0]
    cipher = builder.cipher(name)
    fits = cipher.min_keysize <= digest.digestsize <= cipher.max_keysize
    if cipher.cra_blocksize != ivsize or not fits or digest.setkey is not None:
        raise crypto_error(-errno.EINVAL, f"essiv({mode},{digest.cra_name})")
    return name


def salted(tfm: Transform, digest: ShashAlg, key: bytes) -> bytes:
    """The digest of a key; the hash is opened for just that.

    Raises:
        OSError: the hash does not exist any more, or its own errno.
    """
    registry = tfm.machine.registry
    shash = registry.spawn_shash(digest)
    try:
        out = bytearray(digest.digestsize)
        status = shash.digest(ShashDesc(shash), key, out)
        if status:
            raise crypto_error(status, f"{digest.cra_driver_name}: digest of a key")
        return bytes(out)
    finally:
        registry.free(shash)

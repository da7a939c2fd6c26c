"""Requests: one operation each, completed by status or callback (kernel-crypto, 6.10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.scatterlist import Scatterlist

if TYPE_CHECKING:
    from tcrypt.engine.api.transforms import Aead, Ahash, Skcipher

__all__ = (
    "REQUEST_BYTES",
    "AeadRequest",
    "AhashRequest",
    "AnyRequest",
    "Completion",
    "SkcipherRequest",
)

# What a request takes in the context of another one, beside its own context.
REQUEST_BYTES = 64
Completion: TypeAlias = Callable[[Any, int], None]


def _nobody(data: Any, status: int) -> None:
    raise AssertionError(f"request without a callback completed with {status}")


class _Request:
    """What all requests share.

    `ctx` is the driver's own room in the request.  Its content is undefined when the driver first
    sees the request; between the steps of one hash it keeps what the driver put there.  A request
    on another transform that is put there, as for a fallback, takes REQUEST_BYTES and the
    `reqsize` of its transform; the machine warns when the driver has not asked for so much.
    """

    __slots__ = ("complete", "ctx", "data", "flags")

    def __init__(self) -> None:
        self.flags = 0
        self.complete: Completion = _nobody
        self.data: Any = None
        self.ctx: Any = None

    def set_callback(self, flags: int, complete: Completion, data: Any) -> None:
        """Say how to complete: `complete(data, status)` is called unless the call is synchronous.

        Args:
            flags: `ReqFlag.MAY_SLEEP` and `ReqFlag.MAY_BACKLOG`, or neither.
            complete: called with 0, a negative errno, or first with -EINPROGRESS when the
                submission was answered -EBUSY (backlogged) and has now been accepted.
            data: handed to `complete` unchanged.
        """
        self.flags = flags
        self.complete = complete
        self.data = data


class SkcipherRequest(_Request):
    """Encrypt or decrypt `cryptlen` bytes from `src` to `dst`; `iv` is read and written back."""

    __slots__ = ("cryptlen", "dst", "iv", "src", "tfm")

    def __init__(self, tfm: Skcipher) -> None:
        super().__init__()
        self.tfm = tfm

    def set_crypt(
        self, src: Scatterlist, dst: Scatterlist, cryptlen: int, iv: Buffer | None
    ) -> None:
        """Set the data; `dst` may be the same list as `src` (in place)."""
        self.src = src
        self.dst = dst
        self.cryptlen = cryptlen
        self.iv = iv


class AeadRequest(_Request):
    """One AEAD operation: lists hold AAD, then text, then (in ciphertext) the tag.

    `cryptlen` excludes the AAD; on decryption it includes the tag (kernel-crypto, section 6.4).
    """

    __slots__ = ("assoclen", "cryptlen", "dst", "iv", "src", "tfm")

    def __init__(self, tfm: Aead) -> None:
        super().__init__()
        self.tfm = tfm

    def set_crypt(
        self, src: Scatterlist, dst: Scatterlist, cryptlen: int, iv: Buffer | None
    ) -> None:
        """Set the data; `dst` may be the same list as `src` (in place)."""
        self.src = src
        self.dst = dst
        self.cryptlen = cryptlen
        self.iv = iv

    def set_ad(self, assoclen: int) -> None:
        """Set the length of the associated data at the front of both lists, in bytes."""
        self.assoclen = assoclen


class AhashRequest(_Request):
    """One step of a hash: `nbytes` of `src` in, `digestsize` bytes to `result` at the end.

    `src` may be None when `nbytes` is 0; `result` may be None where the step gives no digest.
    """

    __slots__ = ("nbytes", "result", "src", "tfm")

    def __init__(self, tfm: Ahash) -> None:
        super().__init__()
        self.tfm = tfm

    def set_crypt(self, src: Scatterlist | None, result: Buffer | None, nbytes: int) -> None:
        """Set the data of the next step."""
        self.src = src
        self.result = result
        self.nbytes = nbytes


AnyRequest: TypeAlias = SkcipherRequest | AeadRequest | AhashRequest

"""Algorithm descriptors: what a driver registers, with the kernel's fields.

A descriptor is data and functions.  Every operation of a driver returns a status as in the kernel:
0, -EINPROGRESS when the request will complete later, -EBUSY when it was accepted onto a backlog,
or another negative errno.  The functions take the transform or the request and nothing else; what
a driver needs it keeps in `tfm.ctx` and `request.ctx`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AeadRequest, AhashRequest, SkcipherRequest

if TYPE_CHECKING:
    from tcrypt.engine.api.shash import Shash, ShashDesc
    from tcrypt.engine.api.transforms import Aead, Ahash, Cipher, Skcipher

__all__ = (
    "AeadAlg",
    "AhashAlg",
    "AnyAlg",
    "BlockModes",
    "CipherAlg",
    "ShashAlg",
    "SkcipherAlg",
)

DoOneRequest: TypeAlias = Callable[[Any, Any], int]


@dataclass(eq=False, kw_only=True)
class _Alg:
    """The fields of `struct crypto_alg`.

    Attributes:
        cra_name: the algorithm, e.g. `cbc(aes)`.
        cra_driver_name: this implementation, e.g. `cbc(aes-eip93)`.
        cra_priority: the highest wins a lookup by algorithm name.
        cra_flags: `AlgFlag` bits.
        cra_blocksize: bytes; 1 for a stream cipher.
        cra_alignmask: 2^n - 1; buffers aligned to it need no copy.
        cra_module: who owns it, for listings.
        do_one_request: called by a crypto_engine with (engine, request); 0 means started.
        prepare_request: called before it with the same, by an engine whose semantics have it.
        unprepare_request: undoes that; called when the request is finalized or not started.
    """

    cra_name: str
    cra_driver_name: str
    cra_priority: int
    cra_flags: int = 0
    cra_blocksize: int = 1
    cra_alignmask: int = 0
    cra_module: str = "kernel"
    do_one_request: DoOneRequest | None = None
    prepare_request: DoOneRequest | None = None
    unprepare_request: DoOneRequest | None = None

    def variant(self, **changes: Any) -> Any:
        """A copy with some fields changed, e.g. for a planted registration defect."""
        return replace(self, **changes)


@dataclass(eq=False, kw_only=True)
class SkcipherAlg(_Alg):
    """A symmetric-key cipher (`struct skcipher_alg`); sizes in bytes.

    `chunksize` 0 stands for the block size, as in the kernel's registration.
    """

    type: ClassVar[AlgType] = AlgType.SKCIPHER

    min_keysize: int
    max_keysize: int
    setkey: Callable[[Skcipher, bytearray], int]
    encrypt: Callable[[SkcipherRequest], int]
    decrypt: Callable[[SkcipherRequest], int]
    ivsize: int = 0
    chunksize: int = 0
    walksize: int = 0
    init: Callable[[Skcipher], int] | None = None
    exit: Callable[[Skcipher], None] | None = None


@dataclass(eq=False, kw_only=True)
class AeadAlg(_Alg):
    """An AEAD cipher (`struct aead_alg`); sizes in bytes."""

    type: ClassVar[AlgType] = AlgType.AEAD

    maxauthsize: int
    setkey: Callable[[Aead, bytearray], int]
    encrypt: Callable[[AeadRequest], int]
    decrypt: Callable[[AeadRequest], int]
    ivsize: int = 0
    chunksize: int = 0
    setauthsize: Callable[[Aead, int], int] | None = None
    init: Callable[[Aead], int] | None = None
    exit: Callable[[Aead], None] | None = None


@dataclass(eq=False, kw_only=True)
class AhashAlg(_Alg):
    """An asynchronous hash (`struct ahash_alg`); sizes in bytes.

    `export` writes `statesize` bytes to the buffer; `import_state` reads them back.  `clone_tfm`
    gets a new transform, with the context of the one that follows it, and that one.
    """

    type: ClassVar[AlgType] = AlgType.AHASH

    digestsize: int
    statesize: int
    hash_init: Callable[[AhashRequest], int]
    update: Callable[[AhashRequest], int]
    final: Callable[[AhashRequest], int]
    finup: Callable[[AhashRequest], int]
    digest: Callable[[AhashRequest], int]
    export: Callable[[AhashRequest, Buffer], int]
    import_state: Callable[[AhashRequest, Buffer], int]
    setkey: Callable[[Ahash, bytearray], int] | None = None
    init: Callable[[Ahash], int] | None = None
    exit: Callable[[Ahash], None] | None = None
    clone_tfm: Callable[[Ahash, Ahash], int] | None = None
    reqsize: int = field(default=0)


class BlockModes(Protocol):
    """Whole-message modes of a keyed block cipher, where a library has them.

    A template over a cipher that offers them hands whole messages over instead of blocks.  Data
    are whole blocks except for `ctr`, IVs one block.
    """

    def ecb(self, data: bytes, encrypt: bool) -> bytes:
        """Each block by itself."""

    def cbc(self, data: bytes, iv: bytes, encrypt: bool) -> bytes:
        """Chained over the ciphertext (SP 800-38A, 6.2)."""

    def ctr(self, data: bytes, iv: bytes) -> bytes:
        """The whole IV counts, big-endian (SP 800-38A, 6.5)."""


@dataclass(eq=False, kw_only=True)
class CipherAlg(_Alg):
    """A single-block cipher (`struct cipher_alg`); sizes in bytes.

    `encrypt_block` and `decrypt_block` take the transform and `cra_blocksize` bytes.  `modes`
    gives the same cipher, with the key that the transform has, as a library offers it.
    """

    type: ClassVar[AlgType] = AlgType.CIPHER

    min_keysize: int
    max_keysize: int
    setkey: Callable[[Cipher, bytearray], int]
    encrypt_block: Callable[[Cipher, bytes], bytes]
    decrypt_block: Callable[[Cipher, bytes], bytes]
    modes: Callable[[Cipher], BlockModes] | None = None
    init: Callable[[Cipher], int] | None = None
    exit: Callable[[Cipher], None] | None = None


def export_descriptor(desc: ShashDesc, out: bytearray) -> int:
    """The default export: the descriptor's context, which must be bytes, as it is."""
    out[: len(desc.ctx)] = desc.ctx
    return 0


def import_descriptor(desc: ShashDesc, state: bytes) -> int:
    """The default import: the descriptor's context is the state."""
    desc.ctx = bytearray(state)
    return 0


@dataclass(eq=False, kw_only=True)
class ShashAlg(_Alg):
    """A synchronous hash on bytes (`struct shash_alg`); sizes in bytes.

    Every operation takes a `ShashDesc`, whose `ctx` holds the state between calls.  `final`,
    `finup` and `digest` write `digestsize` bytes to a `bytearray`; `export` writes `statesize`
    bytes, `import_state` reads them.  A driver that has neither keeps `descsize` bytes in `ctx`,
    which are then the state.  `copy` gives the `ctx` of a second message that goes on from the
    same state; without it a copy is an export and an import.  `clone_tfm` gets a new transform,
    with the context of the one that follows it, and that one.
    """

    type: ClassVar[AlgType] = AlgType.SHASH

    digestsize: int
    statesize: int = 0
    descsize: int = 0
    hash_init: Callable[[ShashDesc], int]
    update: Callable[[ShashDesc, bytes], int]
    final: Callable[[ShashDesc, bytearray], int]
    export: Callable[[ShashDesc, bytearray], int] = export_descriptor
    import_state: Callable[[ShashDesc, bytes], int] = import_descriptor
    digest: Callable[[ShashDesc, bytes, bytearray], int] | None = None
    copy: Callable[[ShashDesc], Any] | None = None
    setkey: Callable[[Shash, bytearray], int] | None = None
    init: Callable[[Shash], int] | None = None
    exit: Callable[[Shash], None] | None = None
    clone_tfm: Callable[[Shash, Shash], int] | None = None

    @property
    def exports_descriptor(self) -> bool:
        """Whether the exported state is the descriptor itself."""
        return self.export is export_descriptor


AnyAlg: TypeAlias = SkcipherAlg | AeadAlg | AhashAlg | CipherAlg | ShashAlg

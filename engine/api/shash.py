"""Synchronous hashes: bytes in, bytes out, and how an ahash request is served by one.

The crypto API lets every `shash` be used as an `ahash` (kernel-crypto, section 6.1); the view that
does it walks the request's scatterlist.
"""

from __future__ import annotations

import copy
import errno
from typing import TYPE_CHECKING, Any

from tcrypt.engine.api.algorithms import AhashAlg, ShashAlg
from tcrypt.engine.api.errors import check_status, crypto_error
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import AhashRequest
from tcrypt.engine.api.transforms import Ahash, Transform

if TYPE_CHECKING:
    from tcrypt.engine.api.machine import Machine

__all__ = ("Shash", "ShashDesc", "ahash_view")


class ShashDesc:
    """One message in work on a transform; `ctx` is the implementation's state."""

    __slots__ = ("ctx", "tfm")

    def __init__(self, tfm: Shash, ctx: Any = None) -> None:
        self.tfm = tfm
        self.ctx = ctx


class Shash(Transform):
    """A synchronous hash transform (`struct crypto_shash`)."""

    __slots__ = ("alg",)

    def __init__(self, machine: Machine, alg: ShashAlg) -> None:
        keyed = alg.setkey is not None and not alg.cra_flags & AlgFlag.OPTIONAL_KEY
        super().__init__(machine, keyed)
        self.alg = alg

    def setkey(self, key: bytes) -> None:
        """Set the key of a keyed hash; OSError(ENOSYS) for one that takes none."""
        if self.alg.setkey is None:
            raise crypto_error(-errno.ENOSYS, f"{self.alg.cra_driver_name}: setkey")
        self._keyed(self.alg.cra_driver_name, self.alg.setkey, key)

    def start(self) -> ShashDesc:
        """A new message; OSError(ENOKEY) when a key is missing."""
        desc = ShashDesc(self)
        status = self.init(desc)
        check_status(status, f"{self.alg.cra_driver_name}: init")
        return desc

    def init(self, desc: ShashDesc) -> int:
        """Start a message in `desc`; -ENOKEY when a key is missing."""
        return -errno.ENOKEY if self.needs_key else self.alg.hash_init(desc)

    def digest(self, desc: ShashDesc, data: bytes, out: bytearray) -> int:
        """Hash one whole message; the status."""
        if self.needs_key:
            return -errno.ENOKEY
        alg = self.alg
        if alg.digest is not None:
            return alg.digest(desc, data, out)
        return alg.hash_init(desc) or alg.update(desc, data) or alg.final(desc, out)

    def copy(self, desc: ShashDesc) -> ShashDesc:
        """A second message that goes on from the state of `desc`."""
        alg = self.alg
        if alg.copy is not None:
            return ShashDesc(self, alg.copy(desc))
        state, second = bytearray(alg.statesize), ShashDesc(self)
        what = f"{alg.cra_driver_name}: copy"
        check_status(alg.export(desc, state), what)
        check_status(alg.import_state(second, bytes(state)), what)
        return second


def _data(request: AhashRequest) -> bytes | None:
    """The step's data; None when the list is shorter than the request says."""
    if not request.nbytes:
        return b""
    if request.src is None or request.src.nents_for_len(request.nbytes) < 0:
        return None
    return request.src.read(request.nbytes)


def _init_tfm(alg: ShashAlg, tfm: Ahash) -> int:
    tfm.ctx = inner = Shash(tfm.machine, alg)
    return alg.init(inner) if alg.init is not None else 0


def _exit_tfm(alg: ShashAlg, tfm: Ahash) -> None:
    if alg.exit is not None:
        alg.exit(tfm.ctx)
    tfm.ctx = None


def _clone_tfm(alg: ShashAlg, second: Ahash, first: Ahash) -> int:
    inner = Shash(second.machine, alg)
    inner.flags = first.ctx.flags
    inner.ctx = copy.copy(first.ctx.ctx)
    second.ctx = inner
    if alg.clone_tfm is not None:
        return alg.clone_tfm(inner, first.ctx)
    return 0 if alg.init is None and alg.exit is None else -errno.ENOSYS


def _setkey(tfm: Ahash, key: bytearray) -> int:
    try:
        tfm.ctx.setkey(bytes(key))
    except OSError as error:
        return -(error.errno or errno.EINVAL)
    return 0


def _hash_init(request: AhashRequest) -> int:
    shash: Shash = request.tfm.ctx
    request.ctx = desc = ShashDesc(shash)
    return shash.init(desc)


def _update(request: AhashRequest) -> int:
    data = _data(request)
    if data is None:
        return -errno.EINVAL
    desc: ShashDesc = request.ctx
    return desc.tfm.alg.update(desc, data)


def _final(request: AhashRequest) -> int:
    desc: ShashDesc = request.ctx
    alg = desc.tfm.alg
    out = bytearray(alg.digestsize)
    return alg.final(desc, out) or _give(request, out)


def _finup(request: AhashRequest) -> int:
    return _update(request) or _final(request)


def _digest(request: AhashRequest) -> int:
    data = _data(request)
    if data is None:
        return -errno.EINVAL
    shash: Shash = request.tfm.ctx
    request.ctx = desc = ShashDesc(shash)
    out = bytearray(shash.alg.digestsize)
    return shash.digest(desc, data, out) or _give(request, out)


def _give(request: AhashRequest, out: bytearray) -> int:
    assert request.result is not None, "a hash was finished without a result buffer"
    request.result.write(out)
    return 0


def _export(request: AhashRequest, out: Buffer) -> int:
    desc: ShashDesc = request.ctx
    alg = desc.tfm.alg
    state = bytearray(alg.statesize)
    status = alg.export(desc, state)
    if not status:
        out.write(state)
    return status


def _import(request: AhashRequest, state: Buffer) -> int:
    shash: Shash = request.tfm.ctx
    request.ctx = desc = ShashDesc(shash)
    return shash.alg.import_state(desc, state.read(shash.alg.statesize))


def ahash_view(alg: ShashAlg) -> AhashAlg:
    """The ahash that serves requests with a synchronous hash; it is never registered itself."""
    return AhashAlg(
        cra_name=alg.cra_name,
        cra_driver_name=alg.cra_driver_name,
        cra_priority=alg.cra_priority,
        cra_flags=alg.cra_flags,
        cra_blocksize=alg.cra_blocksize,
        cra_alignmask=alg.cra_alignmask,
        cra_module=alg.cra_module,
        digestsize=alg.digestsize,
        statesize=alg.statesize,
        hash_init=_hash_init,
        update=_update,
        final=_final,
        finup=_finup,
        digest=_digest,
        export=_export,
        import_state=_import,
        setkey=_setkey if alg.setkey is not None else None,
        init=lambda tfm: _init_tfm(alg, tfm),
        exit=lambda tfm: _exit_tfm(alg, tfm),
        clone_tfm=lambda second, first: _clone_tfm(alg, second, first),
    )

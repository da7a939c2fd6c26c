"""Transforms: a keyed instance of an algorithm, and the rules that the core enforces for it.

The core's rules are those of kernel-crypto, section 6: key lengths outside the declared range
never reach a driver, a transform without a key answers -ENOKEY before anything else is looked at,
an AEAD ciphertext shorter than its tag is -EINVAL.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, CipherAlg, SkcipherAlg
from tcrypt.engine.api.errors import check_status, crypto_error
from tcrypt.engine.api.flags import AlgFlag, ReqFlag
from tcrypt.engine.api.memory import Buffer
from tcrypt.engine.api.requests import REQUEST_BYTES, AeadRequest, AhashRequest, SkcipherRequest

if TYPE_CHECKING:
    from tcrypt.engine.api.machine import Machine

__all__ = ("Aead", "Ahash", "Cipher", "Skcipher", "Transform")

_NEED_KEY = int(ReqFlag.NEED_KEY)
_MAY_SLEEP = int(ReqFlag.MAY_SLEEP)
_OPTIONAL_KEY = int(AlgFlag.OPTIONAL_KEY)
_REQUESTS = frozenset({AeadRequest, AhashRequest, SkcipherRequest})


class Transform:
    """What all transforms share.

    Attributes:
        entry: what the registry knows of the algorithm; None once the transform was freed.
        machine: where the driver finds memory, the registry and the simulation.
        ctx: the driver's room, kept as long as the transform lives.
        flags: `ReqFlag` bits; a driver hands FORBID_WEAK_KEYS on to its fallback.
        shares: how many clones are this very transform, and are freed by themselves.
    """

    __slots__ = (
        "_cramped",
        "_keyless",
        "_reqsize",
        "_requested",
        "ctx",
        "entry",
        "flags",
        "machine",
        "shares",
    )

    def __init__(self, machine: Machine, needs_key: bool) -> None:
        self.machine = machine
        self.ctx: Any = None
        self.entry: Any = None
        self.flags = _NEED_KEY if needs_key else 0
        self.shares = 0
        self._keyless = not needs_key
        self._reqsize = 0
        self._cramped = self._requested = False

    @property
    def reqsize(self) -> int:
        """Bytes of request context that the driver asks for, those for its fallback included.

        It must be known before the first request is allocated, so that `init` is where to set it;
        a request that is smaller than what the driver uses is what the machine warns about.
        """
        return self._reqsize

    @reqsize.setter
    def reqsize(self, size: int) -> None:
        if self._requested and size > self._reqsize:
            driver: str = self.alg.cra_driver_name  # type: ignore[attr-defined]
            self.machine.warn(
                f"{driver}: reqsize raised from {self._reqsize} to {size} after a request"
            )
        self._reqsize = size

    def set_flags(self, flags: int) -> None:
        """Set request-mask bits on the transform, such as FORBID_WEAK_KEYS."""
        self.flags |= flags & ReqFlag.request_mask()

    def clear_flags(self, flags: int) -> None:
        """Clear request-mask bits."""
        self.flags &= ~(flags & ReqFlag.request_mask())

    @property
    def needs_key(self) -> bool:
        """Whether operations answer -ENOKEY until a key is set."""
        return bool(self.flags & _NEED_KEY)

    def _keyed(self, driver: str, setkey: Any, key: bytes) -> None:
        # The driver gets a copy that is wiped when the call returns, so that one which keeps a
        # reference instead of the bytes works with zeros from then on.
        lent = bytearray(key)
        if not self._keyless:
            self.flags |= _NEED_KEY
        try:
            status = setkey(self, lent)
        finally:
            lent[:] = bytes(len(lent))
        if status or type(status) is not int:
            check_status(status, f"{driver}: setkey of {len(key)} bytes")
        self.flags &= ~_NEED_KEY

    def _submit(self, call: Callable[[Any], int], request: Any) -> int:
        """Hand a request to the driver, who may sleep only where the request says so.

        That is taken at its word: AtomicSleepError when MAY_SLEEP is said where nobody may.
        """
        sim = self.machine.sim
        may_sleep = request.flags & _MAY_SLEEP
        if may_sleep:
            sim.might_sleep("a request with MAY_SLEEP")
        if may_sleep or sim.no_sleep:
            status = call(request)
        else:
            sim.no_sleep = True
            try:
                status = call(request)
            finally:
                sim.no_sleep = False
        if type(request.ctx) in _REQUESTS:
            self._holds(request.ctx.tfm)
        return status

    def _holds(self, inner: Any) -> None:
        """A request on `inner` is in the context of one on this: warn unless there is room."""
        needed, tfm = REQUEST_BYTES + inner.reqsize, cast("Any", self)
        if self._reqsize < needed and not self._cramped:
            self._cramped = True
            what = f"{tfm.alg.cra_driver_name}: reqsize is {self._reqsize}, and its request on"
            self.machine.warn(f"{what} {inner.alg.cra_driver_name} needs {needed}")


class Cipher(Transform):
    """A single-block cipher transform (`struct crypto_cipher`)."""

    __slots__ = ("alg",)

    def __init__(self, machine: Machine, alg: CipherAlg) -> None:
        super().__init__(machine, False)
        self.alg = alg

    def setkey(self, key: bytes) -> None:
        """Set the key; OSError(EINVAL) for a length outside the range, or the driver's errno."""
        alg = self.alg
        if not alg.min_keysize <= len(key) <= alg.max_keysize:
            what = f"{alg.cra_driver_name}: setkey of {len(key)} bytes"
            raise crypto_error(-errno.EINVAL, what)
        self._keyed(alg.cra_driver_name, alg.setkey, key)

    def encrypt_block(self, block: bytes) -> bytes:
        """One block forwards."""
        return self.alg.encrypt_block(self, block)

    def decrypt_block(self, block: bytes) -> bytes:
        """One block backwards."""
        return self.alg.decrypt_block(self, block)


class Skcipher(Transform):
    """A symmetric-key cipher transform (`struct crypto_skcipher`)."""

    __slots__ = ("alg",)

    def __init__(self, machine: Machine, alg: SkcipherAlg) -> None:
        super().__init__(machine, alg.max_keysize != 0)
        self.alg = alg

    def request(self) -> SkcipherRequest:
        """A new request on this transform."""
        self._requested = True
        return SkcipherRequest(self)

    def setkey(self, key: bytes) -> None:
        """Set the key; OSError with the errno on refusal.

        A length outside the algorithm's range is -EINVAL without the driver being asked, and
        the previous key stays usable (kernel-crypto, section 6.2).
        """
        alg = self.alg
        if not alg.min_keysize <= len(key) <= alg.max_keysize:
            what = f"{alg.cra_driver_name}: setkey of {len(key)} bytes"
            raise crypto_error(-errno.EINVAL, what)
        self._keyed(alg.cra_driver_name, alg.setkey, key)

    def encrypt(self, request: SkcipherRequest) -> int:
        """Submit an encryption; the status."""
        if self.flags & _NEED_KEY:
            return -errno.ENOKEY
        return self._submit(self.alg.encrypt, request)

    def decrypt(self, request: SkcipherRequest) -> int:
        """Submit a decryption; the status."""
        if self.flags & _NEED_KEY:
            return -errno.ENOKEY
        return self._submit(self.alg.decrypt, request)


class Aead(Transform):
    """An AEAD transform (`struct crypto_aead`); `authsize` is the tag length in bytes."""

    __slots__ = ("alg", "authsize")

    def __init__(self, machine: Machine, alg: AeadAlg) -> None:
        super().__init__(machine, True)
        self.alg = alg
        self.authsize = alg.maxauthsize

    def request(self) -> AeadRequest:
        """A new request on this transform."""
        self._requested = True
        return AeadRequest(self)

    def setkey(self, key: bytes) -> None:
        """Set the key; the driver judges all lengths; OSError with the errno on refusal."""
        self._keyed(self.alg.cra_driver_name, self.alg.setkey, key)

    def setauthsize(self, authsize: int) -> None:
        """Set the tag length in bytes; OSError(EINVAL) outside of 1 .. maxauthsize."""
        alg = self.alg
        what = f"{alg.cra_driver_name}: setauthsize {authsize}"
        if authsize > alg.maxauthsize or (authsize <= 0 and alg.maxauthsize):
            raise crypto_error(-errno.EINVAL, what)
        if alg.setauthsize is not None:
            check_status(alg.setauthsize(self, authsize), what)
        self.authsize = authsize

    def encrypt(self, request: AeadRequest) -> int:
        """Submit an encryption; the status."""
        if self.flags & _NEED_KEY:
            return -errno.ENOKEY
        return self._submit(self.alg.encrypt, request)

    def decrypt(self, request: AeadRequest) -> int:
        """Submit a decryption; the status; -EINVAL when the text is shorter than the tag."""
        if self.flags & _NEED_KEY:
            return -errno.ENOKEY
        if request.cryptlen < self.authsize:
            return -errno.EINVAL
        return self._submit(self.alg.decrypt, request)


class Ahash(Transform):
    """An asynchronous hash transform (`struct crypto_ahash`)."""

    __slots__ = ("alg",)

    def __init__(self, machine: Machine, alg: AhashAlg) -> None:
        keyed = alg.setkey is not None and not alg.cra_flags & _OPTIONAL_KEY
        super().__init__(machine, keyed)
        self.alg = alg
        self.reqsize = alg.reqsize

    def request(self) -> AhashRequest:
        """A new request on this transform."""
        self._requested = True
        return AhashRequest(self)

    def setkey(self, key: bytes) -> None:
        """Set the key of a keyed hash; OSError(ENOSYS) for one that takes none."""
        if self.alg.setkey is None:
            raise crypto_error(-errno.ENOSYS, f"{self.alg.cra_driver_name}: setkey")
        self._keyed(self.alg.cra_driver_name, self.alg.setkey, key)

    def init(self, request: AhashRequest) -> int:
        """Start a message; -ENOKEY when a key is missing."""
        if self.flags & _NEED_KEY:
            return -errno.ENOKEY
        return self._submit(self.alg.hash_init, request)

    def update(self, request: AhashRequest) -> int:
        """Hash `nbytes` more of `src`; the status."""
        return self._submit(self.alg.update, request)

    def final(self, request: AhashRequest) -> int:
        """Write the digest to `result`; the status."""
        return self._submit(self.alg.final, request)

    def finup(self, request: AhashRequest) -> int:
        """Update, then final, as one step; the status."""
        return self._submit(self.alg.finup, request)

    def digest(self, request: AhashRequest) -> int:
        """Init, update and final as one step; -ENOKEY when a key is missing."""
        if self.flags & _NEED_KEY:
            return -errno.ENOKEY
        return self._submit(self.alg.digest, request)

    def export(self, request: AhashRequest, out: Buffer) -> int:
        """Write the state of the message so far, `statesize` bytes, to `out`; the status."""
        return self.alg.export(request, out)

    def import_state(self, request: AhashRequest, state: Buffer) -> int:
        """Continue from an exported state; -ENOKEY when a key is missing."""
        return -errno.ENOKEY if self.flags & _NEED_KEY else self.alg.import_state(request, state)

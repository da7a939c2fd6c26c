"""The bound socket: algorithm, key and tag size, shared by its operation sockets."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, NamedTuple

from tcrypt.engine.af_alg.aead import AeadSocket
from tcrypt.engine.af_alg.hashes import MessageSocket
from tcrypt.engine.af_alg.numbers import (
    ALLOWED_FLAGS,
    OPTION_MEMORY,
    SOCK_SEQPACKET,
    Option,
)
from tcrypt.engine.af_alg.operation import OperationSocket
from tcrypt.engine.af_alg.skcipher import SkcipherSocket
from tcrypt.engine.api.errors import crypto_error
from tcrypt.engine.api.machine import Machine

__all__ = ("AlgSocket",)


class _Type(NamedTuple):
    """What AF_ALG knows of one type of algorithm."""

    alloc: str
    operation: Callable[[Any], OperationSocket]
    has_authsize: bool


_TYPES = {
    "skcipher": _Type("alloc_skcipher", SkcipherSocket, False),
    "aead": _Type("alloc_aead", AeadSocket, True),
    "hash": _Type("alloc_ahash", MessageSocket, False),
}


class AlgSocket:
    """An AF_ALG socket.

    Args:
        machine: whose crypto API it opens.
        kind: the socket type; only SOCK_SEQPACKET is supported.
        protocol: must be 0.

    Raises:
        OSError: ESOCKTNOSUPPORT or EPROTONOSUPPORT for another kind or protocol.
    """

    def __init__(self, machine: Machine, kind: int = SOCK_SEQPACKET, protocol: int = 0) -> None:
        if kind != SOCK_SEQPACKET:
            raise crypto_error(-errno.ESOCKTNOSUPPORT, f"socket type {kind}")
        if protocol:
            raise crypto_error(-errno.EPROTONOSUPPORT, f"protocol {protocol}")
        self.machine = machine
        self.name = "(not bound)"
        self._type: _Type | None = None
        self._tfm: Any = None
        self._operations: set[OperationSocket] = set()
        self._open = True

    @property
    def tfm(self) -> Any:
        """The transform; None before a bind."""
        return self._tfm

    @property
    def needs_key(self) -> bool:
        """Whether operations answer ENOKEY."""
        return bool(self._tfm.needs_key)

    def bind(self, type_: str, name: str, feat: int = 0, mask: int = 0) -> None:
        """Bind to an algorithm by algorithm or driver name.

        Args:
            type_: `skcipher`, `aead` or `hash`.
            name: as in a lookup.
            feat: required values of the flags selected by `mask`.
            mask: KERN_DRIVER_ONLY or nothing.

        Raises:
            OSError: EINVAL for other flags; ENOENT for an unknown type; the lookup's errno; EBUSY
                while an operation socket is open.
        """
        if (feat | mask) & ~ALLOWED_FLAGS:
            raise crypto_error(-errno.EINVAL, f"feat {feat:#x}, mask {mask:#x}")
        found = _TYPES.get(type_)
        if found is None:
            raise crypto_error(-errno.ENOENT, f"type {type_!r}")
        tfm = getattr(self.machine.registry, found.alloc)(name, feat, mask)
        if self._operations:
            self.machine.registry.free(tfm)
            raise crypto_error(-errno.EBUSY, f"{self.name}: operation sockets are open")
        self._release()
        self._type, self._tfm, self.name = found, tfm, name

    def setsockopt(self, option: int, value: bytes = b"", length: int | None = None) -> None:
        """Set an option of level SOL_ALG.

        Args:
            option: one of `Option`.
            value: the option's bytes.
            length: what is given as its length; as long as `value` by default.

        Raises:
            OSError: EBUSY while an operation socket that has seen a key is open; ENOPROTOOPT
                before a bind, and for what the type does not have; else the driver's errno.
        """
        length = len(value) if length is None else length
        if any(not operation.unkeyed for operation in self._operations):
            raise crypto_error(-errno.EBUSY, f"{self.name}: option {option}")
        if self._type is None:
            raise crypto_error(-errno.ENOPROTOOPT, "an option before bind")
        if option == Option.KEY:
            self._setkey(value)
        elif option == Option.KEY_BY_SERIAL:
            # There are no keyrings here, so that no serial number names a key.
            raise crypto_error(-errno.EINVAL, f"key with serial number {value.hex()}")
        elif option == Option.AEAD_AUTHSIZE and self._type.has_authsize:
            self._tfm.setauthsize(length)
        else:
            raise crypto_error(-errno.ENOPROTOOPT, f"{self.name}: option {option}")

    def _setkey(self, key: bytes) -> None:
        if len(key) > OPTION_MEMORY:
            raise crypto_error(-errno.ENOMEM, f"{self.name}: key of {len(key)} bytes")
        self._tfm.setkey(key)

    def set_key(self, key: bytes) -> None:
        """ALG_SET_KEY; OSError as for `setsockopt`."""
        self.setsockopt(Option.KEY, key)

    def set_authsize(self, authsize: int) -> None:
        """ALG_SET_AEAD_AUTHSIZE, in bytes; OSError as for `setsockopt`."""
        self.setsockopt(Option.AEAD_AUTHSIZE, length=authsize)

    def accept(self) -> OperationSocket:
        """A new operation socket; OSError(EINVAL) before a bind."""
        if self._type is None:
            raise crypto_error(-errno.EINVAL, "accept before bind")
        operation = self._type.operation(self)
        self._operations.add(operation)
        return operation

    def sendmsg(self, data: bytes) -> int:
        """Refused with ENOTSUP: data goes to an operation socket."""
        raise crypto_error(-errno.ENOTSUP, f"{self.name}: sendmsg on the bound socket")

    def closed(self, operation: OperationSocket) -> None:
        """An operation socket was closed; the last one of a closed socket frees the transform."""
        self._operations.discard(operation)
        if not self._open and not self._operations:
            self._release()

    def close(self) -> None:
        """Close the socket; its operation sockets keep the transform as long as they are open."""
        self._open = False
        if not self._operations:
            self._release()

    def _release(self) -> None:
        if self._tfm is not None:
            self.machine.registry.free(self._tfm)
            self._tfm = None

    def __enter__(self) -> AlgSocket:
        return self

    def __exit__(self, *error: object) -> None:
        """Close it with everything that was accepted from it."""
        for operation in tuple(self._operations):
            operation.close()
        self.close()

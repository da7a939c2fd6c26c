"""The AF_ALG user interface over a machine's crypto API, as Linux 6.12 behaves (real-kernel, 3).

A program opens a socket, binds it to an algorithm by name, sets a key, and accepts an *operation
socket* on which it sends data and receives the result.  `AlgSocket` is the former, `accept` gives
the latter.  Errors are `OSError` with the errno that the kernel gives; a call that would wait for
data that nobody will send raises `BlocksError` in place of waiting.
"""

from __future__ import annotations

from tcrypt.engine.af_alg.calls import BlocksError, NeverCompletedError, Pending
from tcrypt.engine.af_alg.numbers import MSG_TRUNC, SNDBUF, Option
from tcrypt.engine.af_alg.operation import CipherSocket, HashSocket, OperationSocket
from tcrypt.engine.af_alg.sockets import AlgSocket

__all__ = (
    "MSG_TRUNC",
    "SNDBUF",
    "AlgSocket",
    "BlocksError",
    "CipherSocket",
    "HashSocket",
    "NeverCompletedError",
    "OperationSocket",
    "Option",
    "Pending",
)

"""`authencesn(MAC,CIPHER)`: authenc for IPsec with extended sequence numbers (RFC 4303, 2.2.1).

The associated data begin with the SPI and the high half of the sequence number, 4 bytes each.  The
MAC covers the SPI, the rest of the associated data, the ciphertext, and at last the high half,
which is never sent.  The pieces are put in that order by lists alone, so that nothing is written
into the caller's memory to move those 4 bytes.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence

from tcrypt.engine.api.algorithms import AeadAlg
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.scatterlist import Scatterlist
from tcrypt.engine.api.templates import Builder, Template, check_count
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.templates.aead_parts import Piece
from tcrypt.engine.templates.authenc import Authenc

__all__ = ("TEMPLATES", "Authencesn")

_SPI = 4
_HIGH = 4
_LEAST_ASSOC = _SPI + _HIGH
_LEAST_TAG = 4


class Authencesn(Authenc):
    """One instance; differs from authenc in what the MAC covers and in two refusals."""

    template = "authencesn"

    def setauthsize(self, tfm: Aead, authsize: int) -> int:
        """-EINVAL for a tag of 1 to 3 bytes."""
        return -errno.EINVAL if 0 < authsize < _LEAST_TAG else 0

    def request_status(self, request: AeadRequest, textlen: int) -> int:
        """-EINVAL where there is no whole sequence number."""
        return -errno.EINVAL if request.assoclen < _LEAST_ASSOC else 0

    def pieces(self, text: Scatterlist, assoclen: int, textlen: int) -> Sequence[Piece]:
        """SPI, then all behind the high half of the sequence number, then that half."""
        rest = assoclen + textlen - _LEAST_ASSOC
        return [(text, _SPI, 0), (text, rest, _LEAST_ASSOC), (text, _HIGH, _SPI)]


def _create(builder: Builder, arguments: Sequence[str]) -> AeadAlg:
    check_count("authencesn", arguments, 2)
    auth, enc = builder.ahash(arguments[0]), builder.skcipher(arguments[1])
    return Authencesn(enc, auth).alg(builder.flags)


TEMPLATES = (Template("authencesn", AlgType.AEAD, _create),)

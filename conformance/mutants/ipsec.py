"""AEADs of IPsec, which templates build: sequence numbers, lengths of AAD, IVs that are sent."""

from __future__ import annotations

import copy
from itertools import count

from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.scatterlist import Scatterlist
from tcrypt.engine.templates.aead_parts import Piece
from tcrypt.engine.templates.authenc import Authenc
from tcrypt.engine.templates.authencesn import Authencesn
from tcrypt.engine.templates.esp import _Esp
from tcrypt.engine.templates.geniv import Echainiv
from tcrypt.engine.templates.steps import Work
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_IV = 16
_SPI = 4
_HIGH = 4


@mutant("AE-14", "ESN scratch bytes land behind the decrypt output")
def scratch_behind_the_text() -> Planted:
    """The high half of the sequence number is put behind the destination's text to be hashed."""
    original = Authencesn.open

    def opened(self: Authencesn, request: AeadRequest) -> Work:
        if request.dst is not request.src:
            behind = request.assoclen + request.cryptlen - request.tfm.authsize
            request.dst.write(request.src.read(_HIGH, _SPI), behind)
        return (yield from original(self, request))

    return replaced((Authencesn, "open", opened))


@mutant("AE-24", "the AAD length of IPsec is not validated")
def any_assoclen() -> Planted:
    """Associated data of every length are accepted."""

    def request_status(self: _Esp, request: AeadRequest, *, encrypt: bool) -> int:
        return 0

    return replaced((_Esp, "request_status", request_status))


@mutant("AE-26", "the IV is not ordered before the data")
def late_iv() -> Planted:
    """The IV that is sent gets to the hash behind the text, every other time."""
    sealed, seal = Echainiv.sealed, Authenc.seal
    turns, late = count(), set[int]()

    def mark(self: Echainiv, request: AeadRequest, child: AeadRequest) -> None:
        sealed(self, request, child)
        if next(turns) % 2:
            late.add(id(child))

    def data_first(text: Scatterlist, assoclen: int, textlen: int) -> list[Piece]:
        behind = assoclen + _IV
        return [(text, assoclen, 0), (text, textlen - _IV, behind), (text, _IV, assoclen)]

    def out_of_order(self: Authenc, request: AeadRequest) -> Work:
        if id(request) in late:
            late.discard(id(request))
            self = copy.copy(self)
            self.pieces = data_first  # type: ignore[method-assign]
        return seal(self, request)

    return replaced((Echainiv, "sealed", mark), (Authenc, "seal", out_of_order))

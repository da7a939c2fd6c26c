"""What templates over one AEAD share: rfc4106, rfc4309, rfc4543, essiv, seqiv, echainiv."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from tcrypt.engine.api.algorithms import AeadAlg
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.templates import Builder, check_count
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.templates.aead_parts import check_lists, status_of
from tcrypt.engine.templates.parts import key_part
from tcrypt.engine.templates.steps import Step, Work, run_steps

__all__ = ("Inner", "OverAead", "creator", "step")


class Inner:
    """What a transform keeps, in `tfm.ctx`.

    Attributes:
        child: the transform underneath.
        salt: what the template itself keeps of the key, or draws; empty before setkey.
    """

    __slots__ = ("child", "salt")

    def __init__(self, child: Aead) -> None:
        self.child = child
        self.salt = b""


class OverAead(ABC):
    """One instance over an AEAD; the methods are the operations of its own AEAD.

    Attributes:
        template: the template's name.
        child: the descriptor underneath.
        room: bytes of request context that the instance uses itself.
    """

    template: str
    room = 0

    def __init__(self, child: AeadAlg) -> None:
        self.child = child

    @property
    def ivsize(self) -> int:
        """Bytes of the instance's IV: the child's, unless a subclass says otherwise."""
        return self.child.ivsize

    def names(self) -> tuple[str, str]:
        """Name and driver name: the template's with those of the child in parentheses."""
        child = self.child
        return f"{self.template}({child.cra_name})", f"{self.template}({child.cra_driver_name})"

    def alg(self, flags: int) -> AeadAlg:
        """The descriptor; `flags` are those that it inherits (kernel-crypto, 6.8)."""
        child = self.child
        name, driver_name = self.names()
        return AeadAlg(
            cra_name=name,
            cra_driver_name=driver_name,
            cra_priority=child.cra_priority,
            cra_flags=flags,
            cra_blocksize=child.cra_blocksize,
            cra_alignmask=child.cra_alignmask,
            cra_module=self.template,
            ivsize=self.ivsize,
            chunksize=child.chunksize or child.cra_blocksize,
            maxauthsize=child.maxauthsize,
            setkey=self.setkey,
            setauthsize=self.setauthsize,
            encrypt=self.encrypt,
            decrypt=self.decrypt,
            init=self.init_tfm,
            exit=self.exit_tfm,
        )

    def init_tfm(self, tfm: Aead) -> int:
        """Open the child; its errno when that fails."""
        try:
            child = tfm.machine.registry.spawn_aead(self.child)
        except OSError as error:
            return status_of(error)
        tfm.ctx = Inner(child)
        tfm.reqsize = self.room + child.reqsize
        return 0

    def exit_tfm(self, tfm: Aead) -> None:
        """Release the child, and forget the salt."""
        tfm.machine.registry.free(tfm.ctx.child)
        tfm.ctx = None

    def setkey(self, tfm: Aead, key: bytearray) -> int:
        """Give the child the key."""
        return key_part(tfm.ctx.child, tfm, key)

    def setauthsize(self, tfm: Aead, authsize: int) -> int:
        """Have the child make such a tag; its errno when it refuses."""
        child: Aead = tfm.ctx.child
        try:
            child.setauthsize(authsize)
        except OSError as error:
            return status_of(error)
        return 0

    def encrypt(self, request: AeadRequest) -> int:
        """Encrypt and authenticate; the status."""
        return self._submit(request, encrypt=True)

    def decrypt(self, request: AeadRequest) -> int:
        """Verify and decrypt; the status."""
        return self._submit(request, encrypt=False)

    def _submit(self, request: AeadRequest, *, encrypt: bool) -> int:
        status = self.request_status(request, encrypt=encrypt)
        status = status or check_lists(request, request.tfm.authsize, encrypt=encrypt)
        return status or run_steps(request, self.work(request, encrypt=encrypt))

    @abstractmethod
    def request_status(self, request: AeadRequest, *, encrypt: bool) -> int:
        """The errno of a request that must be refused whatever its data are; 0 otherwise."""

    @abstractmethod
    def work(self, request: AeadRequest, *, encrypt: bool) -> Work:
        """The work of a request."""


def step(child: AeadRequest, *, encrypt: bool) -> Step:
    """The one step of such a template."""
    return (child.tfm.encrypt if encrypt else child.tfm.decrypt), child


def creator(kind: Callable[[AeadAlg], OverAead]) -> Callable[[Builder, Sequence[str]], AeadAlg]:
    """How a template with one argument, an AEAD, makes its instances."""

    def create(builder: Builder, arguments: Sequence[str]) -> AeadAlg:
        check_count("template over an AEAD", arguments, 1)
        instance = kind(builder.aead(arguments[0]))
        return instance.alg(builder.flags)

    return create

"""What authenc, gcm and ccm have in common: an AEAD made of one cipher and one keyed hash."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, ShashAlg, SkcipherAlg
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.transforms import Aead, Skcipher
from tcrypt.engine.templates.aead_parts import Mac, check_lists, mac_over, status_of
from tcrypt.engine.templates.steps import Work, run_steps

__all__ = ("CipherMac", "CipherMacParts")


@dataclass(slots=True)
class CipherMacParts:
    """What a transform keeps, in `tfm.ctx`."""

    cipher: Skcipher
    mac: Mac


class CipherMac(ABC):
    """One instance over a cipher and a hash; the methods are the operations of its AEAD.

    Attributes:
        template: the template's name.
        cipher: the cipher's descriptor.
        hash: the hash's descriptor.
        room: bytes of request context that the instance uses itself.
    """

    template: str
    room = 0

    def __init__(self, cipher: SkcipherAlg, hash_: AhashAlg | ShashAlg) -> None:
        self.cipher = cipher
        self.hash = hash_

    def describe(
        self, name: str, driver_name: str, priority: int, ivsize: int, flags: int
    ) -> AeadAlg:
        """The descriptor: block size and chunk size are the cipher's, the tag is the digest."""
        cipher = self.cipher
        return AeadAlg(
            cra_name=name,
            cra_driver_name=driver_name,
            cra_priority=priority,
            cra_flags=flags,
            cra_blocksize=cipher.cra_blocksize,
            cra_alignmask=cipher.cra_alignmask,
            cra_module=self.template,
            ivsize=ivsize,
            chunksize=cipher.chunksize or cipher.cra_blocksize,
            maxauthsize=self.hash.digestsize,
            setkey=self.setkey,
            setauthsize=self.setauthsize,
            encrypt=self.encrypt,
            decrypt=self.decrypt,
            init=self.init_tfm,
            exit=self.exit_tfm,
        )

    def init_tfm(self, tfm: Aead) -> int:
        """Open both parts; the errno of the one that cannot be opened."""
        registry = tfm.machine.registry
        try:
            cipher = registry.spawn_skcipher(self.cipher)
        except OSError as error:
            return status_of(error)
        try:
            mac = mac_over(tfm.machine, self.hash)
        except OSError as error:
            registry.free(cipher)
            return status_of(error)
        tfm.ctx = CipherMacParts(cipher, mac)
        tfm.reqsize = self.room + max(cipher.reqsize, mac.reqsize)
        return 0

    def exit_tfm(self, tfm: Aead) -> None:
        """Release both parts."""
        parts: CipherMacParts = tfm.ctx
        tfm.machine.registry.free(parts.cipher)
        tfm.machine.registry.free(parts.mac.tfm)
        tfm.ctx = None

    @abstractmethod
    def setkey(self, tfm: Aead, key: bytearray) -> int:
        """Key both parts; the status."""

    @abstractmethod
    def setauthsize(self, tfm: Aead, authsize: int) -> int:
        """-EINVAL for a tag length that the mode does not have; 0 otherwise."""

    def encrypt(self, request: AeadRequest) -> int:
        """Encrypt and authenticate; the status."""
        status = check_lists(request, request.tfm.authsize, encrypt=True)
        status = status or self.request_status(request, request.cryptlen)
        return status or run_steps(request, self.seal(request))

    def decrypt(self, request: AeadRequest) -> int:
        """Verify and decrypt; the status."""
        authsize = request.tfm.authsize
        status = check_lists(request, authsize, encrypt=False)
        status = status or self.request_status(request, request.cryptlen - authsize)
        return status or run_steps(request, self.open(request))

    def request_status(self, request: AeadRequest, textlen: int) -> int:
        """The errno of a request that must be refused whatever its data are; 0 otherwise."""
        return 0

    @abstractmethod
    def seal(self, request: AeadRequest) -> Work:
        """The work of an encryption."""

    @abstractmethod
    def open(self, request: AeadRequest) -> Work:
        """The work of a decryption."""

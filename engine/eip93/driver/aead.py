"""The AEADs of the EIP-93, authenc over an HMAC and a cipher: registration, keys, choice.

The engine counts the AAD in 32-bit words and the tag as well, and has no answer to an empty
payload, so those shapes go to the software fallback; so do key sizes that it lacks, unless the
policy has them refused.  How a request lies on the hardware is `aead_jobs`' part.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field

from tcrypt.engine.api.algorithms import AeadAlg
from tcrypt.engine.api.authenc import split_authenc_key
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.eip93.driver.aead_jobs import AeadJob, AeadJobs
from tcrypt.engine.eip93.driver.ciphers import CipherSpec
from tcrypt.engine.eip93.driver.core import Core
from tcrypt.engine.eip93.driver.digests import DigestSpec
from tcrypt.engine.eip93.driver.fallback import CIPHER_FLAGS, hand_over, key_alike
from tcrypt.engine.eip93.driver.policy import AEAD_LIMITS, FallbackPolicy, Message, first_limit
from tcrypt.engine.eip93.driver.sa import SATemplate, template_of
from tcrypt.engine.eip93.driver.skcipher import PRIORITY
from tcrypt.engine.eip93.records import Cipher, HashSource, IVSource, Opcode, SACommand

__all__ = ("AeadContext", "EipAead")

# A template that combines this device's hash with a software cipher is no software fallback.
# Drivers for hardware need a fallback or allocate for each request, and a mask that rules both out
# reaches the parts of a template as well (crypto API, 6.6).
_SOFTWARE = AlgFlag.NEED_FALLBACK | AlgFlag.ALLOCATES_MEMORY
_WORD = 4


@dataclass(slots=True)
class AeadContext:
    """What a transform keeps: the fallback, the cipher's key and nonce, both HMAC states."""

    fallback: Aead
    enckey: bytes = field(default=b"", repr=False)
    nonce: bytes = b""
    inner: bytes = field(default=b"", repr=False)
    outer: bytes = field(default=b"", repr=False)
    on_hardware: bool = False


class EipAead(AeadJobs):
    """One AEAD on one device; the methods are the driver's operations."""

    def __init__(
        self, core: Core, cipher: CipherSpec, digest: DigestSpec, policy: FallbackPolicy
    ) -> None:
        super().__init__(core, cipher, digest)
        self.key_sizes = policy.key_sizes(cipher, core.option)
        self.name = f"authenc(hmac({digest.name}),{cipher.name})"
        self._templates: dict[tuple[int, bool, int, int], SATemplate] = {}

    def alg(self) -> AeadAlg:
        """The descriptor to register."""
        return AeadAlg(
            cra_name=self.name,
            cra_driver_name=self.driver_name,
            cra_priority=PRIORITY,
            cra_flags=CIPHER_FLAGS,
            cra_blocksize=self.cipher.blocksize,
            cra_module="eip93",
            ivsize=self.cipher.ivsize,
            chunksize=self.cipher.block,
            maxauthsize=self.digest.digestsize,
            setkey=self.setkey,
            setauthsize=self.setauthsize,
            encrypt=self.encrypt,
            decrypt=self.decrypt,
            init=self.init_tfm,
            exit=self.exit_tfm,
            do_one_request=self.do_one_request,
        )

    def init_tfm(self, tfm: Aead) -> int:
        """Allocate the fallback; its errno when there is none."""
        try:
            fallback = tfm.machine.registry.alloc_aead(self.name, 0, _SOFTWARE)
        except OSError as error:
            return -(error.errno or errno.ENOENT)
        tfm.ctx = AeadContext(fallback)
        tfm.reqsize = 64 + fallback.reqsize
        return 0

    def exit_tfm(self, tfm: Aead) -> None:
        """Release the fallback and forget the keys."""
        tfm.machine.registry.free(tfm.ctx.fallback)
        tfm.ctx = None

    def setkey(self, tfm: Aead, key: bytearray) -> int:
        """Split the blob, key the fallback, and prepare both HMAC states for the engine."""
        keys = split_authenc_key(key)
        parts = keys and self.cipher.split_key(keys.enckey)
        if keys is None or not parts or len(parts[0]) not in self.key_sizes:
            return -errno.EINVAL
        enckey, nonce = parts
        status = self.check_key(tfm, enckey) or self.setkey_fallback(tfm, bytes(key))
        if status:
            return status
        context: AeadContext = tfm.ctx
        context.enckey, context.nonce = enckey, nonce
        context.on_hardware = self.cipher.on_device(self.core.option, len(enckey))
        context.inner, context.outer = self.hmac_states(keys.authkey)
        return 0

    def check_key(self, tfm: Aead, enckey: bytes) -> int:
        """The errno for a cipher key that is too weak for this transform, or 0."""
        return self.cipher.check_key(enckey, tfm.flags, fips=tfm.machine.setup.fips)

    def hmac_states(self, authkey: bytes) -> tuple[bytes, bytes]:
        """Inner and outer state of an authentication key, as the SA record holds them."""
        return self.digest.hmac_states(authkey)

    def setkey_fallback(self, tfm: Aead, key: bytes) -> int:
        """Key the fallback with the same blob under the same flags; its errno when it refuses."""
        return key_alike(tfm.ctx.fallback, tfm.flags, key)

    def setauthsize(self, tfm: Aead, authsize: int) -> int:
        """Take any tag length up to the digest's, and tell the fallback."""
        try:
            tfm.ctx.fallback.setauthsize(authsize)
        except OSError as error:
            return -(error.errno or errno.EINVAL)
        return 0

    def build_sa(
        self, context: AeadContext, *, inbound: bool, assoclen: int, authsize: int
    ) -> bytes:
        """The SA record of one request, 128 bytes (eip93, section 3.4)."""
        shape = (len(context.enckey), inbound, assoclen, authsize)
        template = self._templates.get(shape)
        if template is None:
            aes = self.cipher.cipher is Cipher.AES
            command = SACommand(
                opcode=Opcode.CRYPT_AND_HASH,
                cipher=self.cipher.cipher,
                mode=self.cipher.mode,
                digest=self.digest.digest,
                inbound=inbound,
                iv_source=IVSource.STATE,
                save_iv=True,
                hash_source=HashSource.SA,
                hmac=True,
                digest_length=authsize // _WORD,
                offset=assoclen // _WORD,
                copy_header=True,
                copy_digest=not inbound,
                copy_pad=not inbound,
                aes_key_length=len(context.enckey) // 8 if aes else 0,
            )
            template = self._templates[shape] = template_of(command)
        return template.pack(context.enckey, context.inner, context.outer)

    def encrypt(self, request: AeadRequest) -> int:
        """Encrypt and authenticate; the status."""
        return self.submit(request, encrypt=True)

    def decrypt(self, request: AeadRequest) -> int:
        """Verify and decrypt; the status."""
        return self.submit(request, encrypt=False)

    def submit(self, request: AeadRequest, *, encrypt: bool) -> int:
        """Check, choose between hardware and software, and queue."""
        authsize = request.tfm.authsize
        textlen = request.cryptlen if encrypt else request.cryptlen - authsize
        reason = self.fallback_reason(request, textlen, authsize)
        if reason:
            self.note(reason)
            return self.run_fallback(request, encrypt=encrypt)
        plain, tagged = request.assoclen + textlen, request.assoclen + textlen + authsize
        source, destination = (plain, tagged) if encrypt else (tagged, plain)
        status = self.check(request, source, destination)
        if status:
            return self.refuse(status)
        assert request.iv is not None
        context: AeadContext = request.tfm.ctx
        sa = self.build_sa(
            context, inbound=not encrypt, assoclen=request.assoclen, authsize=authsize
        )
        request.ctx = AeadJob(
            sa=sa,
            iv=self.cipher.first_block(context.nonce, request.iv.read(self.cipher.ivsize)),
            encrypt=encrypt,
            textlen=textlen,
            authsize=authsize,
            source=source,
            destination=destination,
            direct=self.is_direct(request, source, destination),
        )
        return self.enqueue(request)

    def fallback_reason(self, request: AeadRequest, textlen: int, authsize: int) -> str:
        """Why the engine cannot do this request; empty when it can."""
        message = Message(
            on_hardware=request.tfm.ctx.on_hardware,
            text=textlen,
            assoc=request.assoclen,
            tag=authsize,
            block=self.cipher.blocksize,
        )
        return first_limit(AEAD_LIMITS, message)

    def run_fallback(self, request: AeadRequest, *, encrypt: bool) -> int:
        """Let the fallback do it, with the caller's own flags and callback."""
        return hand_over(request, request.tfm.ctx.fallback.request(), encrypt=encrypt)

    def check(self, request: AeadRequest, source: int, destination: int) -> int:
        """-EINVAL when a list is too short for what it must hold; 0 otherwise."""
        if request.src.nents_for_len(source) < 0 or request.dst.nents_for_len(destination) < 0:
            return -errno.EINVAL
        return 0

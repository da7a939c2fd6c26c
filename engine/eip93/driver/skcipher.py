"""The skciphers of the EIP-93: what is registered, keys, and the choice of who does a request.

A key size that the device lacks goes to the software fallback, unless the policy has it refused,
and so does what the policy leaves to it.  How a request lies on the hardware is `cipher_jobs`'
part.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.eip93.driver.cipher_jobs import CipherJobs
from tcrypt.engine.eip93.driver.ciphers import CipherSpec
from tcrypt.engine.eip93.driver.core import Core
from tcrypt.engine.eip93.driver.fallback import CIPHER_FLAGS, hand_over, key_alike
from tcrypt.engine.eip93.driver.policy import FallbackPolicy, Reason
from tcrypt.engine.eip93.driver.sa import SATemplate, template_of
from tcrypt.engine.eip93.records import Cipher, HashSource, IVSource, SACommand

__all__ = ("PRIORITY", "CipherContext", "EipSkcipher")

PRIORITY = 1500


@dataclass(slots=True)
class CipherContext:
    """What a transform keeps.

    Attributes:
        fallback: the software transform, keyed like this one.
        encrypt_sa: the SA record for encryption, ready to copy; empty without a key.
        decrypt_sa: the same for decryption.
        key_size: bytes of the cipher's key.
        on_hardware: whether the device has the key's size.
        nonce: the end of an rfc3686 key.
    """

    fallback: Skcipher
    encrypt_sa: bytes = field(default=b"", repr=False)
    decrypt_sa: bytes = field(default=b"", repr=False)
    key_size: int = 0
    on_hardware: bool = False
    nonce: bytes = b""


class EipSkcipher(CipherJobs):
    """One cipher in one mode on one device; the methods are the driver's operations."""

    def __init__(self, core: Core, spec: CipherSpec, policy: FallbackPolicy) -> None:
        super().__init__(core, spec)
        self.policy = policy
        self.name = spec.name
        self.block = spec.blocksize
        self.key_sizes = policy.key_sizes(spec, core.option)
        self._templates: dict[tuple[int, bool], SATemplate] = {}

    def alg(self) -> SkcipherAlg:
        """The descriptor to register."""
        spec = self.spec
        return SkcipherAlg(
            cra_name=spec.name,
            cra_driver_name=spec.driver_name,
            cra_priority=PRIORITY,
            cra_flags=CIPHER_FLAGS,
            cra_blocksize=spec.blocksize,
            cra_module="eip93",
            min_keysize=min(self.key_sizes) + spec.nonce,
            max_keysize=max(self.key_sizes) + spec.nonce,
            ivsize=spec.ivsize,
            chunksize=spec.block,
            setkey=self.setkey,
            encrypt=self.encrypt,
            decrypt=self.decrypt,
            init=self.init_tfm,
            exit=self.exit_tfm,
            do_one_request=self.do_one_request,
        )

    def init_tfm(self, tfm: Skcipher) -> int:
        """Allocate the fallback; its errno when there is none."""
        registry = tfm.machine.registry
        try:
            fallback = registry.alloc_skcipher(self.name, 0, AlgFlag.NEED_FALLBACK)
        except OSError as error:
            return -(error.errno or errno.ENOENT)
        tfm.ctx = CipherContext(fallback)
        tfm.reqsize = 64 + fallback.reqsize
        return 0

    def exit_tfm(self, tfm: Skcipher) -> None:
        """Release the fallback and forget the key."""
        context: CipherContext = tfm.ctx
        tfm.machine.registry.free(context.fallback)
        tfm.ctx = None

    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        """Key the fallback always, and the hardware where it has the size."""
        parts = self.spec.split_key(bytes(key))
        if parts is None or len(parts[0]) not in self.key_sizes:
            return -errno.EINVAL
        enckey, nonce = parts
        status = self.check_key(tfm, enckey) or self.setkey_fallback(tfm, bytes(key))
        if status:
            return status
        context: CipherContext = tfm.ctx
        context.key_size = len(enckey)
        context.on_hardware = self.spec.on_device(self.core.option, len(enckey))
        context.nonce = nonce
        context.encrypt_sa = self.build_sa(enckey, inbound=False)
        context.decrypt_sa = self.build_sa(enckey, inbound=True)
        return 0

    def check_key(self, tfm: Skcipher, enckey: bytes) -> int:
        """The errno for a key of the right length that is too weak for this transform, or 0."""
        return self.spec.check_key(enckey, tfm.flags, fips=tfm.machine.setup.fips)

    def setkey_fallback(self, tfm: Skcipher, key: bytes) -> int:
        """Key the fallback with the same key under the same flags; its errno when it refuses."""
        return key_alike(tfm.ctx.fallback, tfm.flags, key)

    def build_sa(self, key: bytes, *, inbound: bool) -> bytes:
        """The SA record of a key and direction, 128 bytes (eip93, section 3.4)."""
        template = self._templates.get((len(key), inbound))
        if template is None:
            spec = self.spec
            command = SACommand(
                cipher=spec.cipher,
                mode=spec.mode,
                inbound=inbound,
                iv_source=IVSource.STATE,
                save_iv=self.has_iv,
                hash_source=HashSource.SA,
                aes_key_length=len(key) // 8 if spec.cipher is Cipher.AES else 0,
            )
            template = self._templates[len(key), inbound] = template_of(command)
        return template.pack(key)

    def encrypt(self, request: SkcipherRequest) -> int:
        """Encrypt on the hardware or in software; the status."""
        return self.submit(request, encrypt=True)

    def decrypt(self, request: SkcipherRequest) -> int:
        """Decrypt on the hardware or in software; the status."""
        return self.submit(request, encrypt=False)

    def submit(self, request: SkcipherRequest, *, encrypt: bool) -> int:
        """Check, choose between hardware and software, and queue."""
        status = self.check(request)
        if status:
            return self.refuse(status)
        if not request.cryptlen:
            return 0
        context: CipherContext = request.tfm.ctx
        reason = self.fallback_reason(context, request)
        if not reason:
            sa = context.encrypt_sa if encrypt else context.decrypt_sa
            job = self.plan(request, sa)
            if job.count <= self.core.rings.capacity:
                request.ctx = job
                return self.enqueue(request)
            reason = Reason.LONG
        self.note(reason)
        return self.run_fallback(request, encrypt=encrypt)

    def check(self, request: SkcipherRequest) -> int:
        """-EINVAL for a partial block or a list that is too short; 0 otherwise."""
        length = request.cryptlen
        if length % self.block:
            return -errno.EINVAL
        if request.src.nents_for_len(length) < 0 or request.dst.nents_for_len(length) < 0:
            return -errno.EINVAL
        return 0

    def fallback_reason(self, context: CipherContext, request: SkcipherRequest) -> str:
        """Why the request cannot or should not go to the hardware; empty when it goes there."""
        if not context.on_hardware:
            return Reason.KEY_SIZE
        left = self.policy.leaves(self.name, request.cryptlen, context.key_size)
        return Reason.SHORT if left else ""

    def run_fallback(self, request: SkcipherRequest, *, encrypt: bool) -> int:
        """Let the fallback do it, with the caller's own flags and callback."""
        return hand_over(request, request.tfm.ctx.fallback.request(), encrypt=encrypt)

"""authenc(hmac(sha1),cbc(aes)) on the EIP-93.

One descriptor does both passes.  The engine counts the AAD in 32-bit words and the tag as well,
and has no answer to an empty payload, so those shapes go to the software fallback; so do key
sizes that it lacks.  Lists of more than one entry go through a bounce buffer.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tcrypt.engine.api.algorithms import AeadAlg
from tcrypt.engine.api.authenc import split_authenc_key
from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.compression import SHA1_INITIAL, sha1_compress
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93.driver.core import MAX_DESCRIPTOR_BYTES, Core, Job
from tcrypt.engine.eip93.driver.fallback import CIPHER_FLAGS, hand_over, key_alike
from tcrypt.engine.eip93.driver.policy import Reason, aes_key_bit
from tcrypt.engine.eip93.driver.sa import SATemplate, digest_bytes, key_block
from tcrypt.engine.eip93.driver.skcipher import PRIORITY
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    Digest,
    HashSource,
    IVSource,
    Opcode,
    SACommand,
    swap_words,
)

__all__ = ("AeadContext", "AeadJob", "AuthencSha1Cbc")

# A template that combines this device's hash with a software cipher is no software fallback.
# Drivers for hardware need a fallback or allocate for each request, and a mask that rules both out
# reaches the parts of a template as well (crypto API, 6.6).
_SOFTWARE = AlgFlag.NEED_FALLBACK | AlgFlag.ALLOCATES_MEMORY
_BLOCK = 16
_WORD = 4
_AES_KEY_SIZES = (16, 24, 32)
_DIGEST_SIZE = 20
_MAX_ASSOC_WORDS = 255
_IPAD = 0x36
_OPAD = 0x5C


@dataclass(slots=True)
class AeadContext:
    """What a transform keeps: the fallback, the cipher key, both HMAC states."""

    fallback: Aead
    enckey: bytes = b""
    inner: bytes = b""
    outer: bytes = b""
    on_hardware: bool = False


@dataclass(slots=True)
class AeadJob:
    """A request between submission and completion.

    Attributes:
        sa: the SA record as it was when the request was submitted.
        iv: the IV as it was then.
        encrypt: the direction.
        textlen: payload bytes, without AAD and tag.
        authsize: tag bytes.
        source: bytes that the source holds.
        destination: bytes that the destination takes.
        direct: whether the engine works on the caller's memory, without a bounce buffer.
    """

    sa: bytes
    iv: bytes
    encrypt: bool
    textlen: int
    authsize: int
    source: int
    destination: int
    direct: bool


class AuthencSha1Cbc:
    """The AEAD on one device; the methods are the driver's operations."""

    name = "authenc(hmac(sha1),cbc(aes))"
    driver_name = "authenc(hmac(sha1-eip93),cbc(aes-eip93))"

    def __init__(self, core: Core) -> None:
        self.core = core
        self._templates: dict[tuple[int, bool, int, int], SATemplate] = {}

    def alg(self) -> AeadAlg:
        """The descriptor to register."""
        return AeadAlg(
            cra_name=self.name,
            cra_driver_name=self.driver_name,
            cra_priority=PRIORITY,
            cra_flags=CIPHER_FLAGS,
            cra_blocksize=_BLOCK,
            cra_module="eip93",
            ivsize=_BLOCK,
            chunksize=_BLOCK,
            maxauthsize=_DIGEST_SIZE,
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
        if keys is None or len(keys.enckey) not in _AES_KEY_SIZES:
            return -errno.EINVAL
        status = self.setkey_fallback(tfm, bytes(key))
        if status:
            return status
        context: AeadContext = tfm.ctx
        context.enckey = keys.enckey
        context.on_hardware = bool(self.core.option & aes_key_bit(len(keys.enckey)))
        context.inner, context.outer = self.hmac_states(keys.authkey)
        return 0

    def setkey_fallback(self, tfm: Aead, key: bytes) -> int:
        """Key the fallback with the same blob under the same flags; its errno when it refuses."""
        return key_alike(tfm.ctx.fallback, tfm.flags, key)

    def hmac_states(self, authkey: bytes) -> tuple[bytes, bytes]:
        """Inner and outer digest of an authentication key, as the SA record holds them."""
        hashed = hashlib.sha1(authkey, usedforsecurity=False).digest()
        inner = sha1_compress(SHA1_INITIAL, key_block(authkey, hashed, _IPAD))
        outer = sha1_compress(SHA1_INITIAL, key_block(authkey, hashed, _OPAD))
        return digest_bytes(inner), digest_bytes(outer)

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
            command = SACommand(
                opcode=Opcode.CRYPT_AND_HASH,
                cipher=Cipher.AES,
                mode=CipherMode.CBC,
                digest=Digest.SHA1,
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
                aes_key_length=len(context.enckey) // 8,
            )
            template = self._templates[shape] = SATemplate(command)
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
            self.core.counters[self.driver_name, reason] += 1
            return self.run_fallback(request, encrypt=encrypt)
        plain, tagged = request.assoclen + textlen, request.assoclen + textlen + authsize
        source, destination = (plain, tagged) if encrypt else (tagged, plain)
        status = self.check(request, source, destination)
        if status:
            return status
        assert request.iv is not None
        sa = self.build_sa(
            request.tfm.ctx, inbound=not encrypt, assoclen=request.assoclen, authsize=authsize
        )
        request.ctx = AeadJob(
            sa=sa,
            iv=request.iv.read(_BLOCK),
            encrypt=encrypt,
            textlen=textlen,
            authsize=authsize,
            source=source,
            destination=destination,
            direct=self.is_direct(request, source, destination),
        )
        self.core.counters[self.driver_name, "hardware"] += 1
        return self.core.engine.transfer(request)

    def fallback_reason(self, request: AeadRequest, textlen: int, authsize: int) -> str:
        """Why the engine cannot do this request; empty when it can.

        A ciphertext that is no whole number of blocks goes there too: the tag must be judged
        before the length (crypto API, 6.4), and the engine does it the other way round.
        """
        if not request.tfm.ctx.on_hardware:
            return Reason.KEY_SIZE
        if not textlen:
            return Reason.EMPTY
        if textlen % _BLOCK:
            return Reason.PARTIAL
        if request.assoclen % _WORD or request.assoclen // _WORD > _MAX_ASSOC_WORDS:
            return Reason.ASSOC
        if authsize % _WORD:
            return Reason.TAG
        if request.assoclen + textlen + authsize > MAX_DESCRIPTOR_BYTES:
            return Reason.LONG
        return ""

    def run_fallback(self, request: AeadRequest, *, encrypt: bool) -> int:
        """Let the fallback do it, with the caller's own flags and callback."""
        return hand_over(request, request.tfm.ctx.fallback.request(), encrypt=encrypt)

    def check(self, request: AeadRequest, source: int, destination: int) -> int:
        """-EINVAL when a list is too short for what it must hold; 0 otherwise."""
        if request.src.nents_for_len(source) < 0 or request.dst.nents_for_len(destination) < 0:
            return -errno.EINVAL
        return 0

    def is_direct(self, request: AeadRequest, source: int, destination: int) -> bool:
        """Whether both lists begin with one word-aligned run that holds everything."""
        for scatterlist, length in ((request.src, source), (request.dst, destination)):
            address, size = scatterlist.entries[0]
            if address % _WORD or size < length:
                return False
        return True

    def do_one_request(self, engine: CryptoEngine, request: AeadRequest) -> int:
        """Start a queued request: 0, or -ENOSPC when the ring is full.

        Without memory or mappings it is finalized with -ENOMEM, which is 0 as well.
        """
        job = self.core.begin(request, 1, self.finish)
        if job is None:
            return -errno.ENOSPC
        return self.core.start(job, self.prepare)

    def prepare(self, job: Job) -> Callable[[], None]:
        """Fill the job's records and map its memory; what then writes its descriptor."""
        request, core = job.request, self.core
        assert isinstance(request, AeadRequest)
        plan: AeadJob = request.ctx
        core.machine.memory.write(job.slot, plan.sa + plan.iv)
        if plan.direct:
            source, destination = self.map_direct(job, request, plan)
        else:
            room = request.assoclen + plan.textlen + _DIGEST_SIZE
            data = request.src.read(request.assoclen + request.cryptlen)
            source = destination = core.bounce(job, data, room)
        return partial(core.put, job, source, destination, request.assoclen + plan.textlen)

    def map_direct(self, job: Job, request: AeadRequest, plan: AeadJob) -> tuple[int, int]:
        """Map source and destination where they lie; their addresses."""
        source, destination = request.src.entries[0].address, request.dst.entries[0].address
        if source == destination:
            length = max(plan.source, plan.destination)
            self.core.map(job, source, length, DmaDirection.BIDIRECTIONAL)
        else:
            self.core.map(job, source, plan.source, DmaDirection.TO_DEVICE)
            self.core.map(job, destination, plan.destination, DmaDirection.FROM_DEVICE)
        return source, destination

    def finish(self, job: Job, status: int) -> None:
        """Put the tag in order and copy a bounced result out; wipe what failed to verify."""
        request = job.request
        assert isinstance(request, AeadRequest)
        plan: AeadJob = request.ctx
        if status:
            if plan.direct:
                # The engine decrypts while it hashes: nobody may see the text of a forgery.
                request.dst.write(bytes(plan.textlen), request.assoclen)
            return
        if plan.encrypt:
            self.finish_tag(job, request, plan)
        elif not plan.direct:
            length = request.assoclen + plan.textlen
            request.dst.write(self.core.machine.memory.read(job.bounces[0], length))

    def finish_tag(self, job: Job, request: AeadRequest, plan: AeadJob) -> None:
        """Reverse the bytes of each tag word, which the engine writes little-endian (1.6)."""
        memory = self.core.machine.memory
        start = request.dst.entries[0].address if plan.direct else job.bounces[0]
        place = start + request.assoclen + plan.textlen
        tag = swap_words(memory.read(place, plan.authsize))
        if plan.direct:
            memory.write(place, tag)
        else:
            request.dst.write(memory.read(start, place - start) + tag)

"""gcm on hardware that has whole tags and short AAD only; it leaves the AAD of dst alone.

The device decrypts while it authenticates, and the driver compares the tags.
"""

from __future__ import annotations

import errno
import hmac
from dataclasses import dataclass
from typing import Any

from Crypto.Cipher import AES
from toy_accelerator import DEPTH, HARDWARE_KEY_SIZE, KEY_SIZES, Device, Driver, Keyed, Work
from toy_accelerator import Job as PlainJob

from tcrypt.engine.api.algorithms import AeadAlg
from tcrypt.engine.api.dma import DmaDirection
from tcrypt.engine.api.flags import AlgFlag, ReqFlag
from tcrypt.engine.api.machine import Accelerator, Machine, Shape
from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.sim import BusError

_IV, _TAG, _LONGEST_ASSOC = 12, 16, 64
_TAGS = (4, 8, 12, 13, 14, 15, 16)


def _takes(algorithm: str, shape: Shape) -> bool:
    return shape.tag == _TAG and shape.assoc <= _LONGEST_ASSOC


@dataclass(slots=True)
class Job(PlainJob):
    assoc: int = 0
    mac: bytes = b""


class Gcm(Device):
    """Its destinations take the text, and behind it the tag of what it has encrypted."""

    def work(self, job: Any) -> None:
        self.jobs += 1
        try:
            data = b"".join(self.bus.read(*source) for source in job.sources)
            assoc, text = data[: job.assoc], data[job.assoc :]
            out, mac = _gcm(job, assoc, text)
            job.mac = mac
            out += mac if job.encrypt else b""
            for address, length in job.destinations:
                self.bus.write(address, out[:length])
                out = out[length:]
        except BusError:
            job.broken = True


def _gcm(job: Job, assoc: bytes, text: bytes) -> tuple[bytes, bytes]:
    if not job.encrypt:
        text = AES.new(job.key, AES.MODE_GCM, nonce=job.iv).decrypt(text)
    cipher = AES.new(job.key, AES.MODE_GCM, nonce=job.iv)
    cipher.update(assoc)
    sealed, mac = cipher.encrypt_and_digest(text)
    return (sealed if job.encrypt else text), mac


class SomeShapes(Driver):
    device_class = Gcm

    def alg(self) -> Any:
        return AeadAlg(
            cra_name="gcm(aes)",
            cra_driver_name="gcm-aes-toy",
            cra_priority=400,
            cra_flags=AlgFlag.ASYNC | AlgFlag.NEED_FALLBACK | AlgFlag.KERN_DRIVER_ONLY,
            chunksize=AES.block_size,
            ivsize=_IV,
            maxauthsize=_TAG,
            setkey=self.setkey,
            setauthsize=self.setauthsize,
            encrypt=lambda request: self.submit(request, encrypt=True),
            decrypt=lambda request: self.submit(request, encrypt=False),
            init=self.init_tfm,
            exit=lambda tfm: self.machine.registry.free(tfm.ctx.fallback),
            do_one_request=self.do_one_request,
        )

    def attach(self) -> None:
        self.engine.register(self.alg())
        self.machine.attach(
            Accelerator(
                name="toy",
                jobs=lambda: self.device.jobs,
                supports=lambda algorithm, size: size == HARDWARE_KEY_SIZE,
                takes=_takes,
                depth=DEPTH,
            )
        )

    def init_tfm(self, tfm: Any) -> int:
        try:
            fallback = self.machine.registry.alloc_aead("gcm(aes)", 0, AlgFlag.NEED_FALLBACK)
        except OSError as error:
            return -(error.errno or errno.ENOENT)
        tfm.ctx = Keyed(fallback)
        return 0

    def setkey(self, tfm: Any, key: bytearray) -> int:
        if len(key) not in KEY_SIZES:
            return -errno.EINVAL
        tfm.ctx.fallback.clear_flags(ReqFlag.request_mask())
        tfm.ctx.fallback.set_flags(tfm.flags)
        tfm.ctx.fallback.setkey(bytes(key))
        tfm.ctx.key = bytes(key)
        return 0

    def setauthsize(self, tfm: Aead, size: int) -> int:
        return 0 if size in _TAGS else -errno.EINVAL

    def submit(self, request: Any, *, encrypt: bool) -> int:
        tag, key = request.tfm.authsize, request.tfm.ctx.key
        text = request.cryptlen - (0 if encrypt else tag)
        shape = Shape(encrypt, text, request.assoclen, tag)
        if len(key) != HARDWARE_KEY_SIZE or not _takes("gcm(aes)", shape):
            return self.run_fallback(request, encrypt=encrypt)
        whole = request.assoclen + request.cryptlen
        written = request.assoclen + text + (tag if encrypt else 0)
        if request.src.nents_for_len(whole) < 0 or request.dst.nents_for_len(written) < 0:
            return -errno.EINVAL
        request.ctx = Work(encrypt, key)
        return self.engine.transfer(request)

    def run_fallback(self, request: Any, *, encrypt: bool) -> int:
        """The fallback learns the size of the tag when it is used."""
        fallback = request.tfm.ctx.fallback
        fallback.setauthsize(request.tfm.authsize)
        inner: AeadRequest = fallback.request()
        inner.set_callback(request.flags, request.complete, request.data)
        inner.set_crypt(request.src, request.dst, request.cryptlen, request.iv)
        inner.set_ad(request.assoclen)
        return int(fallback.encrypt(inner) if encrypt else fallback.decrypt(inner))

    def prepare(self, request: Any) -> PlainJob:
        work, tag, assoc = request.ctx, request.tfm.authsize, request.assoclen
        text = request.cryptlen - (0 if work.encrypt else tag)
        # What the driver needs of the tag it reads before the memory is the device's.
        work.iv_out = b"" if work.encrypt else request.src.read(tag, assoc + text)
        both = request.src is request.dst
        sources = list(map(tuple, request.src.walk(assoc + text)))
        written = text + (tag if work.encrypt else 0)
        destinations = list(map(tuple, request.dst.walk(written, assoc)))
        for address, size in sources:
            way = DmaDirection.BIDIRECTIONAL if both else DmaDirection.TO_DEVICE
            self.map(work, address, size, way)
        for address, size in destinations:
            self.map(work, address, size, DmaDirection.FROM_DEVICE)
        iv = request.iv.read(_IV)
        return Job(work.encrypt, work.key, iv, sources, destinations, request, assoc=assoc)

    def done_task(self) -> None:
        while self.device.done:
            job: Any = self.device.done.popleft()
            request, status = job.tag, -errno.EIO if job.broken else 0
            self.release(request.ctx)
            forged = not job.encrypt and not hmac.compare_digest(job.mac, request.ctx.iv_out)
            self.engine.finalize(request, status or (-errno.EBADMSG if forged else 0))


def register(machine: Machine) -> None:
    SomeShapes(machine).attach()

"""A device without DMA or interrupts: the engine's worker does the work, and finalizes at once."""

from __future__ import annotations

from Crypto.Cipher import AES
from toy_accelerator import Driver, Job

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.crypto_engine import CryptoEngine


class Programmed(Driver):
    # Who does one thing after the other is never full, and need not be tried again.
    retry_support = False

    def do_one_request(self, engine: CryptoEngine, request: SkcipherRequest) -> int:
        self.remember_iv(request)
        job: Job = self.job(request, [], [])
        self.device.jobs += 1
        request.dst.write(_crypt(job, request.src.read(request.cryptlen)))
        self.softly(lambda: self.complete(request, 0))
        return 0


def _crypt(job: Job, data: bytes) -> bytes:
    cipher = AES.new(job.key, AES.MODE_CBC, iv=job.iv)
    return cipher.encrypt(data) if job.encrypt else cipher.decrypt(data)


def register(machine: Machine) -> None:
    Programmed(machine).attach()

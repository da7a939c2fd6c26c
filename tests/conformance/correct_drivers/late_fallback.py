"""A fallback is looked for when a key comes that needs it, and has a mapping of its own."""

from __future__ import annotations

import errno

from toy_accelerator import HARDWARE_KEY_SIZE, KEY_SIZES, Driver, Keyed

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.dma import DmaError
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.transforms import Skcipher

_RECORD = 64


class LateFallback(Driver):
    """The transform has a record for the device all its life, in which its key stands."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine)
        self.records: dict[Skcipher, int] = {}

    def alg(self) -> SkcipherAlg:
        found = super().alg()
        found.exit = self.exit_tfm
        return found

    def init_tfm(self, tfm: Skcipher) -> int:
        try:
            self.records[tfm] = self.machine.dma.alloc_coherent(_RECORD)
        except (MemoryError, DmaError):
            return -errno.ENOMEM
        tfm.ctx = Keyed(None)
        return 0

    def exit_tfm(self, tfm: Skcipher) -> None:
        record = self.records.pop(tfm)
        self.machine.memory.write(record, bytes(_RECORD))
        self.machine.dma.free_coherent(record, _RECORD)
        if tfm.ctx.fallback is not None:
            self.machine.registry.free(tfm.ctx.fallback)

    def setkey(self, tfm: Skcipher, key: bytearray) -> int:
        record, memory = self.records[tfm], self.machine.memory
        memory.write(record, bytes(_RECORD))
        if len(key) not in KEY_SIZES:
            return -errno.EINVAL
        if len(key) == HARDWARE_KEY_SIZE:
            memory.write(record, key)
            tfm.ctx.key = bytes(key)
            return 0
        if tfm.ctx.fallback is None:
            find = self.machine.registry.alloc_skcipher
            try:
                tfm.ctx.fallback = find("cbc(aes)", 0, AlgFlag.NEED_FALLBACK)
            except OSError as error:
                return -(error.errno or errno.ENOENT)
        return super().setkey(tfm, key)


def register(machine: Machine) -> None:
    LateFallback(machine).attach()

"""Key bytes that stay where they were used."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from tcrypt.engine.api.transforms import Skcipher
from tcrypt.engine.eip93.driver.core import Core, Job
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_LONGEST_KEY = 32


@mutant("ML-11b", "an HMAC's key block is left in a freed bounce buffer")
def key_block_left() -> Planted:
    """Bounce buffers are freed as they are, though an HMAC's begins with its padded key."""

    def release(self: Core, job: Job) -> None:
        self.unmap(job)
        for address in job.bounces:
            self.machine.memory.free(address)
        self.release_slot(job.slot)

    return replaced((Core, "release", release))


@mutant("ML-11c", "a refused key is left in the transform's record")
def refused_key_left() -> Planted:
    """The key is copied to memory of the driver's before it is judged, and wiped only if good."""
    original = EipSkcipher.setkey
    records: WeakKeyDictionary[Core, int] = WeakKeyDictionary()

    def setkey(self: EipSkcipher, tfm: Skcipher, key: bytearray) -> int:
        memory = tfm.machine.memory
        if self.core not in records:
            records[self.core] = memory.alloc(_LONGEST_KEY)
        memory.write(records[self.core], bytes(key))
        status = original(self, tfm, key)
        if not status:
            memory.write(records[self.core], bytes(_LONGEST_KEY))
        return status

    return replaced((EipSkcipher, "setkey", setkey))


@mutant("ML-11d", "an older key is left behind by a new one")
def older_key_left() -> Planted:
    """Every key gets a record of its own, and only that of the last key is wiped at the end."""
    original, leave = EipSkcipher.setkey, EipSkcipher.exit_tfm
    records: dict[int, int] = {}

    def setkey(self: EipSkcipher, tfm: Skcipher, key: bytearray) -> int:
        status = original(self, tfm, key)
        if not status:
            memory = tfm.machine.memory
            records[id(tfm)] = memory.alloc(_LONGEST_KEY)
            memory.write(records[id(tfm)], bytes(key))
        return status

    def exit_tfm(self: EipSkcipher, tfm: Skcipher) -> None:
        leave(self, tfm)
        if id(tfm) in records:
            tfm.machine.memory.free_sensitive(records.pop(id(tfm)))

    return replaced((EipSkcipher, "setkey", setkey), (EipSkcipher, "exit_tfm", exit_tfm))

"""An EIP-93 on a machine: the device, its driver, and what the suite may know of both.

The evidence is written here a second time, from the device's documents and the policy's, not
taken from the driver that it judges.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tcrypt.engine.api.machine import Accelerator, Machine, Shape
from tcrypt.engine.eip93.bus_time import TimedMmio
from tcrypt.engine.eip93.device import Device, InterruptLine, Record
from tcrypt.engine.eip93.driver.own_queue import OwnQueue
from tcrypt.engine.eip93.driver.policy import FallbackPolicy, Outcome
from tcrypt.engine.eip93.driver.probe import Driver, probe
from tcrypt.engine.eip93.driver.submission import Mode
from tcrypt.engine.eip93.options import Options
from tcrypt.engine.eip93.records import Cipher, Digest
from tcrypt.engine.eip93.unsteady import UnsteadyWire
from tcrypt.engine.eip93.variants import Variant
from tcrypt.engine.preemption import Mmio, PreemptibleMmio
from tcrypt.engine.sim import IrqLine

__all__ = ("attach_eip93",)


_WORD = 4


def attach_eip93(
    machine: Machine,
    variant: Variant,
    policy: FallbackPolicy | None = None,
    mode: Mode = "engine",
) -> None:
    """Put a device on a machine, bind the driver, and give the suite its evidence.

    Knobs: `ring_size` (entries); `preempt`, the ns that each register access takes while
    interrupts and other work strike in it, 0 to only offer the places (`preemption_points`);
    `torn_result`, the ns between a result's count and its end.
    """
    torn = machine.setup.knobs.get("torn_result", variant.torn_result_ns)
    # Whether data that is not aligned to words works is not known, and no known driver tries.
    variant = replace(variant, torn_result_ns=torn, data_alignment=_WORD)
    irq = IrqLine(machine.sim, variant.name)
    device = Device(machine.sim, machine.dma, _wire(machine, irq, variant), variant)
    used = policy or FallbackPolicy()
    bound = _Bound(
        partial(
            probe,
            machine,
            _door(machine, device, variant, mode),
            irq,
            name=variant.name,
            ring_size=machine.setup.knobs.get("ring_size", variant.ring_size),
            policy=used,
            mode=mode,
        )
    )
    machine.attach(
        Accelerator(
            name=variant.name,
            jobs=lambda: device.jobs,
            supports=partial(_supports, device.options),
            algorithms=_documented(device.options),
            depth=bound.driver.core.rings.capacity,
            shortest=partial(_shortest, used),
            shortest_for_key=partial(_shortest_for_key, used),
            ceiling=_ceiling,
            takes=_takes,
            drives=bound.drives,
            in_order=True,
            exact=True,
            unbind=bound.unbind,
            rebind=bound.rebind,
            statistics=bound.statistics,
            queue=bound.queue,
            full=bound.full,
            errors=_errors(mode),
            report=partial(_report, device),
            meets=_meets,
            unanswered=lambda: device.unanswered,
        )
    )


# What the device reports of a packet, and how the mainline driver ends its request (eip93, 4.4).
_ERRORS = {
    "authentication": (0x01, -errno.EBADMSG),
    "padding": (0x02, -errno.EBADMSG),
    "authentication and padding": (0x03, -errno.EBADMSG),
    "sequence number": (0x04, 0),
    "bus": (0x08, -errno.EIO),
    "descriptor": (0x18, -errno.EACCES),
    "operation": (0x28, -errno.EINVAL),
    "algorithm": (0x38, -errno.EINVAL),
    "SPI": (0x48, -errno.EINVAL),
    "zero length": (0x58, -errno.EBADMSG),
    "packet length": (0x68, -errno.EBADMSG),
    "block size": (0x78, -errno.EBADMSG),
    "processing": (0x88, -errno.EIO),
    "reserved": (0x98, -errno.EINVAL),
}


# Bus errors where the device reads what the driver has written for it (eip93, 4.1 and 4.4).
_LOST = {"SA record out of reach": Record.SA, "state record out of reach": Record.STATE}


def _errors(mode: Mode) -> dict[str, int]:
    """The errors, and how a request ends; records do not go over the bus in direct host mode."""
    errors = {name: status for name, (_, status) in _ERRORS.items()}
    return errors if mode == "dhm" else errors | dict.fromkeys(_LOST, -errno.EIO)


def _report(device: Device, name: str, after: int) -> None:
    """Have the device meet an error, or report one that it has not met."""
    if name in _LOST:
        device.lose(_LOST[name], after)
    else:
        device.fail(_ERRORS[name][0], after)


def _meets(algorithm: str, error: str) -> bool:
    """ECB has no use for a state record."""
    return not (algorithm.startswith("ecb(") and _LOST.get(error) is Record.STATE)


class _Bound:
    """A device that its driver can be taken off, and put on again without a power cycle."""

    def __init__(self, bind: Callable[[], Driver]) -> None:
        self._bind = bind
        self.driver = bind()

    def drives(self, name: str) -> bool:
        """Whether a driver name is one of those that the device's driver registers."""
        return any(alg.cra_driver_name == name for alg in self.driver.algs)

    def unbind(self) -> int:
        """Remove the driver; its status."""
        return self.driver.remove()

    def rebind(self) -> None:
        """Probe the device again; OSError as from `probe`."""
        self.driver = self._bind()

    @property
    def queue(self) -> int:
        """How many requests wait in the driver's own queue; 0 where a crypto_engine has it."""
        own = self.driver.core.engine
        return own.queue.max_qlen if isinstance(own, OwnQueue) else 0

    def full(self) -> int:
        """How many requests the driver had to make wait for room in the ring."""
        counters = self.driver.core.counters
        return sum(count for (_, what), count in counters.items() if what == Outcome.RETRY)

    def statistics(self) -> str:
        """What the driver counted since it was bound."""
        return self.driver.debugfs()


def _wire(machine: Machine, irq: IrqLine, variant: Variant) -> InterruptLine:
    """The way from the device to the interrupt controller."""
    return irq if variant.unsteady is None else UnsteadyWire(machine.sim, irq, variant.unsteady)


def _door(machine: Machine, device: Device, variant: Variant, mode: Mode) -> Mmio:
    """The device's registers; the driver can be interrupted there if the setup says so.

    In direct host mode, where they are all that there is, accesses take time without that.
    """
    sim = machine.sim
    door: Mmio = TimedMmio(device, sim, variant) if mode == "dhm" else device
    cost = machine.setup.knobs.get("preempt")
    if cost is None:
        return door
    if cost and sim.preemption_points is None:
        sim.preemption_points = lambda _: sim.let_pass(cost)
    return PreemptibleMmio(door, sim)


def _shortest(policy: FallbackPolicy, algorithm: str) -> int:
    """One byte more than what the policy leaves to software, whatever the size of the key."""
    most = max(policy.software_up_to, *policy.by_key_size.values(), 0)
    return most + 1 if algorithm in policy.ciphers else 1


def _shortest_for_key(policy: FallbackPolicy, algorithm: str, key_size: int) -> int:
    """The same for a key of one size, which for rfc3686 has the nonce in it."""
    size = key_size - _NONCE if algorithm.startswith("rfc3686") else key_size
    most = policy.by_key_size.get(size, policy.software_up_to)
    return most + 1 if algorithm in policy.ciphers else 1


# As the mainline driver does it: hashes at 300, since most are too short to be worth a descriptor.
_HASH_CEILING = 300
_NONCE = 4


def _ceiling(algorithm: str) -> int | None:
    """The policy is about hashes alone."""
    ciphers = ("des", "aes")
    return None if any(name in algorithm for name in ciphers) else _HASH_CEILING


def _takes(algorithm: str, shape: Shape) -> bool:
    """AAD and tag are counted in words, the AAD in eight bits; there must be whole blocks."""
    words = not shape.assoc % 4 and shape.assoc <= 4 * 255 and not shape.tag % 4
    block = 1 if "ctr(" in algorithm else 8 if "des" in algorithm else 16
    return words and shape.text > 0 and not shape.text % block


_DIGESTS = {
    "md5": Digest.MD5,
    "sha1": Digest.SHA1,
    "sha224": Digest.SHA224,
    "sha256": Digest.SHA256,
}


_CHAINED = tuple(f"cbc({cipher})" for cipher in ("des", "des3_ede", "aes"))
_COUNTED = "rfc3686(ctr(aes))"
_CIPHERS = (*_CHAINED, "ecb(des)", "ecb(des3_ede)", "ecb(aes)", "ctr(aes)", _COUNTED)
_AES_KEYS = (16, 24, 32)


def _documented(options: Options) -> frozenset[str]:
    """What the driver offers on a device with these capability bits (eip93, section 1.5)."""
    hashes = [name for name, digest in _DIGESTS.items() if options.supports_digest(digest)]
    macs = [f"hmac({name})" for name in hashes]
    aes = any(options.supports_cipher(Cipher.AES, size) for size in _AES_KEYS)
    cores = {"aes": aes, "des": options.supports_cipher(Cipher.TDES)}
    ciphers = [name for name in _CIPHERS if cores["aes" if "aes" in name else "des"]]
    combined = [name for name in ciphers if name in (*_CHAINED, _COUNTED)]
    aeads = [f"authenc({mac},{name})" for mac in macs for name in combined]
    return frozenset((*hashes, *macs, *ciphers, *aeads))


def _supports(options: Options, algorithm: str, key_size: int) -> bool:
    """Whether the capability bits name every part of an algorithm, with this key size.

    The size of an rfc3686 key has the nonce in it; that of an AEAD is the cipher's alone.
    """
    digests = [digest for name, digest in _DIGESTS.items() if name in algorithm]
    if not all(options.supports_digest(digest) for digest in digests):
        return False
    if "aes" in algorithm:
        nonce = _NONCE if algorithm.startswith("rfc3686") else 0
        return options.supports_cipher(Cipher.AES, key_size - nonce)
    return "des" not in algorithm or options.supports_cipher(Cipher.TDES)

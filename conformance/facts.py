"""The written facts that checks enforce, one sentence each, with where it is written.

Section numbers are those of the project's reference pages (see docs/facts.md).
"""

from __future__ import annotations

__all__: tuple[str, ...] = ()

OUTPUT = "output equals the published vector or an independent implementation"
STATUS = "a request ends with the kernel's status for that input (crypto API, 6.2-6.5)"
SETKEY = (
    "setkey accepts and refuses exactly what the kernel does, with its errno (crypto API, 6.2)"
)
IV_OUT = "req->iv is the last ciphertext block after CBC, the next counter after CTR (6.3)"
IV_KEPT = "req->iv is left alone by a mode without one, and by a request that failed (6.3)"
GUARD = "memory outside of the request's buffers is left alone (6.3)"
SOURCE = "the source is left alone when the destination is elsewhere (6.3)"
AAD = "the AAD part of the destination is the AAD or left alone (6.4)"
FORGERY = "a forged message is -EBADMSG and releases nothing (6.4)"
REQUEST = "the fields of a request and its scatterlists are read-only to the driver (6.3)"
ONCE = "an accepted request is completed exactly once, a synchronous one never (6.10)"
RETURNED = "a request is its caller's again once it is completed, and its memory with it (6.10)"
LEVEL = (
    "the handler of a level interrupt has its device lower the line, or nothing else ever runs"
    " (generic IRQ; eip93, 1.4)"
)
SECTIONS = "whoever disables bottom halves, interrupts or preemption enables them again"
BACKLOG = "-EINPROGRESS is delivered once after -EBUSY, and never otherwise (5.1)"
CONTEXT = "completion callbacks run with bottom halves disabled (6.10)"
INTERRUPTS = (
    "completion callbacks run in softirq context with interrupts on; they may take and leave locks"
    " that disable bottom halves (6.10)"
)
POINTED = (
    "what a request points to, its IV and its result, may lie on a stack: only the memory of its"
    " lists is for DMA (DMA API)"
)
UNMAPPED = (
    "memory is the device's from its mapping to its unmapping, and its caller's at completion"
    " (DMA API; crypto API, 6.10)"
)
PROGRESS = "an accepted request completes (6.10)"
NEIGHBOUR = "memory next to a buffer belongs to others, who change it while a request runs (6.3)"
BUS_ERROR = "a bus error is -EIO, leaves the IV, and the next request works (eip93, 4.4)"
DEVICE_ERROR = "an error that the device reports ends its request alone, once (eip93, 4.4)"
NO_MEMORY = "what cannot be mapped is never given to the device (eip93, 4.2)"
FAULT_STATUS = "a request ends with -ENOMEM or -EIO for what went wrong, others with 0 (4.4, 5.4)"
UNBOUND = "a driver that is removed takes its algorithms and its memory along (6.7; eip93, 8, 69)"
STILL_THERE = (
    "what may run or use the device later is taken back before a driver goes: interrupt handlers,"
    " tasklets, timers, work and the engine's worker (5.2; device model)"
)
REBOUND = "a driver works on a device that keeps its power while nobody drives it (eip93, 8, 71)"
SHORT_LIST = "a list shorter than its request is -EINVAL, once (eip93, 8, case 11)"
KEY_WIPED = "a freed transform leaves no key bytes in memory"
LEAK = "what was mapped or allocated for a request is released with it"
KERNEL_WARNING = "nothing that the kernel would warn about happens"
RESULT_KEPT = "a step before the last leaves the result buffer alone (testmgr, 1.7)"
STATE_SIZE = "export writes exactly statesize bytes (testmgr, 1.7)"
NO_KEY = "a transform without a key answers -ENOKEY (6.2)"
KEY_LOST = "after a driver refused a key no older key is usable (6.2)"
CLONE = "a clone works with the key of its origin, whatever becomes of that (clone_tfm)"
ISOLATION = "requests and transforms do not influence each other (6.10)"
WHO = "a key size that the device has runs on it, one that it lacks in software (device options)"
RING_FULL = "a full ring answers -ENOSPC to the engine, which retries in order (5.4)"
ORDER = "requests start in the order of their submission (5.4), and this device keeps it"
SOURCES = "a vector file is read whole or refused, never in part (vectors, 4)"
NAMES = "a driver name names one implementation (6.6)"
LOOKUP = "a name finds the best algorithm that type and mask allow, a driver name its own (6.6)"
REGISTERED = (
    "unregistering takes an algorithm away and nothing else; registering brings it back (6.7)"
)
DOCUMENTED = "a driver registers all that its documents name for the device (device options)"
TESTMGR = "the kernel's self-test demands it (1.4 to 1.7, 2.2 to 2.6)"
SELFTEST = "an algorithm passes its self-test the moment it is registered (3.1, 6.7)"
SELFTEST_FAILED = (
    "an algorithm that failed its self-test is -ELIBBAD, and stands in nobody's way (6.6)"
)
FALLBACK = "who needs a fallback says NEED_FALLBACK, and takes one that needs none (6.6)"
FALLBACK_KEY = "setkey passes on the errno of a fallback that refuses the key (6.2, 6.6)"
USERS = "an algorithm has a user for each transform of it that exists, and no more (6.6, 6.9)"
HALF_OPEN = "a step that fails gives back all that it took; no exit follows a failed init (6.6)"
LISTED = "/proc/crypto shows an algorithm as it is registered (6.9)"
POLICY = "an offloaded algorithm has no higher priority than its provider's policy allows"
FLAGS = "flags say what callers must know before they allocate (6.1, 6.6)"
PROPERTY = "declared properties equal the reference's (testmgr, 2.5)"
RECORD = "an item records each of its cases, and runs to its end"
LINUX = "a driver answers what every driver of the algorithm answers on Linux (real-kernel, 3)"

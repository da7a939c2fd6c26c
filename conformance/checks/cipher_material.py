"""Cipher cases that share keys, and the judgement of several requests at once."""

from __future__ import annotations

from collections.abc import Callable

from tcrypt.cipher_bench import CipherCase
from tcrypt.oracle import AeadReference, SkcipherReference
from tcrypt.problems import Problem
from tcrypt.specs import AeadSpec, SkcipherSpec
from tcrypt.swarm import CipherSwarm

__all__ = ("CipherReference", "Maker", "Scenario", "at_request", "first_problem", "play")

_BLOB_HEADER = 8
CipherReference = SkcipherReference | AeadReference
Scenario = Callable[[], list[Problem]]


class Maker:
    """Cases that share keys: `seed` names the key; `text` and sizes tell the requests apart."""

    def __init__(self, reference: CipherReference) -> None:
        self.reference = reference
        if isinstance(reference, AeadReference):
            self.sizes = reference.enckey_sizes
        else:
            self.sizes = reference.key_sizes

    def case(
        self,
        op: str,
        length: int,
        *,
        seed: int = 1,
        size: int = 0,
        with_key: bool = False,
        assoc: int | None = None,
        tag: int = 0,
        tamper: str = "",
        text: int = 0,
    ) -> CipherCase:
        """A request and the oracle's answer; the first key size and the full tag by default."""
        size = size or self.sizes[0]
        reference = self.reference
        if isinstance(reference, SkcipherReference):
            drawn = SkcipherSpec(op, size, length, seed=seed, text=text)
            return drawn.case(reference, with_key=with_key)
        assoc = reference.usual_assoc if assoc is None else assoc
        spec = AeadSpec(
            op,
            size,
            length,
            assoc,
            tag or reference.maxauthsize,
            tamper=tamper,
            seed=seed,
            text=text,
        )
        return spec.case(reference, with_key=with_key)

    def short_tag(self) -> int:
        """12 bytes, where there are tags of that length; 0, which is the full one, elsewhere."""
        reference = self.reference
        short = isinstance(reference, AeadReference) and not reference.authsize_status(12)
        return 12 if short else 0

    def directions(self) -> list[CipherCase]:
        """Both directions in turn, with one setkey at the start."""
        first = self.case("dec", 64, with_key=True)
        ops = ("enc", "dec", "dec", "enc", "enc", "dec")
        return [first, *(self.case(op, 64, text=number) for number, op in enumerate(ops, 1))]

    def lengths(self) -> list[CipherCase]:
        """Short, empty, long and short again."""
        first = self.case("enc", 16, with_key=True)
        return [
            first,
            *(self.case(op, n) for n in (0, 512, 16, 4096, 0, 32) for op in ("enc", "dec")),
        ]

    def keys(self) -> list[CipherCase]:
        """Other bytes and other sizes of key, there and back."""
        found = []
        for seed in (1, 2, 3, 1):
            for size in self.sizes:
                for op in ("enc", "dec"):
                    found.append(self.case(op, 64, seed=seed, size=size, with_key=True))
        return found

    def nearly_the_same_keys(self) -> list[CipherCase]:
        """Keys that differ in a bit of their first or last byte: of nonce, tweak, or one of two.

        A driver that keeps what it has prepared must look at every part of the new key.
        """
        shortest, longest = self.sizes[0], self.sizes[-1]
        sizes = (shortest,) if shortest == longest else (longest, shortest)
        return [case for size in sizes for case in self._nearly_the_same(size)]

    def _nearly_the_same(self, size: int) -> list[CipherCase]:
        first = self.case("dec", 64, size=size, with_key=True)
        found = [first]
        assert first.key is not None
        # An authenc blob begins with its header.
        start = _BLOB_HEADER if getattr(self.reference, "key_sizes", ()) is None else 0
        for place in (start, len(first.key) - 1):
            key = bytearray(first.key)
            key[place] ^= 0x10
            if self.reference.setkey_allowed(bytes(key)) == {0}:
                found += [self._under(bytes(key), first), first]
        return found

    def _under(self, key: bytes, case: CipherCase) -> CipherCase:
        """A decryption that gives the same text under another key."""
        reference, iv_out = self.reference, case.iv_out
        if isinstance(reference, AeadReference):
            assert case.authsize is not None
            assoc = reference.laid_out(key, case.iv, case.assoc)
            data = reference.encrypt(key, case.iv, assoc, case.out, case.authsize)
            case = case._replace(assoc=assoc)
        else:
            data = reference.encrypt(key, case.iv, case.out).out
            iv_out = reference.decrypt(key, case.iv, data).iv_out
        return case._replace(key=key, data=data, iv_out=iv_out)

    def assoclens(self) -> list[CipherCase]:
        """AAD of changing length on one key."""
        first = self.case("enc", 32, with_key=True)
        lengths = (8, 12, 0, 16, 20, 13, 256, 16)
        return [first, *(self.case(op, 32, assoc=n) for n in lengths for op in ("enc", "dec"))]

    def authsizes(self) -> list[CipherCase]:
        """Tags of changing length on one key."""
        first = self.case("enc", 32, with_key=True)
        reference = self.reference
        assert isinstance(reference, AeadReference)
        most = reference.maxauthsize
        tags = [n for n in (12, 4, most, 8, 10, 12, most) if not reference.authsize_status(n)]
        return [first, *(self.case(op, 32, tag=n) for n in tags for op in ("enc", "dec"))]

    def forged_then_sound(self) -> list[CipherCase]:
        """Forgeries between sound messages of both directions."""
        first = self.case("dec", 64, with_key=True)
        forged = [self.case("dec", 64, tamper=t) for t in ("tag:3", "text:77", "aad:9")]
        sound = [self.case(op, 64) for op in ("dec", "enc", "dec")]
        return [first, *(case for pair in zip(forged, sound, strict=True) for case in pair)]


def at_request(problem: Problem, number: int, case: CipherCase) -> Problem:
    """The problem, with the place of its request in the sequence."""
    what = "encrypt" if case.encrypt else "decrypt"
    detail = f"request {number} of the sequence, {what} of {len(case.data)} bytes"
    return problem._replace(details=(*problem.details, detail))


def play(swarm: CipherSwarm, flags: int) -> list[Problem]:
    """Submit all requests, let the machine settle, and judge them and the machine."""
    mappings = swarm.bench.machine.dma.live_mappings
    swarm.submit(flags)
    swarm.bench.settle()
    return first_problem(swarm) or swarm.bench.machine_problems(mappings)


def first_problem(swarm: CipherSwarm) -> list[Problem]:
    """The problems of the first request of a settled swarm that has any."""
    for flight in swarm.flights:
        found = swarm.problems(flight)
        if found:
            return [at_request(problem, flight.index, flight.load.case) for problem in found]
    return []

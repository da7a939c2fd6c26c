"""The long part of check `vectors`: Monte Carlo chains, accumulated vectors, gibibytes of data.

All take seconds to minutes for each driver, and so run in profile `full` only; other profiles
say that they did not.  Each step of a chain and each accumulated case is compared with the
oracle at once, so that a failure names the step; the published end of a chain, or the pinned
digest, then holds the oracle and the driver together to what others computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice, repeat

from tcrypt import facts
from tcrypt.checks.common import AnyBench, AnyReference, make_bench, reference_for
from tcrypt.cipher_bench import CipherCase
from tcrypt.engine.api.scatterlist import Segment
from tcrypt.hash_bench import HashBench, HashCase, Steps
from tcrypt.layouts import CIPHER_LAYOUTS, HASH_LAYOUTS
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.subject import Subject
from tcrypt.vectors import accumulated
from tcrypt.vectors.catalogue import Catalogue, VectorFile
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import Chain, HashChain, HashVector
from tcrypt.watchdog import Watchdog

__all__ = ("ONWARDS", "accumulated_cases", "chain_steps", "long_message", "plans")

ONWARDS = ".."
"""Behind the id of a Monte Carlo round: this round and all behind it in its file."""

_BATCH = 100
_PART = "accumulated"
# Bytes of one update of a long message, and updates after which the watchdog begins anew.
_UPDATE = 1 << 20
_AT_A_TIME = 32

_Cases = Iterator[CipherCase | HashCase]


def plans(
    check: str, subject: Subject, settings: Settings, catalogue: Catalogue
) -> Iterator[Plan]:
    """One item for each file of chains, and one for the accumulated vectors.

    In another profile than `full` one item that says that they did not run; when one round is
    asked for, the item that holds it.
    """
    known = reference_for(subject)
    if known is None:
        return
    files = [
        file
        for file in catalogue.chains(subject.algorithm)
        if file.kind == subject.type.word and (file.available or not file.optional)
    ]
    if settings.vector:
        files = [file for file in files if settings.vector.startswith(f"{file.label}#")]
    elif settings.profile != "full":
        left = [file.label for file in files]
        left += [_PART] if accumulated.pins(subject.algorithm) else []
        if left:
            yield Plan(check, subject, _Skipped(left, settings.profile).run, "full-only")
        return
    for file in files:
        yield Plan(check, subject, _Chains(subject, file, settings, known).run, file.label)
    if not settings.vector and accumulated.pins(subject.algorithm):
        yield Plan(check, subject, _Accumulated(subject, known).run, _PART)


class _Skipped:
    """What a profile leaves out."""

    def __init__(self, left: list[str], profile: str) -> None:
        self.left = left
        self.profile = profile

    def run(self, recorder: Recorder, _watchdog: Watchdog) -> None:
        """Say so."""
        why = f"profile {self.profile} runs no Monte Carlo chains and accumulated vectors"
        recorder.unexecuted("skipped", why, self.left)


class _Chains:
    """The outer rounds of one file against one driver, each a case of its own."""

    def __init__(
        self, subject: Subject, file: VectorFile, settings: Settings, known: AnyReference
    ) -> None:
        self.subject = subject
        self.file = file
        self.settings = settings
        self.known = known

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Run all rounds, or the one that is asked for, or those from one on."""
        if not self.file.available:
            recorder.unexecuted("not-run", self.file.why_not, [self.file.label])
            return
        try:
            loaded = self.file.load()
        except VectorError as error:
            problem = Problem(
                "vector file refused", facts.SOURCES, attribution="suite", details=(str(error),)
            )
            recorder.result(self.file.label, [problem])
            return
        bench = make_bench(self.subject, watchdog)
        rounds = _wanted(loaded.chains, self.settings.vector)
        for chain in rounds:
            recorder.result(chain.id, self._round(bench, chain), vector=chain.id)
            # A round takes seconds: what is killed has told how far it got, to go on from there.
            recorder.flush()
        recorder.source(self.file.label, loaded.title, len(rounds))

    def _round(self, bench: AnyBench, chain: Chain) -> list[Problem]:
        end = chain.digest if isinstance(chain, HashChain) else chain.end
        last = b""
        for step, case in enumerate(chain_steps(self.known, chain)):
            found = _checked(bench, case, step)
            if found:
                first = found[0]
                details = (f"step {step} of {chain.inner}", *first.details)
                return [first._replace(details=details), *found[1:]]
            last = case.digest if isinstance(case, HashCase) else case.out
        if last != end:
            got, wanted = last.hex(), end.hex()
            # Each step was held against the oracle, so that the driver has done nothing wrong.
            why = f"each of {chain.inner} steps is what the oracle gives: the file or it is wrong"
            return [Problem("wrong end of the chain", facts.OUTPUT, wanted, got, "suite", (why,))]
        return []


def _wanted(chains: Sequence[Chain], vector: str) -> Sequence[Chain]:
    """The rounds that `--vector` names: all, one, or one and what stands behind it in the file."""
    if not vector:
        return chains
    first = vector.removesuffix(ONWARDS)
    found = next((i for i, chain in enumerate(chains) if chain.id == first), len(chains))
    return chains[found : None if vector.endswith(ONWARDS) else found + 1]


def _checked(bench: AnyBench, case: CipherCase | HashCase, index: int) -> list[Problem]:
    """A case in the layout whose turn it is."""
    if isinstance(bench, HashBench):
        assert isinstance(case, HashCase)
        return bench.check(case, HASH_LAYOUTS[index % len(HASH_LAYOUTS)])
    assert isinstance(case, CipherCase)
    return bench.check(case, CIPHER_LAYOUTS[index % len(CIPHER_LAYOUTS)])


def chain_steps(known: AnyReference, chain: Chain) -> _Cases:
    """The steps of one outer round, each with what the oracle makes of it."""
    if isinstance(chain, HashChain):
        assert isinstance(known, HashReference)
        three = [chain.seed] * 3
        for _ in range(chain.inner):
            message = b"".join(three)
            digest = known.digest(None, message)
            yield HashCase(None, message, digest)
            three = [*three[1:], digest]
        return
    assert isinstance(known, SkcipherReference)
    run = known.encrypt if chain.encrypt else known.decrypt
    iv, data, before = chain.iv, chain.start, chain.iv
    for _ in range(chain.inner):
        answer = run(chain.key, iv, data)
        after = answer.iv_out
        yield CipherCase(chain.encrypt, chain.key, iv, data, answer.out, after)
        # In CBC a step takes the result before the last one, at first the IV; in ECB the last,
        # as in CBC of triple DES when it decrypts.
        skips = chain.iv and not chain.latest
        data, before = (before if skips else answer.out), answer.out
        iv = after if after is not None and chain.iv else iv


def long_message(bench: HashBench, vector: HashVector) -> list[Problem]:
    """Hash a piece of data again and again, as one message that is never in memory as a whole."""
    assert vector.length is not None
    bench.refresh()
    piece = vector.message * max(1, _UPDATE // len(vector.message))
    base, steps = bench.arena(len(piece)), Steps(bench)
    bench.memory.write(base, piece)
    found = bench.guarded("hash", lambda: _begun(steps), again=False)
    whole, rest = divmod(vector.length, len(piece))
    sizes = iter([*repeat(len(piece), whole), *([rest] if rest else [])])
    while not found and (some := list(islice(sizes, _AT_A_TIME))):
        found = bench.guarded("hash", partial(_updated, steps, base, some), again=False)
    return found or bench.guarded("hash", lambda: _ended(bench, steps, vector), again=False)


def _begun(steps: Steps) -> list[Problem]:
    steps.init()
    return steps.found


def _updated(steps: Steps, base: int, sizes: list[int]) -> list[Problem]:
    for size in sizes:
        steps.update([Segment(base, size)])
    return steps.found


def _ended(bench: HashBench, steps: Steps, vector: HashVector) -> list[Problem]:
    steps.final()
    return steps.found or bench.judge(vector.digest, bench.result)


class _Accumulated:
    """The accumulated vectors of one driver's algorithm."""

    def __init__(self, subject: Subject, known: AnyReference) -> None:
        self.subject = subject
        self.known = known

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Run all cases in batches; the pinned digests are results of their own."""
        algorithm = self.subject.algorithm
        bench, total = make_bench(self.subject, watchdog), accumulated.Accumulator()
        pinned = accumulated.pins(algorithm)[algorithm]
        cases = enumerate(accumulated_cases(self.known, algorithm))
        for pin in pinned:
            while total.count < pin.count:
                batch = list(islice(cases, min(_BATCH, pin.count - total.count)))
                self._batch(recorder, bench, batch)
                digest = total.add(_output(case) for _, case in batch)
            problem = Problem("wrong pinned digest", facts.OUTPUT, pin.digest, digest)
            found = [] if digest == pin.digest else [problem._replace(attribution="suite")]
            recorder.result(f"{_PART}/digest-{pin.count}", found)
        source = f"derived, computed by two libraries; accumulated vectors of {algorithm}"
        recorder.source(_PART, source, total.count)

    def _batch(
        self, recorder: Recorder, bench: AnyBench, batch: list[tuple[int, CipherCase | HashCase]]
    ) -> None:
        for index, case in batch:
            if found := _checked(bench, case, index):
                recorder.result(f"{_PART}/{index}", found)
                return
        recorder.result(f"{_PART}/{batch[0][0]}-{batch[-1][0]}", [])


def _output(case: CipherCase | HashCase) -> bytes:
    return case.digest if isinstance(case, HashCase) else case.out


def accumulated_cases(known: AnyReference, algorithm: str) -> _Cases:
    """The drawn cases of an algorithm, without end, each with what the oracle makes of it."""
    index = 0
    while True:
        drawn = accumulated.draw(algorithm, index)
        index += 1
        if isinstance(known, HashReference):
            yield HashCase(drawn.key, drawn.data, known.digest(drawn.key, drawn.data))
            continue
        assert drawn.key is not None
        if isinstance(known, AeadReference):
            out = known.encrypt(drawn.key, drawn.iv, drawn.assoc, drawn.data, drawn.authsize)
            header = known.header(True, len(drawn.assoc))
            yield CipherCase(
                True,
                drawn.key,
                drawn.iv,
                drawn.data,
                out,
                assoc=drawn.assoc,
                authsize=drawn.authsize,
                header=header,
            )
            continue
        run = known.encrypt if drawn.encrypt else known.decrypt
        answer = run(drawn.key, drawn.iv, drawn.data)
        yield CipherCase(drawn.encrypt, drawn.key, drawn.iv, drawn.data, answer.out, answer.iv_out)

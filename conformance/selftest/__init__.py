"""What the self-test of Linux 6.1 would have said of a driver at registration.

The default build of testmgr runs vectors one at a time in its default configurations, with only
the assertions that it has (kernel-crypto, sections 1.4 to 1.7).  With its extra tests it draws
configurations and inputs as well (section 2).
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

from tcrypt.checks.common import AnyBench, make_bench
from tcrypt.cipher_bench import CipherCase
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.sim import StepBudgetError
from tcrypt.hash_bench import HashBench
from tcrypt.problems import WatchdogError
from tcrypt.selftest.configs import (
    CONFIGS,
    DRAWN,
    HASH_CONFIGS,
    drawn_config,
    drawn_hash_config,
)
from tcrypt.selftest.extra import Extra, Step, compared
from tcrypt.selftest.judging import FailedError, HangError, crypt, hash_message, refused
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.vectors.model import AeadVector, HashVector, SkcipherVector, Vector
from tcrypt.watchdog import DriverGivenUpError, Watchdog

__all__ = ("SOURCE", "Extra", "SelfTest", "Verdict", "self_test", "vectors_of")

SOURCE = "kernel-6.1"


class Verdict(NamedTuple):
    """Why the self-test fails.

    Attributes:
        how: `verdict` of testmgr; `hang`: the boot would wait forever; `crash`: the driver's code,
            or the model of its hardware, raised.
        message: what testmgr would say, or what was raised.
        where: vector, direction and configuration.
    """

    how: Literal["verdict", "hang", "crash"]
    message: str
    where: str


class SelfTest:
    """One algorithm's test, up to its first failure.

    Attributes:
        verdict: why it failed; None as long as it did not.
    """

    def __init__(
        self,
        subject: Subject,
        vectors: Sequence[Vector],
        watchdog: Watchdog,
        extra: Extra | None = None,
    ) -> None:
        self.verdict: Verdict | None = None
        self._subject, self._vectors = subject, vectors
        self._watchdog, self._extra = watchdog, extra

    def passed(self) -> Iterator[str]:
        """Run it; vector, direction and configuration of each step that passed."""
        where = "allocation"
        try:
            bench = make_bench(self._subject, self._watchdog)
            for name, step in self._steps(bench):
                where = name
                self._watchdog.arm()
                try:
                    step()
                finally:
                    self._watchdog.disarm()
                yield name
        except FailedError as error:
            self.verdict = Verdict("verdict", str(error), where)
        except (HangError, StepBudgetError, WatchdogError, DriverGivenUpError) as error:
            self.verdict = Verdict("hang", str(error) or "never completes", where)
        except OSError as error:
            said = f"failed with {errno_name(-(error.errno or 0))}"
            self.verdict = Verdict("verdict", said, where)
        except Exception as error:
            self.verdict = Verdict("crash", f"{type(error).__name__}: {error}", where)

    def _steps(self, bench: AnyBench) -> Iterator[Step]:
        for vector in self._vectors:
            yield from _steps(bench, vector, self._extra)
        if self._extra is not None:
            yield from compared(bench, self._vectors, self._extra)


def self_test(
    subject: Subject, catalogue: Catalogue, watchdog: Watchdog, extra: Extra | None = None
) -> Verdict | None:
    """The first failure of a driver's self-test; None when it passes or no vectors are there."""
    vectors = vectors_of(subject, catalogue)
    if not vectors:
        return None
    test = SelfTest(subject, vectors, watchdog, extra)
    for _ in test.passed():
        pass
    return test.verdict


def vectors_of(subject: Subject, catalogue: Catalogue) -> list[Vector]:
    """The vectors that testmgr has for a driver's algorithm."""
    return [
        vector
        for file in catalogue.files(subject.algorithm)
        if file.source == SOURCE and file.kind == subject.type.word
        for vector in file.load().vectors
    ]


def _steps(bench: AnyBench, vector: Vector, extra: Extra | None) -> Iterator[Step]:
    """A vector in each configuration, in testmgr's order."""
    if vector.expect is not None and vector.expect.stage != "crypt":
        yield f"{vector.id}/{vector.expect.stage}", partial(refused, bench, vector)
    elif isinstance(bench, HashBench):
        assert isinstance(vector, HashVector)
        key, message, digest = vector.key, vector.message, vector.digest
        for config in (*HASH_CONFIGS, *map(drawn_hash_config, _drawn(vector.id, extra))):
            step = partial(hash_message, bench, key, message, digest, config)
            yield f"{vector.id}/{config.name}", step
    else:
        assert isinstance(vector, SkcipherVector | AeadVector)
        for case in _cases(vector):
            where = f"{vector.id}/{'enc' if case.encrypt else 'dec'}"
            for layout in (*CONFIGS, *map(drawn_config, _drawn(where, extra))):
                yield f"{where}/{layout.name}", partial(crypt, bench, case, layout)


def _drawn(where: str, extra: Extra | None) -> list[int]:
    """The numbers of the drawn configurations of a vector and direction."""
    if extra is None:
        return []
    return extra.dice(where).sample(range(DRAWN), min(DRAWN, extra.iterations))


def _cases(vector: SkcipherVector | AeadVector) -> Iterator[CipherCase]:
    key, iv, ptext, ctext = vector.key, vector.iv, vector.ptext, vector.ctext
    if isinstance(vector, SkcipherVector):
        yield CipherCase(True, key, iv, ptext, ctext, vector.iv_out)
        yield CipherCase(False, key, iv, ctext, ptext, vector.iv_out)
        return
    more: dict[str, Any] = {"assoc": vector.assoc, "authsize": vector.authsize}
    if not vector.novrfy:
        yield CipherCase(True, key, iv, ptext, ctext, **more)
    status = -errno.EBADMSG if vector.novrfy else 0
    yield CipherCase(False, key, iv, ctext, ptext, status=status, **more)

"""Check `keys`: which keys are accepted, which errno refuses the rest, and what works then.

Key lengths run from 0 to 16 beyond the longest.  A transform without a key, and one whose driver
refused a key, must answer -ENOKEY (crypto API, 6.2).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from tcrypt import facts
from tcrypt.checks.common import AnyReference, make_bench, reference_for
from tcrypt.checks.key_material import all_keys, fips_keys, good_and_bad, weak_keys
from tcrypt.checks.key_memory import left_after_free, left_after_new_key, left_after_refusal
from tcrypt.checks.trial import good_spec
from tcrypt.cipher_bench import CipherBench, CipherCase
from tcrypt.engine.api.errors import errno_name
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.hash_bench import HashBench
from tcrypt.layouts import CIPHER_LAYOUTS, HASH_LAYOUTS
from tcrypt.material import draw
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference
from tcrypt.plan import Plan
from tcrypt.problems import Problem
from tcrypt.recorder import Recorder
from tcrypt.settings import Settings
from tcrypt.specs import AeadSpec, SkcipherSpec
from tcrypt.subject import Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.watchdog import Watchdog

__all__ = ("CHECK", "plans")

CHECK = "keys"


def plans(subject: Subject, settings: Settings, catalogue: Catalogue) -> Iterator[Plan]:
    """One item for each driver whose algorithm the oracle knows."""
    if reference_for(subject) is not None and not settings.vector:
        yield Plan(CHECK, subject, _Keys(subject).run)


class _Keys:
    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def run(self, recorder: Recorder, watchdog: Watchdog) -> None:
        """Try every length, then what a transform does without a good key."""
        reference = reference_for(self.subject)
        assert reference is not None
        bench = make_bench(self.subject, watchdog)
        for name, key in all_keys(reference):
            allowed = _allowed(reference, key)
            self._record(
                recorder,
                name,
                bench,
                lambda k=key, a=allowed: _setkey_problems(bench, k, a),  # type: ignore[misc]
            )
        if isinstance(reference, AeadReference):
            self._authsizes(recorder, bench, reference)
        if not (isinstance(reference, HashReference) and not reference.keyed):
            self._record(recorder, "no-key", bench, lambda: _no_key(bench))
            self._record(recorder, "refused-key", bench, lambda: _after_refusal(bench, reference))
            self._memory(recorder, bench, reference)
        self._weak(recorder, bench, reference)
        self._weak_in_fips(recorder, watchdog, reference)
        if isinstance(reference, SkcipherReference):
            self._record(recorder, "length-refused", bench, lambda: _kept(bench, reference))
        if isinstance(bench, HashBench):
            self._record(recorder, "clone", bench, lambda: _cloned(bench, reference))

    def _memory(
        self, recorder: Recorder, bench: CipherBench | HashBench, reference: AnyReference
    ) -> None:
        self._record(
            recorder, "wiped-new-key", bench, lambda: left_after_new_key(bench, reference)
        )
        self._record(recorder, "wiped-freed", bench, lambda: left_after_free(bench, reference))
        bad = good_and_bad(reference)[1]
        if bad is not None:
            self._record(
                recorder,
                "wiped-refused-key",
                bench,
                lambda: left_after_refusal(bench, reference, bad),
            )

    def _weak(
        self, recorder: Recorder, bench: CipherBench | HashBench, reference: AnyReference
    ) -> None:
        if isinstance(reference, HashReference):
            return
        for name, key in weak_keys(reference):
            for forbid in (False, True):
                wanted = reference.setkey_allowed(key, forbid_weak=forbid)
                self._record(
                    recorder,
                    f"weak-{name}{'-forbidden' if forbid else ''}",
                    bench,
                    lambda k=key, f=forbid, w=wanted: _weak_problems(bench, k, f, w),  # type: ignore[misc]
                )

    def _weak_in_fips(
        self, recorder: Recorder, watchdog: Watchdog, reference: AnyReference
    ) -> None:
        if isinstance(reference, HashReference):
            return
        cases = [
            (name, key)
            for name, key in fips_keys(reference)
            if recorder.wants(f"fips-{name}") and recorder.repeats(f"fips-{name}")
        ]
        if not cases:
            return
        setup = replace(self.subject.provider.setup, fips=True)
        bench = make_bench(self.subject.under(setup), watchdog)
        for name, key in cases:
            wanted = reference.setkey_allowed(key, fips=True)
            bench.refresh()
            body = partial(_setkey_problems, bench, key, wanted)
            recorder.result(f"fips-{name}", bench.guarded("setkey", body), token=f"fips-{name}")

    def _record(
        self,
        recorder: Recorder,
        name: str,
        bench: CipherBench | HashBench,
        body: Callable[[], list[Problem]],
    ) -> None:
        if not recorder.wants(name) or not recorder.repeats(name):
            return
        bench.refresh()
        recorder.result(name, bench.guarded("setkey", body), token=name)

    def _authsizes(
        self, recorder: Recorder, bench: CipherBench | HashBench, reference: AeadReference
    ) -> None:
        for size in range(reference.maxauthsize + 3):
            wanted = reference.authsize_status(size)
            self._record(
                recorder,
                f"authsize-{size}",
                bench,
                lambda n=size, w=wanted: _authsize_problems(bench, n, w),  # type: ignore[misc]
            )


def _allowed(reference: AnyReference, key: bytes) -> frozenset[int]:
    if isinstance(reference, HashReference):
        return frozenset({reference.setkey(key)})
    return reference.setkey_allowed(key)


def _setkey_problems(
    bench: CipherBench | HashBench, key: bytes, allowed: frozenset[int]
) -> list[Problem]:
    status = 0
    try:
        bench.tfm.setkey(key)
    except OSError as error:
        status = -(error.errno or 0)
    if status in allowed:
        return []
    wanted = " or ".join(sorted(errno_name(a) for a in allowed))
    what = "key accepted that must be refused" if not status else "key refused"
    if status and 0 not in allowed:
        what = "key refused with the wrong errno"
    return [Problem(what, facts.SETKEY, wanted, errno_name(status))]


def _weak_problems(
    bench: CipherBench | HashBench, key: bytes, forbid: bool, allowed: frozenset[int]
) -> list[Problem]:
    """A weak key is refused where the caller forbids such keys, and nowhere else (6.2)."""
    flag = ReqFlag.FORBID_WEAK_KEYS
    bench.tfm.clear_flags(flag)
    if forbid:
        bench.tfm.set_flags(flag)
    try:
        return _setkey_problems(bench, key, allowed)
    finally:
        bench.tfm.clear_flags(flag)


def _kept(bench: CipherBench | HashBench, reference: SkcipherReference) -> list[Problem]:
    """A length that the core refuses leaves the key before it in force (6.2)."""
    assert isinstance(bench, CipherBench)
    spec = SkcipherSpec("enc", reference.key_sizes[0], 64, seed=9)
    found = bench.check(spec.case(reference), CIPHER_LAYOUTS[0])
    if found:
        return found
    for size in (reference.min_keysize - 1, reference.max_keysize + 1):
        found = _setkey_problems(bench, draw("keys", max(size, 0)), frozenset({-errno.EINVAL}))
        if found:
            return found
    return bench.check(spec.case(reference, with_key=False), CIPHER_LAYOUTS[0])


def _cloned(bench: CipherBench | HashBench, reference: AnyReference) -> list[Problem]:
    """A clone has the key without a setkey and keeps it; a driver may say that it cannot."""
    assert isinstance(bench, HashBench)
    spec: Any = good_spec(reference, 9)
    case, first = spec.case(reference), bench.tfm
    if case.key is not None:
        first.setkey(case.key)
    try:
        bench.tfm = bench.machine.registry.clone_ahash(first)
    except OSError as error:
        allowed = -(error.errno or 0) == -errno.ENOSYS
        got = errno_name(-(error.errno or 0))
        return [] if allowed else [Problem("clone refused", facts.CLONE, "0 or -ENOSYS", got)]
    try:
        if case.key is not None:
            first.setkey(case.key[::-1])
        return bench.check(case._replace(key=None), HASH_LAYOUTS[0])
    finally:
        bench.broken = True


def _authsize_problems(bench: CipherBench | HashBench, size: int, wanted: int) -> list[Problem]:
    status = 0
    try:
        bench.tfm.setauthsize(size)  # type: ignore[union-attr]
    except OSError as error:
        status = -(error.errno or 0)
    if status == wanted:
        return []
    return [
        Problem("wrong answer to a tag size", facts.SETKEY, errno_name(wanted), errno_name(status))
    ]


def _operation(bench: CipherBench | HashBench) -> int:
    """The status of a well-formed operation on the transform as it is."""
    if isinstance(bench, HashBench):
        request = bench.tfm.request()
        bench.uninitialised(request)
        request.set_crypt(None, bench.result, 0)
        return int(bench.perform(request, bench.tfm.init).status)
    case = CipherCase(True, None, bytes(bench.ivsize), bytes(64), bytes(64 + 32))
    return int(bench.status(case, CIPHER_LAYOUTS[0]))


def _no_key(bench: CipherBench | HashBench) -> list[Problem]:
    bench.broken = True
    bench.refresh()
    return _wants_enokey(bench, facts.NO_KEY)


def _wants_enokey(bench: CipherBench | HashBench, fact: str) -> list[Problem]:
    status = _operation(bench)
    if status == -errno.ENOKEY:
        return []
    return [Problem("operation without a usable key", fact, "-ENOKEY", errno_name(status))]


def _after_refusal(bench: CipherBench | HashBench, reference: AnyReference) -> list[Problem]:
    """Good key, a key that the driver refuses, an operation; then a good key again."""
    good, bad = good_and_bad(reference)
    if bad is None:
        return []
    bench.tfm.setkey(good)
    try:
        bench.tfm.setkey(bad)
    except OSError:
        found = _wants_enokey(bench, facts.KEY_LOST)
    else:
        return [Problem("key accepted that must be refused", facts.SETKEY, "-EINVAL", "0")]
    if found or isinstance(bench, HashBench):
        return found
    if isinstance(reference, SkcipherReference):
        size = 16 if 16 in reference.key_sizes else reference.key_sizes[0]
        return bench.check(SkcipherSpec("enc", size, 64).case(reference), CIPHER_LAYOUTS[0])
    assert isinstance(reference, AeadReference)
    spec = AeadSpec("enc", 16, 64, reference.usual_assoc, reference.maxauthsize)
    return bench.check(spec.case(reference), CIPHER_LAYOUTS[0])

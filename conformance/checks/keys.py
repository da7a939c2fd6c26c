"""Check `keys`: which keys are accepted, which errno refuses the rest, and what works then.

Key lengths run from 0 to 16 beyond the longest.  A transform without a key, and one whose driver
refused a key, must answer -ENOKEY (crypto API, 6.2).
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterator

from tcrypt import facts
from tcrypt.checks.common import AnyReference, make_bench, reference_for
from tcrypt.cipher_bench import CipherBench, CipherCase
from tcrypt.engine.api.errors import errno_name
from tcrypt.hash_bench import HashBench
from tcrypt.layouts import CIPHER_LAYOUTS
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
_BEYOND = 16
_LONGEST_HMAC_KEY = 144


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
        for name, key in _keys(reference):
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

    def _record(
        self,
        recorder: Recorder,
        name: str,
        bench: CipherBench | HashBench,
        body: Callable[[], list[Problem]],
    ) -> None:
        if not recorder.wants(name):
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


def _keys(reference: AnyReference) -> Iterator[tuple[str, bytes]]:
    if isinstance(reference, SkcipherReference):
        longest = reference.max_keysize + _BEYOND
    elif isinstance(reference, HashReference):
        longest = _LONGEST_HMAC_KEY
        if reference.key_sizes is not None:
            longest = max(reference.key_sizes) + _BEYOND
    elif reference.key_sizes is not None:
        longest = max(reference.key_sizes) + _BEYOND
    else:
        yield from _authenc_blobs(reference)
        return
    for length in range(longest + 1):
        yield f"length-{length}", draw("keys", length)


def _authenc_blobs(reference: AeadReference) -> Iterator[tuple[str, bytes]]:
    """Blobs with every cipher key length, some authentication keys, and every malformation."""
    auth = draw("auth", 20)
    for length in range(33 + _BEYOND):
        yield f"enckey-{length}", reference.join_key(auth, draw("keys", length))
    for length in (0, 1, 19, 20, 21, 63, 64, 65, 128, 200):
        yield f"authkey-{length}", reference.join_key(draw("auth", length), draw("keys", 16))
    good = reference.join_key(auth, draw("keys", 16))
    for length in (0, 1, 4, 7, 8):
        yield f"blob-cut-to-{length}", good[:length]
    for what, header in (
        ("type-0", struct.pack("<HH", 8, 0)),
        ("type-2", struct.pack("<HH", 8, 2)),
        ("rta-len-0", struct.pack("<HH", 0, 1)),
        ("rta-len-7", struct.pack("<HH", 7, 1)),
        ("rta-len-12", struct.pack("<HH", 12, 1)),
        ("rta-len-200", struct.pack("<HH", 200, 1)),
    ):
        yield f"blob-{what}", header + good[4:]
    rest = len(good) - 8
    for what, size in (("one-more", rest + 1), ("huge", 0xFFFF_FFFF), ("negative", 1 << 31)):
        yield f"blob-enckeylen-{what}", good[:4] + struct.pack(">I", size) + good[8:]
    yield "blob-enckeylen-little-endian", good[:4] + struct.pack("<I", 16) + good[8:]
    yield "blob-raw-key", draw("keys", 36)


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
    good, bad = _good_and_bad(reference)
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
    spec = AeadSpec("enc", 16, 64, 16, reference.maxauthsize)
    return bench.check(spec.case(reference), CIPHER_LAYOUTS[0])


def _good_and_bad(reference: AnyReference) -> tuple[bytes, bytes | None]:
    """A good key, and one that passes the core's length check but not the driver's."""
    if isinstance(reference, SkcipherReference):
        good = draw("keys", reference.key_sizes[0])
        between = range(reference.min_keysize + 1, reference.max_keysize)
        odd = [n for n in between if n not in reference.key_sizes]
        return good, draw("keys", odd[0]) if odd else None
    if isinstance(reference, AeadReference):
        if reference.key_sizes is not None:
            return draw("keys", 16), draw("keys", 17)
        good = reference.join_key(draw("auth", 20), draw("keys", 16))
        return good, reference.join_key(draw("auth", 20), draw("keys", 17))
    if reference.key_sizes is None:
        return draw("keys", 16), None
    size = reference.key_sizes[0]
    return draw("keys", size), draw("keys", size + 1)

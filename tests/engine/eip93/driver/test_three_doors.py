"""One set of answers through three doors: rings with a crypto_engine, rings without, and no rings.

Published vectors (NIST CAVP and the curated suites) and what live Linux kernels answered, for
every algorithm of the driver, in each of its submission modes.
"""

from __future__ import annotations

from functools import partial
from typing import get_args

import pytest

from tcrypt.engine.eip93.driver.submission import Mode
from tcrypt.engine.eip93.variants import MT7621
from tcrypt.plugins.eip93 import attach_eip93
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.session import TcryptSession
from tcrypt.recorder import EventSink
from tcrypt.reports.events import CaseFailed, Event
from tcrypt.settings import Selection, Settings
from tcrypt.vectors.catalogue import Catalogue

_MODES: tuple[Mode, ...] = get_args(Mode)
_DIGESTS = ("md5", "sha1", "sha224", "sha256")
_CIPHERS = (
    *(f"{mode}({cipher})" for mode in ("ecb", "cbc") for cipher in ("des", "des3_ede", "aes")),
    "ctr(aes)",
    "rfc3686(ctr(aes))",
)
_IN_AEADS = ("cbc(des)", "cbc(des3_ede)", "cbc(aes)", "rfc3686(ctr(aes))")
_ALGORITHMS = (
    *_DIGESTS,
    *(f"hmac({digest})" for digest in _DIGESTS),
    *_CIPHERS,
    *(f"authenc(hmac({digest}),{cipher})" for digest in _DIGESTS for cipher in _IN_AEADS),
)
# The least that any of them is asked in quick measure.
_LEAST = {"vectors": 20, "answers": 12}


class Failures(EventSink):
    """Remembers what failed."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed):
            self.messages.append(f"{event.case}: {event.message}")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def run(mode: Mode, algorithm: str, check: str, catalogue: Catalogue) -> tuple[int, list[str]]:
    """Run a check in quick measure; how many cases were judged, and what failed."""
    providers = Providers()
    providers.add(mode, partial(attach_eip93, variant=MT7621, mode=mode))
    chosen = Selection(algorithms=(algorithm,), checks=(check,))
    session = TcryptSession(Settings(profile="quick", selection=chosen), providers, catalogue)
    session.sink = sink = Failures()
    session.watchdog.seconds = 60.0
    count = 0
    try:
        for plan in session.plans(check):
            count += session.run(plan).executed
    finally:
        session.release()
    return count, sink.messages


def test_the_driver_has_no_other_algorithms() -> None:
    assert len(set(_ALGORITHMS)) == 32


@pytest.mark.parametrize("check", ["vectors", "answers"])
@pytest.mark.parametrize("algorithm", _ALGORITHMS)
def test_every_door_gives_the_known_answers(
    check: str, algorithm: str, catalogue: Catalogue
) -> None:
    found = {mode: run(mode, algorithm, check, catalogue) for mode in _MODES}
    assert {mode: failed for mode, (_, failed) in found.items()} == {mode: [] for mode in _MODES}
    counts = {count for count, _ in found.values()}
    assert len(counts) == 1, "what one door is asked, all are"
    assert min(counts) >= _LEAST[check]

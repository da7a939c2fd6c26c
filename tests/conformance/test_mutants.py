"""A check that never failed proves nothing: every planted defect is caught by its check.

The table says where each defect shows: provider, algorithm, check, and what the check says.  Most
run in this process; a dozen run as a user runs them, from the command line.  Defects that no
check sees yet are expected failures, with what is missing: a check that learns to see one turns
its entry into an error, and it moves to the others.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tcrypt.engine.api.machine import Machine
from tcrypt.engine.eip93.variants import TINY_RING
from tcrypt.engine.sim import Costs
from tcrypt.mutants import MUTANTS, UnknownMutantError, all_mutants, mutant, plant
from tcrypt.mutants.seams import replaced
from tcrypt.plugins import providers as builtin
from tcrypt.plugins.eip93 import attach_eip93
from tcrypt.plugins.providers import Providers
from tcrypt.plugins.session import TcryptSession
from tcrypt.recorder import EventSink
from tcrypt.reports.events import CaseFailed, Event
from tcrypt.settings import Selection, Settings
from tcrypt.vectors.catalogue import Catalogue

MT7621, AES128, OPENWRT = "eip93-mt7621", "eip93-aes128-only", "eip93-openwrt"
TINY, SLOW = "eip93-tiny-ring", "eip93-slow-host"
DIRECT, DHM = "eip93-direct", "eip93-dhm"
ASYNC, TEMPLATES = "eip93-async-fallback", "eip93-templates"
ECB, CBC, CTR = "ecb(aes)", "cbc(aes)", "ctr(aes)"
AUTHENC_256 = "authenc(hmac(sha256),rfc3686(ctr(aes)))"
AUTHENC, SHA1, HMAC = "authenc(hmac(sha1),cbc(aes))", "sha1", "hmac(sha1)"
AUTHENCESN, ECHAINIV = "authencesn(hmac(sha1),cbc(aes))", f"echainiv({AUTHENC})"
RFC4106, SOFTWARE = "rfc4106(gcm(aes))", "software"
RFC3686, TDES = "rfc3686(ctr(aes))", "cbc(des3_ede)"
AUTHENC_DES, AUTHENC_CTR = "authenc(hmac(sha1),cbc(des))", f"authenc(hmac(sha1),{RFC3686})"

OUTPUT, IV, STATUS, DIGEST = "wrong output", "wrong output IV", "wrong status", "wrong digest"
OVERRUN, LOST = "memory around the destination overwritten", "accepted and never completed"
ACCEPTED = "key accepted that must be refused"
LATER, CHANGED = "completed out of order", "request changed by the driver"
ENGINE = "the wrong engine did the work"
USED = "request used after its completion"
STRAY = "the device was sent to memory that is not mapped"


@dataclass(frozen=True)
class Caught:
    """Where a defect shows.

    `case` narrows the check down to one case; one that takes longer than `patience` (s) hangs.
    """

    mutant: str
    provider: str
    algorithm: str
    check: str
    message: str
    profile: str = "quick"
    case: str = ""
    patience: float = 10.0


CAUGHT = (
    Caught("IV-01", MT7621, CBC, "boundaries", IV),
    Caught("IV-02", MT7621, CBC, "boundaries", IV),
    Caught("IV-04", MT7621, CTR, "boundaries", IV),
    Caught("IV-05", MT7621, CTR, "boundaries", IV),
    Caught("IV-06", MT7621, ECB, "boundaries", IV),
    Caught("IV-08", MT7621, CBC, "sequences", IV),
    Caught("IV-09", MT7621, CTR, "boundaries", IV),
    Caught("IV-12", MT7621, CBC, "sequences", "memory around the IV overwritten"),
    Caught("IV-13", MT7621, RFC3686, "boundaries", IV),
    Caught("IV-14", AES128, CBC, "fallback", OUTPUT),
    Caught("CTR-02", MT7621, CTR, "boundaries", IV),
    Caught("CTR-03", MT7621, CTR, "boundaries", OUTPUT),
    Caught("CTR-05", MT7621, CTR, "boundaries", OUTPUT),
    Caught("CTR-06", MT7621, CTR, "boundaries", OUTPUT),
    Caught("CTR-08", MT7621, CTR, "boundaries", OUTPUT),
    Caught("SG-02", MT7621, CBC, "boundaries", OUTPUT),
    Caught("SG-03", MT7621, CBC, "boundaries", OUTPUT),
    Caught("SG-05", MT7621, CBC, "boundaries", STATUS),
    Caught("SG-05b", MT7621, SHA1, "boundaries", "wrong status of digest"),
    Caught("SG-07", MT7621, CTR, "boundaries", OVERRUN),
    Caught("SG-07b", MT7621, SHA1, "boundaries", DIGEST),
    Caught("SG-08", MT7621, CBC, "boundaries", OUTPUT),
    Caught("SG-09", MT7621, CBC, "boundaries", OVERRUN),
    Caught("SG-10", MT7621, SHA1, "boundaries", DIGEST),
    Caught("SG-13", MT7621, AUTHENC, "boundaries", STATUS),
    Caught("SG-14", MT7621, AUTHENC, "boundaries", OUTPUT),
    Caught("SG-16", MT7621, CBC, "boundaries", OUTPUT),
    Caught("SG-17", MT7621, SHA1, "vectors", DIGEST),
    Caught("SG-18", MT7621, SHA1, "sequences", DIGEST),
    Caught("SG-20", MT7621, CBC, "sequences", STATUS),
    Caught("SG-21", MT7621, CTR, "boundaries", OUTPUT),
    Caught("SG-23", MT7621, CTR, "boundaries", OVERRUN),
    Caught("LEN-01", MT7621, CBC, "boundaries", LOST),
    Caught("LEN-03", MT7621, CBC, "boundaries", STATUS),
    Caught("LEN-04", MT7621, CBC, "boundaries", STATUS),
    Caught("LEN-06", MT7621, CBC, "boundaries", OVERRUN),
    Caught("LEN-07", MT7621, CTR, "boundaries", OUTPUT),
    Caught("LEN-09", MT7621, CBC, "boundaries", STATUS, "full", "op=enc,key=16,len=1048576"),
    Caught("LEN-10", MT7621, SHA1, "boundaries", LOST),
    Caught("LEN-11", MT7621, SHA1, "boundaries", "hash raised AttributeError"),
    Caught("LEN-13", MT7621, CBC, "sequences", USED),
    Caught("KF-01", AES128, CBC, "fallback", STATUS),
    Caught("KF-01b", MT7621, CBC, "registration", "usable without a fallback"),
    Caught("KF-01c", MT7621, CBC, "registration", "a transform is left half open"),
    Caught("KF-02", MT7621, RFC3686, "keys", "key refused"),
    Caught("KF-04", AES128, CBC, "fallback", OUTPUT),
    Caught("KF-05", MT7621, CBC, "fallback", ENGINE),
    Caught("KF-05b", OPENWRT, CBC, "fallback", ENGINE),
    Caught("KF-06", MT7621, AUTHENC, "boundaries", "AAD in the destination"),
    Caught("KF-08", MT7621, AUTHENC, "boundaries", CHANGED),
    Caught("KF-09", TEMPLATES, "cts(cbc(aes))", "boundaries", "encrypt raised AtomicSleepError"),
    Caught("KF-11", MT7621, CBC, "keys", "key refused with the wrong errno"),
    Caught("KF-11b", MT7621, CBC, "keys", "setkey raised DriverNonsenseError"),
    Caught("KF-13", MT7621, AUTHENC_DES, "boundaries", OUTPUT),
    Caught("KF-14", MT7621, AUTHENC, "keys", "key refused"),
    Caught("KF-15", MT7621, AUTHENC, "boundaries", OUTPUT),
    Caught("KF-17", MT7621, AUTHENC_CTR, "boundaries", OUTPUT),
    Caught("KF-18", MT7621, AUTHENC, "sequences", OUTPUT),
    Caught("KF-19", MT7621, HMAC, "keys", "key refused"),
    Caught("KF-19b", MT7621, CBC, "registration", "fallback-taken raised RecursionError"),
    Caught(
        "KF-19c",
        MT7621,
        AUTHENC,
        "registration",
        "a fallback without CRYPTO_ALG_NEED_FALLBACK",
    ),
    Caught("KF-23", MT7621, AUTHENC, "fallback", ENGINE),
    Caught("KF-24", MT7621, SHA1, "boundaries", "wrong status of init"),
    Caught("WK-01", MT7621, TDES, "keys", ACCEPTED),
    Caught("WK-04", MT7621, TDES, "keys", "key refused"),
    Caught("WK-05", MT7621, TDES, "keys", ACCEPTED),
    Caught("HS-02", MT7621, SHA1, "sequences", DIGEST),
    Caught("HS-03", MT7621, SHA1, "boundaries", DIGEST),
    Caught("HS-05", MT7621, SHA1, "sequences", DIGEST),
    Caught("HS-06", MT7621, SHA1, "sequences", DIGEST),
    Caught("HS-07", MT7621, SHA1, "sequences", DIGEST),
    Caught("HS-08", MT7621, SHA1, "sequences", DIGEST),
    Caught("HS-10", MT7621, SHA1, "sequences", "update wrote to the result buffer"),
    Caught("HS-11", MT7621, SHA1, "sequences", "memory behind the state buffer overwritten"),
    Caught("HS-12", MT7621, SHA1, "sequences", DIGEST),
    Caught("HS-14", MT7621, SHA1, "sequences", DIGEST),
    Caught("HS-16", MT7621, SHA1, "sequences", DIGEST),
    Caught("HS-17", MT7621, SHA1, "sequences", DIGEST),
    Caught("HS-19", MT7621, SHA1, "sequences", "sequence raised RecursionError"),
    Caught("HS-20", MT7621, HMAC, "boundaries", DIGEST, "default"),
    Caught("HS-22", MT7621, SHA1, "boundaries", DIGEST),
    Caught("HS-23", MT7621, SHA1, "boundaries", "wrong status of digest"),
    Caught("HS-24", MT7621, SHA1, "sequences", DIGEST),
    Caught("HM-01", MT7621, HMAC, "boundaries", DIGEST),
    Caught("HM-02", MT7621, HMAC, "sequences", DIGEST),
    Caught("HM-04", MT7621, HMAC, "keys", "operation without a usable key"),
    Caught("HM-06", MT7621, HMAC, "sequences", DIGEST),
    Caught("HM-07", MT7621, HMAC, "boundaries", DIGEST),
    Caught("HM-09", MT7621, HMAC, "sequences", DIGEST),
    Caught("AE-01", MT7621, AUTHENC, "sequences", STATUS),
    Caught("AE-03", MT7621, AUTHENC, "sequences", STATUS),
    Caught("AE-04", MT7621, AUTHENC, "boundaries", STATUS),
    Caught("AE-06", MT7621, AUTHENC, "boundaries", OUTPUT),
    Caught("AE-07", MT7621, AUTHENC, "boundaries", STATUS),
    Caught("AE-09", MT7621, AUTHENC, "boundaries", "AAD in the destination"),
    Caught("AE-11", MT7621, AUTHENC, "sequences", CHANGED),
    Caught("AE-12", MT7621, AUTHENC, "boundaries", "plaintext of a forged message released"),
    Caught("AE-14", SOFTWARE, AUTHENCESN, "boundaries", OVERRUN),
    Caught("AE-15", MT7621, AUTHENC, "sequences", OUTPUT),
    Caught("AE-17", MT7621, AUTHENC, "boundaries", STATUS),
    Caught("AE-18", MT7621, AUTHENC, "boundaries", STATUS),
    Caught("AE-20", MT7621, AUTHENC, "boundaries", OUTPUT),
    Caught("AE-21", MT7621, AUTHENC, "sequences", STATUS),
    Caught("AE-22", MT7621, AUTHENC, "sequences", STATUS),
    Caught("AE-24", SOFTWARE, RFC4106, "boundaries", STATUS),
    Caught("AE-26", SOFTWARE, ECHAINIV, "boundaries", OUTPUT),
    Caught("EQ-01", MT7621, CBC, "boundaries", "encrypt hangs", patience=0.5),
    Caught("EQ-03", TINY, CBC, "retry", "backlogged and completed without a notice"),
    Caught("EQ-04", TINY, CBC, "retry", LATER),
    Caught("EQ-06", MT7621, CBC, "boundaries", "returned a status and called back as well"),
    Caught("EQ-07", MT7621, CTR, "boundaries", LOST),
    Caught("EQ-09", TINY, CBC, "retry", LOST),
    Caught("EQ-10", TINY, CBC, "retry", "refused by a full queue and called back"),
    Caught("EQ-12", ASYNC, CBC, "faults", "completed more than once"),
    Caught("EQ-13", ASYNC, CBC, "faults", STATUS),
    Caught("EQ-15", TINY, CBC, "retry", LOST),
    Caught("EQ-16", MT7621, CBC, "lifecycle", "wrong status of unbind"),
    Caught("EQ-18", TINY, CBC, "sequences", OUTPUT),
    Caught("EQ-19", TINY, CBC, "retry", "retry hangs", patience=0.5),
    Caught("EQ-21", MT7621, CBC, "sequences", LOST),
    Caught("EQ-22", TINY, CBC, "sequences", "completed with bottom halves enabled"),
    Caught("EQ-24", MT7621, CBC, "boundaries", USED),
    Caught("EQ-25", MT7621, CBC, "faults", LOST),
    Caught("CR-01", TINY, CBC, "retry", LOST),
    Caught("CR-03", TINY, CBC, "retry", LOST),
    Caught("CR-04", TINY, CBC, "retry", "retry never ends", patience=40.0),
    Caught("CR-06", MT7621, CBC, "faults", OUTPUT),
    Caught("CR-07", MT7621, AUTHENC, "sequences", STATUS),
    Caught("CR-09", MT7621, AUTHENC, "sequences", STATUS),
    Caught("CR-10", MT7621, AUTHENC, "sequences", "status is neither 0 nor a negative errno"),
    Caught("CR-12", MT7621, CBC, "faults", LOST),
    Caught("CR-13", MT7621, CBC, "faults", "request hangs", patience=0.5),
    Caught("CR-15", MT7621, CBC, "lifecycle", "driver hangs", patience=0.5),
    Caught("CR-16", TINY, CBC, "retry", USED),
    Caught("CR-18", MT7621, CBC, "sequences", "sequence hangs", patience=0.5),
    Caught("CR-19", TINY, CBC, "retry", LOST),
    Caught("CR-20", MT7621, CBC, "sequences", LOST),
    Caught("CR-23", MT7621, CBC, "sequences", LOST),
    Caught("CC-01", MT7621, CBC, "sequences", OUTPUT),
    Caught("CC-03", MT7621, CBC, "sequences", OUTPUT),
    Caught("CC-04", MT7621, CBC, "sequences", OUTPUT),
    Caught("CC-06", MT7621, CBC, "sequences", OUTPUT),
    Caught("CC-07", MT7621, CBC, "sequences", OUTPUT),
    Caught("CC-09", MT7621, SHA1, "faults", LOST),
    Caught("CC-10", MT7621, CBC, "faults", "request raised DeadlockError"),
    Caught("CC-12", MT7621, AUTHENC, "sequences", STATUS),
    Caught("CC-13", MT7621, CBC, "sequences", "sequence raised AtomicSleepError"),
    Caught("CC-15", MT7621, CBC, "sequences", OUTPUT),
    Caught("AE-01b", DHM, AUTHENC_256, "sequences", STATUS),
    Caught("CR-12b", DHM, AUTHENC_256, "faults", LOST),
    Caught("SG-23b", DHM, AUTHENC_256, "boundaries", OVERRUN),
    Caught("CC-09b", DIRECT, CBC, "interleavings", LOST, profile="default"),
    Caught("CC-10b", DIRECT, CBC, "faults", "request raised DeadlockError"),
    Caught("CC-13b", DIRECT, CBC, "sequences", "sequence raised AtomicSleepError"),
    Caught("CC-13c", DIRECT, CBC, "retry", "retry raised AtomicSleepError"),
    Caught("CR-19b", DIRECT, CBC, "retry", LOST),
    Caught("EQ-03b", DIRECT, CBC, "retry", "backlogged and completed without a notice"),
    Caught("EQ-04b", DIRECT, CBC, "retry", LATER),
    Caught("EQ-06b", DIRECT, CBC, "faults", "returned a status and called back as well"),
    Caught("EQ-09b", DIRECT, CBC, "retry", LOST),
    Caught("EQ-10b", DIRECT, CBC, "retry", "request refused although it may be backlogged"),
    Caught("EQ-12b", DIRECT, CBC, "retry", "unexpected backlog notice"),
    Caught("EQ-15b", DIRECT, CBC, "lifecycle", LOST),
    Caught("EQ-19b", DIRECT, CBC, "retry", "retry hangs", patience=0.5),
    Caught("EQ-22b", DIRECT, CBC, "retry", "completed with bottom halves enabled"),
    Caught("RG-01", MT7621, CTR, "registration", "wrong cra_blocksize"),
    Caught("RG-02", MT7621, CBC, "registration", "wrong cra_blocksize"),
    Caught("RG-03", MT7621, CBC, "registration", "wrong ivsize"),
    Caught("RG-05", MT7621, ECB, "registration", "wrong max_keysize"),
    Caught("RG-06", MT7621, ECB, "registration", "driver name of another template"),
    Caught("RG-06b", MT7621, "ecb(des)", "registration", "driver name of another template"),
    Caught(
        "RG-06c",
        MT7621,
        "authenc(hmac(md5),cbc(aes))",
        "registration",
        "blank in a driver name",
    ),
    Caught("RG-08", MT7621, SHA1, "registration", "priority beyond the policy"),
    Caught("RG-09", MT7621, CBC, "registration", "completes later without CRYPTO_ALG_ASYNC"),
    Caught("RG-09b", MT7621, SHA1, "registration", "completes later without CRYPTO_ALG_ASYNC"),
    Caught("RG-12", MT7621, AUTHENC, "registration", "self-test: setkey fails"),
    Caught(
        "RG-14",
        MT7621,
        CBC,
        "registration",
        "allocates memory without CRYPTO_ALG_ALLOCATES_MEMORY",
    ),
    Caught(
        "RG-14b",
        MT7621,
        SHA1,
        "registration",
        "allocates memory without CRYPTO_ALG_ALLOCATES_MEMORY",
    ),
    Caught("RG-16", MT7621, CTR, "registration", "wrong chunksize"),
    Caught("ML-02", MT7621, SHA1, "boundaries", "memory behind the result buffer overwritten"),
    Caught("ML-03", MT7621, CBC, "boundaries", "memory around the source overwritten"),
    Caught("ML-04", MT7621, CBC, "sequences", "memory around the source overwritten"),
    Caught("ML-06", MT7621, CBC, "boundaries", STATUS),
    Caught("ML-08", MT7621, CBC, "faults", STRAY),
    Caught("ML-10", MT7621, CBC, "boundaries", "DMA mappings left behind"),
    Caught("ML-11", MT7621, CBC, "sequences", "key left in memory"),
    Caught("ML-11b", MT7621, HMAC, "keys", "key of a freed transform left in memory"),
    Caught("ML-11c", MT7621, CBC, "keys", "key left in memory after a refused one"),
    Caught("ML-11d", MT7621, CBC, "keys", "an older key left in memory"),
    Caught("ML-13", MT7621, SHA1, "boundaries", DIGEST),
    Caught("ML-14", TINY, CBC, "retry", "memory left allocated"),
    Caught("ML-15", MT7621, CBC, "faults", STRAY),
    Caught(
        "KF-11c", MT7621, CBC, "registration", "wrong status of a key that the fallback refused"
    ),
    Caught(
        "EQ-15c",
        MT7621,
        CBC,
        "lifecycle",
        "engine: the engine exited before its algorithms were unregistered",
    ),
    Caught("EQ-15d", MT7621, CBC, "lifecycle", LOST),
    Caught("EQ-15e", MT7621, CBC, "lifecycle", LOST),
    Caught("EQ-15f", MT7621, CBC, "lifecycle", LOST),
    Caught("EQ-22c", MT7621, CBC, "sequences", "completed with interrupts off"),
    Caught("EQ-22d", MT7621, CBC, "sequences", "completed with interrupts off"),
    Caught("CR-09b", MT7621, CBC, "faults", STATUS),
    Caught("CR-09c", MT7621, CBC, "faults", "an error of the device is lost"),
    Caught("CR-23b", MT7621, CBC, "faults", LOST),
    Caught(
        "RG-09c",
        MT7621,
        CBC,
        "registration",
        "drives a device without CRYPTO_ALG_KERN_DRIVER_ONLY",
    ),
    Caught("RG-12b", MT7621, CBC, "lifecycle", "algorithms left behind by a driver that is gone"),
    Caught(
        "ML-10b", MT7621, CBC, "sequences", "completed while its memory is mapped for the device"
    ),
    Caught("ML-14b", MT7621, CBC, "registration", "users left behind by a freed transform"),
    Caught("ML-14c", MT7621, CTR, "faults", "memory left allocated"),
)

# Run from the command line.
AS_A_USER = (
    "IV-01",
    "CTR-02",
    "CTR-06",
    "SG-03",
    "SG-07",
    "KF-04",
    "HM-01",
    "HS-07",
    "AE-04",
    "EQ-09",
    "CR-01",
    "CR-03",
    "CR-19",
    "CC-01",
)

# It stops the driver from registering at all, so there is no check to catch it.
UNREGISTERED = "RG-11"


def slow_host(machine: Machine) -> None:
    """The driver on a host that answers an interrupt more slowly than the engine goes on."""
    machine.sim.costs = Costs(softirq=1_000, irq=2_000)
    attach_eip93(machine, TINY_RING)


PROVIDERS: dict[str, Callable[[Machine], None]] = {
    MT7621: builtin.eip93_mt7621,
    AES128: builtin.eip93_aes128_only,
    OPENWRT: builtin.eip93_openwrt,
    TINY: builtin.eip93_tiny_ring,
    ASYNC: builtin.eip93_async_fallback,
    TEMPLATES: builtin.eip93_templates,
    DIRECT: builtin.eip93_direct,
    DHM: builtin.eip93_dhm,
    SOFTWARE: builtin.software,
    SLOW: slow_host,
}


class Failures(EventSink):
    """Remembers what failed."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def append(self, event: Event) -> None:
        if isinstance(event, CaseFailed):
            self.messages += [event.message, *_also(event)]


def _also(event: CaseFailed) -> Iterator[str]:
    for detail in event.details:
        if detail.startswith("also: "):
            yield detail.removeprefix("also: ")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def failures(caught: Caught, catalogue: Catalogue, *, planted: bool = True) -> list[str]:
    """Run one check against one driver in this process; the messages of what failed."""
    providers = Providers()
    providers.add(caught.provider, PROVIDERS[caught.provider])
    selection = Selection(algorithms=(caught.algorithm,), checks=(caught.check,))
    settings = Settings(profile=caught.profile, selection=selection, case=caught.case)
    mutants = (caught.mutant,) if planted else ()
    session = TcryptSession(settings, providers, catalogue, mutants)
    session.sink = sink = Failures()
    session.watchdog.seconds = caught.patience
    try:
        for plan in session.plans(caught.check):
            session.run(plan)
    finally:
        session.release()
    return sink.messages


def tcrypt(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Run the suite as a user does; the exit status and the report."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--pyargs",
        "tcrypt",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [*command, "--tcrypt-report-dir", str(folder), "--tcrypt-profile", "quick", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    report = folder / "report.json"
    assert report.exists(), done.stdout + done.stderr
    loaded: dict[str, Any] = json.loads(report.read_text())
    return done.returncode, loaded


def of(name: str) -> Caught:
    return next(caught for caught in CAUGHT if caught.mutant == name)


IN_PROCESS = [caught for caught in CAUGHT if caught.mutant not in AS_A_USER]


@pytest.mark.parametrize("caught", IN_PROCESS, ids=lambda caught: caught.mutant)
def test_defect_is_caught_by_its_check(caught: Caught, catalogue: Catalogue) -> None:
    assert caught.message in failures(caught, catalogue)


@pytest.mark.parametrize("name", AS_A_USER)
def test_defect_fails_a_run_of_the_suite(name: str, tmp_path: Path) -> None:
    caught = of(name)
    where = ["--tcrypt-provider", caught.provider, "--tcrypt-algorithm", caught.algorithm]
    where += ["--tcrypt-check", caught.check]
    status, report = tcrypt(tmp_path, "--tcrypt-mutant", name, *where)
    assert status == 1
    found = {(failure["check"], failure["message"]) for failure in report["failures"]}
    assert (caught.check, caught.message) in found


def test_defect_that_keeps_a_driver_from_registering_fails_the_run(tmp_path: Path) -> None:
    status, report = tcrypt(tmp_path, "--tcrypt-mutant", UNREGISTERED, "--tcrypt-provider", MT7621)
    assert status != 0
    assert "statesize 0" in json.dumps(report["coverage_lost"])


def test_correct_driver_raises_no_alarm(tmp_path: Path) -> None:
    """The provider of most defects; the main job runs all of them."""
    status, report = tcrypt(tmp_path, "--tcrypt-provider", MT7621)
    assert report["failures"] == []
    assert report["coverage_lost"] == report["untested"] == report["problems"] == []
    assert status == 0
    assert {algorithm["provider"] for algorithm in report["algorithms"]} == {MT7621}


def test_correct_driver_raises_no_alarm_on_a_slow_host(catalogue: Catalogue) -> None:
    for check in ("retry", "sequences"):
        assert failures(Caught("", SLOW, CBC, check, ""), catalogue, planted=False) == []


def test_every_defect_has_its_place_in_one_of_the_tables() -> None:
    listed = [caught.mutant for caught in CAUGHT]
    assert sorted([*listed, UNREGISTERED]) == sorted(found.id for found in all_mutants())
    assert set(AS_A_USER) <= {caught.mutant for caught in CAUGHT}


def test_document_lists_every_defect_with_what_catches_it() -> None:
    text = (Path(__file__).parents[2] / "docs" / "defects.md").read_text("utf-8")
    rows = [line.split(" | ") for line in text.partition("## Not planted")[0].splitlines()]
    listed = [(row[0].lstrip("| "), row[2].strip("`")) for row in rows[6:] if len(row) > 4]
    caught = [(caught.mutant, caught.check) for caught in CAUGHT]
    assert sorted(pair for pair in listed if pair[0] != UNREGISTERED) == sorted(caught)


@pytest.mark.parametrize("name", [found.id for found in all_mutants()])
def test_defect_is_gone_afterwards(name: str) -> None:
    modules = {n: m for n, m in sys.modules.items() if n.startswith("tcrypt.engine")}
    places: list[object] = [*modules.values()]
    for module in modules.values():
        places += [v for v in vars(module).values() if isinstance(v, type)]
    before = [dict(vars(place)) for place in places]
    with plant(name):
        assert before != [dict(vars(place)) for place in places], "nothing was planted"
    assert before == [dict(vars(place)) for place in places]


def test_unknown_defect_is_refused_with_near_names() -> None:
    with pytest.raises(UnknownMutantError, match=r"no mutant 'IV-1'; did you mean .*IV-01"):
        plant("IV-1")


def test_two_defects_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="mutant IV-01 is defined twice"):
        mutant("IV-01", "another")(MUTANTS["IV-01"].plant)


def test_defect_without_its_place_in_the_code_is_refused() -> None:
    with pytest.raises(LookupError, match="has no 'gone': the defect has lost its place"):
        with replaced((Caught, "profile", "full"), (Caught, "gone", None)):
            pytest.fail("planted")
    assert Caught.profile == "quick"

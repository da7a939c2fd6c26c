"""Measured cases as calls: what is understood, what agrees, and what a wrong driver is told."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tcrypt.answers.asking import Class, Question, ask, classify
from tcrypt.answers.probe import Probe
from tcrypt.answers.texts import agrees
from tcrypt.checks import answers
from tcrypt.checks.answers import measured, plans
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.plugins.cli import main
from tcrypt.plugins.providers import Providers, eip93_mt7621, software
from tcrypt.recorder import EventSink, Recorder
from tcrypt.reports.events import CaseFailed, CasesSet, Event
from tcrypt.settings import Settings
from tcrypt.subject import Provider, Subject
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.vectors.linux_behaviour import Row, load, shipped
from tcrypt.watchdog import Watchdog


def row(group: str, driver: str, case: str, result: str) -> Row:
    return Row(f"linux-behaviour/{group}-0000", 2, group, driver, case, {"6.12": result})


def test_every_shipped_row_is_understood() -> None:
    found: Counter[tuple[str, str]] = Counter()
    for item in shipped().rows:
        question = classify(item)
        kind = Class.EXECUTED if isinstance(question, Question) else question[0]
        found[item.group, kind.value] += 1
    assert found == {
        ("bind", "executed"): 65,
        ("bind", "not applicable"): 1,
        ("setkey", "executed"): 2702,
        ("setkey", "not applicable"): 52,
        ("authsize", "executed"): 294,
        ("authsize", "not applicable"): 1,
        ("skcipher", "executed"): 310,
        ("skcipher", "not applicable"): 77,
        ("hash", "executed"): 52,
        ("aead", "executed"): 186,
        ("aead", "not applicable"): 57,
        ("rng", "not applicable"): 27,
        ("conc", "executed"): 23,
        ("conc", "not applicable"): 9,
        ("aioaead", "executed"): 11,
        ("aioaead", "not applicable"): 4,
        ("hang", "executed"): 6,
        ("hang", "not applicable"): 1,
    }


@pytest.mark.parametrize(
    ("group", "driver", "case", "result"),
    [
        ("setkey", "cbc(aes-generic)", "keylen=99", "EINVAL"),
        ("setkey", "authenc(hmac(sha256),cbc(aes))", "authkey=7 enckey=32", "ok"),
        ("setkey", "cbc(des3_ede-generic)", "K1==K3", "ok"),
        ("setkey", "authenc(hmac(sha1),cbc(aes))", "rta_len 33", "EINVAL"),
        ("authsize", "ccm(aes)", "6", "ok"),
        ("skcipher", "cbc-aes-aesni", "sendmsg ALG_SET_IV ivlen=5", "EINVAL"),
        ("skcipher", "cbc-aes-aesni", "dec len=47, recv(max(len,16))", "EINVAL"),
        ("skcipher", "ctr(aes-generic)", "enc len=63", "(63, True)"),
        (
            "skcipher",
            "ctr(aes-generic)",
            "send 40 / recv / plain send rest: iv-out",
            "counter advanced by ceil",
        ),
        (
            "skcipher",
            "cbc(aes-generic)",
            "send 48 then repeated recv(20) [iv chaining]",
            "chunks [16, 16, 16] == one-shot",
        ),
        ("aead", "gcm(aes)", "decrypt input shorter than tag (3)", "EINVAL"),
        ("aead", "authenc(hmac(sha1),cbc(aes))", "encrypt pt len=48", "(76, True)"),
        ("aead", "rfc4106(gcm(aes))", "assoclen=18 (must be 16 or 20)", "EINVAL"),
        (
            "hash",
            "sha1",
            "recvmsg(7): len, prefix ok, flags (MSG_TRUNC=0x20), next recv",
            "(7, True, flags=0x20, 20B:da39a3ee5e6b4b0d3255bfef95601890afd80709)",
        ),
    ],
)
def test_other_rows_of_the_same_forms_are_asked(
    group: str, driver: str, case: str, result: str
) -> None:
    question = classify(row(group, driver, case, result))
    assert isinstance(question, Question)
    machine = Machine()
    software(machine)
    kinds = {"skcipher": "skcipher", "aead": "aead", "authsize": "aead", "hash": "hash"}
    kind = kinds.get(group) or ("aead" if "authenc" in driver else "skcipher")
    finding = ask(Probe(machine, kind, question.algorithm, question.algorithm), question)
    assert (finding.kind, finding.got) == (Class.EXECUTED, result)


@pytest.mark.parametrize(
    ("item", "kind", "why"),
    [
        (row("skcipher", "cbc(aes)", "send it by post", "ok"), Class.UNPARSED, "no form of"),
        (row("cooking", "cbc(aes)", "keylen=1", "ok"), Class.UNPARSED, "no form of group cooking"),
        (row("setkey", "cbc(aes)", "keylen=1 or so", "ok"), Class.UNPARSED, "no form of"),
        (row("rng", "stdrng", "recv(1)", "ok"), Class.NOT_APPLICABLE, "no random number"),
        (
            Row("a", 2, "setkey", "x", "keylen=1", {"7.3": "ok"}),
            Class.NOT_APPLICABLE,
            "not measured on 6.12 (on: 7.3)",
        ),
    ],
)
def test_what_is_not_asked_says_why(item: Row, kind: Class, why: str) -> None:
    found = classify(item)
    assert not isinstance(found, Question)
    assert found[0] is kind
    assert why in found[1]


@pytest.mark.parametrize(
    ("expected", "got", "right"),
    [
        ("ok", "ok", True),
        ("EINVAL", "EBADMSG", False),
        ("64B:sha256=" + "f5a5fd42d16a2030", "64B:" + "00" * 64, True),
        ("64B:sha256=" + "f5a5fd42d16a2030", "64B:" + "01" * 64, False),
        ("correct 9, 12 req/s", "correct 9", True),
        ("correct 9, 12 req/s", "correct 8", False),
        ("(EBADMSG, plaintext RELEASED)", "(EBADMSG, buffer changed: 00)", True),
        ("(EBADMSG, buffer changed: 00ee)", "(EBADMSG, buffer changed: 0000)", True),
        ("(EBADMSG, buffer changed: 00ee)", "(EBADMSG, plaintext RELEASED)", False),
        ("(EBADMSG, buffer changed: 00ee)", "(EINVAL, buffer changed: 00ee)", False),
    ],
)
def test_when_results_agree(expected: str, got: str, right: bool) -> None:
    assert agrees(expected, got) is right


# The check.


class Log(EventSink):
    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, event: Event) -> None:
        self.events.append(event)

    def failed(self) -> list[CaseFailed]:
        return [event for event in self.events if isinstance(event, CaseFailed)]


def provider(change: Callable[[Any], None] | None = None) -> Provider:
    """Machines with the generics, their cbc(aes) changed."""

    def register(machine: Machine) -> None:
        if change is not None:
            change(machine.registry.find("cbc(aes)", AlgType.SKCIPHER))

    providers = Providers()
    providers.add("mine", register)
    return next(iter(providers))


def run(
    change: Callable[[Any], None] | None = None, profile: str = "default", case: str = ""
) -> tuple[Log, Recorder]:
    mine = provider(change)
    subject = Subject(mine, mine.boot().registry.find("cbc(aes)", AlgType.SKCIPHER))
    return ask_all(subject, Settings(profile=profile, case=case))


def ask_all(subject: Subject, settings: Settings) -> tuple[Log, Recorder]:
    [plan] = plans(subject, settings, Catalogue([]))
    log = Log()
    recorder = Recorder(log, plan, settings)
    plan.body(recorder, Watchdog(10.0))
    recorder.finish()
    return log, recorder


def test_a_right_driver_agrees_with_all_of_it() -> None:
    log, recorder = run()
    assert log.failed() == []
    asked = measured()[0]["cbc(aes)"]
    left_out = [e for e in log.events if isinstance(e, CasesSet)]
    assert recorder.executed + sum(len(e.ids) for e in left_out) == len(asked)
    assert recorder.executed > 500


def _other_iv(alg: Any) -> None:
    """Forget to write the IV back."""
    encrypt = alg.encrypt

    def without_iv(request: Any) -> int:
        before = request.iv.read()
        status: int = encrypt(request)
        request.iv.write(before)
        return status

    alg.encrypt = without_iv


def _refuses_nothing(alg: Any) -> None:
    """Answer an empty request with an error."""
    encrypt = alg.encrypt
    alg.encrypt = lambda request: encrypt(request) if request.cryptlen else -errno.EINVAL


def _any_key(alg: Any) -> None:
    """Take a key of any length for one of 16 bytes."""
    setkey = alg.setkey
    alg.min_keysize, alg.max_keysize = 0, 1 << 20

    def cut(tfm: Skcipher, key: bytearray) -> int:
        status: int = setkey(tfm, bytearray(bytes(key).ljust(16, b"\0")[:16]))
        return status

    alg.setkey = cut


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_other_iv, "another output than Linux"),
        (_other_iv, "another behaviour than Linux (skcipher)"),
        (_refuses_nothing, "another behaviour than Linux (skcipher)"),
        (_any_key, "another error than Linux"),
        (_any_key, "another behaviour than Linux (setkey)"),
    ],
)
def test_a_wrong_driver_is_told_apart(change: Callable[[Any], None], message: str) -> None:
    log, _ = run(change)
    assert message in {event.message for event in log.failed()}


def test_a_failure_reproduces_alone() -> None:
    log, _ = run(_other_iv)
    first = log.failed()[0]
    assert first.command.endswith(f"--check answers --seed 0 --case {first.case}")
    alone, recorder = run(_other_iv, case=first.case)
    assert [event.case for event in alone.failed()] == [first.case]
    assert recorder.executed == 1


def test_a_small_profile_takes_a_sample_and_says_so() -> None:
    log, recorder = run(profile="quick")
    assert recorder.executed <= 2 * 40
    reasons = {event.reason for event in log.events if isinstance(event, CasesSet)}
    assert "profile quick asks a sample of what was measured" in reasons


def test_the_run_says_what_applies_to_none_of_its_drivers() -> None:
    told = answers.unasked(["cbc(aes)"])
    assert "of 6,258 records of measured Linux answers do not apply" in told
    assert "no driver of gcm(aes)" in told
    assert "no driver of cbc(aes)" not in told


# The command.


def test_the_command_asks_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "group,driver,case,6.12\n"
        "setkey,cbc-aes-aesni,keylen=16,ok\n"
        "setkey,cbc-aes-aesni,keylen=17,ok\n"
        "setkey,chacha20-generic,keylen=32,ok\n"
        "setkey,cbc-aes-aesni,a new form,ok\n"
    )
    assert len(load(path).rows) == 4
    arguments = ["answers", "--csv", str(path), "--provider", "software"]
    assert main([*arguments, "--driver", "cbc(aes-generic)"]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[1].split() == ["cases", "setkey", "1", "1", "1", "1"]
    assert "WRONG software/cbc(aes-generic): cbc-aes-aesni: keylen=17: expected ok" in out
    assert "unparsed:     1  no form of group setkey for 'a new form'" in out
    assert "no driver of chacha20" in out


def test_the_command_refuses_a_broken_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["answers", "--json", str(tmp_path / "none.json")]) == 2
    assert "none.json: cannot be read" in capsys.readouterr().err


def _keeps(pieces: int) -> Callable[[Any], None]:
    """Leave the pieces of a list behind the first few alone."""

    def change(alg: Any) -> None:
        encrypt = alg.encrypt

        def short(request: Any) -> int:
            entries = request.dst.entries
            kept = sum(entry.length for entry in entries[:pieces])
            before = request.dst.read(request.cryptlen)
            status: int = encrypt(request)
            if request.cryptlen > kept:
                request.dst.write(before[kept:], kept)
            return status

        alg.encrypt = short

    return change


def test_a_driver_that_drops_the_last_pages_of_a_long_request_is_seen() -> None:
    log, _ = run(_keeps(24))
    seen = [event for event in log.failed() if "WRONG" in event.got]
    assert {event.expected for event in seen} >= {"(131072, 131072)", "(212992, 212992)"}
    assert run(_keeps(52))[0].failed() == []


@pytest.mark.parametrize("forgets", [False, True])
def test_every_hash_is_asked_whether_clones_go_on(forgets: bool) -> None:
    def register(machine: Machine) -> None:
        eip93_mt7621(machine)
        if forgets:
            alg: Any = machine.registry.find("sha1-eip93", AlgType.AHASH)
            alg.import_state = lambda request, state: alg.init(request)

    providers = Providers()
    providers.add("mine", register)
    mine = next(iter(providers))
    rows = measured()[0]["hmac(sha256)"].rows
    case = next(question.row.id for question in rows if "clones" in question.row.case)
    subject = Subject(mine, mine.boot().registry.find("sha1-eip93", AlgType.AHASH))
    log, recorder = ask_all(subject, Settings(case=case))
    assert recorder.executed == 1
    assert len(log.failed()) == forgets

"""Coverage of requests: which bins there are for a driver, and which ones a request hits."""

from __future__ import annotations

import errno
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tcrypt.checks.common import SpecRunner, make_bench, reference_for
from tcrypt.checks.loads import EVERY, fill, make_swarm
from tcrypt.cipher_bench import CipherBench
from tcrypt.cover import sampling
from tcrypt.cover.classes import LENGTHS, Lengths, representatives
from tcrypt.cover.goals import GOALS
from tcrypt.cover.model import Point, Rule, model_of
from tcrypt.engine.api.flags import AlgFlag, ReqFlag
from tcrypt.engine.api.machine import Accelerator
from tcrypt.engine.api.transforms import Skcipher
from tcrypt.layouts import slug
from tcrypt.plan import Plan
from tcrypt.plugins.discovery import subjects_of
from tcrypt.plugins.providers import Providers, load_file
from tcrypt.recorder import EventSink, Recorder
from tcrypt.reports.cover_tally import CoverTally
from tcrypt.reports.events import CoverHits, CoverModelled, Event
from tcrypt.settings import PROFILES, Settings
from tcrypt.specs import AeadSpec, HashSpec, SkcipherSpec
from tcrypt.subject import Provider, Subject
from tcrypt.watchdog import Watchdog

_EXAMPLE = Path(__file__).parents[2] / "examples" / "my_driver.py"
_SMALL = {"ring_size": 4, "queue_length": 4}


@pytest.fixture(autouse=True)
def fresh() -> None:
    """No test sees what another one's drivers did."""
    sampling.begin(())


@lru_cache
def provider(name: str) -> Provider:
    providers = Providers()
    providers.add_entry_points()
    if name == "my_driver":
        load_file(providers, str(_EXAMPLE))
    return next(p for p in providers if p.name == name)


@lru_cache
def subjects(name: str) -> list[Subject]:
    return subjects_of(provider(name))


def subject(name: str, driver: str) -> Subject:
    return next(each for each in subjects(name) if each.driver == driver)


class Seen:
    """The bins of one driver after some requests, by the name of the cross."""

    def __init__(self) -> None:
        tally = CoverTally()
        for event in sampling.events():
            if isinstance(event, CoverModelled):
                tally.modelled(event)
            elif isinstance(event, CoverHits):
                tally.hit(event)
        coverage = tally.coverage({})
        assert coverage is not None
        (self.driver,) = coverage.drivers
        self._crosses = {cross.name: cross for cross in self.driver.crosses}

    def hit(self, cross: str) -> set[str]:
        return set(self._crosses[cross].names_hit)

    def missed(self, cross: str) -> set[str]:
        return set(self._crosses[cross].names_missed)

    def counted(self, cross: str) -> set[str]:
        return self.hit(cross) | self.missed(cross)

    def reasons(self, kind: str) -> set[str]:
        return {out.reason for out in self.driver.left_out if out.kind == kind}


def ran(who: Subject, *specs: Any) -> Seen:
    runner = SpecRunner(who, Watchdog(5.0))
    for spec in specs:
        assert runner.problems(spec) == []
    return Seen()


def loaded(who: Subject, flags: int, count: int) -> Seen:
    setup = who.provider.setup
    bench = make_bench(who.under(replace(setup, knobs=_SMALL)), Watchdog(5.0))
    swarm = make_swarm(bench)
    assert fill(swarm, count, EVERY) == []
    swarm.submit(flags)
    bench.settle()
    for flight in swarm.flights:
        if flight.ticket.submitted == -errno.ENOSPC:
            assert swarm.untouched(flight)
        else:
            assert swarm.problems(flight) == []
    return Seen()


# Which bins there are.


def test_a_users_own_driver_gets_the_bins_of_its_hardware() -> None:
    seen = ran(subject("my_driver", "cbc(aes-toy)"), SkcipherSpec("enc", 16, 64))
    counted = seen.counted("key size x direction x path x layout")
    assert "16 x encrypt x hardware x in place" in counted
    assert "24 x decrypt x fallback: key size x in place" in counted
    assert not any(name.startswith(("24", "32")) and "hardware" in name for name in counted)
    assert not any(name.startswith("16") and "fallback" in name for name in counted)


def test_a_software_driver_has_no_paths_and_no_queue() -> None:
    seen = ran(subject("software", "cbc(aes-generic)"), SkcipherSpec("enc", 16, 64))
    names = {cross.name for cross in seen.driver.crosses}
    assert "key size x direction x layout" in names
    assert not any("path" in name or "queue" in name for name in names)


def test_a_block_mode_and_a_stream_refuse_what_they_do() -> None:
    cbc = ran(subject("software", "cbc(aes-generic)"), SkcipherSpec("enc", 16, 64))
    assert "encrypt x odd x ok" not in cbc.counted("direction x length x status")
    assert "encrypt x odd x -EINVAL" in cbc.counted("direction x length x status")
    assert "cbc(aes) refuses such lengths" in cbc.reasons("impossible")
    sampling.begin(())
    ctr = ran(subject("software", "ctr(aes-generic)"), SkcipherSpec("enc", 16, 64))
    assert "encrypt x odd x ok" in ctr.counted("direction x length x status")
    assert "encrypt x odd x -EINVAL" not in ctr.counted("direction x length x status")


def test_a_driver_without_crypto_engine_cannot_be_seen_to_retry_and_has_its_own_queue() -> None:
    seen = ran(subject("eip93-direct", "cbc(aes-eip93)"), SkcipherSpec("enc", 16, 64))
    assert {"backlogged", "refused", "hardware full"} <= seen.counted("queue")


def test_an_asynchronous_driver_of_unknown_hardware_has_unreachable_bins() -> None:
    found = provider("my_driver")

    def without_evidence(setup: Any) -> Any:
        machine = found.build(setup)
        machine.accelerators.clear()
        machine.engines.clear()
        return machine

    alone = replace(found, build=without_evidence)
    alg = subject("my_driver", "cbc(aes-toy)").alg
    seen = ran(Subject(alone, alg), SkcipherSpec("enc", 16, 64))
    reason = "nobody says which of its requests find no room in the hardware"
    assert reason in seen.reasons("unreachable")
    assert "hardware full" not in seen.counted("queue")


def test_nobody_works_on_aad_that_the_algorithm_refuses() -> None:
    """rfc4106 takes 16 and 20 bytes of AAD only (crypto API, 6.4), on whatever hardware."""
    found = provider("software")
    sound = next(each for each in subjects("software") if each.algorithm == "rfc4106(gcm(aes))")

    def on_a_device(setup: Any) -> Any:
        machine = found.build(setup)
        machine.attach(Accelerator(name="d", jobs=int, supports=lambda *_: True, depth=1))
        return machine

    alg = sound.alg.variant(cra_flags=sound.alg.cra_flags | AlgFlag.KERN_DRIVER_ONLY)
    seen = ran(Subject(replace(found, build=on_a_device), alg), AeadSpec("enc", 20, 64, 16, 16))
    assert seen.counted("path x assoc")
    assert {name.split(" x ")[1] for name in seen.counted("path x assoc")} == {"words of AAD"}


@pytest.mark.parametrize("fallback", [True, False])
def test_a_hash_with_a_fallback_may_leave_steps_to_it(fallback: bool) -> None:
    sound = subject("eip93-mt7621", "sha256-eip93")
    flags = AlgFlag.NEED_FALLBACK if fallback else AlgFlag(0)
    alg = sound.alg.variant(cra_flags=sound.alg.cra_flags | flags)
    counted = ran(Subject(sound.provider, alg), HashSpec(64)).counted("how x path")
    asked = {name.split(" x ")[0] for name in counted if name.endswith("x hardware")}
    assert ("updates and final" in asked) is not fallback
    assert "digest" in asked


def test_requests_are_counted_on_whichever_device_did_them() -> None:
    """One driver, two devices: the second one did it."""
    found = provider("my_driver")

    def beside_another(setup: Any) -> Any:
        machine = found.build(setup)
        idle = Accelerator(name="idle", jobs=int, supports=lambda *_: True, depth=1)
        machine.accelerators.insert(0, idle)
        return machine

    alg = subject("my_driver", "cbc(aes-toy)").alg
    seen = ran(Subject(replace(found, build=beside_another), alg), SkcipherSpec("enc", 16, 64))
    assert seen.hit("path") == {"hardware"}


def test_a_rule_about_what_there_is_not_is_refused() -> None:
    points = [Point("size", ("1", "2"))]
    for where in ({"size": ("3",)}, {"colour": ("red",)}):
        with pytest.raises(ValueError, match="there is no"):
            model_of(points, [], [Rule("impossible", "why", where)])
    with pytest.raises(ValueError, match="there is no cross"):
        model_of(points, [], [Rule("impossible", "why", {"size": ("1",)}, "size x colour")])


def test_a_point_with_one_bin_is_left_out_of_crosses() -> None:
    points = [Point("a", ("1", "2")), Point("b", ("only",)), Point("c", ("x", "y"))]
    model = model_of(points, [("a", "b", "c"), ("a", "c")], [])
    assert model.crosses == ((0,), (2,), (0, 2))


@pytest.mark.parametrize("unit", [1, 8, 16, 64, 136])
def test_lengths_fall_into_the_kinds_that_they_represent(unit: int) -> None:
    lengths = Lengths(unit)
    for word, examples in representatives(unit):
        assert {LENGTHS[lengths[length]] for length in examples} <= {word}
    assert LENGTHS[lengths[0]] == "empty"
    assert LENGTHS[lengths[4096]] in ("blocks", "odd")
    assert LENGTHS[lengths[65_536]] == "64 KiB and more"


def test_every_profile_has_goals_that_ask_more_of_all_than_of_one() -> None:
    assert set(GOALS) == {name for name, profile in PROFILES.items() if not profile.testmgr}
    for goals in GOALS.values():
        assert {"*", "point"} <= set(goals)
        assert all(0 < goal.own <= goal.shared <= 100 for goal in goals.values())


def test_goals_are_of_crosses_that_there_are() -> None:
    sampling.begin(())
    known = set()
    for name, driver, spec in (
        ("eip93-mt7621", "cbc(aes-eip93)", SkcipherSpec("enc", 16, 64)),
        ("eip93-mt7621", "ctr(aes-eip93)", SkcipherSpec("enc", 16, 64)),
        ("eip93-mt7621", "cbc(des-eip93)", SkcipherSpec("enc", 8, 64)),
        ("software", "cbc(aes-generic)", SkcipherSpec("enc", 16, 64)),
        ("software", "cbc(des-generic)", SkcipherSpec("enc", 8, 64)),
        (
            "eip93-mt7621",
            "authenc(hmac(sha1-eip93),cbc(aes-eip93))",
            AeadSpec("enc", 16, 64, 16, 20),
        ),
        (
            "eip93-mt7621",
            "authenc(hmac(sha1-eip93),cbc(des-eip93))",
            AeadSpec("enc", 8, 64, 16, 20),
        ),
        ("eip93-mt7621", "hmac(sha1-eip93)", HashSpec(64, 20)),
        ("eip93-mt7621", "sha1-eip93", HashSpec(64)),
    ):
        sampling.begin(())
        known |= {cross.name for cross in ran(subject(name, driver), spec).driver.crosses}
    named = {name for goals in GOALS.values() for name in goals} - {"*", "point"}
    assert named - known == set()


# Which ones a request hits.


def test_a_request_hits_its_size_direction_path_and_layout() -> None:
    spec = SkcipherSpec("dec", 24, 64, slug("even splits in place"))
    seen = ran(subject("eip93-mt7621", "cbc(aes-eip93)"), spec)
    assert seen.hit("key size x direction x path x layout") == {
        "24 x decrypt x hardware x in place, pieces"
    }
    assert seen.hit("queue") == {"idle"}
    assert seen.hit("flags") == {"MAY_BACKLOG"}


def test_a_fallback_is_told_with_its_reason() -> None:
    seen = ran(subject("my_driver", "cbc(aes-toy)"), SkcipherSpec("enc", 32, 64))
    assert seen.hit("path") == {"fallback: key size"}
    sampling.begin(())
    short = ran(subject("eip93-openwrt", "cbc(aes-eip93)"), SkcipherSpec("enc", 16, 64))
    assert short.hit("path") == {"fallback: short"}


def test_a_refused_and_an_empty_request_are_nobodys_work() -> None:
    who = subject("eip93-mt7621", "cbc(aes-eip93)")
    seen = ran(who, SkcipherSpec("enc", 16, 17), SkcipherSpec("enc", 16, 0))
    assert seen.hit("path") == {"refused", "nothing to do"}
    assert seen.hit("status") == {"-EINVAL", "ok"}


def test_a_forged_message_hits_the_status_of_its_tag() -> None:
    who = subject("eip93-mt7621", "authenc(hmac(sha1-eip93),cbc(aes-eip93))")
    seen = ran(who, AeadSpec("dec", 16, 64, 16, 12, tamper="tag:0"))
    assert seen.hit("direction x status x tag") == {"decrypt x -EBADMSG x words of a tag"}


def test_an_authenc_key_counts_by_the_key_of_its_cipher() -> None:
    who = subject("eip93-mt7621", "authenc(hmac(sha1-eip93),cbc(aes-eip93))")
    assert ran(who, AeadSpec("enc", 32, 64, 16, 20, auth=64)).hit("key size") == {"32"}


def test_a_hash_hits_its_steps_and_the_length_of_its_key() -> None:
    who = subject("software", "hmac(sha1-generic)")
    seen = ran(who, HashSpec(100, 65, slug("import/export")), HashSpec(64, 64))
    assert seen.hit("how x key") == {
        "export and import x longer than a block",
        "digest x one block",
    }


def test_layouts_that_go_without_may_backlog_do() -> None:
    layouts = ("four even splits src, ten dst", "ten even splits src, one dst")
    specs = [SkcipherSpec("enc", 16, 320, slug(name)) for name in layouts]
    seen = ran(subject("eip93-mt7621", "cbc(aes-eip93)"), *specs)
    assert seen.hit("flags") == {"no flags", "MAY_SLEEP"}


def test_a_driver_that_refuses_what_may_not_wait_though_it_is_idle_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = Skcipher.encrypt

    def wrong(tfm: Skcipher, request: Any) -> int:
        if not request.flags & ReqFlag.MAY_BACKLOG:
            return -errno.ENOSPC
        return right(tfm, request)

    monkeypatch.setattr(Skcipher, "encrypt", wrong)
    runner = SpecRunner(subject("eip93-mt7621", "cbc(aes-eip93)"), Watchdog(5.0))
    for name, messages in (
        ("four even splits src, ten dst", ["wrong status"]),
        ("out-of-place", []),
    ):
        found = runner.problems(SkcipherSpec("enc", 16, 320, slug(name)))
        assert [problem.message for problem in found] == messages


@pytest.mark.parametrize("name", ["eip93-mt7621", "eip93-direct"])
def test_a_load_hits_every_state_of_the_queue(name: str) -> None:
    who = subject(name, "cbc(aes-eip93)")
    backlog = loaded(who, int(ReqFlag.MAY_BACKLOG), 40)
    assert backlog.hit("queue") >= {"idle", "busy", "hardware full", "backlogged"}
    assert "refused" not in backlog.hit("queue")
    assert {"backlogged x 24", "backlogged x 32"} <= backlog.hit("queue x key size")
    assert "backlogged x decrypt x in place, pieces" in backlog.hit("queue x direction x layout")
    sampling.begin(())
    assert "refused" in loaded(who, 0, 40).hit("queue")


def test_what_the_model_has_no_bin_for_is_dropped() -> None:
    who = subject("software", "cbc(aes-generic)")
    bench = make_bench(who, Watchdog(5.0))
    assert isinstance(bench, CipherBench)
    reference: Any = reference_for(who)
    case = SkcipherSpec("enc", 16, 64).case(reference)
    prepared = bench.prepare(case, EVERY[0])
    ticket: Any = SimpleNamespace(
        status=-errno.EIO, submitted=-errno.EIO, ahead=0, jobs=0, given=(None, 0), alone=False
    )
    bench.cover.judged(prepared, ticket, bench.machine)
    seen = Seen()
    assert seen.hit("key size") == {"16"}
    assert seen.hit("status") == set()


# How it is written down.


class _Kept(EventSink):
    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, event: Event) -> None:
        self.events.append(event)


def test_what_was_seen_is_in_the_log_with_the_cases_that_showed_it() -> None:
    who = subject("software", "cbc(aes-generic)")
    runner, sink = SpecRunner(who, Watchdog(5.0)), _Kept()
    recorder = Recorder(sink, Plan("c", who, lambda recorder, watchdog: None), Settings())
    specs = [SkcipherSpec("enc", 16, 16 * n, seed=n) for n in range(1, 251)]
    runner.run(specs[:210], recorder)
    # A process that is killed now has told of what the first 200 cases showed.
    told = [event for event in sink.events if isinstance(event, CoverHits)]
    assert told
    assert sum(isinstance(event, CoverModelled) for event in sink.events) == 1
    runner.run(specs[210:], recorder)
    recorder.finish()
    places = [tuple(hit) for e in sink.events if isinstance(e, CoverHits) for hit in e.hits]
    assert len(places) == len(set(places)), "a bin is told once"


def test_all_benches_of_a_driver_count_together_also_on_other_machines() -> None:
    who = subject("eip93-mt7621", "cbc(aes-eip93)")
    elsewhere = who.under(replace(who.provider.setup, semantics="linux-6.1"))
    alg = next(a for a in who.provider.boot().registry if a.cra_driver_name == who.driver)
    again = Subject(who.provider, alg)
    for number, each in enumerate((who, elsewhere, again)):
        runner = SpecRunner(each, Watchdog(5.0))
        assert runner.problems(SkcipherSpec("enc", (16, 24, 32)[number], 64)) == []
    assert Seen().hit("key size") == {"16", "24", "32"}


def test_a_driver_that_was_not_expected_is_not_told_of() -> None:
    expected, other = (subject("software", f"{mode}(aes-generic)") for mode in ("cbc", "ctr"))
    sampling.begin([expected])
    for each in (expected, other):
        assert SpecRunner(each, Watchdog(5.0)).problems(SkcipherSpec("enc", 16, 64)) == []
    assert Seen().driver.driver == "cbc(aes-generic)"

"""What a run was asked for: selection, profiles, and the command that repeats a case."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcrypt import checks
from tcrypt.division import standings
from tcrypt.engine import software
from tcrypt.engine.api.algorithms import AnyAlg
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.shash import ahash_view
from tcrypt.reports.words import DIVIDED_CHECKS
from tcrypt.settings import PROFILES, Selection, Settings, matches
from tcrypt.specs import AeadSpec, SkcipherSpec
from tcrypt.subject import Provider, Subject, properties_of

_AUTHENC = "authenc(hmac(sha1-generic),cbc(aes-generic))"
_words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)


def generic(driver: str, kind: AlgType = AlgType.SKCIPHER) -> AnyAlg:
    machine = Machine()
    software.register(machine)
    return machine.registry.find(driver, kind)


def subject(driver: str = "cbc(aes-generic)", provider: str = "software") -> Subject:
    alg = generic(driver, AlgType.AEAD if driver == _AUTHENC else AlgType.SKCIPHER)
    return Subject(Provider(provider, lambda setup: Machine(setup=setup)), alg)


def options(command: str) -> dict[str, str]:
    """The options of a command line, as a shell would hand them on."""
    program, verb, *words = shlex.split(command)
    assert (program, verb) == ("tcrypt", "run")
    assert len(words) % 2 == 0
    return dict(zip(words[::2], words[1::2], strict=True))


# Commands.


def test_a_command_names_driver_check_and_seed() -> None:
    command = Settings(seed=5).command(subject(), "fuzz")
    assert command == (
        "tcrypt run --provider software --driver 'cbc(aes-generic)' --check fuzz --seed 5"
    )


@given(_words, _words, st.sampled_from([*PROFILES]), st.integers(0, 2**63))
def test_commands_survive_a_shell(vector: str, case: str, profile: str, seed: int) -> None:
    settings = Settings(profile=profile, seed=seed)
    found = options(settings.command(subject(_AUTHENC), "vectors", vector=vector, case=case))
    assert found.pop("--profile", "default") == profile
    assert found == {
        "--provider": "software",
        "--driver": _AUTHENC,
        "--check": "vectors",
        "--seed": str(seed),
        "--vector": vector,
        "--case": case,
    }


@given(_words, st.lists(_words, max_size=4))
def test_names_and_further_arguments_survive_a_shell(provider: str, extra: list[str]) -> None:
    settings = Settings(extra_arguments=tuple(extra))
    words = shlex.split(settings.command(subject(provider=provider), "keys"))
    assert words[3] == provider
    assert words[len(words) - len(extra) :] == extra


@pytest.mark.parametrize(
    "spec",
    [SkcipherSpec("enc", 16, 33, iv="wrap32:2"), AeadSpec("dec", 16, 16, 8, 12, tamper="tag:3")],
)
def test_a_generated_case_comes_back_through_its_command(spec: SkcipherSpec | AeadSpec) -> None:
    command = Settings().command(subject(), "fuzz", case=spec.token)
    assert type(spec).parse(options(command)["--case"]) == spec


def test_a_command_has_one_line() -> None:
    settings = Settings(extra_arguments=("--from", "my driver.py"))
    command = settings.command(subject(_AUTHENC), "fuzz", case="op=enc,key=16,len=1")
    assert "\n" not in command
    assert command.endswith("--case op=enc,key=16,len=1 --from 'my driver.py'")


# Selection.


def test_nothing_selected_takes_everything() -> None:
    assert Selection().takes(subject())
    assert Selection().takes_provider("anything")
    assert Selection().takes_check("anything")


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(drivers=("cbc(aes-generic)",)), True),
        (Selection(drivers=("ctr(aes-generic)",)), False),
        (Selection(drivers=("ctr*", "cbc*")), True),
        (Selection(drivers=("*generic*",), algorithms=("cbc(aes)",)), True),
        (Selection(drivers=("*generic*",), algorithms=("ctr(aes)",)), False),
        (Selection(algorithms=("CBC*",)), False),
        (Selection(types=("skcipher",)), True),
        (Selection(types=("aead", "ahash")), False),
        (Selection(providers=("soft*",)), True),
        (Selection(providers=("eip93-*",)), False),
        (Selection(checks=("fuzz",)), True),
    ],
)
def test_every_list_must_match(selection: Selection, taken: bool) -> None:
    assert selection.takes(subject()) == taken


def test_checks_and_providers_are_selected_by_pattern() -> None:
    selection = Selection(providers=("eip93-*",), checks=("fuzz", "ret*"))
    assert selection.takes_provider("eip93-mt7621")
    assert not selection.takes_provider("software")
    assert selection.takes_check("retry")
    assert not selection.takes_check("vectors")


@given(_words)
def test_a_name_matches_itself_whatever_it_holds(name: str) -> None:
    assert matches(name, name)
    assert matches("*", name)


def test_a_name_with_brackets_is_no_pattern() -> None:
    assert matches("cbc[aes]", "cbc[aes]")
    assert matches("cbc[ae]", "cbca")
    assert not matches("cbc(aes)", "cbc(aes-generic)")


def test_options_name_every_pattern() -> None:
    selection = Selection(providers=("a", "b"), checks=("c",))
    assert selection.options() == [("provider", "a"), ("provider", "b"), ("check", "c")]


# Profiles and subjects.


def test_profiles_grow() -> None:
    quick, default, full = (PROFILES[name] for name in ("quick", "default", "full"))
    assert quick.fuzz_examples < default.fuzz_examples < full.fuzz_examples
    assert quick.largest < default.largest < full.largest
    assert 0 < quick.vectors_per_file
    assert default.vectors_per_file == full.vectors_per_file == 0
    assert Settings(profile="full").limits is full


@pytest.mark.parametrize("settings", [Settings(vector="v1"), Settings(case="len=1")])
def test_one_vector_or_case_makes_a_run_narrow(settings: Settings) -> None:
    assert settings.narrow
    assert not Settings(seed=1).narrow


def test_a_subject_is_known_by_provider_and_driver() -> None:
    found = subject()
    assert found.id == "software/cbc(aes-generic)"
    assert (found.algorithm, found.type.word) == ("cbc(aes)", "skcipher")


@pytest.mark.parametrize(
    "alg",
    [
        generic("cbc(aes-generic)"),
        generic(_AUTHENC, AlgType.AEAD),
        ahash_view(generic("sha1-generic", AlgType.SHASH)),  # type: ignore[arg-type]
    ],
    ids=lambda alg: alg.type.word,
)
def test_listed_properties_are_the_types(alg: AnyAlg) -> None:
    sizes = {
        "skcipher": {"min keysize", "max keysize", "ivsize", "chunksize"},
        "aead": {"ivsize", "chunksize", "maxauthsize"},
        "ahash": {"digestsize", "statesize"},
    }
    found = properties_of(alg)
    common = {"priority", "flags", "module", "blocksize", "alignmask"}
    assert set(found) == common | sizes[alg.type.word]
    assert found.get("chunksize", 16) == 16


# What a crowd divides.


def crowd(*drivers: str, provider: str = "software") -> list[Subject]:
    machine = Machine()
    software.register(machine)
    home = Provider(provider, lambda setup: Machine(setup=setup))
    return [Subject(home, machine.registry.find(d, AlgType.SKCIPHER)) for d in drivers]


_MODES = ("ecb", "cbc", "ctr")
_EIGHT = [f"{mode}({c}-generic)" for c in ("aes", "des", "des3_ede") for mode in _MODES][:8]
_TOKENS = [SkcipherSpec("enc", 16, length).token for length in range(200)]


def settings_of(subjects: list[Subject], profile: str = "default") -> Settings:
    return Settings(profile, standings=standings(subjects, together=PROFILES[profile].together))


def runs(settings: Settings, subjects: list[Subject], most: int | None) -> list[set[str]]:
    return [{t for t in _TOKENS if settings.part(s, most).takes(t)} for s in subjects]


@pytest.mark.parametrize("most", [None, 2])
def test_a_few_drivers_run_every_case(most: int | None) -> None:
    subjects = crowd(*_EIGHT[:4])
    assert runs(settings_of(subjects), subjects, most) == [set(_TOKENS)] * 4


@pytest.mark.parametrize(("profile", "share"), [("quick", 1 / 8), ("default", 1 / 2)])
def test_a_crowd_runs_every_case_and_each_of_it_a_share(profile: str, share: float) -> None:
    subjects = crowd(*_EIGHT)
    taken = runs(settings_of(subjects, profile), subjects, None)
    assert set().union(*taken) == set(_TOKENS)
    expected = len(_TOKENS) * share
    assert all(expected * 0.6 < len(cases) < expected * 1.4 for cases in taken)


@pytest.mark.parametrize("stride", [2, 4])
def test_drivers_at_regular_distances_are_in_different_teams(stride: int) -> None:
    subjects = crowd(*_EIGHT)
    taken = runs(settings_of(subjects), subjects[::stride], None)
    assert set().union(*taken) == set(_TOKENS)


def test_the_full_profile_divides_no_walk() -> None:
    assert (PROFILES["full"].teams, PROFILES["full"].scenario_teams) == (1, 1)
    subjects = crowd(*_EIGHT)
    assert runs(settings_of(subjects, "full"), subjects, 1) == [set(_TOKENS)] * 8


def test_drivers_that_a_few_checks_look_at_take_no_work_from_the_others() -> None:
    subjects = crowd(*_EIGHT)
    few = [replace(subject, checks=("vectors",)) for subject in subjects[4:]]
    alone, beside = settings_of(subjects[:4]), settings_of([*subjects[:4], *few])
    assert runs(beside, subjects[:4], None) == runs(alone, subjects[:4], None)
    assert set().union(*runs(beside, subjects[:4], None)) == set(_TOKENS)


def test_an_amount_is_divided_at_most_as_told() -> None:
    subjects = crowd(*_EIGHT)
    settings = settings_of(subjects)
    assert [settings.share(subjects[0], 101), settings.share(subjects[0], 101, most=1)] == [
        51,
        101,
    ]
    assert Settings().share(subjects[0], 101) == 101


def crowd_sizes(subjects: list[Subject], *, together: bool) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for name, standing in standings(subjects, together=together).items():
        found.setdefault(name.split("/")[0], set()).add(standing.crowd)
    return found


def test_the_drivers_of_two_providers_are_one_crowd_where_the_profile_says() -> None:
    both = crowd(*_EIGHT[:3], provider="a") + crowd(*_EIGHT[2:6], provider="b")
    assert crowd_sizes(both, together=False) == {"a": {3}, "b": {4}}
    assert crowd_sizes(both, together=True) == {"a": {7}, "b": {7}}
    members = [standing.member for standing in standings(both, together=True).values()]
    assert sorted(members) == [*range(7)]


def test_providers_without_a_driver_in_common_stay_apart() -> None:
    both = crowd("ecb(aes-generic)", provider="a") + crowd("cbc(aes-generic)")
    assert crowd_sizes(both, together=True) == {"a": {1}, "software": {1}}


def machines(*names: str) -> tuple[list[Subject], Settings]:
    """The same drivers on several machines, the first of which has one more."""
    subjects = [s for name in names for s in crowd(*_EIGHT[:2], provider=name)]
    subjects += crowd(_EIGHT[2], provider=names[0])
    return subjects, settings_of(subjects)


def further(subjects: list[Subject]) -> set[str]:
    found = standings(subjects, together=False)
    return {name for name, standing in found.items() if standing.machine is not None}


def test_the_further_machines_of_a_driver_run_what_the_main_one_runs_between_them() -> None:
    subjects, settings = machines("main", "b", "c", "d")
    same = [s for s in subjects if s.driver == _EIGHT[0]]
    whole, *parts = runs(settings, same, None)
    assert whole == set(_TOKENS)
    assert set().union(*parts) == whole
    assert all(0 < len(part) < 0.5 * len(whole) for part in parts)


def test_a_further_machine_is_told_where_the_main_one_is() -> None:
    subjects, settings = machines("main", "other")
    assert further(subjects) == {s.id for s in subjects if s.provider.name == "other"}
    assert {standing.main for standing in settings.standings.values()} == {"main"}


def test_the_machine_with_the_most_drivers_is_the_main_one_wherever_it_stands() -> None:
    few, many = crowd(*_EIGHT[:2], provider="a"), crowd(*_EIGHT[:5], provider="b")
    assert further(few + many) == {s.id for s in few}
    assert further(many[:2] + few) == {s.id for s in few}


def test_an_amount_is_less_on_further_machines_and_whole_on_the_main_one() -> None:
    subjects, settings = machines("main", "other")
    main, other = (s for s in subjects if s.driver == _EIGHT[0])
    assert (settings.share(main, 100), settings.share(other, 100)) == (100, 34)


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_other_profiles_know_no_main_machine(profile: str) -> None:
    subjects = [s for name in ("main", "other") for s in crowd(_EIGHT[0], provider=name)]
    settings = Settings(profile, standings=standings(subjects, together=False))
    assert [settings.share(subject, 100) for subject in subjects] == [100, 100]
    assert runs(settings, subjects, None) == [set(_TOKENS)] * 2


def test_a_driver_that_a_few_checks_look_at_has_no_other_machine() -> None:
    subjects = crowd(*_EIGHT[:2], provider="a")
    few = [replace(s, checks=("vectors",)) for s in crowd(*_EIGHT[:1], provider="b")]
    assert not further(subjects + few)


def test_the_reports_know_which_checks_are_divided() -> None:
    calls = re.compile(r"settings\.(share|part)\(")
    found = {
        path.stem
        for path in Path(checks.__file__).parent.glob("*.py")
        if calls.search(path.read_text())
    }
    assert found == DIVIDED_CHECKS

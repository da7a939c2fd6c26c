"""A wrong option is refused before anything runs, with its name, its value and the choices."""

from __future__ import annotations

import pytest

pytest_plugins = ("pytester",)

_VECTOR = "curated:skcipher/cbc-aes.yaml#sp800-38a-f.2.1"


def _refused(pytester: pytest.Pytester, *words: str) -> str:
    """The usage error of a run, which must be one, without a traceback or a report."""
    done = pytester.runpytest_inprocess("--pyargs", "tcrypt", "-p", "no:cacheprovider", *words)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    text = done.stderr.str()
    assert "Traceback" not in text + done.stdout.str()
    assert not (pytester.path / "conformance-report").exists()
    return text


@pytest.mark.parametrize(
    ("option", "value", "choice"),
    [
        ("provider", "eip93-tiny", "eip93-tiny-ring"),
        ("driver", "cbc(aes-generik)", "cbc(aes-generic)"),
        ("algorithm", "cbc(dse)", "cbc(des)"),
        ("type", "cipher", "skcipher"),
        ("check", "fuz", "fuzz"),
        ("profile", "fast", "quick"),
        ("semantics", "linux-6.2", "linux-6.17"),
        ("require", "nist", "cavp"),
        ("allow-untested", "sha-1", "sha1"),
        ("mutant", "CTR-O6", "CTR-06"),
    ],
)
def test_unknown_names_are_refused_with_the_choices(
    pytester: pytest.Pytester, option: str, value: str, choice: str
) -> None:
    text = _refused(pytester, f"--tcrypt-{option}", value)
    assert f"--tcrypt-{option}" in text
    assert repr(value) in text
    assert choice in text


def test_one_wrong_name_among_right_ones_is_refused(pytester: pytest.Pytester) -> None:
    text = _refused(pytester, "--tcrypt-provider", "software", "--tcrypt-provider", "eip93-tiny")
    assert "did you mean 'eip93-tiny-ring'" in text


def test_names_that_exclude_each_other_are_refused(pytester: pytest.Pytester) -> None:
    text = _refused(pytester, "--tcrypt-provider", "software", "--tcrypt-driver", "cbc(aes-eip93)")
    assert "--tcrypt-provider 'software' --tcrypt-driver 'cbc(aes-eip93)'" in text
    there, _, rest = text.partition("no driver matches all of this")[2].partition("... and")
    nearest = [line.split()[:2] for line in there.splitlines() if line.startswith("  ")]
    assert ["eip93-mt7621", "cbc(aes-eip93)"] in nearest
    assert ["software", "md5-generic"] in nearest
    assert len(nearest) < 30
    assert "more, which `tcrypt list` shows" in rest


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--tcrypt-seed", "x"), "--tcrypt-seed 'x': must be a number"),
        (("--tcrypt-baseline", "none.json"), "none.json"),
        (("--tcrypt-from", "none.py"), "--from none.py: FileNotFoundError: no such file"),
        (("--tcrypt-from", "no.such.module"), "--from no.such.module: ModuleNotFoundError"),
        (("--tcrypt-vectors", "none.yaml"), "none.yaml"),
        (("--tcrypt-vector", f"{_VECTOR}x"), f"did you mean {_VECTOR}"),
        (("--tcrypt-vector", "cbc"), "'cbc' is no vector id"),
        (
            ("--tcrypt-vector", _VECTOR, "--tcrypt-driver", "sha1-generic"),
            "no selected driver and check uses vectors of cbc(aes)",
        ),
        (("--tcrypt-vector", _VECTOR, "--tcrypt-check", "fuzz"), "no selected driver and check"),
        (("--tcrypt-case", "op=enc"), "--tcrypt-case 'op=enc': needs --tcrypt-check"),
        (
            ("--tcrypt-case", "x", "--tcrypt-vector", _VECTOR, "--tcrypt-check", "fuzz"),
            "want one of the two",
        ),
    ],
)
def test_bad_values_are_refused(
    pytester: pytest.Pytester, words: tuple[str, ...], message: str
) -> None:
    assert message in _refused(pytester, *words)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("nonsense", "'nonsense' is not one of op, key, len, layout, iv, seed"),
        ("op=enc,key=16", "len missing"),
        ("op=enc,key=16,len=many", "len='many' is not a number"),
        ("op=enc,key=16,len=-16", "len=-16 is not in 0.."),
        ("op=sideways,key=16,len=16", "'sideways' is neither enc nor dec"),
        ("op=enc,key=17,len=16", "17"),
        ("op=enc,key=16,len=16,layout=upside-down", "no cipher layout 'upside-down'"),
        ("op=enc,key=16,len=16,iv=wrap", "wrap<bits>:<blocks>"),
    ],
)
def test_malformed_cases_are_refused(pytester: pytest.Pytester, case: str, message: str) -> None:
    words = ("--tcrypt-driver", "cbc(aes-generic)", "--tcrypt-check", "fuzz")
    text = _refused(pytester, *words, "--tcrypt-case", case)
    assert f"--tcrypt-case {case!r}" in text
    assert message in text


def test_report_directory_that_cannot_be_made_is_refused(pytester: pytest.Pytester) -> None:
    (pytester.path / "taken").write_text("a file")
    assert "--tcrypt-report-dir" in _refused(pytester, "--tcrypt-report-dir", "taken")


def test_driver_of_a_broken_provider_is_refused_with_its_reason(
    pytester: pytest.Pytester,
) -> None:
    (pytester.path / "mine.py").write_text("def register(machine):\n    raise OSError('no bus')\n")
    text = _refused(pytester, "--tcrypt-from", "mine.py", "--tcrypt-driver", "cbc(aes-mine)")
    assert "provider mine is broken: mine.py: OSError: no bus" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("register = 3\n", "no function register(machine)"),
        ("import nothing_of_this_name\n", "ModuleNotFoundError"),
        ("import sys\nsys.exit('stop')\n", "SystemExit: stop"),
        ("def register(machine:\n", "SyntaxError"),
        ("x = 1\ny = 1 / 0\n", "mine.py:2"),
    ],
)
def test_driver_files_that_cannot_be_loaded_are_refused(
    pytester: pytest.Pytester, text: str, message: str
) -> None:
    (pytester.path / "mine.py").write_text(text)
    error = _refused(pytester, "--tcrypt-from", "mine.py")
    assert "--from mine.py" in error
    assert message in error


def test_xdist_shows_a_usage_error_once(pytester: pytest.Pytester) -> None:
    text = _refused(pytester, "--tcrypt-profile", "fast", "-n", "2")
    assert text.count("--tcrypt-profile") == 1


def test_usage_error_leaves_an_earlier_report_alone(pytester: pytest.Pytester) -> None:
    old = pytester.mkdir("kept") / "report.json"
    old.write_text("{}")
    words = ("--tcrypt-report-dir", "kept", "--tcrypt-baseline", "none.json")
    _refused(pytester, *words)
    assert old.read_text() == "{}"

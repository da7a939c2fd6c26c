"""A user's own files join the catalogue, or are refused when they are added."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcrypt.vectors.catalogue import Catalogue
from tcrypt.vectors.errors import VectorError

USER = """\
format: 1
algorithm: mode(rot13)
kind: skcipher
source: {title: "Mine", section: "all", url: https://example.org, licence: "MIT"}
vectors:
  - {id: first, key: "0d", ptext: "61", ctext: "6e"}
"""


def test_a_users_file_joins_the_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "my vectors.yaml"
    path.write_text(USER)
    catalogue = Catalogue.load()
    [added] = catalogue.extra([path])
    assert (added.source, added.algorithm, added.kind) == ("user", "mode(rot13)", "skcipher")
    assert added.name.endswith("/my%20vectors.yaml")
    assert (added.expected_count, added.available) == (1, True)
    assert catalogue.files("mode(rot13)") == [added]
    assert "mode(rot13)" in catalogue.algorithms()
    file, vector = catalogue.find(f"{added.label}#first")
    assert file == added
    assert vector.key == b"\x0d"


def test_a_folder_of_users_files_is_taken_whole(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.yaml", "a.yaml", "deep/c.yaml", "notes.txt"):
        (tmp_path / name).write_text(USER)
    added = Catalogue.load().extra([tmp_path])
    assert [Path(file.name).name for file in added] == ["a.yaml", "b.yaml", "c.yaml"]


def test_a_users_file_that_changed_since_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(USER)
    [added] = Catalogue.load().extra([str(path)])
    path.write_text(USER + '  - {id: second, key: "0d", ptext: "61", ctext: "6e"}\n')
    with pytest.raises(VectorError, match=r"expected 1 vectors, loaded 2$"):
        added.load()


def test_a_users_broken_file_is_refused_when_it_is_added(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(USER.replace('"61"', "61"))
    with pytest.raises(VectorError, match=r"x\.yaml:6: vectors\[first\]\.ptext: want hexadecimal"):
        Catalogue.load().extra([path])


def test_a_users_path_must_be_there_once_and_hold_something(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    catalogue = Catalogue.load()
    with pytest.raises(VectorError, match=r"x\.yaml: cannot be read: No such file"):
        catalogue.extra([path])
    with pytest.raises(VectorError, match=r"no \*\.yaml or \*\.jsonl file in this folder"):
        catalogue.extra([tmp_path])
    path.write_text(USER)
    with pytest.raises(VectorError, match="in the catalogue already"):
        catalogue.extra([path, path])

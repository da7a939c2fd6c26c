"""Garbage collection while a run goes on: rarer, past what stays, and as before afterwards."""

from __future__ import annotations

import gc
import weakref

import pytest

from tcrypt.plugins.collector import collect_rarely


class Knot:
    """Something that only the collector can drop."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def thresholds():
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)
    gc.unfreeze()


def test_what_lives_already_is_not_looked_at_again(thresholds):
    stays = [Knot() for _ in range(10)]
    frozen = gc.get_freeze_count()
    collect_rarely()
    assert gc.get_freeze_count() > frozen + len(stays)
    assert not any(knot is tracked for tracked in gc.get_objects() for knot in stays)


def test_machines_are_still_dropped_without_asking(thresholds):
    collect_rarely()
    dropped = weakref.ref(Knot())
    keep = [[] for _ in range(2 * gc.get_threshold()[0])]
    assert keep
    assert dropped() is None


def test_undoing_it_leaves_the_collector_as_it_was(thresholds):
    undo = collect_rarely()
    assert gc.get_threshold() > thresholds
    undo()
    assert gc.get_threshold() == thresholds
    assert gc.get_freeze_count() == 0

"""What a machine refuses to be told about its devices."""

from __future__ import annotations

from typing import Any

import pytest

from tcrypt.engine.api.machine import Accelerator, Machine


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"depth": "4"}, "Accelerator 'toy': depth '4', must be a number of requests, 1 or more"),
        ({"depth": 0}, "Accelerator 'toy': depth 0, must be a number of requests, 1 or more"),
        (
            {"jobs": lambda: None},
            "Accelerator 'toy': jobs() returned None, must be how many jobs were done",
        ),
    ],
)
def test_evidence_that_counts_nothing_is_refused(wrong: dict[str, Any], said: str) -> None:
    told: dict[str, Any] = {"jobs": lambda: 0, "supports": lambda *_: True, "depth": 4, **wrong}
    machine = Machine()
    with pytest.raises(TypeError) as refused:
        machine.attach(Accelerator(name="toy", **told))
    assert str(refused.value) == said
    assert machine.accelerators == []

"""Statuses: how they read, and when they are exceptions."""

from __future__ import annotations

import errno

import pytest

from tcrypt.engine.api.errors import DriverNonsenseError, check_status, crypto_error, errno_name


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (0, "0"),
        (-22, "-EINVAL"),
        (-115, "-EINPROGRESS"),
        (-99999, "-99999"),
        (22, "22"),
        (None, "None"),
        (False, "False"),
        (-1.0, "-1.0"),
    ],
)
def test_a_status_reads_as_people_write_it(status: object, name: str) -> None:
    assert errno_name(status) == name


def test_success_raises_nothing() -> None:
    check_status(0, "setkey")


def test_a_negative_errno_is_an_os_error_that_names_the_call() -> None:
    with pytest.raises(OSError, match="setkey of 3 bytes: Invalid argument") as caught:
        check_status(-errno.EINVAL, "setkey of 3 bytes")
    assert caught.value.errno == errno.EINVAL
    assert isinstance(crypto_error(-errno.ENOENT, "x"), FileNotFoundError)


@pytest.mark.parametrize("status", [1, True, None, -22.0, "-EINVAL"], ids=repr)
def test_anything_else_is_nonsense_of_the_driver(status: object) -> None:
    with pytest.raises(DriverNonsenseError, match="init returned"):
        check_status(status, "init")

"""What a source calls a wrong tag must be one."""

from __future__ import annotations

import pytest

from tcrypt.checks.vector_cases import right_digest
from tcrypt.oracle import HashReference, reference
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import HashVector

KEY, MESSAGE = bytes(16), b"abc"


def true_tag() -> bytes:
    known = reference("cmac(aes)")
    assert isinstance(known, HashReference)
    return known.digest(KEY, MESSAGE)


@pytest.mark.parametrize("size", [4, 16])
def test_a_driver_must_give_another_tag_than_a_wrong_one(size: int) -> None:
    tag = true_tag()
    wrong = bytes([tag[0] ^ 1]) + tag[1:size]
    vector = HashVector("own:x#m0", KEY, MESSAGE, wrong, forged=True)
    assert right_digest("cmac(aes)", vector) == tag


@pytest.mark.parametrize("size", [4, 16])
def test_a_right_tag_that_is_called_wrong_is_the_sources_fault(size: int) -> None:
    vector = HashVector("own:x#m0", KEY, MESSAGE, true_tag()[:size], forged=True)
    with pytest.raises(VectorError, match=r"^own:x#m0: digest: [0-9a-f]+ is called a forgery"):
        right_digest("cmac(aes)", vector)

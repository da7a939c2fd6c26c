"""testmgr's extra tests: drawn inputs against the generic implementation, and forged messages.

Sections 2.2 to 2.6 of kernel-crypto.  Keys are drawn bytes, also for authenc, whose setkey refuses
nearly all of them: there, little is compared but errors.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

from tcrypt.cipher_bench import CipherBench, CipherCase
from tcrypt.engine.api.flags import AlgType
from tcrypt.hash_bench import HashBench
from tcrypt.layouts import CipherLayout
from tcrypt.selftest.configs import DRAWN, drawn_config, drawn_hash_config
from tcrypt.selftest.draws import flipped, random_bytes, random_length
from tcrypt.selftest.generic import (
    LARGEST,
    Answer,
    Generic,
    GenericHash,
    generic_name,
    properties,
    same_status,
)
from tcrypt.selftest.judging import FailedError, crypt, hash_message
from tcrypt.vectors.model import Vector

__all__ = ("Extra", "Step", "compared")

Step = tuple[str, Callable[[], None]]
# From this tag size on (bytes) nothing is accepted by chance.
_SAFE_TAG = 8
_ATTEMPTS = 10
# Suites whose AAD ends with the IV, and those in which -EINVAL is as good as -EBADMSG.
_IV_IN_AAD = ("rfc4106(", "rfc4309(", "rfc4543(", "rfc7539esp(")
_EINVAL_TOO = (*_IV_IN_AAD, "ccm(aes)", "ccm(sm4)")


class Extra(NamedTuple):
    """How much of the extra tests runs.

    Attributes:
        seed: of everything that is drawn.
        iterations: testmgr's `fuzz_iterations`: drawn configurations for each vector; eight times
            as many inputs are compared with the generic implementation, and forged.
    """

    seed: int = 0
    iterations: int = 100

    def dice(self, label: str) -> Random:
        """A generator for one purpose."""
        return Random(f"{self.seed} {label}")


def compared(
    bench: CipherBench | HashBench, vectors: Sequence[Vector], extra: Extra
) -> Iterator[Step]:
    """The steps behind those of the vectors; none without another, generic implementation."""
    subject = bench.subject
    name = generic_name(subject.algorithm)
    if name in ("", subject.driver):
        return
    try:
        generic: Any = (
            GenericHash(bench, name) if isinstance(bench, HashBench) else Generic(bench, name)
        )
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return
    yield "generic/properties", partial(_same_properties, bench, generic)
    longest = max((len(vector.key or b"") for vector in vectors), default=0)
    for number in range(8 * extra.iterations):
        dice = extra.dice(f"{subject.algorithm} {number}")
        if isinstance(bench, HashBench):
            step = partial(_hash, bench, generic, dice, longest)
        elif subject.type is AlgType.AEAD:
            step = partial(_aead, bench, generic, dice, longest, prefer_forged=False)
        else:
            step = partial(_skcipher, bench, generic, dice)
        yield f"generic/{number}", step
    if isinstance(bench, CipherBench) and subject.type is AlgType.AEAD:
        for number in range(8 * extra.iterations):
            dice = extra.dice(f"{subject.algorithm} forged {number}")
            yield (
                f"inauthentic/{number}",
                partial(_aead, bench, generic, dice, longest, prefer_forged=True),
            )


def _same_properties(bench: CipherBench | HashBench, generic: Generic | GenericHash) -> None:
    different = properties(bench.subject, generic.alg)
    if different:
        raise FailedError(different)


def _key(dice: Random, longest: int, least: int = 0) -> bytes:
    length = longest if dice.random() < 0.75 else dice.randint(min(least, longest), longest)
    return random_bytes(dice, length)


def _skcipher(bench: CipherBench, generic: Generic, dice: Random) -> None:
    alg: Any = generic.alg
    key, iv = _key(dice, alg.max_keysize), random_bytes(dice, alg.ivsize)
    text = random_bytes(dice, random_length(dice, LARGEST))
    # A cipher without keys is never keyed.
    if alg.max_keysize and not same_status("setkey", bench.tfm.setkey, key, generic.set_key(key)):
        return
    answer = generic.encrypt(iv, text)
    out = answer.out if not answer.status else bytes(len(text))
    config = drawn_config(dice.randrange(DRAWN))
    forth = CipherCase(True, None, iv, text, out, status=answer.status)
    back = CipherCase(False, None, iv, out, text, status=answer.status)
    for case in (forth, back):
        crypt(bench, case, config)


def _aead(
    bench: CipherBench, generic: Generic, dice: Random, longest: int, *, prefer_forged: bool
) -> None:
    alg: Any = generic.alg
    tfm: Any = bench.tfm
    for _ in range(_ATTEMPTS if prefer_forged else 1):
        tag = alg.maxauthsize
        if dice.random() >= 0.75:
            tag = dice.randint(min(_SAFE_TAG, tag) if prefer_forged else 0, tag)
        key = _key(dice, longest)
        keyed = same_status("setkey", tfm.setkey, key, generic.set_key(key))
        sized = same_status("setauthsize", tfm.setauthsize, tag, generic.set_authsize(tag))
        if keyed and sized:
            message = _message(dice, bench, generic, tag, prefer_forged=prefer_forged)
            if message.forged or not prefer_forged:
                _judged(bench, message, drawn_config(dice.randrange(DRAWN)))
                return


class _AeadMessage(NamedTuple):
    """A drawn message, sealed by the generic implementation, and perhaps forged after that."""

    iv: bytes
    assoc: bytes
    text: bytes
    tag: int
    answer: Answer
    forged: bytes | None
    forged_assoc: bytes


def _message(
    dice: Random, bench: CipherBench, generic: Generic, tag: int, *, prefer_forged: bool
) -> _AeadMessage:
    algorithm, ivsize = bench.subject.algorithm, generic.alg.ivsize
    total = random_length(dice, LARGEST - tag)
    many = 0 if dice.random() < 0.25 else random_length(dice, total)
    assoc, iv = random_bytes(dice, many), random_bytes(dice, ivsize)
    tail = ivsize if algorithm.startswith(_IV_IN_AAD) else 0
    if tail and many >= tail:
        assoc = assoc[: many - tail] + iv
    text = random_bytes(dice, total - many)
    forge = tag >= _SAFE_TAG and (prefer_forged or dice.random() < 0.25)
    if forge and dice.random() < 0.5:
        noise = random_bytes(dice, len(text) + tag)
        return _AeadMessage(iv, assoc, text, tag, Answer(0), noise, assoc)
    answer = generic.encrypt(iv, text, assoc, tag)
    forged, changed = None, assoc
    if forge and not answer.status:
        changed, forged = _mutated(dice, assoc, answer.out, tag, tail)
    return _AeadMessage(iv, assoc, text, tag, answer, forged, changed)


def _mutated(
    dice: Random, assoc: bytes, sealed: bytes, tag: int, tail: int
) -> tuple[bytes, bytes]:
    """One bit of the AAD, never of an IV at its end, or of text and tag, or of both."""
    if len(assoc) > tail and dice.random() < 0.5:
        assoc = flipped(assoc, dice.randrange(8 * (len(assoc) - tail)))
        if dice.random() < 0.5:
            return assoc, sealed
    first = len(sealed) - tag if dice.random() < 0.5 else 0
    return assoc, flipped(sealed, dice.randrange(8 * first, 8 * len(sealed)))


def _judged(bench: CipherBench, message: _AeadMessage, config: CipherLayout) -> None:
    status, tag = message.answer.status, message.tag
    if message.forged is not None:
        einval_too = bench.subject.algorithm.startswith(_EINVAL_TOO)
        statuses = (-errno.EBADMSG, -errno.EINVAL) if einval_too else (-errno.EBADMSG,)
        case = CipherCase(False, None, message.iv, message.forged, message.text)
        case = case._replace(assoc=message.forged_assoc, status=-errno.EBADMSG, authsize=tag)
        crypt(bench, case, config, statuses=statuses)
        return
    out = bytes(len(message.text) + tag) if status else message.answer.out
    case = CipherCase(True, None, message.iv, message.text, out, status=status)
    crypt(bench, case._replace(assoc=message.assoc, authsize=tag), config)
    if not status:
        # What the generic implementation could not seal is only encrypted.
        case = CipherCase(False, None, message.iv, out, message.text)
        crypt(bench, case._replace(assoc=message.assoc, authsize=tag), config)


def _hash(bench: HashBench, generic: GenericHash, dice: Random, longest: int) -> None:
    key = None
    if longest:
        key = _key(dice, longest, 1)
        if not same_status("setkey", bench.tfm.setkey, key, generic.set_key(key)):
            return
    message = random_bytes(dice, random_length(dice, LARGEST))
    answer = generic.digest(message)
    config = drawn_hash_config(dice.randrange(DRAWN))
    if not answer.status:
        hash_message(bench, None, message, answer.out, config)

"""The text of /proc/crypto: kernel-crypto, section 6.9."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from tcrypt.engine.api.algorithms import (
    AeadAlg,
    AhashAlg,
    AnyAlg,
    CipherAlg,
    ShashAlg,
    SkcipherAlg,
)
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.machine import Machine
from tcrypt.engine.api.proc_crypto import proc_crypto


def _ok(*arguments: Any) -> int:
    return 0


def skcipher(**changes: Any) -> SkcipherAlg:
    values: dict[str, Any] = {
        "cra_name": "ctr(aes)",
        "cra_driver_name": "ctr-aes-mine",
        "cra_priority": 1500,
        "cra_flags": AlgFlag.ASYNC,
        "cra_module": "mine",
        "min_keysize": 16,
        "max_keysize": 32,
        "ivsize": 16,
        "chunksize": 16,
        "setkey": _ok,
        "encrypt": _ok,
        "decrypt": _ok,
    }
    return SkcipherAlg(**(values | changes))


SKCIPHER = """\
name         : ctr(aes)
driver       : ctr-aes-mine
module       : mine
priority     : 1500
refcnt       : 1
selftest     : passed
internal     : no
type         : skcipher
async        : yes
blocksize    : 1
min keysize  : 16
max keysize  : 32
ivsize       : 16
chunksize    : 16
walksize     : 16

"""

AEAD = """\
name         : gcm(aes)
driver       : gcm-mine
module       : kernel
priority     : 400
refcnt       : 1
selftest     : passed
internal     : no
type         : aead
async        : no
blocksize    : 1
ivsize       : 12
maxauthsize  : 16
geniv        : <none>

"""

AHASH = """\
name         : sha1
driver       : sha1-mine
module       : kernel
priority     : 300
refcnt       : 1
selftest     : passed
internal     : no
type         : ahash
async        : yes
blocksize    : 64
digestsize   : 20

"""

SHASH = """\
name         : sha1
driver       : sha1-bytes
module       : kernel
priority     : 0
refcnt       : 1
selftest     : passed
internal     : no
type         : shash
blocksize    : 64
digestsize   : 20

"""

CIPHER = """\
name         : aes
driver       : aes-mine
module       : kernel
priority     : 100
refcnt       : 1
selftest     : passed
internal     : yes
type         : cipher
blocksize    : 16
min keysize  : 16
max keysize  : 32

"""


def aead() -> AeadAlg:
    return AeadAlg(
        cra_name="gcm(aes)",
        cra_driver_name="gcm-mine",
        cra_priority=400,
        maxauthsize=16,
        ivsize=12,
        setkey=_ok,
        encrypt=_ok,
        decrypt=_ok,
    )


def ahash() -> AhashAlg:
    calls: Any = ("hash_init", "update", "final", "finup", "digest", "export", "import_state")
    return AhashAlg(
        cra_name="sha1",
        cra_driver_name="sha1-mine",
        cra_priority=300,
        cra_flags=AlgFlag.ASYNC,
        cra_blocksize=64,
        digestsize=20,
        statesize=96,
        **dict.fromkeys(calls, _ok),
    )


def shash() -> ShashAlg:
    return ShashAlg(
        cra_name="sha1",
        cra_driver_name="sha1-bytes",
        cra_priority=0,
        cra_blocksize=64,
        digestsize=20,
        descsize=96,
        hash_init=_ok,
        update=_ok,
        final=_ok,
    )


def cipher() -> CipherAlg:
    return CipherAlg(
        cra_name="aes",
        cra_driver_name="aes-mine",
        cra_priority=100,
        cra_flags=AlgFlag.INTERNAL,
        cra_blocksize=16,
        min_keysize=16,
        max_keysize=32,
        setkey=_ok,
        encrypt_block=lambda tfm, block: block,
        decrypt_block=lambda tfm, block: block,
    )


@pytest.mark.parametrize(
    ("alg", "text"),
    [
        pytest.param(skcipher(), SKCIPHER, id="6.9 skcipher"),
        pytest.param(aead(), AEAD, id="6.9 aead"),
        pytest.param(ahash(), AHASH, id="6.9 ahash"),
        pytest.param(shash(), SHASH, id="6.9 shash"),
        pytest.param(cipher(), CIPHER, id="6.9 cipher"),
    ],
)
def test_a_block_has_the_fields_of_its_type(machine: Machine, alg: AnyAlg, text: str) -> None:
    machine.registry.register(alg)
    assert proc_crypto(machine.registry) == text


def test_the_latest_registration_comes_first(machine: Machine) -> None:
    machine.registry.register(aead())
    machine.registry.register(skcipher())
    assert proc_crypto(machine.registry) == SKCIPHER + AEAD


def test_an_empty_registry_is_an_empty_file(machine: Machine) -> None:
    assert proc_crypto(machine.registry) == ""


def test_refcnt_counts_the_registration_and_the_transforms(machine: Machine) -> None:
    machine.registry.register(skcipher())
    tfms = [machine.registry.alloc_skcipher("ctr(aes)") for _ in range(2)]
    assert "refcnt       : 3\n" in proc_crypto(machine.registry)
    for tfm in tfms:
        machine.registry.free(tfm)
    assert "refcnt       : 1\n" in proc_crypto(machine.registry)


def test_a_failed_self_test_is_unknown(machine: Machine) -> None:
    machine.registry.selftest = lambda alg: -errno.EINVAL
    machine.registry.register(skcipher())
    assert "selftest     : unknown\n" in proc_crypto(machine.registry)


@pytest.mark.parametrize("row", ["6.9 larval"])
def test_a_larval_stands_before_what_is_being_tested(machine: Machine, row: str) -> None:
    """It shows its flags: skcipher 5, LARVAL 10, ASYNC 80, TESTED 400 (6.1)."""
    seen: list[str] = []

    def selftest(alg: AnyAlg) -> int:
        seen.append(proc_crypto(machine.registry))
        return 0

    machine.registry.selftest = selftest
    machine.registry.register(skcipher())
    larval, tested = seen[0].split("\n\n")[:2]
    assert larval.splitlines()[-2:] == ["type         : larval", "flags        : 0x495"]
    assert "selftest     : unknown" in tested
    assert proc_crypto(machine.registry) == SKCIPHER

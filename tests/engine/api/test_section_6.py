"""Every row of the tables of kernel-crypto, section 6, has a test that names it, or a reason.

The tests are in `test_section_6_*.py` and `test_proc_crypto.py`, next to this one; each says in
its id which row it is about.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcrypt.engine import software
from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Machine

_NO_TEMPLATE = "nothing here implements it, so its rule has no code to hold in"
_WATCHED = "a driver's duty that the core does not look at: the benches of the suite do"
_CALLERS = "a caller's duty that the core does not look at"
_OTHER_TYPE = "the registry holds ciphers, hashes, skciphers and AEADs only"

# Rows that cannot be tested here, and why.
EXCUSED = {
    "6.2 lrw": _NO_TEMPLATE,
    "6.2 adiantum, hctr2, kw": _NO_TEMPLATE,
    "6.2 rfc7539": _NO_TEMPLATE,
    "6.2 aegis128, poly1305": _NO_TEMPLATE,
    "6.2 blake2b, crc32c, crc32, xxhash64": _NO_TEMPLATE,
    "6.3 lrw": _NO_TEMPLATE,
    "6.3 cfb, ofb": _NO_TEMPLATE,
    "6.3 chacha20, xchacha": _NO_TEMPLATE,
    "6.3 adiantum, hctr2": _NO_TEMPLATE,
    "6.3 kw(aes)": _NO_TEMPLATE,
    "6.4 rfc7539": _NO_TEMPLATE,
    "6.4 aegis128": _NO_TEMPLATE,
    "6.6 module loading, NOLOAD": "there are no modules to load: a name is registered or built",
    "6.6 priority of a placeholder": "a name is built at once, so nobody meets what stands for it",
    "6.6 -EINTR of a lookup": "nobody can be killed while a lookup waits: it does not wait",
    "6.8 rfc7539, adiantum, hctr2, pcrypt, lrw, cfb, ofb, pcbc": _NO_TEMPLATE,
    "6.9 rng": _OTHER_TYPE,
    "6.9 akcipher, kpp, acomp, scomp, compression": _OTHER_TYPE,
    "6.3 lists that overlap in part": _CALLERS,
    "6.3 memory beyond the data, list entries and request fields stay": _WATCHED,
    "6.10 setkey beside requests": _CALLERS,
    "6.10 one operation at a time on a request": _CALLERS,
    "6.10 a completed request is not touched": _WATCHED,
}

ROWS = (
    "6.1 request flags",
    "6.1 algorithm flags",
    "6.1 types",
    "6.1 an ahash lookup takes a shash",
    "6.2 skcipher: klen outside [min,max]",
    "6.2 driver setkey returns an error",
    "6.2 setkey success",
    "6.2 skcipher encrypt/decrypt while NEED_KEY",
    "6.2 aead encrypt/decrypt while NEED_KEY",
    "6.2 hash: setkey exists and not OPTIONAL_KEY",
    "6.2 hash without setkey",
    "6.2 key copied for the alignmask and wiped",
    "6.2 DES weak key",
    "6.2 3DES K1=K2 or K2=K3",
    "6.2 3DES K1=K3",
    "6.2 XTS: odd length",
    "6.2 XTS: both halves equal",
    "6.2 AES key not 16/24/32",
    "6.2 rfc3686",
    "6.2 lrw",
    "6.2 adiantum, hctr2, kw",
    "6.2 gcm, rfc4106, rfc4543, ccm, rfc4309",
    "6.2 rfc7539",
    "6.2 aegis128, poly1305",
    "6.2 ghash",
    "6.2 hmac",
    "6.2 cmac/xcbc/cbcmac",
    "6.2 blake2b, crc32c, crc32, xxhash64",
    "6.2 error precedence",
    "6.3 ecb, cbc",
    "6.3 lrw",
    "6.3 ctr",
    "6.3 rfc3686(ctr)",
    "6.3 cts(cbc)",
    "6.3 xts",
    "6.3 cfb, ofb",
    "6.3 chacha20, xchacha",
    "6.3 adiantum, hctr2",
    "6.3 kw(aes)",
    "6.3 essiv(cbc)",
    "6.3 IV after the operation",
    "6.3 in-place and separate lists",
    "6.3 lists that overlap in part",
    "6.3 memory beyond the data, list entries and request fields stay",
    "6.4 layout",
    "6.4 AAD in dst",
    "6.4 setauthsize",
    "6.4 decrypt with cryptlen < authsize",
    "6.4 tag mismatch",
    "6.4 authsizes of gcm, rfc4106, rfc4543, ccm, rfc4309, authenc",
    "6.4 ivsizes",
    "6.4 assoclen of rfc4106, rfc4543, rfc4309",
    "6.4 ccm: iv[0] and message length",
    "6.4 rfc7539",
    "6.4 aegis128",
    "6.4 authenc: the MAC is checked before the length",
    "6.4 essiv(aead): assoclen < ivsize",
    "6.4 authencesn: assoclen >= 8",
    "6.4 authenc key blob",
    "6.4 the MAC covers AAD and ciphertext",
    "6.5 registration limits",
    "6.5 default export of a shash",
    "6.5 all operations work on the request context",
    "6.5 reqsize is set before requests are allocated",
    "6.5 zero-length steps and messages",
    "6.5 import before setkey",
    "6.5 the result buffer",
    "6.6 step 1: dying entries and the mask",
    "6.6 step 2: a driver name wins at once",
    "6.6 step 3: priority, then the latest",
    "6.6 step 4: TESTED",
    "6.6 step 5: INTERNAL",
    "6.6 step 6: templates",
    "6.6 module loading, NOLOAD",
    "6.6 step 7: waiting for a larval",
    "6.6 -EINTR of a lookup",
    "6.6 step 8: a failed self-test is -ELIBBAD",
    "6.6 priority of a placeholder",
    "6.6 idioms: ASYNC, NEED_FALLBACK, KERN_DRIVER_ONLY, ALLOCATES_MEMORY",
    "6.6 inherited by instances",
    "6.6 errors of allocation",
    "6.6 a transform is bound at allocation",
    "6.6 a driver's lookup of its fallback",
    "6.7 checks of the common fields",
    "6.7 sizes by type",
    "6.7 -EEXIST",
    "6.7 -EAGAIN of a dead object",
    "6.7 unregister",
    "6.7 the self-test",
    "6.7 a better algorithm outdoes instances",
    "6.7 self-test result -ECANCELED",
    "6.8 grammar",
    "6.8 errors of instantiation",
    "6.8 an instance that fails its self-test",
    "6.8 names and priorities of instances",
    "6.8 rfc7539, adiantum, hctr2, pcrypt, lrw, cfb, ofb, pcbc",
    "6.8 rfc3686 and ctr",
    "6.9 skcipher",
    "6.9 aead",
    "6.9 ahash",
    "6.9 shash",
    "6.9 cipher",
    "6.9 larval",
    "6.9 rng",
    "6.9 akcipher, kpp, acomp, scomp, compression",
    "6.10 statuses and callbacks",
    "6.10 completion may submit the next request",
    "6.10 without MAY_SLEEP the driver must not sleep",
    "6.10 a fallback is bound by its owner's caller",
    "6.10 requests of one transform run together",
    "6.10 setkey beside requests",
    "6.10 one operation at a time on a request",
    "6.10 a completed request is not touched",
    "6.10 the request context is not zeroed",
)


def named_rows() -> Iterator[str]:
    """The rows that decorators of tests name."""
    here = Path(__file__)
    for path in (*here.parent.glob("test_section_6_*.py"), here.with_name("test_proc_crypto.py")):
        for test in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
                for node in (part for mark in test.decorator_list for part in ast.walk(mark)):
                    if isinstance(node, ast.Constant) and str(node.value).startswith("6."):
                        yield str(node.value)


def test_every_row_has_a_test_or_a_reason() -> None:
    assert len(set(ROWS)) == len(ROWS)
    tested = set(named_rows())
    assert tested == set(ROWS) - set(EXCUSED)
    assert set(EXCUSED) <= set(ROWS)


@pytest.mark.parametrize("name", ["lrw(aes)", "ofb(aes)", "adiantum(xchacha12,aes)", "kw(aes)"])
def test_an_excused_algorithm_is_really_missing(name: str) -> None:
    machine = Machine()
    software.register(machine)
    with pytest.raises(FileNotFoundError):
        machine.registry.find(name, AlgType.SKCIPHER)

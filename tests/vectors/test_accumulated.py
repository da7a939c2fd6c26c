"""Accumulated vectors: every pinned digest, computed by two libraries that share no code.

The first is the suite's oracle, that is OpenSSL and `hashlib`; the second is pycryptodome, put
together here from the standards.
"""

from __future__ import annotations

import importlib.resources
import os
import re
import struct
from collections.abc import Callable
from itertools import islice
from types import ModuleType

import pytest
from Crypto.Cipher import AES, DES, DES3
from Crypto.Hash import CMAC, HMAC, MD5, SHA1, SHA224, SHA256, SHA384, SHA512

from tcrypt.checks.long_vectors import accumulated_cases
from tcrypt.hash_bench import HashCase
from tcrypt.oracle import reference
from tcrypt.vectors.accumulated import Accumulator, Drawn, draw, pins
from tcrypt.vectors.errors import VectorError

HASHES: dict[str, ModuleType] = {
    "md5": MD5, "sha1": SHA1, "sha224": SHA224, "sha256": SHA256, "sha384": SHA384,
    "sha512": SHA512,
}  # fmt: skip
BLOCKS = {"aes": 16, "des": 8, "des3_ede": 8}
ALGORITHMS = sorted(pins())
# All cases of all algorithms take minutes; of one of each family, seconds.
ONE_OF_EACH = ["cbc(aes)", "xts(aes)", "gcm(aes)", "sha256", "hmac(sha1)", "cmac(aes)"]
WHOLE = ALGORITHMS if "TCRYPT_ACCUMULATE_ALL" in os.environ else ONE_OF_EACH


def mac(name: str, key: bytes, data: bytes) -> bytes:
    return HMAC.new(key, data, HASHES[name]).digest()


def crypt(algorithm: str, drawn: Drawn) -> bytes:
    """A cipher by pycryptodome."""
    key, iv = drawn.key or b"", drawn.iv
    if algorithm == "xts(aes)":
        return xts(key, iv, drawn.data, drawn.encrypt)
    if algorithm == "rfc3686(ctr(aes))":
        key, iv, algorithm = key[:-4], key[-4:] + iv + b"\0\0\0\1", "ctr(aes)"
    mode, name = re.findall(r"\w+", algorithm)
    module: ModuleType = {"aes": AES, "des": DES, "des3_ede": DES3}[name]
    options = {
        "ecb": {},
        "cbc": {"iv": iv},
        "ctr": {"nonce": b"", "initial_value": iv},
    }[mode]
    cipher = module.new(key, getattr(module, f"MODE_{mode.upper()}"), **options)
    run: Callable[[bytes], bytes] = cipher.encrypt if drawn.encrypt else cipher.decrypt
    return bytes(run(drawn.data))


def double(tweak: bytes) -> bytes:
    """IEEE 1619: the next tweak."""
    number = int.from_bytes(tweak, "little") << 1
    return ((number ^ 0x87 if number >> 128 else number) & (1 << 128) - 1).to_bytes(16, "little")


def xts(key: bytes, iv: bytes, data: bytes, encrypt: bool) -> bytes:
    """IEEE 1619 with ciphertext stealing, on ECB."""
    half = len(key) // 2
    cipher = AES.new(key[:half], AES.MODE_ECB)
    run = cipher.encrypt if encrypt else cipher.decrypt
    tweak, out = AES.new(key[half:], AES.MODE_ECB).encrypt(iv), []

    def block(piece: bytes, mask: bytes) -> bytes:
        masked = bytes(a ^ b for a, b in zip(piece, mask, strict=True))
        return bytes(a ^ b for a, b in zip(run(masked), mask, strict=True))

    tail = len(data) % 16
    for start in range(0, len(data) - tail - (16 if tail else 0), 16):
        out.append(block(data[start : start + 16], tweak))
        tweak = double(tweak)
    if tail:
        last, rest = data[-16 - tail : -tail], data[-tail:]
        first, second = (tweak, double(tweak)) if encrypt else (double(tweak), tweak)
        stolen = block(last, first)
        out += [block(rest + stolen[tail:], second), stolen[:tail]]
    return b"".join(out)


def seal(algorithm: str, drawn: Drawn) -> bytes:
    """An AEAD by pycryptodome."""
    key, iv, assoc, data, size = drawn.key or b"", *drawn[2:]
    if algorithm == "gcm(aes)":
        gcm = AES.new(key, AES.MODE_GCM, nonce=iv, mac_len=size)
        gcm.update(assoc)
        return b"".join(gcm.encrypt_and_digest(data))
    if algorithm == "ccm(aes)":
        ccm = AES.new(key, AES.MODE_CCM, nonce=iv[1 : 15 - iv[0]], mac_len=size)
        ccm.update(assoc)
        return b"".join(ccm.encrypt_and_digest(data))
    match = re.fullmatch(r"authenc\(hmac\((\w+)\),(.+)\)", algorithm)
    assert match is not None
    [length] = struct.unpack(">I", key[4:8])
    authkey, enckey = key[8 : len(key) - length], key[len(key) - length :]
    ctext = crypt(match[2], Drawn(True, enckey, iv, b"", data, 0))
    return ctext + mac(match[1], authkey, assoc + ctext)[:size]


def digest(algorithm: str, drawn: Drawn) -> bytes:
    """A hash or MAC by pycryptodome."""
    if drawn.key is None:
        return bytes(HASHES[algorithm].new(drawn.data).digest())
    kind, name = re.findall(r"\w+", algorithm)
    if kind == "hmac":
        return mac(name, drawn.key, drawn.data)
    module: ModuleType = AES if name == "aes" else DES3
    return CMAC.new(drawn.key, drawn.data, ciphermod=module).digest()


def second(algorithm: str, count: int) -> list[bytes]:
    """The outputs of pycryptodome for the first cases."""
    if algorithm.startswith(("gcm", "ccm", "authenc")):
        run = seal
    else:
        run = crypt if algorithm.endswith(")") and "mac(" not in algorithm else digest
    return [run(algorithm, draw(algorithm, index)) for index in range(count)]


def first(algorithm: str, count: int) -> list[bytes]:
    """The outputs of the oracle for the first cases."""
    known = reference(algorithm)
    assert known is not None
    cases = islice(accumulated_cases(known, algorithm), count)
    return [case.digest if isinstance(case, HashCase) else case.out for case in cases]


@pytest.mark.parametrize("library", [first, second], ids=["openssl", "pycryptodome"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_library_gives_the_pinned_digest_of_the_first_cases(
    algorithm: str, library: Callable[[str, int], list[bytes]]
) -> None:
    few, _ = pins(algorithm)[algorithm]
    assert Accumulator().add(library(algorithm, few.count)) == few.digest


@pytest.mark.parametrize("algorithm", WHOLE)
def test_two_libraries_give_the_pinned_digest_of_all_cases(algorithm: str) -> None:
    _, whole = pins(algorithm)[algorithm]
    ours, theirs = first(algorithm, whole.count), second(algorithm, whole.count)
    assert ours == theirs
    assert Accumulator().add(ours) == whole.digest


def test_all_cases_together_are_more_than_a_hundred_thousand() -> None:
    assert sum(found[-1].count for found in pins().values()) >= 100_000


def test_a_digest_depends_on_order_and_borders_of_the_outputs() -> None:
    digests = {Accumulator().add(outputs) for outputs in ([b"ab"], [b"a", b"b"], [b"b", b"a"])}
    assert len(digests) == 3


def test_a_case_can_be_drawn_alone_and_differs_from_all_others() -> None:
    cases = [draw("cbc(aes)", index) for index in range(50)]
    assert [draw("cbc(aes)", index) for index in reversed(range(50))] == cases[::-1]
    assert len({case.key for case in cases}) == 50
    assert draw("ctr(aes)", 3).key != draw("cbc(aes)", 3).key


def test_the_cases_walk_all_lengths_key_sizes_and_tags() -> None:
    streams = [draw("gcm(aes)", index) for index in range(2100)]
    assert {len(case.data) for case in streams} == set(range(523))
    assert {len(case.key or b"") for case in streams} == {16, 24, 32}
    assert {case.authsize for case in streams} == {4, 8, 12, 13, 14, 15, 16}
    assert {len(case.assoc) for case in streams} == set(range(67))
    blocks = [draw("cbc(aes)", index) for index in range(2100)]
    assert {len(case.data) for case in blocks} == set(range(0, 131 * 16, 16))
    assert {case.encrypt for case in blocks} == {True, False}


def test_an_algorithm_without_known_sizes_is_refused() -> None:
    with pytest.raises(LookupError, match="no known sizes for 'mode"):
        draw("mode(rot13)", 0)


def test_a_broken_list_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (importlib.resources.files("tcrypt.vectors") / "accumulated.yaml").read_text()
    lines = text.splitlines(keepends=True)
    entry = next(i for i, line in enumerate(lines) if "algorithm:" in line)
    twice = "".join([*lines, *lines[entry : entry + 3]])
    monkeypatch.setattr("tcrypt.vectors.accumulated.read_text", lambda *_: twice)
    monkeypatch.setattr("tcrypt.vectors.accumulated._listed", _uncached())
    with pytest.raises(VectorError, match="given twice"):
        pins()


def _uncached() -> Callable[[], object]:
    from tcrypt.vectors import accumulated

    return accumulated._listed.__wrapped__

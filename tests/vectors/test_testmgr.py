"""The kernel's self-tests: what of C the loader reads, where it refuses, what the files give.

The C here was written for these tests.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from pathlib import Path

import msgspec
import pytest

from tcrypt.vectors import imports, kernel_source
from tcrypt.vectors.catalogue import Catalogue
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import (
    AeadVector,
    Expect,
    HashVector,
    Operation,
    Origin,
    SkcipherVector,
    VectorSet,
)
from tcrypt.vectors.testmgr import KernelTests, in_families

TABLE = """
#define __VECS(tv) { .vecs = tv, .count = ARRAY_SIZE(tv) }
static const struct alg_test_desc alg_test_descs[] = {
    { .alg = "cbc(aes)", .test = alg_test_skcipher, .suite = { .cipher = __VECS(one) } },
#if IS_ENABLED(CONFIG_OTHER)
    { .alg = "absent", .suite = { .cipher = __VECS(one) } },
#endif
    { .alg = "null", .test = alg_test_null, .fips_allowed = 1 },
    { .alg = "hmac(sha1)", .suite = { .hash = __VECS(macs) } },
    { .alg = "gcm(aes)", .suite = { .aead = { ____VECS(sealed), .einval_allowed = 1, } } },
    { .alg = "ecb(aes)", .suite = { .cipher = { .vecs = two, .count = 1 } } },
    { .alg = "comp", .suite = { .comp = { .comp = __VECS(x), .decomp = __VECS(y) } } },
};
static int f(void) { return sizeof("}"); }
"""
HEADER = r"""
#ifndef _H
#define _H
#define SIZE 16
#define TWICE (SIZE * 2)
struct hash_testvec { const char *key; };
static const char zeros[48];
static const u8 ones[32] = { [0 ... 31] = 0xff };
static const char word[5] = {'\0', 'a', '\x62', 3, 0x4};
/* A comment with { and " in it. */
static const struct cipher_testvec one[] = {
    { /* one "vector" */
        .key    = "\x01\x02" "3" /* inside */ "\n\\\"\101"
              "89012345678",
        .klen   = 8 + 2 * 4,
        .iv     = "\xff",
        .ptext  = zeros,
        .ctext  = ones,
        .len    = TWICE,
        .iv_out = "0123456789abcdef",
        .fips_skip = true,
    }, {
        .key    = "k",
        .klen   = 1,
        .setkey_error = -EINVAL,
        .wk    = 1,
    }
};
static const struct cipher_testvec two[] = {
    { .key = "0123456789abcdef", .klen = SIZE, .ptext = "0123456789abcdef",
      .ctext = (u8 *)(u16 []){ 0x0201, 3, 0, 0, 0, 0, 0, 0xffff }, .len = sizeof(ones) / 2 },
    { .key = NULL },
};
static const struct hash_testvec macs[] = {
    {
#ifdef __LITTLE_ENDIAN
        .key    = "\x08",
#else
        .key    = "\x80",
#endif
        .ksize    = 1,
        .plaintext = word,
        .psize    = sizeof(word),
        .digest    = "1234567890123456789",
    }, {
        .plaintext = "",
        .digest = "12345678901234567890",
    }
};
static const struct aead_testvec sealed[] = {
    {
        .key    = zeros,
        .klen    = AES_KEYSIZE_256,
        .assoc    = "ab",
        .alen    = 2,
        .ptext    = "p",
        .plen    = 1,
        .ctext    = "c0123456789abcdef",
        .clen    = 1 + SIZE,
        .novrfy    = 1,
    },
};
#endif
"""


def parsed(header: str = HEADER, table: str = TABLE) -> KernelTests:
    return KernelTests(header, table, Origin("testmgr", "", "", "", "T", "U", "L"))


def load(algorithm: str, header: str = HEADER) -> VectorSet:
    return parsed(header).load(algorithm)


def load_all(header: str) -> None:
    files = parsed(header)
    for algorithm in files.algorithms():
        files.load(algorithm)


def test_the_table_gives_algorithms_of_active_rows_in_its_order() -> None:
    assert parsed().algorithms() == ["cbc(aes)", "hmac(sha1)", "gcm(aes)", "ecb(aes)"]


def test_strings_numbers_macros_and_named_arrays_become_bytes() -> None:
    vector = load("cbc(aes)").vectors[0]
    assert isinstance(vector, SkcipherVector)
    assert vector.key == b'\x01\x023\n\\"A89012345678'[:16]
    assert vector.iv == b"\xff" + bytes(15)
    assert (vector.ptext, vector.ctext) == (bytes(32), b"\xff" * 32)
    assert vector.iv_out == b"0123456789abcdef"
    assert vector.operation is Operation.BOTH


def test_a_refusal_of_a_weak_key_is_one_where_weak_keys_are_forbidden() -> None:
    vector = load("cbc(aes)").vectors[1]
    assert vector.expect == Expect("setkey", "EINVAL", forbid_weak=True)


def test_a_row_can_take_the_first_vectors_of_an_array() -> None:
    [vector] = load("ecb(aes)").vectors
    assert isinstance(vector, SkcipherVector)
    assert vector.ctext.hex() == "01020300" + "00" * 10 + "ffff"
    assert vector.iv == b""


def test_a_literal_may_lack_the_last_zero_and_no_key_is_no_setkey() -> None:
    keyed, unkeyed = load("hmac(sha1)").vectors
    assert isinstance(keyed, HashVector)
    assert isinstance(unkeyed, HashVector)
    assert keyed.digest == b"1234567890123456789\0"
    assert (keyed.key, keyed.message) == (b"\x08", b"\0ab\x03\x04")
    assert (unkeyed.key, unkeyed.message) == (None, b"")


def test_an_aead_has_the_tag_size_that_its_lengths_tell_and_zeros_for_no_iv() -> None:
    [vector] = load("gcm(aes)").vectors
    assert isinstance(vector, AeadVector)
    assert (vector.authsize, vector.novrfy, vector.iv) == (16, True, bytes(12))
    assert vector.operation is Operation.DECRYPT


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"k",\n', '"k"\n', "testmgr.h:24: want ',', found '.'"),
        (".klen   = 1,", ".klen    = 3,", "testmgr.h:22: key: 2 bytes, but its length is 3"),
        (".klen   = 1,", ".klen    = NOBODY,", "testmgr.h:22: klen: want a number"),
        (".klen   = 1,", ".klen   = 1 + NOBODY,", "testmgr.h:24: no known constant: NOBODY"),
        (".klen   = 1,", ".klen   = 1 / 0,", "testmgr.h:24: division by zero"),
        (".klen   = 1,", ".klen   = 1, .klen = 1,", "testmgr.h:24: klen: given twice"),
        (".klen   = 1,", ".colour = 1,", "testmgr.h:22: colour: unknown field"),
        ("-EINVAL", "-99999", "testmgr.h:22: setkey_error: no errno: -99999"),
        (".ptext  = zeros", ".ptext  = zeroes", "testmgr.h:17: no such array: zeroes"),
        (r"\x01\x02", r"\x123", "testmgr.h:13: an escape of more than a byte"),
        ("#ifdef __LITTLE", "#if X > 1 || __LITTLE", "testmgr.h:36: #if of an unknown kind"),
        ("#else", "#endif", "testmgr.h:63: #endif without #if"),
        ("cipher_testvec one[]", "hash_testvec one[]", "testmgr.h:11: one: of type struct hash"),
        ("one[] = {", "three[] = {", "testmgr.h: one: no such array"),
        ('.digest = "12345678901234567890",', '.digest = "1",', "testmgr.h:45: digest: 2 bytes"),
        ("static const struct aead", "#if 0\nstatic const struct aead", "#if without #endif"),
        ('"c0123456789abcdef"', '"c012345678', "testmgr.h:58: no token of C"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(old: str, new: str, message: str) -> None:
    assert old in HEADER
    with pytest.raises(VectorError) as caught:
        load_all(HEADER.replace(old, new, 1))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("int x;", "testmgr.c: no table alg_test_descs"),
        ("static const struct d alg_test_descs[] = { { .test = f } };", "a row without a name"),
        ("static const struct d alg_test_descs[] = { {", "no token of C: the file ends"),
        (f"static int alg_test_descs[] = {'{' * 5000}{'}' * 5000};", "braces too deep"),
        (f"static int alg_test_descs[] = {'(' * 5000};", "brackets too deep"),
    ],
)
def test_a_table_that_is_not_understood_is_refused(table: str, message: str) -> None:
    with pytest.raises(VectorError, match=r"testmgr\.c") as caught:
        parsed(table=table)
    assert message in str(caught.value)


def test_families_are_the_names_that_this_suite_is_made_of() -> None:
    assert in_families("essiv(authenc(hmac(sha256),cbc(aes)),sha256)")
    assert in_families("cmac(des3_ede)")
    assert not in_families("cbc(camellia)")
    assert not in_families("hmac(sha3-256)")


def pack(folder: Path, name: str, files: dict[str, bytes], mode: str = "w:xz") -> Path:
    path = folder / name
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for member, data in files.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


SOURCE = {
    "linux-source-6.1/Makefile": b"VERSION = 6\n",
    "linux-source-6.1/crypto/testmgr.c": TABLE.encode(),
    "linux-source-6.1/crypto/testmgr.h": HEADER.encode(),
}


def test_a_tree_its_folder_and_an_archive_give_the_same(tmp_path: Path) -> None:
    crypto = tmp_path / "linux-6.12.3" / "crypto"
    crypto.mkdir(parents=True)
    (crypto / "testmgr.h").write_text(HEADER)
    (crypto / "testmgr.c").write_text(TABLE)
    expected = kernel_source.KernelSource(HEADER, TABLE, "6.12.3")
    assert kernel_source.find(crypto.parent) == expected
    assert kernel_source.find(crypto) == expected
    packed = pack(tmp_path, "linux-source-6.1.tar.xz", SOURCE)
    assert kernel_source.find(packed) == expected._replace(release="6.1")


def test_a_debian_package_is_read_without_unpacking_it(tmp_path: Path) -> None:
    inner = pack(tmp_path, "inner.tar.xz", SOURCE).read_bytes()
    name = "./usr/src/linux-source-6.1.tar.xz"
    data = pack(tmp_path, "data.tar.xz", {"./usr/x": b"x", name: inner}).read_bytes()
    package = tmp_path / "linux-source-6.1_6.1.192-2_all.deb"
    parts = b"!<arch>\n"
    for member, content in (
        ("debian-binary", b"2.0\n"),
        ("control.tar", b"odd"),
        ("data.tar.xz", data),
    ):
        parts += f"{member:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        parts += content + b"\n" * (len(content) % 2)
    package.write_bytes(parts)
    found = kernel_source.find(package)
    assert found == kernel_source.KernelSource(HEADER, TABLE, "6.1.192-2")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b"!<arch>\nnothing", "a package without data"),
        (b"!<arch>\n" + b"x" * 60, "no ar archive"),
        (b"\xfd7zXZ\0" + b"broken" * 20, "cannot be read"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(VectorError, match=message):
        kernel_source.find(path)


def test_a_tree_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VectorError, match=r"has no crypto/testmgr\.h"):
        kernel_source.find(tmp_path)
    packed = pack(tmp_path, "a.tar.gz", {"linux/crypto/testmgr.h": b""}, "w:gz")
    with pytest.raises(VectorError, match=r"has no crypto/testmgr\.c"):
        kernel_source.find(packed)


def test_an_import_can_be_used_as_a_users_folder(tmp_path: Path) -> None:
    packed = pack(tmp_path, "linux-source-6.1.tar.xz", SOURCE)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "stale.jsonl").write_text("left by an earlier import")
    written = imports.write(imports.read("testmgr", packed), folder)
    assert sorted(path.name for path in written) == [
        "cbc-aes.jsonl", "ecb-aes.jsonl", "gcm-aes.jsonl", "hmac-sha1.jsonl", "index.yaml",
    ]  # fmt: skip
    assert not (folder / "stale.jsonl").exists()
    (folder / "index.yaml").unlink()
    files = Catalogue([]).extra([folder])
    assert {file.algorithm for file in files} == set(parsed().algorithms())
    [file] = [file for file in files if file.algorithm == "cbc(aes)"]
    [first, second] = file.load().vectors
    assert (first.id, second.id) == (f"{file.label}#v0", f"{file.label}#v1")
    originals = load("cbc(aes)").vectors
    assert first.key == originals[0].key
    assert second.expect == originals[1].expect


SHIPPED = [file for file in Catalogue.load().everything() if file.source == "kernel-6.1"]


def test_the_shipped_values_are_those_of_our_families() -> None:
    counts = {kind: 0 for kind in ("skcipher", "aead", "ahash")}
    for file in SHIPPED:
        assert in_families(file.algorithm), file.label
        loaded = file.load()
        assert loaded.licence == "GPL-2.0-or-later"
        counts[file.kind] += len(loaded.vectors)
    assert counts == {"skcipher": 61, "aead": 127, "ahash": 97}


# A tree, an archive or a package; else what Debian's package installs.
NAMED = os.environ.get("TCRYPT_LINUX_SOURCE")
REAL = [Path(NAMED)] if NAMED else sorted(Path("/usr/src").glob("linux-source-6.1.tar.xz"))


@pytest.fixture(scope="module")
def real() -> list[VectorSet]:
    """All vectors of a real kernel, whatever its release."""
    if not REAL:
        pytest.skip("needs the path of a linux-source package in TCRYPT_LINUX_SOURCE")
    return imports.read("testmgr", REAL[0], everything=True)


def title(of: list[VectorSet]) -> str:
    return of[0].title.partition(",")[0]


def test_every_vector_of_a_real_kernel_is_understood(real: list[VectorSet]) -> None:
    assert {vectors.kind for vectors in real} == {"skcipher", "aead", "ahash"}
    assert all(vectors.vectors and not vectors.inapplicable for vectors in real)


def test_linux_6_1_holds_869_vectors(real: list[VectorSet]) -> None:
    if not re.match(r"Linux 6\.1(\.|$)", title(real)):
        pytest.skip(f"{title(real)} has other vectors")
    counts = {kind: 0 for kind in ("skcipher", "aead", "ahash")}
    for vectors in real:
        counts[vectors.kind] += len(vectors.vectors)
    assert counts == {"skcipher": 389, "aead": 158, "ahash": 322}
    assert sum(counts.values()) == 869


def test_the_shipped_values_are_those_of_their_release(real: list[VectorSet]) -> None:
    if title(real) != SHIPPED[0].load().title.partition(",")[0]:
        pytest.skip(f"{title(real)} is another release")
    by_name = {vectors.algorithm: vectors.vectors for vectors in real}
    for file in SHIPPED:
        shipped = [msgspec.structs.replace(v, id="") for v in file.load().vectors]
        assert shipped == [msgspec.structs.replace(v, id="") for v in by_name[file.algorithm]]


def test_the_project_ships_no_code_of_the_kernel() -> None:
    root = Path(imports.__file__).parent
    tracked = subprocess.run(
        ["git", "ls-files", "."], cwd=root, capture_output=True, text=True, check=False
    )
    assert not [name for name in tracked.stdout.split() if name.endswith((".c", ".h"))]

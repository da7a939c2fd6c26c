"""Encrypt-then-hash and hash-then-decrypt: layout, tags, the ICV check, what is authenticated."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest
from Crypto.Cipher import AES, DES3

from tcrypt.engine.compression import (
    MD5_INITIAL,
    SHA1_INITIAL,
    SHA224_INITIAL,
    SHA256_INITIAL,
    md5_compress,
    sha1_compress,
    sha256_compress,
)
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.hashing import HASHES
from tcrypt.engine.eip93.records import (
    Cipher,
    CipherMode,
    Digest,
    IVSource,
    Opcode,
    SACommand,
    swap_words,
)
from tcrypt.engine.eip93.variants import MT7621

if TYPE_CHECKING:
    from tests.engine.eip93.conftest import Bench

KEY, IV, AUTH = bytes(range(24)), bytes(range(200, 216)), b"authentication key"
AAD, TEXT = bytes(range(100, 124)), bytes(range(48))
START = {
    Digest.MD5: (MD5_INITIAL, md5_compress),
    Digest.SHA1: (SHA1_INITIAL, sha1_compress),
    Digest.SHA224: (SHA224_INITIAL, sha256_compress),
    Digest.SHA256: (SHA256_INITIAL, sha256_compress),
}


class Case(NamedTuple):
    cipher: Cipher
    mode: CipherMode
    digest: Digest
    words: int


CASES = {
    "sha1, cbc(aes)": Case(Cipher.AES, CipherMode.CBC, Digest.SHA1, 3),
    "sha256, cbc(aes)": Case(Cipher.AES, CipherMode.CBC, Digest.SHA256, 4),
    "md5, cbc(des3_ede)": Case(Cipher.TDES, CipherMode.CBC, Digest.MD5, 3),
    "sha224, cbc(aes)": Case(Cipher.AES, CipherMode.CBC, Digest.SHA224, 7),
    "sha256, ctr(aes)": Case(Cipher.AES, CipherMode.CTR, Digest.SHA256, 8),
    "sha1, null": Case(Cipher.NULL, CipherMode.ECB, Digest.SHA1, 5),
}
each = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
SHA1_CBC = CASES["sha1, cbc(aes)"]


def hmac_states(digest: Digest) -> tuple[bytes, bytes]:
    initial, compress = START[digest]
    block = AUTH + bytes(64 - len(AUTH))
    states = []
    for pad in (0x36, 0x5C):
        words = compress(initial, bytes(byte ^ pad for byte in block))
        states.append(b"".join(word.to_bytes(4, "little") for word in words))
    return states[0], states[1]


def build(case: Case, **fields: object) -> SACommand:
    """The upstream driver's words for authenc, outbound."""
    return replace(
        SACommand(
            opcode=Opcode.CRYPT_AND_HASH,
            cipher=case.cipher,
            mode=case.mode,
            digest=case.digest,
            digest_length=case.words,
            iv_source=IVSource.STATE,
            save_iv=True,
            copy_digest=True,
            copy_header=True,
            copy_pad=True,
            hmac=True,
            offset=len(AAD) // 4,
            aes_key_length=3 if case.cipher is Cipher.AES else 0,
        ),
        **fields,
    )


def inbound(case: Case, **fields: object) -> SACommand:
    return build(case, inbound=True, copy_digest=False, copy_pad=False, **fields)


def encrypted(case: Case, text: bytes = TEXT) -> bytes:
    if case.cipher is Cipher.NULL:
        return text
    if case.cipher is Cipher.TDES:
        return DES3.new(KEY, DES3.MODE_CBC, IV[:8]).encrypt(text)
    if case.mode is CipherMode.CTR:
        start = int.from_bytes(IV[12:], "big")
        return AES.new(KEY, AES.MODE_CTR, nonce=IV[:12], initial_value=start).encrypt(text)
    return AES.new(KEY, AES.MODE_CBC, IV).encrypt(text)


def tag(case: Case, data: bytes) -> bytes:
    return hmac.new(AUTH, data, HASHES[case.digest].name).digest()[: case.words * 4]


class Run:
    """One combined packet."""

    def __init__(
        self,
        bench: Bench,
        case: Case,
        command: SACommand,
        source: bytes,
        length: int,
        **fields: object,
    ) -> None:
        inner, outer = hmac_states(case.digest)
        self.bench = bench
        self.destination = bench.memory.alloc(len(source) + 64)
        self.state = bench.state(iv=IV)
        packet = bench.descriptor(
            sa=bench.sa(command, key=KEY, inner=inner, outer=outer),
            source=bench.memory.alloc(source),
            destination=self.destination,
            state=self.state,
            length=length,
            pad_control=1 if case.cipher is Cipher.NULL else 0,
            **fields,
        )
        self.result = bench.run(packet)
        self.status = self.result.status
        self.output = bench.memory.peek(self.destination, self.result.length)


@each
def test_outbound_writes_header_ciphertext_and_engine_ordered_tag(bench, case):
    run = Run(bench, case, build(case), AAD + TEXT, len(AAD + TEXT))
    body = AAD + encrypted(case)
    digest = hmac.new(AUTH, body, HASHES[case.digest].name).digest()
    stored = digest if case.digest is Digest.MD5 else swap_words(digest)
    assert run.status == 0
    assert run.output == body + stored[: case.words * 4]


@each
def test_inbound_accepts_the_canonical_tag_and_decrypts(bench, case):
    body = AAD + encrypted(case)
    run = Run(bench, case, inbound(case), body + tag(case, body), len(body))
    assert run.status == 0
    assert run.output == AAD + TEXT


@each
@pytest.mark.parametrize("where", ["tag", "AAD", "text"])
def test_inbound_reports_one_wrong_bit_and_decrypts_all_the_same(bench, case, where):
    body = AAD + encrypted(case)
    packet = bytearray(body + tag(case, body))
    packet[{"tag": len(packet) - 1, "AAD": 0, "text": len(AAD)}[where]] ^= 0x40
    run = Run(bench, case, inbound(case), bytes(packet), len(body))
    assert run.status == reg.ERR_AUTH
    assert run.result.length == len(AAD + TEXT)
    if where == "tag":
        assert run.output == AAD + TEXT


@each
def test_inbound_rejects_a_tag_in_the_order_in_which_outbound_writes_it(bench, case):
    body = AAD + encrypted(case)
    run = Run(bench, case, inbound(case), body + swap_words(tag(case, body)), len(body))
    assert run.status == reg.ERR_AUTH


def test_wrong_tag_is_not_an_extended_error(bench):
    body = AAD + encrypted(SHA1_CBC)
    Run(bench, SHA1_CBC, inbound(SHA1_CBC), body + bytes(12), len(body))
    assert not bench.device.read32(reg.INT_UNMASK_STAT) & reg.INT_PROC_ERR
    assert bench.device.read32(reg.PE_STATUS) & reg.STATUS_AUTH_ERR


def test_tag_is_not_looked_at_where_the_variant_checks_none(make_bench):
    bench = make_bench(replace(MT7621, checks_basic_icv=False))
    bench.start()
    body = AAD + encrypted(SHA1_CBC)
    run = Run(bench, SHA1_CBC, inbound(SHA1_CBC), body + bytes(12), len(body))
    assert (run.status, run.output) == (0, AAD + TEXT)


def test_header_is_left_out_unless_copied(bench):
    run = Run(bench, SHA1_CBC, build(SHA1_CBC, copy_header=False), AAD + TEXT, len(AAD + TEXT))
    body = AAD + encrypted(SHA1_CBC)
    assert run.output == encrypted(SHA1_CBC) + swap_words(tag(SHA1_CBC, body))


def test_outbound_without_copied_digest_ends_with_the_text(bench):
    run = Run(bench, SHA1_CBC, build(SHA1_CBC, copy_digest=False), AAD + TEXT, len(AAD + TEXT))
    assert run.output == AAD + encrypted(SHA1_CBC)


@pytest.mark.parametrize("length", [0, 1, 3, 21, 255])
def test_offset_in_bytes_authenticates_any_header(bench, length):
    header = bytes(range(length))
    command = build(SHA1_CBC, byte_offset=True, offset=length)
    run = Run(bench, SHA1_CBC, command, header + TEXT, length + len(TEXT))
    body = header + encrypted(SHA1_CBC)
    assert run.output == body + swap_words(tag(SHA1_CBC, body))


def test_longest_header_in_words_is_1020_bytes(bench):
    header = bytes(1020)
    run = Run(bench, SHA1_CBC, build(SHA1_CBC, offset=255), header + TEXT, 1020 + len(TEXT))
    body = header + encrypted(SHA1_CBC)
    assert run.output == body + swap_words(tag(SHA1_CBC, body))


@pytest.mark.parametrize("direction", [build, inbound])
def test_packet_of_header_alone_is_authenticated(bench, direction):
    run = Run(bench, SHA1_CBC, direction(SHA1_CBC), AAD + tag(SHA1_CBC, AAD), len(AAD))
    assert run.status == 0
    assert run.output[: len(AAD)] == AAD
    assert bench.state_at(run.state).iv == IV


def test_padding_that_is_added_is_authenticated(bench):
    run = Run(bench, SHA1_CBC, build(SHA1_CBC), AAD + TEXT[:20], len(AAD) + 20)
    body = AAD + encrypted(SHA1_CBC, TEXT[:20] + bytes(12))
    assert run.output == body + swap_words(tag(SHA1_CBC, body))
    assert run.result.pad == 12


def test_bypass_is_neither_authenticated_nor_encrypted(bench):
    source = b"PASS" + AAD + TEXT
    run = Run(bench, SHA1_CBC, build(SHA1_CBC), source, len(source), bypass=1)
    body = AAD + encrypted(SHA1_CBC)
    assert run.output == b"PASS" + body + swap_words(tag(SHA1_CBC, body))


def test_saved_iv_is_the_last_ciphertext_block_in_both_directions(bench):
    secret = encrypted(SHA1_CBC)
    out = Run(bench, SHA1_CBC, build(SHA1_CBC), AAD + TEXT, len(AAD + TEXT))
    body = AAD + secret
    back = Run(bench, SHA1_CBC, inbound(SHA1_CBC), body + tag(SHA1_CBC, body), len(body))
    assert bench.state_at(out.state).iv == bench.state_at(back.state).iv == secret[-16:]


def test_inbound_partial_block_reports_both_errors_when_the_tag_is_wrong(bench):
    packet = AAD + encrypted(SHA1_CBC) + b"?"
    good = Run(bench, SHA1_CBC, inbound(SHA1_CBC), packet + tag(SHA1_CBC, packet), len(packet))
    bad = Run(bench, SHA1_CBC, inbound(SHA1_CBC), packet + bytes(12), len(packet))
    assert good.status == reg.ERR_BLOCK_SIZE
    assert bad.status == reg.ERR_BLOCK_SIZE | reg.ERR_AUTH


@each
def test_tag_reaches_no_further_than_digest_length(bench, case):
    run = Run(bench, case, build(case), AAD + TEXT, len(AAD + TEXT))
    end = run.destination + run.result.length
    assert bench.memory.peek(end, 4) == b"\xfe" * 4


def test_in_place_decryption_compares_the_tag_that_arrived(bench):
    body = AAD + encrypted(SHA1_CBC)
    packet = body + tag(SHA1_CBC, body)
    inner, outer = hmac_states(Digest.SHA1)
    data = bench.memory.alloc(packet)
    result = bench.run(
        bench.descriptor(
            sa=bench.sa(inbound(SHA1_CBC), key=KEY, inner=inner, outer=outer),
            source=data,
            destination=data,
            state=bench.state(iv=IV),
            length=len(body),
        )
    )
    assert result.status == 0
    assert bench.memory.peek(data, len(packet)) == AAD + TEXT + packet[-12:]

"""CAVP's GCM and CCM: how the files are written and break, and every value by OpenSSL."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from tcrypt.vectors import cavp
from tcrypt.vectors.catalogue import Catalogue, VectorFile
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import AeadVector, Inapplicable, Operation, Origin, Reason

GCM = Origin("cavp", "gcmEncrypt.rsp", "gcm(aes)", "aead")
OPEN = Origin("cavp", "gcmDecrypt.rsp", "gcm(aes)", "aead")
CCM = Origin("cavp", "x.rsp", "ccm(aes)", "aead")
KEY, IV, TAG = "00" * 16, "11" * 12, "44" * 16

SECTION = "[Keylen = 128]\n[IVlen = 96]\n[PTlen = 16]\n[AADlen = 8]\n[Taglen = 128]\n"
RECORD = f"Count = 0\nKey = {KEY}\nIV = {IV}\nPT = 2222\nAAD = 33\nCT = 5555\nTag = {TAG}\n"
SEALED = f"{SECTION}\n{RECORD}"
FORGED = f"{SECTION}\n{RECORD}".replace("PT = 2222\n", "") + "FAIL\n"

NONCE = "66" * 7
CCM_TEXT = (
    f"Plen = 2\nNlen = 7\nTlen = 4\n\n[Alen = 1]\n\nKey = {KEY}\nNonce = {NONCE}\n\n"
    "Count = 0\nAdata = 77\nPayload = 8888\nCT = 999999999999\n"
)

CATALOGUE = Catalogue.load()
FILES = [
    file
    for name in ("gcm(aes)", "ccm(aes)")
    for file in CATALOGUE.files(name)
    if file.source == "cavp"
]


def load(text: str, origin: Origin) -> list[AeadVector]:
    found = cavp.load(text, origin).vectors
    return [vector for vector in found if isinstance(vector, AeadVector)]


def test_a_gcm_record_has_tag_behind_ciphertext_and_the_direction_of_its_file() -> None:
    [vector] = load(SEALED, GCM)
    assert vector.ctext.hex() == "5555" + TAG
    assert (vector.ptext.hex(), vector.assoc.hex(), vector.authsize) == ("2222", "33", 16)
    assert (vector.operation, vector.novrfy) == (Operation.ENCRYPT, False)
    [opened] = load(SEALED, OPEN)
    assert opened.operation is Operation.DECRYPT


def test_a_failing_gcm_record_must_not_verify_and_has_no_known_plaintext() -> None:
    [vector] = load(FORGED, OPEN)
    assert (vector.novrfy, vector.unsealed, vector.ptext) == (True, True, bytes(2))


def test_sections_begin_anew_and_records_are_named_by_them() -> None:
    other = (
        SECTION.replace("AADlen = 8", "AADlen = 0") + "\n" + RECORD.replace("AAD = 33", "AAD =")
    )
    first, second = load(f"{SEALED}\n{other}", GCM)
    assert first.id.endswith("#key128-iv96-pt16-aad8-tag128-0")
    assert second.id.endswith("#key128-iv96-pt16-aad0-tag128-0")
    assert second.assoc == b""


def test_an_iv_of_another_length_is_not_applicable() -> None:
    text = SEALED.replace("IVlen = 96", "IVlen = 8").replace(IV, "11")
    found = cavp.load(text, GCM)
    assert found.vectors == ()
    [item] = found.inapplicable
    assert item == Inapplicable(
        "cavp:gcmEncrypt.rsp#key128-iv8-pt16-aad8-tag128-0", Reason.IV_LENGTH
    )


@pytest.mark.parametrize(
    ("text", "origin", "old", "new", "message"),
    [
        (SEALED, GCM, "[PTlen = 16]\n", "", "6: no section gives PTLEN"),
        (SEALED, GCM, "PTlen = 16", "PTlen = x", "7: PTLEN: not a decimal number: 'x'"),
        (SEALED, GCM, IV, IV[2:], "9: IV: 11 bytes, but IVLEN is 96 bits"),
        (SEALED, GCM, "PT = 2222\n", "", "7: PT: missing from the record"),
        (SEALED, GCM, "PT = 2222\n", "FAIL\n", "7: PT: missing from the record"),
        (SEALED, GCM, "PT = 22", "PT = 2x", "10: PT: not hexadecimal: '2x22'"),
        (SEALED, GCM, "PT = 2222", "PT = 22", "10: PT: 18 bytes, but plaintext and tag have 17"),
        (FORGED, OPEN, "FAIL", "FAILED", "13: not a 'NAME = value' line: 'FAILED'"),
        (
            SEALED,
            GCM,
            RECORD,
            RECORD + "\n" + RECORD,
            "15: COUNT: 0 given twice in [Taglen = 128]",
        ),
        (SEALED, GCM, "Count = 0", "Count = 0x0", "7: COUNT: not a decimal number: '0x0'"),
        (CCM_TEXT, CCM, "Nlen = 7\n", "", "9: no section gives NLEN"),
        (CCM_TEXT, CCM, f"Key = {KEY}\n", "", "9: KEY: missing from the record"),
        (CCM_TEXT, CCM, NONCE, NONCE[2:], "10: NONCE: 6 bytes, but the file says 7"),
        (CCM_TEXT, CCM, "Adata = 77", "Adata = 7", "11: ADATA: odd number of hexadecimal digits"),
        (CCM_TEXT, CCM, "CT = 99", "CT = ", "13: CT: 5 bytes, but the file says 6"),
        (CCM_TEXT, CCM, "CT =", "Result = Maybe\nCT =", "13: RESULT: want Pass or Fail, found"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(
    text: str, origin: Origin, old: str, new: str, message: str
) -> None:
    assert old in text
    with pytest.raises(VectorError) as caught:
        cavp.load(text.replace(old, new, 1), origin)
    assert str(caught.value).startswith(f"{origin.label}:{message}")


def test_a_ccm_nonce_becomes_the_kernels_iv_and_fields_above_hold_for_the_record() -> None:
    [vector] = load(CCM_TEXT, CCM)
    assert vector.iv.hex() == "07" + NONCE + "00" * 8
    assert (vector.key.hex(), vector.authsize) == (KEY, 4)
    assert vector.operation is Operation.ENCRYPT


def test_a_key_of_one_section_does_not_hold_for_the_next() -> None:
    more = "\n[Alen = 0]\n\nCount = 1\nAdata = 00\nPayload = 8888\nCT = 999999999999\n"
    with pytest.raises(VectorError, match="KEY: missing from the record"):
        load(CCM_TEXT + more, CCM)


def test_no_associated_data_is_written_as_a_zero_byte() -> None:
    [vector] = load(CCM_TEXT.replace("Alen = 1", "Alen = 0").replace("77", "00"), CCM)
    assert vector.assoc == b""


@pytest.mark.parametrize(
    ("result", "forged"), [("Pass", False), ("Fail", True), ("Fail (2 - CT changed)", True)]
)
def test_a_ccm_result_says_what_decryption_gives(result: str, forged: bool) -> None:
    text = CCM_TEXT.replace("CT =", f"Result = {result}\nCT =")
    [vector] = load(text.replace("Payload = 8888\n", "") if forged else text, CCM)
    assert (vector.operation, vector.novrfy) == (Operation.DECRYPT, forged)


def opens(algorithm: str, vector: AeadVector) -> bytes | None:
    """What OpenSSL makes of the ciphertext; None when it does not verify."""
    size = vector.authsize
    try:
        if algorithm == "ccm(aes)":
            nonce = vector.iv[1 : 15 - vector.iv[0]]
            return AESCCM(vector.key, size).decrypt(nonce, vector.ctext, vector.assoc)
        mode = modes.GCM(vector.iv, vector.ctext[-size:], min_tag_length=4)
        context = Cipher(algorithms.AES(vector.key), mode).decryptor()
        context.authenticate_additional_data(vector.assoc)
        return context.update(vector.ctext[:-size]) + context.finalize()
    except InvalidTag:
        return None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_openssl_agrees_with_every_record_of_the_package(file: VectorFile) -> None:
    if not file.available:
        pytest.skip(file.why_not)
    for vector in file.load().vectors:
        assert isinstance(vector, AeadVector)
        assert opens(file.algorithm, vector) == (None if vector.novrfy else vector.ptext), (
            vector.id
        )

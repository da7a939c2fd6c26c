"""The cipher references answer the published vectors, output IV included."""

from __future__ import annotations

import pytest

from tcrypt.oracle import SkcipherReference, reference

_SP_800_38A_TEXT = (
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
_AES_128 = "2b7e151628aed2a6abf7158809cf4f3c"
_AES_192 = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"
_AES_256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
_BLOCK_IV = "000102030405060708090a0b0c0d0e0f"
_COUNTER = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"

# (algorithm, key, iv, plaintext, ciphertext), all in hex but the name.
_VECTORS = {
    "SP 800-38A F.1.1 ECB-AES128": (
        "ecb(aes)",
        _AES_128,
        "",
        _SP_800_38A_TEXT,
        "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
        "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
    ),
    "SP 800-38A F.1.3 ECB-AES192": (
        "ecb(aes)",
        _AES_192,
        "",
        _SP_800_38A_TEXT,
        "bd334f1d6e45f25ff712a214571fa5cc974104846d0ad3ad7734ecb3ecee4eef"
        "ef7afd2270e2e60adce0ba2face6444e9a4b41ba738d6c72fb16691603c18e0e",
    ),
    "SP 800-38A F.1.5 ECB-AES256": (
        "ecb(aes)",
        _AES_256,
        "",
        _SP_800_38A_TEXT,
        "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"
        "b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7",
    ),
    "SP 800-38A F.2.1 CBC-AES128": (
        "cbc(aes)",
        _AES_128,
        _BLOCK_IV,
        _SP_800_38A_TEXT,
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
        "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
    ),
    "SP 800-38A F.2.3 CBC-AES192": (
        "cbc(aes)",
        _AES_192,
        _BLOCK_IV,
        _SP_800_38A_TEXT,
        "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
        "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
    ),
    "SP 800-38A F.2.5 CBC-AES256": (
        "cbc(aes)",
        _AES_256,
        _BLOCK_IV,
        _SP_800_38A_TEXT,
        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
        "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
    ),
    "SP 800-38A F.5.1 CTR-AES128": (
        "ctr(aes)",
        _AES_128,
        _COUNTER,
        _SP_800_38A_TEXT,
        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
        "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
    ),
    "SP 800-38A F.5.3 CTR-AES192": (
        "ctr(aes)",
        _AES_192,
        _COUNTER,
        _SP_800_38A_TEXT,
        "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94"
        "1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050",
    ),
    "SP 800-38A F.5.5 CTR-AES256": (
        "ctr(aes)",
        _AES_256,
        _COUNTER,
        _SP_800_38A_TEXT,
        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
        "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
    ),
    "RFC 3602 case 1": (
        "cbc(aes)",
        "06a9214036b8a15b512e03d534120006",
        "3dafba429d9eb430b422da802c9fac41",
        b"Single block msg".hex(),
        "e353779c1079aeb82708942dbe77181a",
    ),
    "RFC 3602 case 2": (
        "cbc(aes)",
        "c286696d887c9aa0611bbb3e2025a45a",
        "562e17996d093d28ddb3ba695a2e6f58",
        bytes(range(32)).hex(),
        "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1",
    ),
    "RFC 3686 vector 1": (
        "rfc3686(ctr(aes))",
        "ae6852f8121067cc4bf7a5765577f39e00000030",
        "0000000000000000",
        b"Single block msg".hex(),
        "e4095d4fb7a7b3792d6175a3261311b8",
    ),
    "RFC 3686 vector 3": (
        "rfc3686(ctr(aes))",
        "7691be035e5020a8ac6e618529f9a0dc00e0017b",
        "27777f3f4a1786f0",
        bytes(range(36)).hex(),
        "c1cf48a89f2ffdd9cf4652e9efdb72d74540a42bde6d7836d59a5ceaaef3105325b2072f",
    ),
    "FIPS 81 table B1, ECB": (
        "ecb(des)",
        "0123456789abcdef",
        "",
        b"Now is the time for all ".hex(),
        "3fa40e8a984d48156a271787ab8883f9893d51ec4b563b53",
    ),
    "FIPS 81 table C1, CBC": (
        "cbc(des)",
        "0123456789abcdef",
        "1234567890abcdef",
        b"Now is the time for all ".hex(),
        "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
    ),
    "SP 800-67 appendix B.1": (
        "ecb(des3_ede)",
        "0123456789abcdef23456789abcdef01456789abcdef0123",
        "",
        b"The qufck brown fox jump".hex(),
        "a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900",
    ),
    "IEEE 1619 vector 1, equal halves": (
        "xts(aes)",
        "00" * 32,
        "00" * 16,
        "00" * 32,
        "917cf69ebd68b2ec9b9fe9a3eadda692cd43d2f59598ed858c02c2652fbf922e",
    ),
    "IEEE 1619 vector 2": (
        "xts(aes)",
        "11" * 16 + "22" * 16,
        "3333333333" + "00" * 11,
        "44" * 32,
        "c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0",
    ),
    "IEEE 1619 vector 15, 17 bytes": (
        "xts(aes)",
        "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0bfbebdbcbbbab9b8b7b6b5b4b3b2b1b0",
        "9a78563412" + "00" * 11,
        bytes(range(17)).hex(),
        "6c1625db4671522d3d7599601de7ca09ed",
    ),
    "Linux 6.12.117, AES-192 in XTS": (
        "xts(aes)",
        "b5529ee1db8c1cca9ca83cf06e6d819a176dd04897e43461"
        "bd43cd0c532c8a8e9ec71b93483db60648d9e9116881c4b3",
        "b463688bca41d51558d85176e90ebbde",
        "93ed0860ad7b9000f8f78557c3191008",
        "276c0e9be39a49d67ac288784858f843",
    ),
    "RFC 3962 appendix B, 17 bytes": (
        "cts(cbc(aes))",
        b"chicken teriyaki".hex(),
        "00" * 16,
        b"I would like the ".hex(),
        "c6353568f2bf8cb4d8a580362da7ff7f97",
    ),
    "RFC 3962 appendix B, 31 bytes": (
        "cts(cbc(aes))",
        b"chicken teriyaki".hex(),
        "00" * 16,
        b"I would like the General Gau's ".hex(),
        "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
    ),
    "RFC 3962 appendix B, 32 bytes": (
        "cts(cbc(aes))",
        b"chicken teriyaki".hex(),
        "00" * 16,
        b"I would like the General Gau's C".hex(),
        "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584",
    ),
}


def _skcipher(name: str) -> SkcipherReference:
    found = reference(name)
    assert isinstance(found, SkcipherReference)
    return found


@pytest.mark.parametrize("vector", _VECTORS.values(), ids=_VECTORS)
def test_published_vector_in_both_directions(vector: tuple[str, str, str, str, str]) -> None:
    name, *fields = vector
    key, iv, ptext, ctext = map(bytes.fromhex, fields)
    cipher = _skcipher(name)
    assert cipher.setkey(key) == 0
    assert cipher.encrypt(key, iv, ptext).out == ctext
    assert cipher.decrypt(key, iv, ctext).out == ptext


@pytest.mark.parametrize("name", ["cbc(aes)", "cbc(des)", "cbc(des3_ede)"])
def test_cbc_leaves_the_last_ciphertext_block_in_both_directions(name: str) -> None:
    cipher = _skcipher(name)
    key, iv = bytes(range(cipher.max_keysize)), b"\xa5" * cipher.ivsize
    encrypted = cipher.encrypt(key, iv, bytes(3 * cipher.block_size))
    assert encrypted.iv_out == encrypted.out[-cipher.block_size :]
    assert cipher.decrypt(key, iv, encrypted.out).iv_out == encrypted.iv_out


_COUNTER_KEY = bytes(range(16))
# EIP-93 reference, section 8, cases 3 to 5: (iv, length, output or None, iv_out).
_WRAPS = {
    "case 3: low 32 bits wrap inside": (
        "000102030405060708090a0bffffffff",
        32,
        "656f643cb5c1d8fb6c7545b6924c5474bb549384e590c746039e863f1cab2c7c",
        "000102030405060708090a0c00000001",
    ),
    "case 4: low 32 bits wrap at the end": (
        "000102030405060708090a0bffffffff",
        16,
        "656f643cb5c1d8fb6c7545b6924c5474",
        "000102030405060708090a0c00000000",
    ),
    "case 5: all 128 bits wrap": (
        "ff" * 16,
        32,
        "3c441f32ce07822364d7a2990e50bb13c6a13b37878f5b826f4f8162a1c8d879",
        "00" * 15 + "01",
    ),
}


@pytest.mark.parametrize("wrap", _WRAPS.values(), ids=_WRAPS)
def test_counter_carries_through_the_whole_block(wrap: tuple[str, int, str, str]) -> None:
    iv, length, out, iv_out = wrap
    answer = _skcipher("ctr(aes)").encrypt(_COUNTER_KEY, bytes.fromhex(iv), bytes(length))
    assert answer == (bytes.fromhex(out), bytes.fromhex(iv_out))


@pytest.mark.parametrize("name", ["ctr(aes)", "ctr(des)", "ctr(des3_ede)"])
@pytest.mark.parametrize(("blocks", "extra"), [(0, 0), (0, 1), (1, 0), (1, 1), (2, 7)])
def test_counter_counts_a_partial_block_as_used(name: str, blocks: int, extra: int) -> None:
    cipher = _skcipher(name)
    size = cipher.chunksize
    start = b"\xff" * size
    data = bytes(blocks * size + extra)
    used = blocks + (1 if extra else 0)
    wanted = start if used == 0 else (used - 1).to_bytes(size, "big")
    assert cipher.encrypt(bytes(range(cipher.max_keysize)), start, data).iv_out == wanted


def test_the_iv_of_rfc3686_is_its_part_of_the_next_counter_block() -> None:
    cipher, iv = _skcipher("rfc3686(ctr(aes))"), bytes(range(8))
    for length in (0, 1, 16, 33):
        assert cipher.encrypt(bytes(36), iv, bytes(length)).iv_out == iv
        assert cipher.decrypt(bytes(36), iv, bytes(length)).iv_out == iv


@pytest.mark.parametrize("name", ["ecb(aes)", "xts(aes)", "cts(cbc(aes))"])
def test_unspecified_output_iv_is_none(name: str) -> None:
    cipher = _skcipher(name)
    key, iv = bytes(range(cipher.max_keysize)), bytes(cipher.ivsize)
    assert cipher.encrypt(key, iv, bytes(32)).iv_out is None
    assert cipher.decrypt(key, iv, bytes(32)).iv_out is None


@pytest.mark.parametrize("name", ["cbc(aes)", "cbc(des)", "ctr(aes)", "ctr(des3_ede)"])
def test_empty_request_leaves_the_iv(name: str) -> None:
    cipher = _skcipher(name)
    key, iv = bytes(range(cipher.max_keysize)), bytes(range(cipher.ivsize))
    assert cipher.encrypt(key, iv, b"") == (b"", iv)
    assert cipher.decrypt(key, iv, b"") == (b"", iv)

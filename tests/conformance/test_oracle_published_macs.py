"""The AEAD, hash and MAC references answer the published vectors."""

from __future__ import annotations

import pytest

from tcrypt.oracle import AeadReference, HashReference, reference

# RFC 1321 appendix A.5; FIPS 180-4 example values: (message, digest).
_DIGESTS = {
    "md5 of nothing": ("md5", b"", "d41d8cd98f00b204e9800998ecf8427e"),
    "md5 of abc": ("md5", b"abc", "900150983cd24fb0d6963f7d28e17f72"),
    "sha1 of nothing": ("sha1", b"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    "sha1 of abc": ("sha1", b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    "sha1 of 56 bytes": (
        "sha1",
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
    ),
    "sha224 of abc": (
        "sha224",
        b"abc",
        "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    ),
    "sha256 of abc": (
        "sha256",
        b"abc",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    "sha384 of abc": (
        "sha384",
        b"abc",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
        "8086072ba1e7cc2358baeca134c825a7",
    ),
    "sha512 of abc": (
        "sha512",
        b"abc",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
}

_LONG_KEY_TEXT = b"Test Using Larger Than Block-Size Key - Hash Key First"
_JEFE = (b"Jefe", b"what do ya want for nothing?")

# (algorithm, key, message, tag)
_TAGS = {
    "RFC 2202 MD5 1": (
        "hmac(md5)",
        b"\x0b" * 16,
        b"Hi There",
        "9294727a3638bb1c13f48ef8158bfc9d",
    ),
    "RFC 2202 MD5 2": ("hmac(md5)", *_JEFE, "750c783e6ab0b503eaa86e310a5db738"),
    "RFC 2202 MD5 6": (
        "hmac(md5)",
        b"\xaa" * 80,
        _LONG_KEY_TEXT,
        "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd",
    ),
    "RFC 2202 SHA1 1": (
        "hmac(sha1)",
        b"\x0b" * 20,
        b"Hi There",
        "b617318655057264e28bc0b6fb378c8ef146be00",
    ),
    "RFC 2202 SHA1 2": ("hmac(sha1)", *_JEFE, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    "RFC 2202 SHA1 6": (
        "hmac(sha1)",
        b"\xaa" * 80,
        _LONG_KEY_TEXT,
        "aa4ae5e15272d00e95705637ce8a3b55ed402112",
    ),
    "RFC 4231 1, SHA224": (
        "hmac(sha224)",
        b"\x0b" * 20,
        b"Hi There",
        "896fb1128abbdf196832107cd49df33f47b4b1169912ba4f53684b22",
    ),
    "RFC 4231 1, SHA256": (
        "hmac(sha256)",
        b"\x0b" * 20,
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    "RFC 4231 1, SHA384": (
        "hmac(sha384)",
        b"\x0b" * 20,
        b"Hi There",
        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
        "faea9ea9076ede7f4af152e8b2fa9cb6",
    ),
    "RFC 4231 1, SHA512": (
        "hmac(sha512)",
        b"\x0b" * 20,
        b"Hi There",
        "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
        "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
    ),
    "RFC 4231 6, SHA224": (
        "hmac(sha224)",
        b"\xaa" * 131,
        _LONG_KEY_TEXT,
        "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e",
    ),
    "RFC 4231 6, SHA256": (
        "hmac(sha256)",
        b"\xaa" * 131,
        _LONG_KEY_TEXT,
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    "RFC 4231 6, SHA384": (
        "hmac(sha384)",
        b"\xaa" * 131,
        _LONG_KEY_TEXT,
        "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
        "0c2ef6ab4030fe8296248df163f44952",
    ),
    "RFC 4231 6, SHA512": (
        "hmac(sha512)",
        b"\xaa" * 131,
        _LONG_KEY_TEXT,
        "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
        "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
    ),
    "RFC 4493 example 1": (
        "cmac(aes)",
        bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"),
        b"",
        "bb1d6929e95937287fa37d129b756746",
    ),
    "RFC 4493 example 3": (
        "cmac(aes)",
        bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"),
        bytes.fromhex(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411"
        ),
        "dfa66747de9ae63030ca32611497c827",
    ),
    "RFC 3566 case 1": ("xcbc(aes)", bytes(range(16)), b"", "75f0251d528ac01c4573dfd584d79f29"),
    "RFC 3566 case 4": (
        "xcbc(aes)",
        bytes(range(16)),
        bytes(range(20)),
        "47f51b4564966215b8985c63055ed308",
    ),
    "RFC 3566 case 5": (
        "xcbc(aes)",
        bytes(range(16)),
        bytes(range(32)),
        "f54f0ec8d2b9f3d36807734bd5283fd4",
    ),
    "GCM specification, test case 2": (
        "ghash",
        bytes.fromhex("66e94bd4ef8a2c3b884cfa59ca342b2e"),
        bytes.fromhex("0388dace60b6a392f328c2b971b2fe7800000000000000000000000000000080"),
        "f38cbb1ad69223dcc3457ae5b6b0f885",
    ),
}

_AEADS = {
    "GCM specification, test case 4": (
        "gcm(aes)",
        "feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
        "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
        "5bc94fbc3221a5db94fae95ae7121a47",
    ),
    "RFC 3610 packet vector 1": (
        "ccm(aes)",
        "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf",
        "01" + "00000003020100a0a1a2a3a4a5" + "0000",
        "0001020304050607",
        "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
        "588c979a61c663d2f066d0c2c0f989806d5f6b61dac384",
        "17e8d12cfdf926e0",
    ),
    "Linux 6.12.117, rfc4106": (
        "rfc4106(gcm(aes))",
        "9629d17c0e132384e09e3a454ea7707b7ac241c3",
        "347a72576a2e78e2",
        "7fb232f478180583ce734805604954b9",
        "2453cd01f93e645bd2f2ea555caf13",
        "10a049a01ecb0d381370aae7f5433f",
        "62c4d20ac1e01e152a24574610bd07e3",
    ),
    "Linux 6.12.117, authenc with sha224": (
        "authenc(hmac(sha224),cbc(aes))",
        "08000100000000105fc9a5483aac350a231426a143f00d00258a4393e449ca2e"
        "a014d4e56b6c1662f41d45cb44f2060e5c04a505",
        "0aacd6d12c1e0bb5551c958bbf5a0ef4",
        "3505a539c5f03357",
        "3d9004318f97c2bdf4b81270fce304a4",
        "f097fb752e424aee4a2e0da1596522d2",
        "643bedb5d61bbc6115ee667d9fc6915f99899a909113736160d51222",
    ),
    "Linux 6.12.117, authenc with md5 and rfc3686": (
        "authenc(hmac(md5),rfc3686(ctr(aes)))",
        "08000100000000147726a5dae84e0bee1c73f077ece0bef53109e0593506709f3d08f814ab7e8eb264b7b8ee",
        "79e9404d75a137a0",
        "a41849110abfc73a",
        "720bffd9ff2dbf",
        "830597bb6ccf6e",
        "7a8cc16f83fa9f491f4d6195bf88de01",
    ),
}


def _aead(name: str) -> AeadReference:
    found = reference(name)
    assert isinstance(found, AeadReference)
    return found


def _hash(name: str) -> HashReference:
    found = reference(name)
    assert isinstance(found, HashReference)
    return found


@pytest.mark.parametrize(("name", "message", "digest"), _DIGESTS.values(), ids=_DIGESTS)
def test_published_digest(name: str, message: bytes, digest: str) -> None:
    assert _hash(name).digest(None, message).hex() == digest


@pytest.mark.parametrize(("name", "key", "message", "tag"), _TAGS.values(), ids=_TAGS)
def test_published_mac(name: str, key: bytes, message: bytes, tag: str) -> None:
    mac = _hash(name)
    assert mac.setkey(key) == 0
    assert mac.digest(key, message).hex() == tag
    # The second answer comes from the states kept for the key, which must be untouched.
    assert mac.digest(key, message).hex() == tag


@pytest.mark.parametrize("vector", _AEADS.values(), ids=_AEADS)
def test_published_aead_vector_in_both_directions(vector: tuple[str, ...]) -> None:
    name, *fields = vector
    key, iv, assoc, ptext, ctext, tag = map(bytes.fromhex, fields)
    aead = _aead(name)
    assert aead.setkey(key) == 0
    assert aead.encrypt(key, iv, assoc, ptext, len(tag)) == ctext + tag
    assert aead.decrypt(key, iv, assoc, ctext + tag, len(tag)) == ptext


def test_authenc_hashes_a_long_key_whatever_the_tag_length() -> None:
    """EIP-93 reference, section 8, case 25: 65 bytes of key, 12 bytes of tag."""
    aead = _aead("authenc(hmac(sha1),cbc(aes))")
    key = aead.join_key(b"\xaa" * 65, bytes(16))
    full = "10f3fcd6d8720e551b639cbc84f8436a17d0498c"
    assert aead.encrypt(key, bytes(16), b"abc", b"", 12).hex() == full[:24]
    assert aead.encrypt(key, bytes(16), b"abc", b"", 20).hex() == full

"""Which instances of templates the built-in providers offer for testing, by driver name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tcrypt.engine.api.flags import AlgType
from tcrypt.engine.api.machine import Machine

__all__ = (
    "EIP93_AGAIN",
    "EIP93_INSTANCES",
    "OPENSSL_DRIVERS",
    "OPENSSL_VECTORS",
    "SOFTWARE_INSTANCES",
    "offer",
)

_DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_CIPHERS = ("cbc(aes-generic)", "cbc(des-generic)", "cbc(des3_ede-generic)")
_RFC3686 = "rfc3686(ctr(aes-generic))"
_GCM = "gcm_base(ctr(aes-generic),ghash-generic)"
_CCM = "ccm_base(ctr(aes-generic),cbcmac(aes-generic))"
_SHA1_AES = "(hmac(sha1-generic),cbc(aes-generic))"
_SHA256_AES = "(hmac(sha256-generic),cbc(aes-generic))"
_EIP93_GCM = "gcm_base(ctr(aes-eip93),ghash-generic)"

SOFTWARE_INSTANCES: dict[AlgType, tuple[str, ...]] = {
    AlgType.SKCIPHER: (
        "ecb(des-generic)",
        "cbc(des-generic)",
        "ctr(des-generic)",
        "ecb(des3_ede-generic)",
        "cbc(des3_ede-generic)",
        "ctr(des3_ede-generic)",
        "ecb(aes-generic)",
        "cbc(aes-generic)",
        "ctr(aes-generic)",
        "rfc3686(ctr(aes-generic))",
        "cts(cbc(aes-generic))",
        "xts(ecb(aes-generic))",
        "essiv(cbc(aes-generic),sha256-generic)",
    ),
    AlgType.AHASH: (
        *(f"hmac({digest}-generic)" for digest in _DIGESTS),
        "cmac(aes-generic)",
        "cmac(des3_ede-generic)",
        "xcbc(aes-generic)",
        "cbcmac(aes-generic)",
    ),
    AlgType.AEAD: (
        _GCM,
        f"rfc4106({_GCM})",
        f"rfc4543({_GCM})",
        f"seqiv(rfc4106({_GCM}))",
        _CCM,
        f"rfc4309({_CCM})",
        *(f"authenc(hmac({d}-generic),{c})" for d in _DIGESTS for c in (*_CIPHERS, _RFC3686)),
        "authenc(hmac(sha256-generic),ctr(aes-generic))",
        f"authencesn{_SHA1_AES}",
        f"authencesn{_SHA256_AES}",
        f"echainiv(authenc{_SHA1_AES})",
        f"essiv(authenc{_SHA256_AES},sha256-generic)",
    ),
}
"""What the software provider offers."""

_OPENSSL_CBC = ("cbc-aes-openssl", "cbc-des-openssl", "cbc-des3_ede-openssl")
_OPENSSL_RFC3686 = "rfc3686(ctr-aes-openssl)"
_OPENSSL_SHA1_AES = "(hmac-sha1-openssl,cbc-aes-openssl)"
_OPENSSL_SHA256_AES = "(hmac-sha256-openssl,cbc-aes-openssl)"

OPENSSL_DRIVERS: dict[AlgType, tuple[str, ...]] = {
    AlgType.SKCIPHER: (
        "ecb(aes-openssl)",
        "cbc-aes-openssl",
        "ctr-aes-openssl",
        "xts-aes-openssl",
    ),
    AlgType.AHASH: (
        "sha1-openssl",
        "sha512-openssl",
        "hmac-sha1-openssl",
        "hmac-sha384-openssl",
    ),
    AlgType.AEAD: (
        "gcm-aes-openssl",
        "ccm-aes-openssl",
        f"authenc{_OPENSSL_SHA1_AES}",
    ),
}
"""The drivers on OpenSSL that are tested in all ways: one of each kind of code in them."""

OPENSSL_VECTORS: dict[AlgType, tuple[str, ...]] = {
    AlgType.SKCIPHER: (
        "ecb(des-openssl)",
        "ecb(des3_ede-openssl)",
        "cbc-des-openssl",
        "cbc-des3_ede-openssl",
        _OPENSSL_RFC3686,
        "cts(cbc-aes-openssl)",
        "essiv(cbc-aes-openssl,sha256-openssl)",
    ),
    AlgType.AHASH: (
        "md5-openssl",
        "sha224-openssl",
        "sha256-openssl",
        "sha384-openssl",
        "hmac-md5-openssl",
        "hmac-sha224-openssl",
        "hmac-sha256-openssl",
        "hmac-sha512-openssl",
        "cmac(aes-openssl)",
        "cmac(des3_ede-openssl)",
        "xcbc(aes-openssl)",
        "cbcmac(aes-openssl)",
    ),
    AlgType.AEAD: (
        "rfc4106(gcm-aes-openssl)",
        "rfc4543(gcm-aes-openssl)",
        "seqiv(rfc4106(gcm-aes-openssl))",
        "rfc4309(ccm-aes-openssl)",
        *(
            name
            for digest in _DIGESTS
            for cipher in (*_OPENSSL_CBC, _OPENSSL_RFC3686)
            if (name := f"authenc(hmac-{digest}-openssl,{cipher})")
            != f"authenc{_OPENSSL_SHA1_AES}"
        ),
        f"authencesn{_OPENSSL_SHA1_AES}",
        f"authencesn{_OPENSSL_SHA256_AES}",
        f"echainiv(authenc{_OPENSSL_SHA1_AES})",
        f"essiv(authenc{_OPENSSL_SHA256_AES},sha256-openssl)",
    ),
}
"""Those with another block cipher or digest, and templates over them: published vectors only.

Each differs from one above, or from what the software provider offers, in what it is made of.
"""

EIP93_INSTANCES: dict[AlgType, tuple[str, ...]] = {
    AlgType.SKCIPHER: (
        "cts(cbc(aes-eip93))",
        "xts(ecb(aes-eip93))",
        "essiv(cbc(aes-eip93),sha256-generic)",
    ),
    AlgType.AEAD: (
        _EIP93_GCM,
        f"rfc4106({_EIP93_GCM})",
        "ccm_base(ctr(aes-eip93),cbcmac(aes-generic))",
        "authenc(hmac(sha1-generic),cbc(aes-eip93))",
        "authenc(hmac(sha1-eip93),cbc(aes-generic))",
        "authenc(hmac(sha256-eip93),ctr(aes-eip93))",
    ),
}
"""What templates make of the EIP-93's own drivers."""

_AES = ("cbc(aes-eip93)", "ctr(aes-eip93)")
_RFC3686_EIP93 = "rfc3686(ctr(aes-eip93))"
_AUTHENC = "authenc(hmac(sha1-eip93),cbc(aes-eip93))"
_AUTHENC_CTR = f"authenc(hmac(sha256-eip93),{_RFC3686_EIP93})"

EIP93_AGAIN: dict[str, dict[AlgType, tuple[str, ...]]] = {
    # Key sizes go to software: every way in which a key gets there.
    "aes128-only": {
        AlgType.SKCIPHER: ("ecb(aes-eip93)", *_AES, _RFC3686_EIP93),
        AlgType.AEAD: (_AUTHENC, _AUTHENC_CTR),
    },
    "async-fallback": {AlgType.SKCIPHER: _AES, AlgType.AEAD: (_AUTHENC,)},
    # The threshold holds for two of them, and not for the third.
    "openwrt": {AlgType.SKCIPHER: (*_AES, _RFC3686_EIP93)},
    # Rings, interrupts and results: one of each way in which a request becomes descriptors.
    "tiny-ring": {
        AlgType.SKCIPHER: ("cbc(aes-eip93)", "ctr(aes-eip93)", "cbc(des3_ede-eip93)"),
        AlgType.AHASH: ("sha1-eip93", "hmac(sha256-eip93)"),
        AlgType.AEAD: (_AUTHENC,),
    },
    "slow-irq": {
        AlgType.SKCIPHER: ("cbc(aes-eip93)", _RFC3686_EIP93),
        AlgType.AHASH: ("sha256-eip93",),
        AlgType.AEAD: (_AUTHENC,),
    },
    "flaky": {
        AlgType.SKCIPHER: ("ctr(aes-eip93)",),
        AlgType.AHASH: ("hmac(sha1-eip93)",),
        AlgType.AEAD: (_AUTHENC,),
    },
    # Another way to the ring: one of each way in which a request becomes descriptors.
    "direct": {
        AlgType.SKCIPHER: ("cbc(aes-eip93)", "ctr(aes-eip93)"),
        AlgType.AHASH: ("sha256-eip93", "hmac(sha1-eip93)"),
        AlgType.AEAD: (_AUTHENC, _AUTHENC_CTR),
    },
    # Another way into the device, word by word: packets with and without a tag, of short messages.
    "dhm": {
        AlgType.AHASH: ("hmac(sha256-eip93)",),
        AlgType.AEAD: (_AUTHENC_CTR,),
    },
    # Another chip: one of each kind.
    "an7583": {
        AlgType.SKCIPHER: ("cbc(aes-eip93)",),
        AlgType.AHASH: ("sha224-eip93",),
        AlgType.AEAD: ("authenc(hmac(sha256-eip93),cbc(des3_ede-eip93))",),
    },
    # The cores that stand next to the missing one.
    "no-md5": {
        AlgType.AHASH: ("sha1-eip93", "hmac(sha224-eip93)"),
        AlgType.AEAD: ("authenc(hmac(sha1-eip93),cbc(des-eip93))",),
    },
}
"""What of the driver is tested again on a device that differs, by the variant's name."""


def offer(
    machine: Machine,
    instances: Mapping[AlgType, Iterable[str]],
    checks: tuple[str, ...] = (),
) -> None:
    """Have the suite test these on a machine, by some checks or by all."""
    for kind, names in instances.items():
        machine.offer(kind, *names, checks=checks)

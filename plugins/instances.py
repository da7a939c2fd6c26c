"""Which instances of templates the built-in providers offer for testing, by driver name."""

from __future__ import annotations

from tcrypt.engine.api.flags import AlgType

__all__ = ("EIP93_INSTANCES", "SOFTWARE_INSTANCES")

_DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")

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
}
"""What the software provider offers."""

EIP93_INSTANCES: dict[AlgType, tuple[str, ...]] = {
    AlgType.SKCIPHER: (
        "rfc3686(ctr(aes-eip93))",
        "cts(cbc(aes-eip93))",
        "xts(ecb(aes-eip93))",
        "essiv(cbc(aes-eip93),sha256-generic)",
    ),
}
"""What templates make of the EIP-93's own drivers."""

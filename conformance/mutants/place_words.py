"""Names of providers, algorithms and problems that the places of defects are told with."""

from __future__ import annotations

__all__ = (
    "ACCEPTED",
    "AES128",
    "ASYNC",
    "AUTHENC",
    "AUTHENCESN",
    "AUTHENC_256",
    "AUTHENC_CTR",
    "AUTHENC_DES",
    "CBC",
    "CHANGED",
    "CTR",
    "DHM",
    "DIGEST",
    "DIRECT",
    "ECB",
    "ECHAINIV",
    "ENGINE",
    "FLAKY",
    "HMAC",
    "IV",
    "LATER",
    "LOST",
    "MT7621",
    "NO_MD5",
    "OPENWRT",
    "OUTPUT",
    "OVERRUN",
    "RFC3686",
    "RFC4106",
    "SHA1",
    "SOFTWARE",
    "STACK",
    "STATUS",
    "STRAY",
    "TDES",
    "TEMPLATES",
    "TINY",
    "USED",
    "WARNS",
)

MT7621, AES128, OPENWRT = "eip93-mt7621", "eip93-aes128-only", "eip93-openwrt"
TINY, FLAKY, NO_MD5 = "eip93-tiny-ring", "eip93-flaky", "eip93-no-md5"
DIRECT, DHM, ASYNC = "eip93-direct", "eip93-dhm", "eip93-async-fallback"
TEMPLATES, ECB, CBC, CTR = "eip93-templates", "ecb(aes)", "cbc(aes)", "ctr(aes)"
AUTHENC_256 = "authenc(hmac(sha256),rfc3686(ctr(aes)))"
AUTHENC, SHA1, HMAC = "authenc(hmac(sha1),cbc(aes))", "sha1", "hmac(sha1)"
AUTHENCESN, ECHAINIV = "authencesn(hmac(sha1),cbc(aes))", f"echainiv({AUTHENC})"
RFC4106, SOFTWARE = "rfc4106(gcm(aes))", "software"
RFC3686, TDES = "rfc3686(ctr(aes))", "cbc(des3_ede)"
AUTHENC_DES, AUTHENC_CTR = "authenc(hmac(sha1),cbc(des))", f"authenc(hmac(sha1),{RFC3686})"

OUTPUT, IV, STATUS, DIGEST = "wrong output", "wrong output IV", "wrong status", "wrong digest"
OVERRUN, LOST = "memory around the destination overwritten", "accepted and never completed"
ACCEPTED, LATER = "key accepted that must be refused", "completed out of order"
CHANGED, ENGINE = "request changed by the driver", "the wrong engine did the work"
USED, WARNS = "request used after its completion", "the kernel would warn"
STACK = "memory that may lie on a stack is mapped for DMA"
STRAY = "the device was sent to memory that is not mapped"

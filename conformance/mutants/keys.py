"""Keys and the software fallback: who is keyed, with what, and who gets the request."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from typing import Any

from tcrypt.engine.api.authenc import split_authenc_key
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.requests import AeadRequest, AhashRequest, SkcipherRequest
from tcrypt.engine.api.transforms import Aead, Ahash, Skcipher
from tcrypt.engine.compression import SHA1_INITIAL, sha1_compress
from tcrypt.engine.eip93.driver.aead import EipAead
from tcrypt.engine.eip93.driver.ahash import EipHash
from tcrypt.engine.eip93.driver.policy import Reason
from tcrypt.engine.eip93.driver.sa import digest_bytes, key_block
from tcrypt.engine.eip93.driver.skcipher import CipherContext, EipSkcipher
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_BLOCK = 64
_DIGEST_SIZE = 20
_IPAD = 0x36
_OPAD = 0x5C


@mutant("KF-01", "a fallback that did not take the key goes unnoticed")
def fallback_not_keyed() -> Planted:
    """Setkey reports success although the fallback has no key."""

    def setkey_fallback(self: object, tfm: Skcipher | Aead, key: bytes) -> int:
        return 0

    return replaced(
        (EipSkcipher, "setkey_fallback", setkey_fallback),
        (EipAead, "setkey_fallback", setkey_fallback),
    )


@mutant("KF-04", "an unsupported key size is sent to the hardware")
def key_size_ignored() -> Planted:
    """The decision for the fallback does not look at the key."""
    original = EipSkcipher.fallback_reason

    def fallback_reason(
        self: EipSkcipher, context: CipherContext, request: SkcipherRequest
    ) -> str:
        reason = original(self, context, request)
        return "" if reason == Reason.KEY_SIZE else reason

    return replaced((EipSkcipher, "fallback_reason", fallback_reason))


@mutant("KF-05", "the length boundary of the fallback is flipped")
def threshold_flipped() -> Planted:
    """Requests above the threshold go to software, those up to it to the hardware."""
    return _threshold(lambda length, threshold: length > threshold)


@mutant("KF-05b", "the length boundary of the fallback is off by one")
def threshold_off_by_one() -> Planted:
    """A request of exactly the threshold length goes to the hardware."""
    return _threshold(lambda length, threshold: length < threshold)


@mutant("KF-05c", "the room in the request's lists decides for the fallback, not its length")
def threshold_of_the_lists() -> Planted:
    """A short request in longer lists goes to the hardware."""
    original = EipSkcipher.fallback_reason

    def fallback_reason(
        self: EipSkcipher, context: CipherContext, request: SkcipherRequest
    ) -> str:
        reason = original(self, context, request)
        room = sum(length for _, length in request.src.entries)
        left = self.policy.leaves(self.name, room, context.key_size)
        return "" if reason == Reason.SHORT and not left else reason

    return replaced((EipSkcipher, "fallback_reason", fallback_reason))


def _threshold(in_software: Callable[[int, int], bool]) -> Planted:
    def fallback_reason(
        self: EipSkcipher, context: CipherContext, request: SkcipherRequest
    ) -> str:
        if not context.on_hardware:
            return Reason.KEY_SIZE
        threshold = self.policy.threshold(self.name, context.key_size)
        return Reason.SHORT if in_software(request.cryptlen, threshold) else ""

    return replaced((EipSkcipher, "fallback_reason", fallback_reason))


@mutant("KF-06", "the fallback AEAD request has no assoclen")
def fallback_without_assoclen() -> Planted:
    """The request for the fallback is made without set_ad, so its AAD is empty."""
    original = EipAead.run_fallback

    def run_fallback(self: EipAead, request: AeadRequest, *, encrypt: bool) -> int:
        assoclen, request.assoclen = request.assoclen, 0
        try:
            return original(self, request, encrypt=encrypt)
        finally:
            request.assoclen = assoclen

    return replaced((EipAead, "run_fallback", run_fallback))


@mutant("KF-08", "the original request is rewritten for the fallback")
def request_rewritten() -> Planted:
    """The caller's request is given to the fallback, and not restored when that refuses."""

    def run_fallback(self: EipAead, request: AeadRequest, *, encrypt: bool) -> int:
        tfm, complete, data = request.tfm, request.complete, request.data

        def done(_: Any, status: int) -> None:
            request.tfm = tfm
            request.set_callback(request.flags, complete, data)
            complete(data, status)

        request.tfm = fallback = tfm.ctx.fallback
        request.set_callback(request.flags, done, None)
        status: int = fallback.encrypt(request) if encrypt else fallback.decrypt(request)
        if not status:
            request.tfm = tfm
            request.set_callback(request.flags, complete, data)
        return status

    return replaced((EipAead, "run_fallback", run_fallback))


@mutant("KF-11", "setkey returns -1 for a bad length")
def minus_one() -> Planted:
    """A refused key is answered with -1, which is -EPERM."""
    return _refuses_with(-1)


@mutant("KF-11b", "setkey returns a positive errno for a bad length")
def positive() -> Planted:
    """A refused key is answered with +EINVAL, which `err < 0` takes for success."""
    return _refuses_with(errno.EINVAL)


def _refuses_with(answer: int) -> Planted:
    cipher, aead = EipSkcipher.setkey, EipAead.setkey

    def setkey_cipher(self: EipSkcipher, tfm: Skcipher, key: bytearray) -> int:
        return cipher(self, tfm, key) and answer

    def setkey_aead(self: EipAead, tfm: Aead, key: bytearray) -> int:
        return aead(self, tfm, key) and answer

    return replaced((EipSkcipher, "setkey", setkey_cipher), (EipAead, "setkey", setkey_aead))


@mutant("KF-14", "an authentication key of zero length is rejected")
def empty_auth_key() -> Planted:
    """-EINVAL for an authenc blob without an authentication key."""
    original = EipAead.setkey

    def setkey(self: EipAead, tfm: Aead, key: bytearray) -> int:
        keys = split_authenc_key(key)
        if keys is not None and not keys.authkey:
            return -errno.EINVAL
        return original(self, tfm, key)

    return replaced((EipAead, "setkey", setkey))


@mutant("KF-15", "an authentication key longer than its buffer is truncated")
def auth_key_truncated() -> Planted:
    """Only the first 64 bytes of an authentication key are kept, and then used as the key."""
    original = EipAead.hmac_states

    def hmac_states(self: EipAead, authkey: bytes) -> tuple[bytes, bytes]:
        return original(self, authkey[:_BLOCK])

    return replaced((EipAead, "hmac_states", hmac_states))


@mutant("KF-18", "a long authentication key is hashed to authsize bytes")
def hashed_to_authsize() -> Planted:
    """The digest of a long key is cut to the tag size that holds when the key is set."""
    original = EipAead.setkey

    def setkey(self: EipAead, tfm: Aead, key: bytearray) -> int:
        status = original(self, tfm, key)
        keys = split_authenc_key(key)
        if not status and keys is not None:
            hashed = hashlib.sha1(keys.authkey, usedforsecurity=False).digest()[: tfm.authsize]
            tfm.ctx.inner, tfm.ctx.outer = (
                digest_bytes(sha1_compress(SHA1_INITIAL, key_block(keys.authkey, hashed, pad)))
                for pad in (_IPAD, _OPAD)
            )
        return status

    return replaced((EipAead, "setkey", setkey))


@mutant("KF-19", "the hash for the key is asked for with a self-contradictory mask")
def contradictory_mask() -> Planted:
    """HMAC setkey allocates the driver's own, asynchronous hash as a synchronous one."""
    original = EipHash.setkey

    def setkey(self: EipHash, tfm: Ahash, key: bytearray) -> int:
        registry = tfm.machine.registry
        try:
            plain = registry.alloc_ahash(f"{self.spec.name}-eip93", 0, AlgFlag.ASYNC)
        except OSError as error:
            return -(error.errno or errno.ENOENT)
        registry.free(plain)
        return original(self, tfm, key)

    return replaced((EipHash, "setkey", setkey))


@mutant("KF-23", "room for the full tag is asked for where a truncated one is made")
def full_tag_room() -> Planted:
    """Encryption with a short tag goes to software unless a full tag would fit."""
    original = EipAead.submit

    def submit(self: EipAead, request: AeadRequest, *, encrypt: bool) -> int:
        room = request.assoclen + request.cryptlen + _DIGEST_SIZE
        if encrypt and request.dst.nents_for_len(room) < 0:
            self.core.counters[self.driver_name, Reason.TAG] += 1
            return self.run_fallback(request, encrypt=encrypt)
        return original(self, request, encrypt=encrypt)

    return replaced((EipAead, "submit", submit))


@mutant("KF-24", "HMAC is told from a plain hash by the presence of a setkey operation")
def every_hash_is_keyed() -> Planted:
    """Every hash has the operation, if only as a default, so a plain one waits for its key."""
    original = EipHash.hash_init

    def hash_init(self: EipHash, request: AhashRequest) -> int:
        if hasattr(request.tfm.alg, "setkey") and request.tfm.ctx is None:
            return -errno.EINVAL
        return original(self, request)

    return replaced((EipHash, "hash_init", hash_init))

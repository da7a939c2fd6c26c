"""Keys that are more than AES keys: with a nonce behind them, of DES, weak ones."""

from __future__ import annotations

import errno
from dataclasses import replace

from tcrypt.engine.api.algorithms import SkcipherAlg
from tcrypt.engine.api.authenc import split_authenc_key
from tcrypt.engine.api.flags import ReqFlag
from tcrypt.engine.api.requests import SkcipherRequest
from tcrypt.engine.api.transforms import Aead, Skcipher
from tcrypt.engine.eip93.driver.aead import AeadContext, EipAead
from tcrypt.engine.eip93.driver.cipher_jobs import CipherJobs
from tcrypt.engine.eip93.driver.ciphers import CipherSpec
from tcrypt.engine.eip93.driver.core import STATE_A, Job
from tcrypt.engine.eip93.driver.fallback import key_alike
from tcrypt.engine.eip93.driver.skcipher import EipSkcipher
from tcrypt.engine.eip93.records import Cipher
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_NONCE = 4
_DES_KEY = 8
_TDES_KEY = 24
_LONGEST = 32


@mutant("IV-13", "the counter block of rfc3686 gets into the caller's IV")
def internal_iv_copied() -> Planted:
    """The first bytes of the state record, nonce and half the IV, are written back as the IV."""
    original = CipherJobs.finish

    def finish(self: CipherJobs, job: Job, status: int) -> None:
        original(self, job, status)
        request = job.request
        assert isinstance(request, SkcipherRequest)
        if not status and self.spec.nonce and request.iv is not None:
            state = self.core.machine.memory.read(job.slot + STATE_A, self.spec.ivsize)
            request.iv.write(state)

    return replaced((CipherJobs, "finish", finish))


@mutant("KF-02", "the fallback gets the wrong part of an rfc3686 key")
def fallback_without_nonce() -> Planted:
    """The software transform is keyed without the nonce, as if it were plain counter mode."""
    original = EipSkcipher.setkey_fallback

    def setkey_fallback(self: EipSkcipher, tfm: Skcipher, key: bytes) -> int:
        return original(self, tfm, key[:-_NONCE] if self.spec.nonce else key)

    return replaced((EipSkcipher, "setkey_fallback", setkey_fallback))


@mutant("KF-13", "a DES key of authenc is copied from the AES scratch")
def key_from_scratch() -> Planted:
    """The cipher key is taken from where the AES key was expanded last, whatever the cipher."""
    original = EipAead.setkey
    scratch = bytearray(_LONGEST)

    def setkey(self: EipAead, tfm: Aead, key: bytearray) -> int:
        status = original(self, tfm, key)
        if not status:
            context: AeadContext = tfm.ctx
            size = len(context.enckey)
            if self.cipher.cipher is Cipher.AES:
                scratch[:size] = context.enckey
            context.enckey = bytes(scratch[:size])
        return status

    return replaced((EipAead, "setkey", setkey))


@mutant("KF-17", "the rfc3686 nonce comes from the wrong end of the authenc key")
def nonce_of_the_other_key() -> Planted:
    """The nonce is the end of the authentication key."""
    original = EipAead.setkey

    def setkey(self: EipAead, tfm: Aead, key: bytearray) -> int:
        keys = split_authenc_key(bytearray(key))
        status = original(self, tfm, key)
        if not status and keys is not None and self.cipher.nonce:
            tfm.ctx.nonce = keys.authkey[-_NONCE:].rjust(_NONCE, b"\0")
        return status

    return replaced((EipAead, "setkey", setkey))


@mutant("KF-17b", "a new nonce behind the same key of rfc3686 is not noticed")
def nonce_kept() -> Planted:
    """What was prepared for a key is kept when the cipher's part of the next one is the same."""
    original = EipSkcipher.setkey

    def setkey(self: EipSkcipher, tfm: Skcipher, key: bytearray) -> int:
        nonce, record = tfm.ctx.nonce, tfm.ctx.encrypt_sa
        status = original(self, tfm, key)
        if not status and record == tfm.ctx.encrypt_sa:
            tfm.ctx.nonce = nonce
        return status

    return replaced((EipSkcipher, "setkey", setkey))


@mutant("WK-01", "weak keys of triple DES are accepted")
def weak_keys_accepted() -> Planted:
    """Nobody compares the parts of a key; the software transform is not told to either."""

    def check_key(self: EipSkcipher, tfm: Skcipher, enckey: bytes) -> int:
        return 0

    def setkey_fallback(self: EipSkcipher, tfm: Skcipher, key: bytes) -> int:
        return key_alike(tfm.ctx.fallback, 0, key)

    return replaced(
        (EipSkcipher, "check_key", check_key), (EipSkcipher, "setkey_fallback", setkey_fallback)
    )


@mutant("WK-04", "a weak key is refused although it is allowed")
def weak_keys_refused() -> Planted:
    """The parts of a triple DES key must differ, whoever asks, and the errno is another."""
    original = EipSkcipher.check_key

    def check_key(self: EipSkcipher, tfm: Skcipher, enckey: bytes) -> int:
        alike = len(enckey) == _TDES_KEY and enckey[:_DES_KEY] == enckey[_DES_KEY : 2 * _DES_KEY]
        return -errno.ENOKEY if alike else original(self, tfm, enckey)

    return replaced((EipSkcipher, "check_key", check_key))


@mutant("WK-04b", "a key of triple DES is refused for its outer parts")
def outer_parts_compared() -> Planted:
    """Where weak keys are forbidden the first and the last part must differ as well."""
    original = EipSkcipher.check_key

    def check_key(self: EipSkcipher, tfm: Skcipher, enckey: bytes) -> int:
        forbidden = tfm.flags & ReqFlag.FORBID_WEAK_KEYS and len(enckey) == _TDES_KEY
        alike = forbidden and enckey[:_DES_KEY] == enckey[2 * _DES_KEY :]
        return -errno.EINVAL if alike else original(self, tfm, enckey)

    return replaced((EipSkcipher, "check_key", check_key))


@mutant("WK-05", "a single DES key is long enough for triple DES")
def short_keys_filled_up() -> Planted:
    """Keys from 8 bytes on are registered for triple DES, and filled up with zeros."""
    describe, setkey = EipSkcipher.alg, EipSkcipher.setkey

    def alg(self: EipSkcipher) -> SkcipherAlg:
        found = describe(self)
        return replace(found, min_keysize=_DES_KEY) if _is_triple(self.spec) else found

    def filled(self: EipSkcipher, tfm: Skcipher, key: bytearray) -> int:
        whole = key.ljust(_TDES_KEY, b"\0") if _is_triple(self.spec) else key
        return setkey(self, tfm, whole)

    return replaced((EipSkcipher, "alg", alg), (EipSkcipher, "setkey", filled))


def _is_triple(spec: CipherSpec) -> bool:
    return spec.cipher is Cipher.TDES

"""AEAD: tags, associated data, forgeries, empty messages."""

from __future__ import annotations

import errno
from collections.abc import Callable

from tcrypt.engine.api.requests import AeadRequest
from tcrypt.engine.api.transforms import Aead
from tcrypt.engine.crypto_engine import CryptoEngine
from tcrypt.engine.eip93 import registers as reg
from tcrypt.engine.eip93.driver import core, digests
from tcrypt.engine.eip93.driver.aead import AeadContext, EipAead
from tcrypt.engine.eip93.driver.aead_jobs import AeadJob, AeadJobs
from tcrypt.engine.eip93.driver.core import Job
from tcrypt.engine.eip93.driver.policy import Reason
from tcrypt.engine.eip93.operations import PacketCore
from tcrypt.engine.eip93.plan import HashPlan
from tcrypt.mutants import mutant
from tcrypt.mutants.seams import Planted, replaced

__all__: tuple[str, ...] = ()

_BLOCK = 16
_WORD = 4
_DIGEST_SIZE = 20
_OFFSET_FIELD = 0xFF


@mutant("AE-01", "the integrity check is silently off")
def no_comparison() -> Planted:
    """The driver relies on AUTH_ERR, and the engine does not compare tags in basic operations."""

    def verify(self: PacketCore, plan: HashPlan, words: tuple[int, ...], digest: bytes) -> int:
        return 0

    return replaced((PacketCore, "_verify", verify))


@mutant("AE-03", "authentication failure with the wrong errno")
def io_error_for_forgery() -> Planted:
    """AUTH_ERR becomes -EIO."""
    original = core.status_to_errno

    def status_to_errno(status: int) -> int:
        return -errno.EIO if status == reg.ERR_AUTH else original(status)

    return replaced((core, "status_to_errno", status_to_errno))


@mutant("AE-04", "the tag length is fixed at the full digest")
def full_digest() -> Planted:
    """DIGEST_LENGTH is the hash's, whatever setauthsize said."""
    original = EipAead.build_sa

    def build_sa(
        self: EipAead, context: AeadContext, *, inbound: bool, assoclen: int, authsize: int
    ) -> bytes:
        return original(self, context, inbound=inbound, assoclen=assoclen, authsize=_DIGEST_SIZE)

    return replaced((EipAead, "build_sa", build_sa))


@mutant("AE-06", "a tag length that is no multiple of 4 is cut")
def tag_in_words() -> Planted:
    """Tags of every length go to the hardware, and are put out in whole words only."""
    reason_of, finish = EipAead.fallback_reason, EipAead.finish_tag

    def fallback_reason(self: EipAead, request: AeadRequest, textlen: int, authsize: int) -> str:
        return reason_of(self, request, textlen, authsize // _WORD * _WORD)

    def finish_tag(self: EipAead, job: Job, request: AeadRequest, plan: AeadJob) -> None:
        plan.authsize = plan.authsize // _WORD * _WORD
        finish(self, job, request, plan)

    return replaced(
        (EipAead, "fallback_reason", fallback_reason),
        (AeadJobs, "finish_tag", finish_tag),
    )


@mutant("AE-07", "an AAD length that is no multiple of 4")
def aad_in_words() -> Planted:
    """The AAD is given to the engine in words, rounded down, whatever its length in bytes."""
    original = EipAead.fallback_reason

    def fallback_reason(self: EipAead, request: AeadRequest, textlen: int, authsize: int) -> str:
        assoclen = request.assoclen
        request.assoclen = assoclen // _WORD * _WORD
        try:
            return original(self, request, textlen, authsize)
        finally:
            request.assoclen = assoclen

    return replaced((EipAead, "fallback_reason", fallback_reason))


@mutant("AE-09", "the AAD length field overflows")
def offset_wraps() -> Planted:
    """The number of AAD words is cut to the 8 bits of its field."""
    reason_of, build = EipAead.fallback_reason, EipAead.build_sa

    def fallback_reason(self: EipAead, request: AeadRequest, textlen: int, authsize: int) -> str:
        reason = reason_of(self, request, textlen, authsize)
        unfit = request.assoclen % _WORD or authsize % _WORD
        return "" if reason == Reason.ASSOC and not unfit else reason

    def build_sa(
        self: EipAead, context: AeadContext, *, inbound: bool, assoclen: int, authsize: int
    ) -> bytes:
        wrapped = (assoclen // _WORD & _OFFSET_FIELD) * _WORD
        return build(self, context, inbound=inbound, assoclen=wrapped, authsize=authsize)

    return replaced(
        (EipAead, "fallback_reason", fallback_reason),
        (EipAead, "build_sa", build_sa),
    )


@mutant("AE-11", "the driver changes req->cryptlen")
def cryptlen_reduced() -> Planted:
    """On decryption the tag is taken off the length in the caller's own request."""
    original = EipAead.do_one_request

    def do_one_request(self: EipAead, engine: CryptoEngine, request: AeadRequest) -> int:
        status = original(self, engine, request)
        if not status and not request.ctx.encrypt:
            request.cryptlen -= request.ctx.authsize
        return status

    return replaced((AeadJobs, "do_one_request", do_one_request))


@mutant("AE-12", "unverified plaintext is left behind")
def wiped_in_the_wrong_place() -> Planted:
    """The text of a forgery is wiped from the start of the destination on, AAD included."""
    original = EipAead.finish

    def finish(self: EipAead, job: Job, status: int) -> None:
        request = job.request
        assert isinstance(request, AeadRequest)
        plan: AeadJob = request.ctx
        if status and plan.direct:
            request.dst.write(bytes(plan.textlen), 0)
        else:
            original(self, job, status)

    return replaced((AeadJobs, "finish", finish))


class _Context(AeadContext):
    """A context with the driver's own copies of the tag length, and of the last text length."""

    authsize = 0
    textlen = _BLOCK


def _init_tfm() -> Callable[[EipAead, Aead], int]:
    original = EipAead.init_tfm

    def init_tfm(self: EipAead, tfm: Aead) -> int:
        status = original(self, tfm)
        if not status:
            tfm.ctx = _Context(tfm.ctx.fallback)
        return status

    return init_tfm


@mutant("AE-15", "the default tag length is never looked at")
def authsize_unset() -> Planted:
    """The driver's copy of the tag length is 0 until somebody calls setauthsize."""
    change, build = EipAead.setauthsize, EipAead.build_sa

    def setauthsize(self: EipAead, tfm: Aead, authsize: int) -> int:
        tfm.ctx.authsize = authsize
        return change(self, tfm, authsize)

    def build_sa(
        self: EipAead, context: AeadContext, *, inbound: bool, assoclen: int, authsize: int
    ) -> bytes:
        assert isinstance(context, _Context)
        own = context.authsize
        return build(self, context, inbound=inbound, assoclen=assoclen, authsize=own)

    return replaced(
        (EipAead, "init_tfm", _init_tfm()),
        (EipAead, "setauthsize", setauthsize),
        (EipAead, "build_sa", build_sa),
    )


@mutant("AE-17", "nothing at all to map is a failure")
def empty_mapping() -> Planted:
    """A request without AAD and text maps nothing, which is answered with -ENOMEM."""
    original = EipAead.submit

    def submit(self: EipAead, request: AeadRequest, *, encrypt: bool) -> int:
        tag = 0 if encrypt else request.tfm.authsize
        if request.assoclen + request.cryptlen == tag:
            return -errno.ENOMEM
        return original(self, request, encrypt=encrypt)

    return replaced((EipAead, "submit", submit))


@mutant("AE-17c", "a message of nothing but a tag is taken for sound")
def nothing_to_verify() -> Planted:
    """Without text and AAD there is nothing to do, so that nobody looks at the tag."""
    original = EipAead.decrypt

    def decrypt(self: EipAead, request: AeadRequest) -> int:
        empty = request.cryptlen == request.tfm.authsize and not request.assoclen
        return 0 if empty else original(self, request)

    return replaced((EipAead, "decrypt", decrypt))


@mutant("AE-18", "the text length comes from a stale context")
def stale_textlen() -> Planted:
    """Whether the payload is empty is judged by the length of the previous request."""
    original = EipAead.fallback_reason

    def fallback_reason(self: EipAead, request: AeadRequest, textlen: int, authsize: int) -> str:
        context: _Context = request.tfm.ctx
        before, context.textlen = context.textlen, textlen
        if bool(before) == bool(textlen):
            return original(self, request, textlen, authsize)
        return Reason.EMPTY if textlen else original(self, request, before, authsize)

    return replaced(
        (EipAead, "init_tfm", _init_tfm()),
        (EipAead, "fallback_reason", fallback_reason),
    )


@mutant("AE-20", "a self-consistent but wrong tag")
def tag_not_swapped() -> Planted:
    """Tag words are in the engine's byte order where they are written and where compared."""

    def verify(self: PacketCore, plan: HashPlan, words: tuple[int, ...], digest: bytes) -> int:
        behind = words[1] + (words[7] & reg.LENGTH_BYTES)
        wanted = plan.algorithm.in_memory(digest)[: plan.tag_bytes]
        return 0 if self._bus.read(behind, plan.tag_bytes) == wanted else reg.ERR_AUTH

    def as_it_is(data: bytes) -> bytes:
        return data

    return replaced((PacketCore, "_verify", verify), (digests, "swap_words", as_it_is))


@mutant("AE-21", "a sequence number error hides a forgery")
def sequence_number_first() -> Planted:
    """The engine finds a forgery's sequence number bad too, which the driver leaves to others."""
    verify, original = PacketCore._verify, core.status_to_errno

    def both(self: PacketCore, plan: HashPlan, words: tuple[int, ...], digest: bytes) -> int:
        return reg.ERR_AUTH | reg.ERR_SEQNUM if verify(self, plan, words, digest) else 0

    def status_to_errno(status: int) -> int:
        return 0 if status & reg.ERR_SEQNUM else original(status)

    return replaced((PacketCore, "_verify", both), (core, "status_to_errno", status_to_errno))


@mutant("AE-22", "two error bits at once fall through to the default")
def equality_of_bits() -> Planted:
    """The engine finds a forgery's padding bad too; the driver knows each error only alone."""
    verify, original = PacketCore._verify, core.status_to_errno

    def both(self: PacketCore, plan: HashPlan, words: tuple[int, ...], digest: bytes) -> int:
        return reg.ERR_AUTH | reg.ERR_PAD if verify(self, plan, words, digest) else 0

    def status_to_errno(status: int) -> int:
        return -errno.EINVAL if status == reg.ERR_AUTH | reg.ERR_PAD else original(status)

    return replaced((PacketCore, "_verify", both), (core, "status_to_errno", status_to_errno))

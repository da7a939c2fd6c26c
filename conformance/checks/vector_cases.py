"""What a published vector asks of a driver: its cases, one for each direction."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from tcrypt.cipher_bench import CipherCase
from tcrypt.engine.api.errors import errno_name
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference, reference
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import AeadVector, HashVector, Operation, SkcipherVector, Vector

__all__ = ("cipher_cases", "iv_after", "right_digest", "weak_key_errnos")

_BLOCKS = {"des": 8, "des3_ede": 8}
_ENCRYPT = (Operation.ENCRYPT, Operation.BOTH)
_DECRYPT = (Operation.DECRYPT, Operation.BOTH)


def weak_key_errnos(algorithm: str, vector: Vector) -> set[str]:
    """What a driver may answer to a weak key that its caller forbids, beside the vector's errno.

    The kernel's own helpers give a degenerate key of triple DES another one than their
    descriptions (kernel-crypto, section 6.2).
    """
    known = reference(algorithm)
    if vector.expect is None or not vector.expect.forbid_weak or vector.key is None:
        return set()
    if not isinstance(known, SkcipherReference | AeadReference):
        return set()
    allowed = known.setkey_allowed(vector.key, forbid_weak=True)
    return {errno_name(status) for status in allowed if status}


def right_digest(algorithm: str, vector: HashVector) -> bytes | None:
    """What a driver must give: the digest of the source, or where that is a wrong one, ours.

    A driver that gives the reference's digest does not give the wrong one, since they differ.

    Raises:
        VectorError: what the source calls a wrong digest is the right one.
    """
    if not vector.forged:
        return vector.digest
    known = reference(algorithm)
    if not isinstance(known, HashReference):
        return None
    digest = known.digest(vector.key or b"", vector.message)
    if digest.startswith(vector.digest):
        reason = f"{vector.digest.hex()} is called a forgery, but is what the reference gives"
        raise VectorError(vector.id, 0, "digest", reason)
    return digest


def cipher_cases(
    algorithm: str, vector: SkcipherVector | AeadVector
) -> Iterator[tuple[str, CipherCase]]:
    """The cases of a vector, each with the word for its direction."""
    status = 0
    if vector.expect is not None:
        status = -int(getattr(errno, vector.expect.errno))
    if isinstance(vector, AeadVector):
        yield from _aead_cases(algorithm, vector, status)
        return
    iv_out = vector.iv_out
    if iv_out is None and not status:
        iv_out = iv_after(algorithm, vector.iv, vector.ctext)
    if vector.operation in _ENCRYPT:
        yield (
            "enc",
            CipherCase(True, vector.key, vector.iv, vector.ptext, vector.ctext, iv_out, status),
        )
    if vector.operation in _DECRYPT:
        yield (
            "dec",
            CipherCase(False, vector.key, vector.iv, vector.ctext, vector.ptext, iv_out, status),
        )


def _aead_cases(
    algorithm: str, vector: AeadVector, status: int
) -> Iterator[tuple[str, CipherCase]]:
    assoc, size = vector.assoc, vector.authsize
    if vector.operation in _ENCRYPT and not vector.novrfy:
        case = CipherCase(
            True, vector.key, vector.iv, vector.ptext, vector.ctext, None, status, assoc, size
        )
        yield "enc", case
    if vector.operation in _DECRYPT or vector.novrfy:
        status = -errno.EBADMSG if vector.novrfy else status
        case = CipherCase(
            False, vector.key, vector.iv, vector.ctext, vector.ptext, None, status, assoc, size
        )
        yield (
            "dec",
            _decrypted(algorithm, case, novrfy=vector.novrfy, known_text=not vector.unsealed),
        )


def _decrypted(algorithm: str, case: CipherCase, *, novrfy: bool, known_text: bool) -> CipherCase:
    """The decryption with what the oracle knows of destinations and forgeries."""
    known = reference(algorithm)
    if not isinstance(known, AeadReference):
        secret = case.out if known_text and novrfy and len(case.out) >= 8 else b""
        return case._replace(secret=secret)
    if novrfy and known_text and known.verifies_first and len(case.out) >= 8:
        case = case._replace(secret=case.out[known.ivsize if known.iv_in_text else 0 :])
    return case._replace(header=known.header(False, len(case.assoc)))


def iv_after(algorithm: str, iv: bytes, ctext: bytes) -> bytes | None:
    """The IV after a request, where the mode promises one (crypto API, 6.3); else None.

    For CBC that is the last ciphertext block, for CTR the counter behind all blocks, a partial
    one included.
    """
    mode, _, rest = algorithm.partition("(")
    block = _BLOCKS.get(rest.rstrip(")"), 16)
    if not ctext:
        return iv if mode in ("cbc", "ctr") else None
    if mode == "cbc":
        return ctext[-block:]
    if mode == "ctr":
        counter = int.from_bytes(iv, "big") - (-len(ctext) // block)
        return (counter % (1 << 8 * block)).to_bytes(block, "big")
    return None

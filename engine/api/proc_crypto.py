"""The text of `/proc/crypto` for a registry, as the kernel writes it (kernel-crypto, 6.9).

One block for each algorithm, the latest registration first, each with an empty line behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcrypt.engine.api.algorithms import AeadAlg, AhashAlg, AnyAlg, CipherAlg, SkcipherAlg
from tcrypt.engine.api.entries import Entry
from tcrypt.engine.api.flags import AlgFlag
from tcrypt.engine.api.registry import Registry

__all__ = ("proc_crypto", "proc_crypto_block", "proc_crypto_fields")

_WIDTH = 13
_TESTED = int(AlgFlag.TESTED)
_LARVAL = int(AlgFlag.LARVAL)


def proc_crypto(registry: Registry) -> str:
    """The whole file; an algorithm whose self-test runs has its larval in front of it."""
    blocks: list[str] = []
    for entry in registry.entries():
        if entry.testing:
            blocks.append(_block(_larval(entry)))
        blocks.append(proc_crypto_block(entry))
    return "".join(blocks)


def proc_crypto_block(entry: Entry) -> str:
    """The lines of one algorithm, with the empty one behind them."""
    return _block(proc_crypto_fields(entry))


def _block(fields: Iterator[tuple[str, str]]) -> str:
    return "".join(f"{name:<{_WIDTH}}: {value}\n" for name, value in fields) + "\n"


def proc_crypto_fields(entry: Entry) -> Iterator[tuple[str, str]]:
    """Names and values of one algorithm's block, in their order; sizes in bytes.

    The self-test is `passed` or `unknown`: the kernel does not show here that one has failed.
    """
    yield from _head(entry, entry.flags)
    yield "type", entry.alg.type.word
    yield from _sizes(entry.alg)


def _head(entry: Entry, flags: int) -> Iterator[tuple[str, str]]:
    alg = entry.alg
    yield "name", alg.cra_name
    yield "driver", alg.cra_driver_name
    yield "module", alg.cra_module
    yield "priority", str(alg.cra_priority)
    yield "refcnt", str(entry.refcnt)
    yield "selftest", "passed" if flags & _TESTED else "unknown"
    yield "internal", _yes(flags & AlgFlag.INTERNAL)


def _larval(entry: Entry) -> Iterator[tuple[str, str]]:
    """The placeholder that stands for an algorithm until its self-test is done."""
    flags = entry.flags | _LARVAL | _TESTED
    yield from _head(entry, flags)
    yield "type", "larval"
    yield "flags", f"{flags:#x}"


def _sizes(alg: AnyAlg) -> Iterator[tuple[str, str]]:
    if isinstance(alg, SkcipherAlg | AeadAlg | AhashAlg):
        yield "async", _yes(alg.cra_flags & AlgFlag.ASYNC)
    yield "blocksize", str(alg.cra_blocksize)
    if isinstance(alg, SkcipherAlg | CipherAlg):
        yield "min keysize", str(alg.min_keysize)
        yield "max keysize", str(alg.max_keysize)
    if isinstance(alg, SkcipherAlg):
        yield "ivsize", str(alg.ivsize)
        yield "chunksize", str(alg.chunksize)
        yield "walksize", str(alg.walksize)
    elif isinstance(alg, AeadAlg):
        yield "ivsize", str(alg.ivsize)
        yield "maxauthsize", str(alg.maxauthsize)
        yield "geniv", "<none>"
    elif not isinstance(alg, CipherAlg):
        yield "digestsize", str(alg.digestsize)


def _yes(value: int) -> str:
    return "yes" if value else "no"

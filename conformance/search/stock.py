"""What the requests of a world hold: by number, under any of the keys that a world uses."""

from __future__ import annotations

from functools import lru_cache

from tcrypt.cipher_bench import CipherCase
from tcrypt.layouts import CIPHER_LAYOUTS, CipherLayout
from tcrypt.material import draw
from tcrypt.oracle import AeadReference, HashReference, SkcipherReference
from tcrypt.specs import AeadSpec, SkcipherSpec

__all__ = ("AnyReference", "Stock")

AnyReference = SkcipherReference | AeadReference | HashReference
_HASH_LENGTHS = (64, 1, 65, 200, 3, 128, 55)
# One piece out of place and in place, an even split, one with odd offsets, and several pieces.
_LAYOUTS = tuple(CIPHER_LAYOUTS[index] for index in (2, 0, 4, 3))
_BLOCKS = 5
_ASSOC = (16, 16, 13, 20)


class Stock:
    """The cases of one algorithm.

    Args:
        reference: the oracle.
        least: bytes from which on the driver leaves a request to the hardware.
    """

    def __init__(self, reference: AnyReference, least: int) -> None:
        self.reference = reference
        self._least = least
        self.cipher = lru_cache(maxsize=4096)(self._cipher)
        self.message = lru_cache(maxsize=4096)(self._message)

    @property
    def keyed(self) -> bool:
        """Whether there are keys at all."""
        return not isinstance(self.reference, HashReference) or self.reference.keyed

    def key(self, number: int) -> bytes:
        """A good key; sizes take turns, the shortest first."""
        reference, label = self.reference, f"world key {number}"
        if isinstance(reference, HashReference):
            return draw(label, (reference.key_sizes or (20,))[0])
        if isinstance(reference, AeadReference):
            sizes = reference.enckey_sizes
        else:
            sizes = reference.key_sizes
        key = draw(label, sizes[(number - 1) // 2 % len(sizes)])
        if isinstance(reference, AeadReference) and reference.key_sizes is None:
            return reference.join_key(draw(f"world auth {number}", 20), key)
        return key

    def bad_key(self) -> bytes | None:
        """A key that the driver itself must refuse; None where the core would, or nobody."""
        reference = self.reference
        if isinstance(reference, AeadReference):
            return draw("world bad key", 3)
        sizes = reference.key_sizes or ()
        if isinstance(reference, HashReference) or sizes[0] == sizes[-1]:
            return None
        return draw("world bad key", sizes[0] + 1)

    def layout(self, variant: int) -> CipherLayout:
        """Where the request of a variant lies."""
        return _LAYOUTS[variant // _BLOCKS % len(_LAYOUTS)]

    def _length(self, variant: int) -> int:
        return 16 * (-(-self._least // 16) + variant % _BLOCKS)

    def _cipher(self, encrypt: bool, key: int, number: int, variant: int) -> CipherCase:
        """Request `number` under key `key`; no two have the same data."""
        reference, length = self.reference, self._length(variant)
        if isinstance(reference, SkcipherReference):
            spec = SkcipherSpec(
                "enc" if encrypt else "dec", len(self.key(key)), length, seed=number
            )
            return self.under(spec.case(reference, with_key=False), key)
        assert isinstance(reference, AeadReference)
        tag, assoc = reference.maxauthsize, _ASSOC[variant % len(_ASSOC)]
        size = reference.enckey_sizes[0]
        draft = AeadSpec("enc", size, length, assoc, tag, seed=number).case(reference)
        if draft.status:
            return draft._replace(key=None)
        sealed = self.under(draft, key)
        if encrypt:
            return sealed
        return sealed._replace(encrypt=False, data=sealed.out, out=sealed.data)

    def under(self, case: CipherCase, key: int) -> CipherCase:
        """The answer to the same request with another key."""
        reference, secret = self.reference, self.key(key)
        case = case._replace(key=None)
        if case.status:
            return case
        if isinstance(reference, SkcipherReference):
            call = reference.encrypt if case.encrypt else reference.decrypt
            answer = call(secret, case.iv, case.data)
            return case._replace(out=answer.out, iv_out=answer.iv_out)
        assert isinstance(reference, AeadReference)
        assert case.authsize is not None
        if case.encrypt:
            out = reference.encrypt(secret, case.iv, case.assoc, case.data, case.authsize)
            return case._replace(out=out)
        opened = reference.decrypt(secret, case.iv, case.assoc, case.data, case.authsize)
        if isinstance(opened, int):
            return case._replace(status=opened)
        return case._replace(out=opened)

    def _message(self, key: int, number: int, variant: int) -> tuple[bytes, bytes]:
        """Message `number` and its digest under key `key`."""
        message = draw(f"world message {number}", _HASH_LENGTHS[variant % len(_HASH_LENGTHS)])
        return message, self.digest(key, message)

    def digest(self, key: int, message: bytes) -> bytes:
        """The digest of a message under a key."""
        assert isinstance(self.reference, HashReference)
        return self.reference.digest(self.key(key) if self.keyed else None, message)

"""Names of kernel drivers, and the algorithms that they implement.

`cbc-aes-aesni`, `virtio_crypto_aes_cbc` and `cbc(aes-generic)` are drivers of `cbc(aes)`: the
answers of one hold for every other driver of the same algorithm.
"""

from __future__ import annotations

import re

__all__ = ("algorithm_of",)

_IMPLEMENTATION = re.compile(r"-(?:generic|lib|aesni|asm|avx\d*|ssse3|ni|ce|neon|simd)$")
_DEVICE = re.compile(r"[a-z0-9]+_crypto_(?P<cipher>aes|des|des3_ede)_(?P<mode>[a-z]+)$")
_FLAT = re.compile(
    r"(?:(?P<outer>cts|rfc3686|rfc4106|rfc4309|rfc4543|generic)-)?"
    r"(?P<mode>ecb|cbc|ctr|xctr|xts|lrw|gcm|ccm|pcbc|hmac|cmac|xcbc)"
    r"(?:-(?P<inner>aes|des|des3_ede|cipher_null|md5|sha\d+))?$"
)


def algorithm_of(driver: str) -> str:
    """The algorithm (`cra_name`) of a driver or algorithm name; the name itself when unknown."""
    template, bracket, rest = driver.partition("(")
    if bracket and rest.endswith(")"):
        return _composed(template, [algorithm_of(part) for part in _arguments(rest[:-1])])
    return _leaf(driver)


def _arguments(text: str) -> list[str]:
    """Split at the commas outside of parentheses."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def _composed(template: str, parts: list[str]) -> str:
    """`gcm_base(ctr(aes),ghash)` is `gcm(aes)`, `xts(ecb(aes))` is `xts(aes)`."""
    mode, bracket, cipher = parts[0].partition("(")
    if template in ("gcm_base", "ccm_base") and mode == "ctr" and bracket:
        return f"{template.removesuffix('_base')}({cipher}"
    if template in ("xts", "lrw") and mode == "ecb" and bracket:
        return f"{template}({cipher}"
    return f"{template}({','.join(parts)})"


def _leaf(name: str) -> str:
    bare = name
    while _IMPLEMENTATION.search(bare):
        bare = _IMPLEMENTATION.sub("", bare)
    device = _DEVICE.match(bare)
    if device:
        return f"{device['mode']}({device['cipher']})"
    flat = _FLAT.match(bare)
    if flat is None or bare == name == flat["mode"]:
        return bare
    found = f"{flat['mode']}({flat['inner'] or 'aes'})"
    return f"{flat['outer']}({found})" if flat["outer"] not in (None, "generic") else found

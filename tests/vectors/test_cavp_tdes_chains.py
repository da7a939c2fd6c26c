"""Monte Carlo files of triple DES: their rounds, the chain between these, and what breaks it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from Crypto.Cipher import DES

from tcrypt.checks.long_vectors import chain_steps
from tcrypt.cipher_bench import CipherCase
from tcrypt.oracle import reference
from tcrypt.vectors import cavp_chains
from tcrypt.vectors.errors import VectorError
from tcrypt.vectors.model import Chain, CipherChain, Origin

ECB = Origin("own", "TECBMonte.rsp", "ecb(des3_ede)", "skcipher")
CBC = Origin("own", "TCBCMonte.rsp", "cbc(des3_ede)", "skcipher")
ONE, TWO = "0123456789abcdef", "23456789abcdef01"
NOW = "4e6f772069732074"
# NIST's sample results of the Monte Carlo test in ECB mode, as GNU Crypto's tests of triple DES
# give them: keys, what a round begins with and ends in, of its first two rounds with one, two
# and three keys.
SAMPLES = {
    "encrypt-1": (
        (ONE * 3, NOW, "6a2a19f41eca854b"),
        ("6b085d92976149a4" * 3, "6a2a19f41eca854b", "ce5d6c7b63177c18"),
    ),
    "encrypt-2": (
        (ONE + TWO + ONE, NOW, "03e69f5bfa58eb42"),
        (
            "02c4da3d73f226ad1cbce0f2bacd3b1502c4da3d73f226ad",
            "03e69f5bfa58eb42",
            "262a60f9743e1fd8",
        ),
    ),
    "encrypt-3": (
        (ONE + TWO + "456789abcdef0123", NOW, "dd17e8b8b437d232"),
        (
            "dc34addf3d9d1fdc976d456702cef4fdad49c2ba0b2f975b",
            "dd17e8b8b437d232",
            "3145bcfc1c19382f",
        ),
    ),
    "decrypt-1": (
        (ONE * 3, NOW, "cdd64f2f9427c15d"),
        ("cdf40b491c8c0db3" * 3, "cdd64f2f9427c15d", "5bb675e3db3a7f3b"),
    ),
    "decrypt-3": (
        (ONE + TWO + "456789abcdef0123", NOW, "8325397644091a0a"),
        (
            "83077c10cda2d6e5296240fd8c834fcd8fdac4fbe5ae978f",
            "8325397644091a0a",
            "c67901abdc008c89",
        ),
    ),
}


def record(count: int, key: str, start: str, end: str, way: str, iv: str = "") -> str:
    names = ("PLAINTEXT", "CIPHERTEXT")
    first, last = names if way == "encrypt" else reversed(names)
    keys = "".join(f"KEY{i + 1} = {key[16 * i : 16 * i + 16]}\n" for i in range(3))
    iv_line = f"IV = {iv}\n" if iv else ""
    return f"COUNT = {count}\n{keys}{iv_line}{first} = {start}\n{last} = {end}\n"


def sample(name: str) -> str:
    way = name.partition("-")[0]
    records = [record(i, *values, way) for i, values in enumerate(SAMPLES[name])]
    return f"[{way.upper()}]\n\n" + "\n".join(records)


def end_of(chain: Chain, algorithm: str) -> bytes:
    known = reference(algorithm)
    assert known is not None
    out = b""
    for case in chain_steps(known, chain):
        assert isinstance(case, CipherCase)
        out = case.out
    return out


@pytest.mark.parametrize("name", SAMPLES)
def test_the_rounds_of_nists_samples_end_as_published(name: str) -> None:
    loaded = cavp_chains.load(sample(name), ECB)
    assert [chain.id[-2:] for chain in loaded.chains] == [f"{name[0]}0", f"{name[0]}1"]
    for chain in loaded.chains:
        assert isinstance(chain, CipherChain)
        assert chain.inner == 10_000
        assert end_of(chain, "ecb(des3_ede)") == chain.end


def odd(key: bytes) -> bytes:
    return bytes(b & 0xFE | (b >> 1).bit_count() % 2 ^ 1 for b in key)


def xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def ede(keys: list[bytes], decrypt: bool) -> Callable[[bytes], bytes]:
    """Triple DES of one block out of three DES (SP 800-67, 3.1)."""
    one, two, three = (DES.new(key, DES.MODE_ECB) for key in keys)
    if decrypt:
        return lambda block: one.decrypt(two.encrypt(three.decrypt(block)))
    return lambda block: three.encrypt(two.decrypt(one.encrypt(block)))


def cbc_file(keys: int, way: str) -> str:
    """Two rounds in CBC, made by the rules of SP 800-20 on DES alone, not by NIST."""
    first = [bytes.fromhex(k) for k in (ONE, TWO, "456789abcdef0123")]
    key = {1: [first[0]] * 3, 2: [first[0], first[1], first[0]], 3: first}[keys]
    iv, text, records = bytes.fromhex("1234567890abcdef"), bytes.fromhex(NOW), ""
    for count in range(2):
        run, results, chained, data = ede(key, way == "decrypt"), [iv], iv, text
        for _ in range(10_000):
            if way == "encrypt":
                chained = run(xor(data, chained))
                results.append(chained)
                data = results[-2]
            else:
                out = xor(run(data), chained)
                chained, data = data, out
                results.append(out)
        last = results[-1]
        joined = b"".join(key).hex()
        records += record(count, joined, text.hex(), last.hex(), way, iv.hex()) + "\n"
        used = {1: (-1, -1, -1), 2: (-1, -2, -1), 3: (-1, -2, -3)}[keys]
        key = [odd(xor(k, results[i])) for k, i in zip(key, used, strict=True)]
        iv, text = (last, results[-2]) if way == "encrypt" else (results[-2], last)
    return f"[{way.upper()}]\n\n{records}"


@pytest.mark.parametrize("way", ["encrypt", "decrypt"])
@pytest.mark.parametrize("keys", [1, 2, 3])
def test_rounds_in_cbc_are_as_des_alone_makes_them(keys: int, way: str) -> None:
    loaded = cavp_chains.load(cbc_file(keys, way), CBC)
    assert len(loaded.chains) == 2
    for chain in loaded.chains:
        assert isinstance(chain, CipherChain)
        assert end_of(chain, "cbc(des3_ede)") == chain.end


TEXT = sample("encrypt-3")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("COUNT = 1", "COUNT = 2", "10: COUNT: 2, want 1: a chain has no gaps"),
        ("COUNT = 0", "COUNT = x", "3: COUNT: not a decimal number: 'x'"),
        ("COUNT = 1", "COUNT = 0", "10: COUNT: 0, want 1: a chain has no gaps"),
        ("KEY2 = 97", "KEY2 = ", "12: KEY2: 7 bytes, want 8"),
        ("KEY1 = dc", "KEY1 = de", "11: KEY1: not made from the keys and results"),
        (
            "PLAINTEXT = dd17e8b8b437d232",
            f"PLAINTEXT = {NOW}",
            f"14: PLAINTEXT: {NOW}, but the round before ended in dd17e8b8b437d232",
        ),
        ("KEY3 = 4567", "KEY3 = 456g", "6: KEY3: not hexadecimal"),
        ("KEY3 = 456789abcdef0123\n", "", "3: KEY3: missing from the record"),
        ("[ENCRYPT]", "[BOTH]", r"3: neither \[ENCRYPT\] nor \[DECRYPT\]: \[BOTH\]"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(old: str, new: str, message: str) -> None:
    assert TEXT.count(old) == 1
    with pytest.raises(VectorError, match=f"^own:TECBMonte.rsp:{message}"):
        cavp_chains.load(TEXT.replace(old, new), ECB)


def test_parity_bits_are_not_compared() -> None:
    assert len(cavp_chains.load(TEXT.replace("KEY1 = dc", "KEY1 = dd"), ECB).chains) == 2


@pytest.mark.parametrize(("keys", "way"), [(2, "encrypt"), (3, "decrypt")])
def test_the_second_key_is_held_to_what_cbc_tells(keys: int, way: str) -> None:
    text = cbc_file(keys, way)
    head, _, rest = text.partition("COUNT = 1\n")
    line = next(line for line in rest.split("\n") if line.startswith("KEY2"))
    wrong = line[:-2] + f"{int(line[-2:], 16) ^ 2:02x}"
    with pytest.raises(VectorError, match=r"KEY2: not made from the keys and results"):
        cavp_chains.load(f"{head}COUNT = 1\n{rest.replace(line, wrong, 1)}", CBC)

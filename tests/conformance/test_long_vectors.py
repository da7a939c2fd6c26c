"""Monte Carlo chains and accumulated vectors: when they run, that they pass, that they fail."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from Crypto.Cipher import AES

from tcrypt.checks import long_vectors, vectors
from tcrypt.plugins.providers import Providers, eip93_mt7621
from tcrypt.plugins.session import TcryptSession
from tcrypt.recorder import Recorder
from tcrypt.settings import Selection, Settings
from tcrypt.vectors import accumulated, cavp_chains, compact
from tcrypt.vectors.catalogue import Catalogue, VectorFile
from tcrypt.vectors.model import HashChain, HashVector, Origin

SEED = "dd4df644eaf3d85bace2b21accaa22b28821f5cd"
# The first two outer rounds of CAVP's SHA-1 Monte Carlo test (SHAVS, 6.4).
ENDS = ("11f5c38b4479d4ad55cb69fadf62de0b036d5163", "5c26de848c21586bec36995809cb02d3677423d9")
TEXT = f"[L = 20]\n\nSeed = {SEED}\n\n" + "\n".join(
    f"COUNT = {i}\nMD = {end}\n" for i, end in enumerate(ENDS)
)


def chained(tmp_path: Path, text: str = TEXT) -> VectorFile:
    path = tmp_path / "SHA1Monte.rsp"
    path.write_text(text)
    origin = Origin("own", "SHA1Monte.rsp", "sha1", "ahash", "T", "U", "L")
    return VectorFile(
        "own", origin.name, "sha1", "ahash", 2, True, "",
        chains=True, _origin=origin, _loader=cavp_chains.load, _path=path,
    )  # fmt: skip


def session(catalogue: Catalogue, mutant: str = "", **settings: str) -> TcryptSession:
    providers = Providers()
    providers.add("eip93-mt7621", eip93_mt7621)
    chosen = Selection(algorithms=("sha1", "cbc(aes)"), checks=(vectors.CHECK,))
    wanted = Settings(selection=chosen, **settings)  # type: ignore[arg-type]
    return TcryptSession(wanted, providers, catalogue, (mutant,) if mutant else ())


def run(found: TcryptSession, tmp_path: Path, algorithm: str = "sha1") -> dict[str, Recorder]:
    found.open_log(tmp_path / "log", [], worker="", run="")
    try:
        plans = [p for p in found.plans(vectors.CHECK) if p.subject.algorithm == algorithm]
        return {plan.part: found.run(plan) for plan in plans}
    finally:
        found.release()
        found.close(0)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first cases alone."""
    pins = {name: found[:1] for name, found in accumulated.pins().items()}
    monkeypatch.setattr(accumulated, "_listed", lambda: pins)


@pytest.mark.usefixtures("few")
def test_a_full_run_has_every_round_and_the_pinned_digest(tmp_path: Path) -> None:
    done = run(session(Catalogue([chained(tmp_path)]), profile="full"), tmp_path)
    assert set(done) == {"own:SHA1Monte.rsp", "accumulated"}
    assert done["own:SHA1Monte.rsp"].executed == 2
    assert done["accumulated"].executed == 2
    assert not any(recorder.failures for recorder in done.values())


def test_another_profile_runs_neither_and_says_so(tmp_path: Path) -> None:
    done = run(session(Catalogue([chained(tmp_path)])), tmp_path)
    assert set(done) == {"full-only"}
    assert done["full-only"].executed == 0
    log = "".join(path.read_text() for path in (tmp_path / "log").rglob("*") if path.is_file())
    assert "own:SHA1Monte.rsp" in log
    assert "runs no Monte Carlo chains and accumulated vectors" in log


def test_one_round_can_be_run_alone_in_any_profile(tmp_path: Path) -> None:
    catalogue = Catalogue([chained(tmp_path)])
    done = run(session(catalogue, vector="own:SHA1Monte.rsp#j1"), tmp_path)
    assert {part: recorder.executed for part, recorder in done.items()} == {"own:SHA1Monte.rsp": 1}


def test_a_run_that_is_cut_off_has_told_which_rounds_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = long_vectors.chain_steps

    def cut_off(known: Any, chain: Any) -> Any:
        if chain.id.endswith("j1"):
            raise KeyboardInterrupt
        return whole(known, chain)

    monkeypatch.setattr(long_vectors, "chain_steps", cut_off)
    found = session(Catalogue([chained(tmp_path)]), profile="full")
    plan = next(p for p in found.plans(vectors.CHECK) if p.part.startswith("own:"))
    found.open_log(tmp_path / "log", [], worker="", run="")
    with pytest.raises(KeyboardInterrupt):
        found.run(plan)
    found.release()
    log = "".join(path.read_text() for path in (tmp_path / "log").rglob("*") if path.is_file())
    assert '"ids":["own:SHA1Monte.rsp#j0"]' in log


@pytest.mark.parametrize(("first", "count"), [("j0", 2), ("j1", 1)])
def test_a_test_goes_on_from_any_round(tmp_path: Path, first: str, count: int) -> None:
    catalogue = Catalogue([chained(tmp_path)])
    done = run(session(catalogue, vector=f"own:SHA1Monte.rsp#{first}.."), tmp_path)
    assert {part: r.executed for part, r in done.items()} == {"own:SHA1Monte.rsp": count}


def test_a_round_with_another_end_is_its_files_fault(tmp_path: Path) -> None:
    wrong = chained(tmp_path, TEXT.replace(ENDS[1], "00" * 20))
    done = run(session(Catalogue([wrong]), vector="own:SHA1Monte.rsp#j1"), tmp_path)
    [failure] = done["own:SHA1Monte.rsp"].failures
    assert "wrong end of the chain" in failure
    assert "each of 1000 steps is what the oracle gives" in failure
    log = "".join(path.read_text() for path in (tmp_path / "log").rglob("*") if path.is_file())
    assert '"attribution":"suite"' in log
    assert '"attribution":"driver"' not in log


def test_a_file_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    wrong = replace(chained(tmp_path), expected_count=3)
    catalogue = Catalogue([wrong])
    found = session(catalogue, profile="full")
    plan = next(p for p in found.plans(vectors.CHECK) if p.part.startswith("own:"))
    found.open_log(tmp_path / "log", [], worker="", run="")
    try:
        [failure] = found.run(plan).failures
    finally:
        found.release()
        found.close(0)
    assert "vector file refused" in failure


def cipher_chain(tmp_path: Path) -> VectorFile:
    """One round of AESAVS, 6.4.2, on the block cipher alone."""
    key, iv, data = bytes(16), bytes(range(16)), b"\x55" * 16
    cipher, before, vector = AES.new(key, AES.MODE_ECB), iv, data
    for step in range(1000):
        mask = iv if step == 0 else before
        out = cipher.encrypt(bytes(a ^ b for a, b in zip(vector, mask, strict=True)))
        vector, before = before, out
    path = tmp_path / "CBCMCT.rsp"
    path.write_text(
        f"[ENCRYPT]\n\nCOUNT = 0\nKEY = {key.hex()}\nIV = {iv.hex()}\n"
        f"PLAINTEXT = {data.hex()}\nCIPHERTEXT = {before.hex()}\n"
    )
    origin = Origin("own", "CBCMCT.rsp", "cbc(aes)", "skcipher", "T", "U", "L")
    return VectorFile(
        "own", origin.name, "cbc(aes)", "skcipher", 1, True, "",
        chains=True, _origin=origin, _loader=cavp_chains.load, _path=path,
    )  # fmt: skip


@pytest.mark.parametrize("mutant", ["", "IV-01"])
def test_a_defect_breaks_a_chain_of_a_cipher(tmp_path: Path, mutant: str) -> None:
    catalogue = Catalogue([cipher_chain(tmp_path)])
    found = session(catalogue, mutant=mutant, vector="own:CBCMCT.rsp#e0")
    failures = run(found, tmp_path, "cbc(aes)")["own:CBCMCT.rsp"].failures
    assert bool(failures) == bool(mutant)
    assert not mutant or "wrong output IV" in failures[0]


@pytest.mark.usefixtures("few")
def test_a_defect_breaks_accumulated_vectors(tmp_path: Path) -> None:
    done = run(session(Catalogue([]), mutant="HS-03", profile="full"), tmp_path)
    assert any("wrong digest" in failure for failure in done["accumulated"].failures)


def test_a_wrong_pin_is_the_suites_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = {"sha1": (accumulated.Pin(3, "00" * 32),)}
    monkeypatch.setattr(accumulated, "_listed", lambda: pins)
    done = run(session(Catalogue([]), profile="full"), tmp_path)
    [failure] = done["accumulated"].failures
    assert "wrong pinned digest" in failure


def test_the_rounds_of_the_file_are_those_of_the_loader(tmp_path: Path) -> None:
    first, second = chained(tmp_path).load().chains
    assert isinstance(first, HashChain)
    assert isinstance(second, HashChain)
    assert first.seed.hex() == SEED
    assert second.seed == first.digest


PIECE, LENGTH = b"acvp", (3 << 20) + 1


def large_data(tmp_path: Path) -> Catalogue:
    """A message that is given as a piece and a length, as an import of ACVP writes it."""
    digest = hashlib.sha1((PIECE * LENGTH)[:LENGTH], usedforsecurity=False).digest()
    vector = HashVector("own:large#g1-t1", None, PIECE, digest, length=LENGTH)
    path = tmp_path / "large.jsonl"
    origin = Origin("own", "large", "sha1", "ahash", "T", "U", "L")
    path.write_text(compact.dump(origin.made([vector])))
    catalogue = Catalogue([])
    catalogue.extra([path])
    return catalogue


def test_large_data_are_hashed_in_full_or_when_they_are_named(tmp_path: Path) -> None:
    catalogue = large_data(tmp_path)
    [file] = catalogue.files("sha1")
    counts = {}
    for settings in (
        {"profile": "default"},
        {"profile": "full"},
        {"vector": f"{file.label}#g1-t1"},
    ):
        done = run(session(catalogue, **settings), tmp_path)
        assert not done[file.label].failures
        counts[next(iter(settings))] = done[file.label].executed
        if settings.get("profile") == "default":
            assert done[file.label].executed == 0
    assert counts == {"profile": 1, "vector": 1}


def test_a_count_of_bytes_that_wraps_breaks_large_data(tmp_path: Path) -> None:
    found = session(large_data(tmp_path), mutant="HS-20", profile="full")
    done = run(found, tmp_path)
    failures = [text for recorder in done.values() for text in recorder.failures]
    assert any("g1-t1" in text and "wrong digest" in text for text in failures)


def tdes_chain(tmp_path: Path) -> VectorFile:
    """A round of triple DES in CBC; what it ends in is not reached by a driver with a defect."""
    keys = "".join(f"KEY{i} = {i}123456789abcdef\n" for i in (1, 2, 3))
    path = tmp_path / "TCBCMonte3.rsp"
    path.write_text(
        f"[DECRYPT]\n\nCOUNT = 0\n{keys}IV = {'11' * 8}\n"
        f"CIPHERTEXT = {'22' * 8}\nPLAINTEXT = {'33' * 8}\n"
    )
    origin = Origin("own", "TCBCMonte3.rsp", "cbc(des3_ede)", "skcipher", "T", "U", "L")
    return VectorFile(
        "own", origin.name, "cbc(des3_ede)", "skcipher", 1, True, "",
        chains=True, _origin=origin, _loader=cavp_chains.load, _path=path,
    )  # fmt: skip


def test_a_round_of_triple_des_runs_on_a_driver_and_shows_a_defect(tmp_path: Path) -> None:
    providers = Providers()
    providers.add("eip93-mt7621", eip93_mt7621)
    chosen = Selection(algorithms=("cbc(des3_ede)",), checks=(vectors.CHECK,))
    wanted = Settings(selection=chosen, vector="own:TCBCMonte3.rsp#d0")
    found = TcryptSession(wanted, providers, Catalogue([tdes_chain(tmp_path)]), ("IV-01",))
    failures = run(found, tmp_path, "cbc(des3_ede)")["own:TCBCMonte3.rsp"].failures
    assert "wrong output IV" in failures[0]
    assert "step 0 of 10000" in failures[0]

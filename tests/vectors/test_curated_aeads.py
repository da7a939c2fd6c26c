"""Every curated value of an AEAD, sealed again by two libraries: OpenSSL and pycryptodome."""

from __future__ import annotations

import hashlib
import hmac
import re
import struct
from abc import ABC, abstractmethod
from types import ModuleType

import pytest
from Crypto.Cipher import AES, DES, DES3
from Crypto.Hash import HMAC, MD5, SHA1, SHA224, SHA256, SHA384, SHA512
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from tcrypt.vectors.catalogue import Catalogue, VectorFile
from tcrypt.vectors.model import AeadVector, Operation

CATALOGUE = Catalogue.load()
FILES = [
    file
    for name in CATALOGUE.algorithms()
    for file in CATALOGUE.files(name)
    if file.source == "curated" and file.name.startswith("aead/")
]


class Library(ABC):
    """The primitives of one library."""

    @abstractmethod
    def gcm(self, key: bytes, nonce: bytes, assoc: bytes, text: bytes) -> bytes:
        """Ciphertext and full tag."""

    @abstractmethod
    def ccm(self, key: bytes, nonce: bytes, assoc: bytes, text: bytes, size: int) -> bytes:
        """Ciphertext and tag of `size` bytes."""

    @abstractmethod
    def cbc(self, cipher: str, key: bytes, iv: bytes, text: bytes) -> bytes: ...

    @abstractmethod
    def ctr(self, key: bytes, counter: bytes, text: bytes) -> bytes: ...

    @abstractmethod
    def mac(self, name: str, key: bytes, data: bytes) -> bytes: ...

    @abstractmethod
    def block(self, key: bytes, data: bytes) -> bytes:
        """One block of AES."""


class OpenSSL(Library):
    def gcm(self, key: bytes, nonce: bytes, assoc: bytes, text: bytes) -> bytes:
        return AESGCM(key).encrypt(nonce, text, assoc)

    def ccm(self, key: bytes, nonce: bytes, assoc: bytes, text: bytes, size: int) -> bytes:
        return AESCCM(key, size).encrypt(nonce, text, assoc)

    def cbc(self, cipher: str, key: bytes, iv: bytes, text: bytes) -> bytes:
        block = {
            "aes": algorithms.AES,
            "des": lambda k: TripleDES(k * 3),
            "des3_ede": TripleDES,
        }[cipher](key)
        return bytes(Cipher(block, modes.CBC(iv)).encryptor().update(text))

    def ctr(self, key: bytes, counter: bytes, text: bytes) -> bytes:
        return Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(text)

    def mac(self, name: str, key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, name)

    def block(self, key: bytes, data: bytes) -> bytes:
        return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(data)


class PyCryptodome(Library):
    _HASHES: dict[str, ModuleType] = {  # noqa: RUF012
        "md5": MD5,
        "sha1": SHA1,
        "sha224": SHA224,
        "sha256": SHA256,
        "sha384": SHA384,
        "sha512": SHA512,
    }

    def gcm(self, key: bytes, nonce: bytes, assoc: bytes, text: bytes) -> bytes:
        context = AES.new(key, AES.MODE_GCM, nonce=nonce)
        context.update(assoc)
        return context.encrypt(text) + context.digest()

    def ccm(self, key: bytes, nonce: bytes, assoc: bytes, text: bytes, size: int) -> bytes:
        context = AES.new(key, AES.MODE_CCM, nonce=nonce, mac_len=size)
        context.update(assoc)
        ctext = context.encrypt(text)
        return ctext + context.digest()

    def cbc(self, cipher: str, key: bytes, iv: bytes, text: bytes) -> bytes:
        if cipher == "aes":
            return AES.new(key, AES.MODE_CBC, iv=iv).encrypt(text)
        if cipher == "des":
            return DES.new(key, DES.MODE_CBC, iv=iv).encrypt(text)
        return DES3.new(key, DES3.MODE_CBC, iv=iv).encrypt(text)

    def ctr(self, key: bytes, counter: bytes, text: bytes) -> bytes:
        return AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=counter).encrypt(text)

    def mac(self, name: str, key: bytes, data: bytes) -> bytes:
        return bytes(HMAC.new(key, data, self._HASHES[name]).digest())

    def block(self, key: bytes, data: bytes) -> bytes:
        return AES.new(key, AES.MODE_ECB).encrypt(data)


def sealed(lib: Library, name: str, v: AeadVector) -> bytes:
    """What encryption gives; for an AEAD that makes its IV, with the IV of the vector."""
    key, iv, assoc, text, size = v.key, v.iv, v.assoc, v.ptext, v.authsize
    match name:
        case "gcm(aes)":
            return lib.gcm(key, iv, assoc, text)[: len(text) + size]
        case "ccm(aes)":
            return lib.ccm(key, iv[1 : 15 - iv[0]], assoc, text, size)
        case "rfc4106(gcm(aes))":
            return lib.gcm(key[:-4], key[-4:] + iv, assoc[:-8], text)[: len(text) + size]
        case "rfc4309(ccm(aes))":
            return lib.ccm(key[:-3], key[-3:] + iv, assoc[:-8], text, size)
        case "rfc4543(gcm(aes))":
            return text + lib.gcm(key[:-4], key[-4:] + iv, assoc + text, b"")[:size]
        case "seqiv(rfc4106(gcm(aes)))":
            sent, text = text[:8], text[8:]
            return sent + lib.gcm(key[:-4], key[-4:] + sent, assoc, text)[: len(text) + size]
    return _composed(lib, name, v)


def _composed(lib: Library, name: str, v: AeadVector) -> bytes:
    """Authenc and what is built over it."""
    found = re.fullmatch(r"(?:\w+\()*authenc(esn)?\(hmac\((\w+)\),(\w+)\((.*?)\)\).*", name)
    assert found is not None, name
    esn, digest, mode, inner = found.groups()
    assert struct.unpack("<HH", v.key[:4]) == (8, 1)
    split = len(v.key) - int.from_bytes(v.key[4:8], "big")
    authkey, enckey, iv, text = v.key[8:split], v.key[split:], v.iv, v.ptext
    front = b""
    if name.startswith("essiv("):
        iv = lib.block(hashlib.sha256(enckey + authkey).digest(), iv)
        assert v.assoc.endswith(iv), "what is decrypted brings the encrypted IV along"
    if name.startswith("echainiv("):
        front, iv, text = text[:16], text[:16], text[16:]
    if mode == "cbc":
        ctext = lib.cbc(inner, enckey, iv, text)
    else:
        ctext = lib.ctr(enckey[:-4], enckey[-4:] + iv + b"\0\0\0\1", text)
    covered = v.assoc + front + ctext
    if esn:
        covered = v.assoc[:4] + v.assoc[8:] + ctext + v.assoc[4:8]
    return front + ctext + lib.mac(digest, authkey, covered)[: v.authsize]


@pytest.mark.parametrize("library", [OpenSSL(), PyCryptodome()], ids=["openssl", "pycryptodome"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_two_libraries_seal_every_curated_vector(file: VectorFile, library: Library) -> None:
    for vector in file.load().vectors:
        assert isinstance(vector, AeadVector)
        again = sealed(library, file.algorithm, vector)
        if vector.novrfy:
            assert vector.operation is Operation.DECRYPT
            assert again != vector.ctext, vector.id
        else:
            assert again == vector.ctext, vector.id


def test_every_aead_has_forgeries() -> None:
    forged = {
        file.algorithm
        for file in FILES
        if any(isinstance(v, AeadVector) and v.novrfy for v in file.load().vectors)
    }
    assert forged == {file.algorithm for file in FILES}

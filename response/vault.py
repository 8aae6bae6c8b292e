"""Seals personal data: AES-256-GCM, each value bound to the place (table, column, row) it is for.

A sealed value: ``A1``, 4 bytes that name the key, 12 random bytes, ciphertext with its tag. The keys themselves are in
the environment; lost keys are lost data.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from pydantic import SecretStr

from response.numbers import normal

KEY_BYTES = 32
LEAST_BYTES = 18
"""A random key has thirty different bytes, give or take three."""
_FORM = b"A1"
_HEAD = len(_FORM) + 4
_NONCE = 12


class VaultError(Exception):
    """Personal data cannot be sealed or opened: one line, what and what to do."""


def new_key() -> str:
    """A fresh key as the setting has it: base64 of 32 random bytes."""
    while _guessable(secret := os.urandom(KEY_BYTES)):  # not in a million years
        pass
    return base64.b64encode(secret).decode()


def place(table: str, column: str, row: object) -> str:
    """What a sealed value is bound to."""
    return f"{table}.{column}.{row}"


class Vault:
    """Seals with the first of its keys and opens with any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        """``keys``: base64 of 32 bytes each. The first must be random; one behind it, with which nothing is sealed any
        more, may be one of before.

        Raises:
            VaultError: no key, one that is not such, or a first one that can be guessed.
        """
        if not keys:
            raise VaultError(
                "개인정보 키가 없습니다 · there is no key for personal data: make one with `anbu people key` and set "
                "ANBU_RESPONSE__KEYS"
            )
        secrets = [_secret(key, n) for n, key in enumerate(keys, 1)]
        if _guessable(secrets[0]):
            raise VaultError(
                "개인정보 키를 짐작할 수 있습니다 · the first key of ANBU_RESPONSE__KEYS can be guessed (an example, "
                "text, repeats): put one of `anbu people key` in front of it, run `anbu people rotate`, take it out"
            )
        self._ids = [_derived(secret, b"anbu key id")[:4] for secret in secrets]
        self._ciphers = {
            name: AESGCM(_derived(secret, b"anbu seal")) for name, secret in zip(self._ids, secrets, strict=True)
        }
        self._index_keys = [_derived(secret, b"anbu index") for secret in secrets]

    @classmethod
    def of(cls, keys: Sequence[SecretStr]) -> Self:
        """With the keys of the settings. Raises VaultError as the vault itself does."""
        return cls([key.get_secret_value() for key in keys])

    @property
    def head(self) -> bytes:
        """How a value begins that is sealed with the first key."""
        return _FORM + self._ids[0]

    def seal(self, text: str, at: str) -> bytes:
        """``text`` sealed for the place ``at``."""
        nonce = os.urandom(_NONCE)
        return self.head + nonce + self._ciphers[self._ids[0]].encrypt(nonce, text.encode(), at.encode())

    def open(self, sealed: bytes, at: str) -> str:
        """The text of a value sealed for the place ``at``.

        Raises:
            VaultError: a key we do not have, a value of another place, or one that was altered.
        """
        cipher = self._ciphers.get(bytes(sealed[len(_FORM) : _HEAD]))
        if sealed[: len(_FORM)] != _FORM or cipher is None:
            raise VaultError(
                f"키가 맞지 않습니다 · {at} is sealed with a key that is not in ANBU_RESPONSE__KEYS: add that key"
            )
        try:
            return cipher.decrypt(sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE :], at.encode()).decode()
        except (InvalidTag, ValueError) as e:
            raise VaultError(
                f"값이 바뀌었습니다 · {at} was altered, or belongs to another row: restore it from a backup"
            ) from e

    def seal_text(self, text: str, at: str) -> str:
        """``seal`` as base64, for JSON; "" stays ""."""
        return base64.b64encode(self.seal(text, at)).decode() if text else ""

    def open_text(self, sealed: str, at: str) -> str:
        """The text of ``seal_text``. Raises VaultError as ``open`` does."""
        if not sealed:
            return ""
        try:
            return self.open(base64.b64decode(sealed, validate=True), at)
        except binascii.Error as e:
            raise VaultError(f"값이 바뀌었습니다 · {at} is not a sealed value: restore it from a backup") from e

    def index(self, number: str) -> bytes:
        """Keyed hash (HMAC-SHA256, 32 bytes) of a telephone number, by which it is found; by the first key."""
        return self.indexes(number)[0]

    def indexes(self, number: str) -> list[bytes]:
        """The hashes of the number's one form by all keys: while keys change, rows may have that of an older one."""
        with suppress(ValueError):  # what is no number is nobody's: it is never stored with an index
            number = normal(number)
        return [hmac.digest(key, number.encode(), hashlib.sha256) for key in self._index_keys]


def _secret(key: str, n: int) -> bytes:
    try:
        secret = base64.b64decode(key.strip(), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise VaultError(
            f"개인정보 키 {n}번이 잘못되었습니다 · key {n} of ANBU_RESPONSE__KEYS is not base64 of {KEY_BYTES} bytes: "
            "make one with `anbu people key`"
        )
    return secret


def _guessable(secret: bytes) -> bool:
    """Whether a key is no random bytes: text (the examples of our own pages were), few different bytes, or all steps
    from one to the next alike. Of random keys one in a hundred million is."""
    steps = {(b - a) % 256 for a, b in pairwise(secret)}
    if len(set(secret)) <= LEAST_BYTES or len(steps) <= LEAST_BYTES:
        return True
    try:
        secret.decode()
        return True
    except UnicodeDecodeError:
        return False


def _derived(secret: bytes, what: bytes) -> bytes:
    return HKDFExpand(hashes.SHA256(), KEY_BYTES, what).derive(secret)

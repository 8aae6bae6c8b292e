"""Whose an API key is: one feed's, for one signal. Settings hold the key or its digest; a request bears the key."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from pydantic import SecretStr

from stream.ids import ASK_ID, id_fault

LEAST = 16
"""Characters of a key: it is all that keeps others from speaking for a feed."""
DIGEST = "sha256:"
_PUBLISHED = frozenset({"choose-a-long-secret", "choose-another-one"})
"""Keys that stood in our own pages."""
_MAKE = "make one with `openssl rand -hex 32`"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who has a key: it may post this signal of this feed, and nothing else."""

    feed: str
    signal: Literal["meter", "phone"]


Senders = Mapping[bytes, Sender]
"""SHA-256 of each key -> whose it is."""


def senders(meter: Mapping[str, SecretStr], phone: Mapping[str, SecretStr]) -> dict[bytes, Sender]:
    """Whose each key is; of one feed there may be several, with blanks between, while it changes.

    Raises ValueError, in one line without any key.
    """
    found: dict[bytes, Sender] = {}
    for keys, signal in ((meter, "meter"), (phone, "phone")):
        for feed, secret in keys.items():
            if id_fault(feed) is not None:
                raise ValueError(f"{signal}_keys: the name of a feed {id_fault(feed)}: {ASK_ID}")
            sender = Sender(feed, signal)  # type: ignore[arg-type]
            for digest in _digests(f"{signal}_keys.{feed}", secret.get_secret_value()):
                if (other := found.setdefault(digest, sender)) != sender:
                    raise ValueError(
                        f"{signal}_keys.{feed} is the key of {other.signal}_keys.{other.feed} as well: "
                        "each feed and signal needs its own"
                    )
    return found


def sender_of(authorization: str | None, known: Senders) -> Sender | None:
    """Whose key a request bears. Every key is compared, in constant time."""
    scheme, _, key = (authorization or "").partition(" ")
    given = sha256(key.strip().encode()).digest()
    found = None
    for digest, sender in known.items():
        if hmac.compare_digest(given, digest):
            found = sender
    return found if scheme.lower() == "bearer" else None


def guessable(key: str) -> bool:
    """Whether a shared secret is too short, of few letters, or one that stood in our own pages."""
    return len(key) < LEAST or len(set(key)) < LEAST // 2 or key in _PUBLISHED


def _digests(name: str, keys: str) -> list[bytes]:
    digests = []
    for key in keys.split():
        if key.startswith(DIGEST):
            if not re.fullmatch(r"[0-9a-fA-F]{64}", key.removeprefix(DIGEST)):
                raise ValueError(f"{name}: after {DIGEST} come 64 hexadecimal digits (`printf %s KEY | sha256sum`)")
            digests.append(bytes.fromhex(key.removeprefix(DIGEST)))
        elif guessable(key):
            raise ValueError(f"{name} can be guessed: {LEAST} letters at least, and not the same ones: {_MAKE}")
        else:
            digests.append(sha256(key.encode()).digest())
    if not digests:
        raise ValueError(f"{name} is empty: {_MAKE}, or leave it out")
    return digests

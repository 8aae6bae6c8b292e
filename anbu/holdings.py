"""What each process that we start is given: the settings it reads, by environment, and nothing else of ours.

A child reads no file of settings: those of all parts are in it. Our own environment does not reach it either, but for
what ``INHERITED`` and ``deploy.bare`` name. The broker and the database are given no setting at all (`deploy.bare`).
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, SecretStr

from deploy.bare import bare
from stream.settings import Settings

Process = Literal["worker", "http", "response"]

PYTHON = re.compile(r"PYTHON\w+|VIRTUAL_ENV|SSL_CERT_(FILE|DIR)|ANBU_DEBUG")
VENDORS = re.compile(r"(HTTPS?|NO|ALL)_PROXY|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE", re.IGNORECASE)
"""The way to those outside whom the response alone speaks with; a proxy's password may be in it."""
LEAN = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
"""glibc gives memory back at once: a worker with a million households needs 150 MiB less (docs/benchmarks.md)."""


@dataclass(frozen=True, slots=True)
class Holding:
    """``without``: settings that are not its own, as pydantic excludes them. ``inherited``: variables of ours, by name.
    ``own``: variables of it alone."""

    without: Mapping[str, Any]
    inherited: tuple[re.Pattern[str], ...] = (PYTHON,)
    own: Mapping[str, str] = field(default_factory=dict)


HOLDINGS: Mapping[Process, Holding] = {
    "worker": Holding({"http": True, "response": True}, own=LEAN),
    "http": Holding({"response": True}),
    "response": Holding({"http": True, "response": {"owner_url"}}, inherited=(PYTHON, VENDORS)),
}


def environment(process: Process, settings: Settings, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a child. ``own``: what this one alone is told besides, such as its login; it wins."""
    holding = HOLDINGS[process]
    told = settings.model_dump(exclude_defaults=True, exclude=dict(holding.without))
    told["data_dir"] = settings.data_dir.absolute()
    return {
        **bare(*holding.inherited), **holding.own, "ANBU_CONFIG": os.devnull,
        **dict(_variables("ANBU", type(settings), told)), **(own or {}),
    }  # fmt: skip


def _variables(name: str, model: type[BaseModel], told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A table of settings as variables: its own tables field by field, lists and people's tables as JSON."""
    for key, value in told.items():
        below, kind = f"{name}_{'_' * (name != 'ANBU')}{key.upper()}", model.model_fields[key].annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _variables(below, kind, value)
        elif isinstance(value, dict | list | tuple):
            yield below, json.dumps(value, ensure_ascii=False, default=_plain)
        elif value is not None:
            yield below, str(_plain(value))


def _plain(value: object) -> object:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return value if isinstance(value, bool | int | float) else str(value)

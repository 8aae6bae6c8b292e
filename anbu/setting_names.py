"""Names of settings: what is written that no setting is called, and the nearest one that is."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

PREFIX = "ANBU_"
OTHERS = frozenset({"ANBU_CONFIG", "ANBU_DEBUG"})
"""Variables of ours that are no settings."""
LEAST_LIKE = 0.6
EXAMPLES = {list: '["..."]', dict: '{"name": "..."}'}
"""What the environment holds for a whole list or table."""


def faults(environ: Mapping[str, str], model: type[BaseModel]) -> list[str]:
    """What is wrong with variables that begin with ANBU_: an unknown name, or no JSON where it must be."""
    ours = ((name, value) for name, value in sorted(environ.items()) if name.upper().startswith(PREFIX))
    return [said for name, value in ours if name.upper() not in OTHERS and (said := _fault(name, value, model))]


def unknown(path: Sequence[str | int], model: type[BaseModel], shown: str = "") -> str:
    """A line on a setting that there is not. ``shown``: how it was written; else the path with dots."""
    said = f"모르는 설정 · unknown setting {shown or '.'.join(map(str, path))}"
    near = nearest(path, model)
    return f"{said}: did you mean {near} ({variable(near.split('.'))})?" if near else f"{said}: remove it"


def variable(path: Sequence[str | int]) -> str:
    """The environment variable of a setting: ``ANBU_BROKER__BOOTSTRAP``."""
    return PREFIX + "__".join(str(part) if str(part).startswith("<") else str(part).upper() for part in path)


def nearest(path: Sequence[str | int], model: type[BaseModel]) -> str:
    """The setting that ``path`` is most like, by its whole name or by its last word; empty: none is like it."""
    whole, last = _plain(path), _plain(path[-1:])
    alike = {
        ".".join(known): max(_alike(whole, _plain(known)), 0.95 * _alike(last, _plain(known[-1:])))
        for known in _paths(model)
    }
    best = max(alike, key=lambda known: alike[known])
    return best if alike[best] >= LEAST_LIKE else ""


def _fault(name: str, value: str, model: type[BaseModel]) -> str:
    parts = name[len(PREFIX) :].lower().split("__")
    kind: Any = model
    for part in parts:
        kind = _bare(kind)
        if _is_model(kind) and part in kind.model_fields:
            kind = kind.model_fields[part].annotation
        elif get_origin(kind) is dict and part:
            kind = get_args(kind)[1]
        else:
            return unknown(parts, model, name)
    wanted = _container(_bare(kind))
    return "" if wanted is None or _holds(value, wanted) else (
        f"{name}: JSON이어야 합니다 · {'a list' if wanted is list else 'a table'} as JSON is needed, as in "
        f"{name}='{EXAMPLES[wanted]}'"
    )  # fmt: skip


def _holds(value: str, wanted: type) -> bool:
    try:
        return isinstance(json.loads(value), wanted)
    except (ValueError, RecursionError):
        return False


def _container(kind: Any) -> type[list[Any]] | type[dict[str, Any]] | None:
    """What JSON a whole setting of this kind is; None: it is written as it stands."""
    if get_origin(kind) in (list, tuple):
        return list
    return dict if get_origin(kind) is dict or _is_model(kind) else None


def _bare(kind: Any) -> Any:
    """A type without its None."""
    if get_origin(kind) in (Union, UnionType):
        some = [arg for arg in get_args(kind) if arg is not type(None)]
        return some[0] if len(some) == 1 else kind
    return kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _paths(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every setting and every table of them; what people name themselves is ``<name>``."""
    for name, info in model.model_fields.items():
        path, kind = (*above, name), _bare(info.annotation)
        yield path
        if get_origin(kind) is dict:
            path, kind = (*path, "<name>"), get_args(kind)[1]
        elif get_origin(kind) in (list, tuple):
            kind = get_args(kind)[0]
        if _is_model(kind):
            yield from _paths(kind, path)


def _plain(path: Sequence[str | int]) -> str:
    return re.sub(r"[^a-z0-9]", "", "".join(str(p) for p in path if not str(p).startswith("<")).lower())


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()

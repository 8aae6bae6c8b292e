"""``python -m anbu.docs`` writes docs/settings.md, topics.md, ladder.svg and schemas/*.json from the code.

They are committed, so that they can be read without running anything; a test holds them equal to what this writes.
"""

import json
import sys
from collections.abc import Iterator
from datetime import time
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import inspect
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from anbu import docs_ladder, docs_topics
from anbu.configuration import Settings
from response.ladder import DEFAULT
from response.settings import HoursSettings
from stream.records import Alert, AreaWarning, DeadLetter, Household, MeterReading, PhoneEvent

DOCS = Path(__file__).resolve().parent.parent / "docs"
SCHEMAS: dict[str, type[msgspec.Struct]] = {
    "meter_reading": MeterReading,
    "phone_event": PhoneEvent,
    "household": Household,
    "area_warning": AreaWarning,
    "alert": Alert,
    "dead_letter": DeadLetter,
}
"""File name in docs/schemas (without .json) -> record."""


def pages() -> dict[str, str]:
    """Path below docs/ -> content, of every generated file."""
    found = {f"schemas/{name}.json": _json(schema(record)) for name, record in SCHEMAS.items()}
    drawn = docs_ladder.picture(DEFAULT["silence"], HoursSettings())
    return {"settings.md": settings_page(), "topics.md": docs_topics.page(), "ladder.svg": drawn, **found}


def write(folder: Path = DOCS) -> list[Path]:
    """Write all pages below ``folder`` and return their paths."""
    written = []
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


# JSON Schemas


def schema(record: type[msgspec.Struct]) -> dict[str, Any]:
    """JSON Schema (2020-12) of a record as it is on the wire, complete in itself."""
    (ref,), defs = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    for struct in _structs(inspect.type_info(record)):
        own = defs[struct.cls.__name__]
        for field in struct.fields:
            if any(isinstance(t, inspect.DateTimeType) for t in _parts(field.type)):
                _mark_times(own["properties"][field.encode_name])
    for own in defs.values():
        if "description" in own:
            own["description"] = " ".join(own["description"].replace("``", "`").split())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ref, "$defs": defs}


def _parts(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    """A type and, for a union or a tuple, the types in it."""
    if isinstance(kind, inspect.UnionType):
        return kind.types
    if isinstance(kind, inspect.VarTupleType):
        return (kind.item_type,)
    return (kind,)


def _structs(kind: inspect.Type) -> Iterator[inspect.StructType]:
    """The records in a type, itself among them."""
    for part in _parts(kind):
        if isinstance(part, inspect.StructType):
            yield part
            for field in part.fields:
                yield from _structs(field.type)


def _mark_times(node: dict[str, Any]) -> None:
    """msgspec leaves the format out where it would take a time without zone; our readers do not take one."""
    for part in node.get("anyOf", [node]):
        if part.get("type") == "string":
            part["format"] = "date-time"


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


# Settings


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        docs_topics.GENERATED,
        "",
        "Each setting can come from the environment or from a TOML file: `anbu.toml` in the working directory, or",
        "the file that `ANBU_CONFIG` names. The environment wins. Secrets belong in the environment: of the processes",
        "that `anbu up` starts, each is given those of its own work alone, and the file is read by none of them.",
        "",
        "In the file, a dot is a table: `broker.bootstrap` is `bootstrap` below `[broker]`, and",
        "`feeds.<feed>.stall_seconds` is `stall_seconds` below `[feeds.meter]` for the feed named `meter`. In the",
        "environment, names of feeds become lower case; an API key is `ANBU_HTTP__METER_KEYS__<feed>`. Lists, and",
        "whole tables, are JSON there: `ANBU_RESPONSE__KEYS='[\"...\"]'`. Ladders are best written in the file, as in",
        "the example of [ladder.md](ladder.md); `<ladder>` is the kind of alert it is for.",
        "",
        "A name that is none of these is an error that names the nearest one, at any depth of the file and for every",
        "variable that begins with `ANBU_` (`ANBU_CONFIG` and `ANBU_DEBUG` are no settings). So is a value that nobody",
        "can have meant. No number of minutes, hours or days may be larger than a million.",
    ]
    for title, model, rows in _sections(Settings, "", "Service"):
        lines += ["", f"## {title}", "", " ".join((model.__doc__ or "").replace("``", "`").split()), ""]
        lines += ["| Setting | Environment | Values | Default | Meaning |", "|---|---|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _sections(model: type[BaseModel], path: str, title: str) -> Iterator[tuple[str, type[BaseModel], list[str]]]:
    """Title, model and table rows of a settings model and of those within it."""
    rows, inner = [], []
    for name, info in model.model_fields.items():
        key = f"{path}{name}"
        nested = _nested(info.annotation)
        words = ": ".join(part for part in key.split(".") if "<" not in part).replace("_", " ")
        if nested is None:
            rows.append(_row(key, info))
        elif get_origin(info.annotation) is dict:
            inner.append((nested, f"{key}.<{name.removesuffix('s')}>.", f"Each of {words}"))
        elif get_origin(info.annotation) is tuple:
            inner.append((nested, f"{key}.", f"Each of {words}"))
        else:
            inner.append((nested, f"{key}.", words[0].upper() + words[1:]))
    yield title, model, rows
    for args in inner:
        yield from _sections(*args)


def _nested(annotation: Any) -> type[BaseModel] | None:
    """The settings model in an annotation: itself, the values of a dict, the members of a list (a tuple)."""
    args = get_args(annotation)
    kind = args[-1] if get_origin(annotation) is dict else args[0] if get_origin(annotation) is tuple else annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _row(key: str, info: FieldInfo) -> str:
    parts = key.split(".")
    if "steps" in parts:  # a member of a list has no variable of its own: the list is given as JSON
        parts = parts[: parts.index("steps") + 1]
    env = "ANBU_" + "__".join(p if p.startswith("<") else p.upper() for p in parts)
    return f"| `{key}` | `{env}` | {_values(info)} | {_default(info)} | {info.description} |"


def _values(info: FieldInfo) -> str:
    """What a setting may be, in a few words."""
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [f"{signs[s]} {getattr(m, s)}" for m in info.metadata for s in signs if getattr(m, s, None) is not None]
    return " ".join([_kind(info.annotation), ", ".join(bounds)]).strip()


NAMES: dict[Any, str] = {
    str: "text", int: "whole number", float: "number", bool: "`true`, `false`", Path: "path", SecretStr: "secret",
    time: "time of day, HH:MM",
}  # fmt: skip


def _kind(annotation: Any) -> str:
    """A type as whoever writes the file calls it."""
    origin, args = get_origin(annotation), [a for a in get_args(annotation) if a is not type(None)]
    if origin is Literal:
        return ", ".join(f"`{value}`" if value else "empty" for value in args)
    if origin is dict:
        return f"name = {_kind(args[1])}"
    if origin in (list, tuple):
        return f"list of {_kind(args[0])}"
    if args:
        return " or ".join(map(_kind, args))
    if issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    return NAMES[annotation]


def _default(info: FieldInfo) -> str:
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ("", {}, []):
        return "none"
    return f"`{value if isinstance(value, str | Path) else _toml(value)}`"


def _toml(value: Any) -> str:
    """A value as the file has it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    sys.stdout.writelines(f"wrote {path}\n" for path in write())

"""Fields of a vendor's request by their paths: ``a.b`` is the field ``b`` inside ``a``."""

from collections.abc import Iterable, Mapping
from typing import Any


def tree(fields: Mapping[str, Any]) -> dict[str, Any]:
    """``{"a.b": x}`` as ``{"a": {"b": x}}``."""
    whole: dict[str, Any] = {}
    for path, value in fields.items():
        *parents, last = path.split(".")
        at = whole
        for parent in parents:
            at = at.setdefault(parent, {})
        at[last] = value
    return whole


def overlapping(paths: Iterable[str]) -> str | None:
    """The first path that would have a value and fields inside it; None where there is none."""
    known = list(paths)
    return next((path for path in known if any(other.startswith(f"{path}.") for other in known)), None)

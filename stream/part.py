"""A table of settings, and what can be meant by its values."""

import re

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationInfo, field_validator

from stream.plain import hidden
from stream.serving.source import a_proxy

MOST = 1e6
"""No setting is a larger number (of minutes, hours, days): times beyond it are beyond the calendar."""


class Part(BaseModel):
    """A table of settings. A name it does not know is an error, and so is a value that nobody can mean."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: object, info: ValidationInfo) -> object:
        """No empty path (which would be the working directory), nothing unprintable."""
        kind = cls.model_fields[info.field_name or ""].annotation
        if value == "" and "Path" in str(kind):
            raise ValueError("empty: name a path, or leave the setting out")
        if isinstance(value, str):
            _seen(value)
        return value

    @field_validator("*", mode="after")
    @classmethod
    def _bounded(cls, value: object) -> object:
        """Times of this world, and nothing unprintable in what a table of names holds either."""
        if isinstance(value, float) and abs(value) > MOST:
            raise ValueError(f"{value:g} is too much: at most {MOST:,.0f}")
        _seen(value)
        return value


def _seen(value: object) -> None:
    """Raises ValueError for a character that is not seen in a text of a setting; tables look after their own."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, str) and hidden(value) is not None:
        raise ValueError("there are unprintable characters in it: write it anew")
    if isinstance(value, dict):
        value = (*value, *value.values())
    if isinstance(value, list | tuple):
        for one in value:
            _seen(one)


def an_address(value: str) -> str:
    """An address to listen on. Raises ValueError."""
    if not re.fullmatch(r"[\w.:%-]+|\[[\w.:%-]+\]", value, re.ASCII):
        raise ValueError(f"{value!r} is no address to listen on: as 127.0.0.1, 0.0.0.0 or a name")
    return value


def a_server(value: str) -> str:
    """One host:port. Raises ValueError."""
    name, _, port = value.strip().rpartition(":")
    if not re.fullmatch(r"[\w.-]+|\[[\w.:%]+\]", name, re.ASCII) or not re.fullmatch(r"[0-9]{1,5}", port) or not (
        0 < int(port) < 65536
    ):
        raise ValueError(f"{value!r} is no host:port, as in kafka-1:9093")
    return value


def a_url(value: str) -> str:
    """An http(s) address, or nothing. Raises ValueError."""
    if value and not re.match(r"https?://[^\s/]", value):
        raise ValueError("an address that begins with https:// or http:// is needed")
    return value


def some_proxies(value: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses and networks of proxies, each in its one form. Raises ValueError."""
    return tuple(a_proxy(one) for one in value)

"""Settings read once at the edge, with a clear line when one is wrong."""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import SettingsError

from anbu import setting_names
from anbu.errors import UserError, settings_line
from response.settings import ResponseSettings
from stream.settings import Settings as StreamSettings


class Settings(StreamSettings):
    """All settings of all parts; each part takes what it knows of."""

    response: ResponseSettings = Field(default_factory=ResponseSettings)


def load(**values: Any) -> Settings:
    """All settings; ``values`` given here win over the environment and the file.

    Raises:
        UserError: when one is wrong, has a name that no setting has, or the file cannot be read.
    """
    file = os.environ.get("ANBU_CONFIG", "anbu.toml")
    named = os.environ.get("ANBU_CONFIG")
    if named and named != os.devnull and not Path(named).is_file():
        raise UserError(f"설정 파일이 없습니다 · ANBU_CONFIG names {named}, and there is no such file")
    if faults := setting_names.faults(os.environ, Settings):
        raise UserError(settings_line(faults))
    try:
        return Settings(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as e:
        said = [_said(fault["type"], fault["loc"], fault["msg"]) for fault in e.errors()]
        raise UserError(settings_line(said)) from e
    except SettingsError as e:
        raise UserError(settings_line([str(e)])) from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        why = "UTF-8" if isinstance(e, UnicodeDecodeError) else f"TOML: {e}"
        raise UserError(f"설정 파일을 읽을 수 없습니다 · {file} is not valid {why}") from e


def _said(kind: str, path: tuple[int | str, ...], said: str) -> str:
    """What is wrong with one setting."""
    if kind == "extra_forbidden":
        return setting_names.unknown(path, Settings)
    return f"{setting_names.variable(path)}: {' '.join(said.split()).removeprefix('Value error, ')}"

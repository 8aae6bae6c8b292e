"""Settings read once at the edge, with a clear line when one is wrong, and handed to child processes."""

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from anbu.errors import UserError, settings_line
from response.settings import ResponseSettings
from stream.settings import Settings as StreamSettings


class Settings(StreamSettings):
    """All settings of all parts; each part takes what it knows of."""

    response: ResponseSettings = Field(default_factory=ResponseSettings)


_LOOPBACK = ("127.0.0.1", "localhost")


def load(**values: Any) -> Settings:
    """All settings; ``values`` given here win over the environment and the file.

    Raises:
        UserError: when one is wrong or the file cannot be read.
    """
    named = os.environ.get("ANBU_CONFIG")
    if named and not Path(named).is_file():
        raise UserError(f"설정 파일이 없습니다 · ANBU_CONFIG names {named}, and there is no such file")
    try:
        return Settings(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as e:
        raise UserError(settings_line([(fault["loc"], fault["msg"]) for fault in e.errors()])) from e
    except tomllib.TOMLDecodeError as e:
        file = os.environ.get("ANBU_CONFIG", "anbu.toml")
        raise UserError(f"설정 파일을 읽을 수 없습니다 · {file} is not valid TOML: {e}") from e


def environment(settings: StreamSettings) -> dict[str, str]:
    """Environment of a child process that is to have these settings.

    It reads the same environment and file as we did; what we may have changed since is told in its environment.
    """
    broker = settings.broker
    told: dict[str, object] = {
        "ANBU_TZ": settings.tz,
        "ANBU_TOPIC_PREFIX": settings.topic_prefix,
        "ANBU_PARTITIONS": settings.partitions,
        "ANBU_DATA_DIR": settings.data_dir.absolute(),
        "ANBU_WORKERS": settings.workers,
        "ANBU_METRICS_HOST": settings.metrics_host,
        "ANBU_METRICS_PORT": settings.metrics_port,
        "ANBU_BROKER__BOOTSTRAP": broker.bootstrap,
        "ANBU_BROKER__SECURITY_PROTOCOL": broker.security_protocol,
        "ANBU_BROKER__REPLICATION_FACTOR": broker.replication_factor,
        "ANBU_BROKER__MIN_INSYNC_REPLICAS": broker.min_insync_replicas,
    }
    return {**os.environ, **{name: str(value) for name, value in told.items()}}


def local_port(settings: StreamSettings) -> int | None:
    """Port of the broker that we would start here ourselves; None where the settings name another one."""
    host, _, port = settings.broker.bootstrap.rpartition(":")
    ours = host in _LOOPBACK and settings.broker.security_protocol == "PLAINTEXT"
    return int(port) if ours and port.isdecimal() else None

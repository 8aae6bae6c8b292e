"""Every setting of anbu, typed, in one place: read once at the edge, from the environment or a TOML file.

``ANBU_PARTITIONS=16`` in the environment, or ``partitions = 16`` in the file named by ``ANBU_CONFIG``
(default ``anbu.toml`` in the working directory). Nested settings use two underscores:
``ANBU_BROKER__BOOTSTRAP=kafka-1:9093``. The environment wins over the file. ``docs/settings.md`` lists them all.
"""

import os
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


class BrokerSettings(BaseModel):
    """How to reach Kafka."""

    bootstrap: str = Field("127.0.0.1:9092", description="host:port of one or more brokers, separated by commas")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="transport to the broker; anything but loopback should be SASL_SSL"
    )
    ssl_cafile: Path | None = Field(None, description="certificate authority that signed the broker's certificate")
    ssl_certfile: Path | None = Field(None, description="client certificate, where the broker asks for one")
    ssl_keyfile: Path | None = Field(None, description="key of the client certificate")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="used with SASL_PLAINTEXT and SASL_SSL"
    )
    sasl_username: str | None = Field(None, description="user at the broker")
    sasl_password: SecretStr | None = Field(None, description="password at the broker; give it by environment")
    replication_factor: int = Field(1, ge=1, description="copies of each topic; 3 in production")
    min_insync_replicas: int = Field(1, ge=1, description="copies that must have a record before it counts; 2 of 3")


class FeedSettings(BaseModel):
    """What is known of one feed: a source of meter readings or of phone events."""

    lateness_minutes: float = Field(
        60, ge=0, le=285, description="usual lateness: where the feed does not say complete_until, a time counts as "
        "complete this long after it in the feed's own data"
    )
    stall_seconds: float = Field(300, gt=0, description="wall-clock seconds without a frame before feed_stalled")


class LevelSettings(BaseModel):
    """Levels as return periods: how many days of a person's life one would wait to see this by chance."""

    attention_days: float = Field(7, gt=0, description="관심: dashboard only")
    caution_days: float = Field(70, gt=0, description="주의: 70 days is 10 false alerts per 100 households a week")
    serious_days: float = Field(700, gt=0, description="심각: 700 days is 1 per 100 households a week")


class LimitSettings(BaseModel):
    """Hours without proof of life that alarm from the first day, by risk group."""

    high_hours: float = Field(24, gt=0, description="risk group high")
    elevated_hours: float = Field(36, gt=0, description="risk group elevated")
    normal_hours: float = Field(48, gt=0, description="risk group normal")
    warning_factor: float = Field(
        0.75, gt=0, le=1, description="limits times this while a warning of heat or cold of level 1 (주의보) holds"
    )
    alert_factor: float = Field(0.5, gt=0, le=1, description="the same at level 2 (경보)")


class GapSettings(BaseModel):
    """When a household without valid data is said to be so."""

    attention_hours: float = Field(6, gt=0, description="hours without valid data before data_gap")
    person_hours: float = Field(24, gt=0, description="hours before a person is to look")


class AreaSettings(BaseModel):
    """When many silent homes are one event."""

    share: float = Field(0.5, gt=0, le=1, description="part of an area silent in one slot that makes an area_outage")
    end_share: float = Field(0.2, ge=0, lt=1, description="part still silent below which it has ended")
    members: int = Field(5, ge=2, description="areas with fewer households are never judged as a whole")


class HttpSettings(BaseModel):
    """The ingest endpoint: POST /v1/readings and /v1/events."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8380, ge=0, le=65535, description="port to listen on")
    api_keys: dict[str, SecretStr] = Field(
        default_factory=dict, description="feed name -> API key; a feed without a key cannot post"
    )
    max_body_bytes: int = Field(8 * 1024 * 1024, gt=0, description="larger requests are refused with 413")


class Settings(BaseSettings):
    """All settings. Field names are the names in ``docs/settings.md``."""

    model_config = SettingsConfigDict(env_prefix="ANBU_", env_nested_delimiter="__", extra="forbid")

    tz: str = Field("Asia/Seoul", description="time zone of the households' lives (hours of the day, weekends)")
    topic_prefix: str = Field("", pattern=r"^[a-zA-Z0-9._-]*$", description="put before every topic and group name")
    partitions: int = Field(8, ge=1, le=1024, description="partitions of meter.readings, phone.events, households")
    data_dir: Path = Field(Path(".anbu"), description="where the local broker and the processes keep their files")
    broker: BrokerSettings = Field(default_factory=BrokerSettings)
    feeds: dict[str, FeedSettings] = Field(
        default_factory=dict, description="per feed name; a feed not named here has the defaults"
    )
    wait_minutes: float = Field(
        120, ge=0, description="how far one signal's feed may lag behind the other before judging goes on without it"
    )
    model: Path | None = Field(None, description="a learned model of one's own; none: the shipped one")
    levels: LevelSettings = Field(default_factory=LevelSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    gaps: GapSettings = Field(default_factory=GapSettings)
    areas: AreaSettings = Field(default_factory=AreaSettings)
    http: HttpSettings = Field(default_factory=HttpSettings)
    workers: int = Field(2, ge=1, description="worker processes that `anbu up` and `anbu demo` start")
    metrics_host: str = Field("127.0.0.1", description="address of /metrics, /healthz, /readyz")
    metrics_port: int = Field(9380, ge=0, le=65535, description="worker N serves its metrics on this port + N")
    session_timeout_seconds: float = Field(10, gt=1, description="a worker silent for so long loses its partitions")
    batch_frames: int = Field(400, ge=1, description="most frames of one partition in one transaction")
    log_format: Literal["console", "json"] = Field("console", description="json in production")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level written")

    @field_validator("tz")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as e:
            raise ValueError(f"unknown time zone {value!r}: use a name such as Asia/Seoul or Europe/London") from e
        return value

    def feed(self, name: str) -> FeedSettings:
        """Settings of one feed by name."""
        return self.feeds.get(name) or FeedSettings()

    def topic(self, name: str) -> str:
        """Full name of a topic: the prefix and the plain name."""
        return self.topic_prefix + name

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the file."""
        file = Path(os.environ.get("ANBU_CONFIG", "anbu.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

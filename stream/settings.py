"""Every setting of anbu, typed: read once at the edge, from the environment or a TOML file.

``ANBU_PARTITIONS=16`` in the environment, or ``partitions = 16`` in the file named by ``ANBU_CONFIG``
(default ``anbu.toml`` in the working directory). Nested settings use two underscores:
``ANBU_BROKER__BOOTSTRAP=kafka-1:9093``. The environment wins over the file. ``docs/settings.md`` lists them all.
"""

import os
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from stream.brokers import BrokerSettings
from stream.keys import Senders, senders
from stream.part import Part, an_address, some_proxies

OTHERS = frozenset({"response"})
"""Tables of the same file and environment that other parts read."""
KEYS = "two with a blank between while it changes; sha256:HEX in place of a key, so that nobody can use the file"
CONNECTIONS = "most connections at once; the oldest one that has asked nothing yet makes room for one more"
PROXIES = "addresses or networks of proxies whose X-Forwarded-For is believed; none: nobody's"


class FeedSettings(Part):
    """What is known of one feed: a source of meter readings or of phone events."""

    lateness_minutes: float = Field(
        60, ge=0, le=285, description="usual lateness: where the feed does not say complete_until, a time counts as "
        "complete this long after it in the feed's own data"
    )
    stall_seconds: float = Field(300, gt=0, description="wall-clock seconds without a frame before feed_stalled")


class LevelSettings(Part):
    """Levels as return periods: how many days of a person's life one would wait to see this by chance."""

    attention_days: float = Field(7, gt=0, description="관심: dashboard only")
    caution_days: float = Field(70, gt=0, description="주의: 70 days is 10 false alerts per 100 households a week")
    serious_days: float = Field(700, gt=0, description="심각: 700 days is 1 per 100 households a week")


class LimitSettings(Part):
    """Hours without proof of life that alarm from the first day, by risk group."""

    high_hours: float = Field(24, gt=0, description="risk group high")
    elevated_hours: float = Field(36, gt=0, description="risk group elevated")
    normal_hours: float = Field(48, gt=0, description="risk group normal")
    warning_factor: float = Field(
        0.75, gt=0, le=1, description="limits times this while a warning of heat or cold of level 1 (주의보) holds"
    )
    alert_factor: float = Field(0.5, gt=0, le=1, description="the same at level 2 (경보)")


class GapSettings(Part):
    """When a household without valid data is said to be so."""

    attention_hours: float = Field(6, gt=0, description="hours without valid data before data_gap")
    person_hours: float = Field(24, gt=0, description="hours before a person is to look")


class AreaSettings(Part):
    """When many silent homes are one event."""

    share: float = Field(0.5, gt=0, le=1, description="part of an area silent in one slot that makes an area_outage")
    end_share: float = Field(0.2, ge=0, lt=1, description="part still silent below which it has ended")
    members: int = Field(5, ge=2, description="areas with fewer households are never judged as a whole")


class HttpSettings(Part):
    """The ingest endpoint: POST /v1/readings and /v1/events."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8380, ge=0, le=65535, description="port to listen on")
    meter_keys: dict[str, SecretStr] = Field(
        default_factory=dict, description="feed -> API key that its readings are posted with; " + KEYS
    )
    phone_keys: dict[str, SecretStr] = Field(
        default_factory=dict, description="feed -> API key that its phone events are posted with; likewise"
    )
    api_keys: dict[str, SecretStr] = Field(
        default_factory=dict, description="of old: `meter` is read as meter_keys.meter, `phone` as phone_keys.phone"
    )
    requests_per_feed: int = Field(
        8, ge=1, le=1000, description="requests of one feed that are worked on at once; more are answered with 429"
    )
    max_body_bytes: int = Field(
        8 * 1024 * 1024, gt=0, le=2**30, description="larger requests are refused with 413"
    )
    max_unpacked_bytes: int = Field(
        128 * 1024 * 1024, gt=0, le=2**32, description="requests that unpack to more (Parquet) are refused with 413"
    )
    connections: int = Field(500, ge=16, le=10_000, description=CONNECTIONS)
    proxies: tuple[str, ...] = Field((), description=PROXIES)

    _host = field_validator("host")(an_address)
    _proxies = field_validator("proxies")(some_proxies)

    @field_validator("meter_keys", "phone_keys", mode="before")
    @classmethod
    def _lists(cls, given: Any) -> Any:
        """In the file several keys of a feed may be a list."""
        if not isinstance(given, dict):
            return given
        return {feed: " ".join(map(str, keys)) if isinstance(keys, list) else keys for feed, keys in given.items()}

    @model_validator(mode="before")
    @classmethod
    def _of_old(cls, given: Any) -> Any:
        """A key was of a feed alone; where the feed's name is a signal's, it is clear of which signal it is now."""
        old = given.get("api_keys") if isinstance(given, dict) else None
        if not isinstance(old, dict):
            return given
        told = {**given, "api_keys": {}}
        for feed, key in old.items():
            if feed not in ("meter", "phone"):
                raise ValueError(
                    f"api_keys.{feed}: a key is of one signal now: call it http.meter_keys.{feed} "
                    f"(ANBU_HTTP__METER_KEYS__{feed.upper()}) for readings, http.phone_keys.{feed} for phone events"
                )
            new = told.get(f"{feed}_keys", {})
            told[f"{feed}_keys"] = {feed: key, **new} if isinstance(new, dict) else new
        return told

    @model_validator(mode="after")
    def _each_its_own(self) -> "HttpSettings":
        self.senders()
        return self

    def senders(self) -> Senders:
        """Whose each API key is."""
        return senders(self.meter_keys, self.phone_keys)


class Settings(Part, BaseSettings):
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
    withdrawal_hours: float = Field(
        24, ge=0, le=120, description="after consent is withdrawn nothing is watched or shown any more; what was kept "
        "is deleted for good so many hours after that was heard, and until then a person can undo it. 0: at once, so "
        "that one message deletes. At most five days, within which the guideline wants personal data destroyed (파기)"
    )
    http: HttpSettings = Field(default_factory=HttpSettings)
    workers: int = Field(2, ge=1, le=1024, description="worker processes that `anbu up` and `anbu demo` start")
    metrics_host: str = Field("127.0.0.1", description="address of /metrics, /healthz, /readyz")
    metrics_port: int = Field(9380, ge=0, le=65535, description="worker N serves its metrics on this port + N")
    session_timeout_seconds: float = Field(10, gt=1, description="a worker silent for so long loses its partitions")
    batch_frames: int = Field(400, ge=1, le=100_000, description="most frames of one partition in one transaction")
    log_format: Literal["console", "json"] = Field("console", description="json in production")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level written")

    _host = field_validator("metrics_host")(an_address)

    @model_validator(mode="before")
    @classmethod
    def _ours(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Without what other parts read: a program that needs the stream's alone reads the same file."""
        return {name: value for name, value in given.items() if name in cls.model_fields or name not in OTHERS}

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

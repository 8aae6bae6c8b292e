"""Settings of the response: the ladder, hours, the database, the telephone, the channels (docs/settings.md)."""

import re
from collections.abc import Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Literal, Self, get_args

import holidays as calendars
import phonenumbers
from pydantic import Field, SecretStr, field_validator, model_validator

from response import ladder, numbers
from response.ladder import MOST_HOURS
from response.overt import overt
from response.records import CallOutcome
from stream import plain
from stream.keys import guessable
from stream.part import Part, a_server, a_url, an_address, some_proxies
from stream.records import AlertKind
from stream.settings import CONNECTIONS, PROXIES


class HoursSettings(Part):
    """When a resident may be rung, when the office is open; in the time zone of the settings."""

    calling_from: time = Field(time(8, 0), description="no automatic call before")
    calling_until: time = Field(time(21, 0), description="no automatic call from then on")
    office_from: time = Field(time(9, 0), description="the office opens, on working days")
    office_until: time = Field(time(18, 0), description="the office closes")
    holidays: str = Field("KR", description="country whose public holidays are no working days (ISO 3166); empty: none")

    @field_validator("holidays")
    @classmethod
    def _known_country(cls, value: str) -> str:
        try:
            if value:
                calendars.country_holidays(value)
            return value
        except NotImplementedError:
            raise ValueError(f"holidays of {value!r} are not known: as KR, JP, DE; empty: none") from None


class SipSettings(Part):
    """A SIP trunk."""

    domain: str = Field("", description="host:port of the trunk")
    transport: Literal["udp", "tcp"] = Field("udp", description="how the trunk is reached")
    user: str = Field("", description="our number at the trunk: what residents see and ring back")
    auth_user: str | None = Field(None, description="where it differs from user")
    password: SecretStr | None = Field(None, description="of the trunk; give it by environment")
    register_seconds: int = Field(0, ge=0, description="register every so often, for call-backs; 0: the trunk knows us")
    listen: str = Field("0.0.0.0:5060", description="address:port of our side")
    accept_from: tuple[str, ...] = Field(
        (), description="addresses, networks (203.0.113.0/28) or names that SIP is taken from; none: those of domain"
    )
    rtp_ports: str = Field("20400-20800", description="UDP ports of the sound")
    media_from: tuple[str, ...] = Field(
        (), description="addresses, networks or names that sound, and keys in it, is taken from; none: from anywhere"
    )
    no_progress_seconds: float = Field(
        15, gt=0, description="no ringing for so long: the trunk is down (a mobile may take ten seconds to be found)"
    )
    key_seconds: float = Field(8, ge=0, description="how long a key is waited for after the announcement")

    @field_validator("domain", "listen")
    @classmethod
    def _servers(cls, value: str) -> str:
        if value:
            a_server(value if ":" in value else f"{value}:5060")
        return value

    @field_validator("accept_from", "media_from")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if not re.fullmatch(r"[A-Za-z0-9.:-]+(/[0-9]{1,3})?", one):
                raise ValueError(f"{one!r} is no address, network (203.0.113.0/28) or name of a host")
        return value

    @field_validator("rtp_ports")
    @classmethod
    def _range(cls, value: str) -> str:
        ports = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", value)
        if ports is None or not 0 < int(ports[1]) < int(ports[2]) < 65536:
            raise ValueError(f"{value!r} is no range of ports, as in 20400-20800")
        return value


def _statuses() -> dict[str, CallOutcome | Literal[""]]:
    return {
        "answered": CallOutcome.answered_no_key,
        "busy": CallOutcome.busy,
        "no-answer": CallOutcome.no_answer,
        "rejected": CallOutcome.rejected,
        "failed": CallOutcome.failed,
        "ringing": "",
    }


def _known(given: Mapping[str, object], names: Sequence[str]) -> None:
    """Raise ValueError where one is none of these."""
    for name in given:
        if name not in names:
            raise ValueError(f"{name!r} is none of {', '.join(names)}")


class HttpCallSettings(Part):
    """A vendor that places calls by HTTP: what its request and its webhook look like."""

    url: str = Field("", description="where a call is asked for (POST)")
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="headers of the request, API keys too")
    body: dict[str, str] = Field(
        default_factory=lambda: {"id": "{key}", "to": "{number}", "text": "{text}"},
        description="fields of the JSON request (dots for nested ones); {key}, {number}, {text}, {recording}, "
        "{callback_url}, {ring_seconds}",
    )
    callback_url: str = Field("", description="address of our /v1/calls/status as the vendor reaches it")
    request_seconds: float = Field(15, gt=0, description="longest wait for the vendor's answer to the request")
    id_field: str = Field("id", description="field of the webhook (dots for nested ones) that has our key")
    status_field: str = Field("status", description="field of the webhook that says how the call went")
    key_field: str = Field("dtmf", description="field of the webhook with the key pressed")
    statuses: dict[str, CallOutcome | Literal[""]] = Field(
        default_factory=_statuses,
        description="the vendor's word -> ours (an answered call with a key is answered_key); empty: not over yet",
    )
    signature_header: str = Field("X-Signature", description="header of the webhook with its HMAC-SHA256, in hex")
    secret: SecretStr | None = Field(
        None, description="shared secret of that signature, 16 letters at least; without one all is refused"
    )
    time_field: str = Field(
        "", description="field of the webhook that says when the call ended (RFC 3339, or Unix seconds): key 1 of "
        "another time than its call's is nobody's answer; empty: the webhook says none"
    )
    result_seconds: float = Field(180, gt=0, description="no webhook for so long: the call's end is unknown")

    _web = field_validator("url", "callback_url")(a_url)

    @field_validator("secret")
    @classmethod
    def _long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and value.get_secret_value() and guessable(value.get_secret_value()):
            raise ValueError("it can be guessed, and whoever has it answers for residents: `openssl rand -hex 32`")
        return value


class VendorSettings(Part):
    """A vendor that sends messages by HTTP and says in the body of its answer whether it took one."""

    url: str = Field("", description="where a message is asked for (POST)")
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="headers of the request, API keys too; {key} may be in them"
    )
    form: bool = Field(False, description="the request is a form; else JSON")
    body: dict[str, str] = Field(
        default_factory=lambda: {"messageId": "{key}", "to": "{number}", "from": "{sender}", "text": "{text}"},
        description="fields of the request (JSON: dots nest, numbers count in lists); {key}, {number}, {text}, "
        "{sender}, {template_code}, {value.name} ...; a field whose value the message has not is left out",
    )
    sender: str = Field("", description="the sender's key or number")
    ok_field: str = Field("", description="field of the answer (dots) that says success; empty: the HTTP status does")
    ok_value: str = Field("", description="its value when the message was taken")

    _web = field_validator("url")(a_url)


class AlimtalkSettings(VendorSettings):
    """알림톡 of a Korean vendor by HTTP; what it refuses goes by SMS."""

    body: dict[str, str] = Field(
        default_factory=lambda: {
            "messageId": "{key}", "to": "{number}", "templateCode": "{template_code}", "text": "{text}",
        },
        description="fields of the request, as those of response.sms",
    )  # fmt: skip
    template_codes: dict[str, str] = Field(default_factory=dict, description="our template -> the approved code")


class ResidentsSettings(Part):
    """Simulated residents: what they do where a person has nothing of their own."""

    answers: float = Field(0.75, ge=0, le=1, description="part of calls that are answered")
    presses_1: float = Field(0.9, ge=0, le=1, description="part of those answered that end with key 1")
    presses_2: float = Field(0.02, ge=0, le=1, description="part that end with key 2")
    busy: float = Field(0.1, ge=0, le=1, description="part of those not answered that are busy")
    rejects: float = Field(0.05, ge=0, le=1, description="part of those not answered that are declined")
    answer_seconds: float = Field(12, ge=0, description="mean time until it is answered")
    seed: int = Field(1, ge=0, description="same seed, same answers")

    @model_validator(mode="after")
    def _parts(self) -> Self:
        if self.presses_1 + self.presses_2 > 1 or self.busy + self.rejects > 1:
            raise ValueError("presses_1 + presses_2, and busy + rejects, are parts of one whole: at most 1 together")
        return self


class ResponseSettings(Part):
    """Everything about cases, calls and messages."""

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL, postgresql://anbu_service:password@host/name, as the application logs in; none: "
        "our own in the data folder"
    )
    viewer_url: SecretStr | None = Field(
        None, description="the same database as anbu_viewer: people are looked at through it; none: database_url, "
        "whose login must be a member of that role then"
    )
    owner_url: SecretStr | None = Field(
        None, description="the same database as its owner, where `anbu people migrate` and `rotate` run, and nowhere "
        "else; none: database_url"
    )
    allow_plain: tuple[str, ...] = Field(
        (), description="hosts (of vendors, channels, links, the database) that may be spoken to without encryption: "
        "only where all of the way is yours; this machine always may"
    )
    keys: list[SecretStr] = Field(
        default_factory=list,
        description="keys of personal data, base64 of 32 bytes; the first seals, all of them open (`anbu people key`)",
    )
    office_name: str = Field(
        "행정복지센터 안부 담당", max_length=plain.OFFICE, description="in whose name messages and calls speak"
    )
    callback_number: str = Field("", description="the number that messages ask to ring back")
    places: dict[str, str] = Field(
        default_factory=dict, description="dong or area as the records have it -> its name as people know it"
    )
    phone_region: str = Field(numbers.REGION, description="country (ISO 3166) of numbers without a country code")
    dialling: numbers.Dialling = Field(
        "national", description="how trunk and vendors take numbers: 01012345678 (of abroad with +), or +821012345678"
    )
    hours: HoursSettings = Field(default_factory=HoursSettings)
    ladders: dict[str, ladder.Ladder] = Field(
        default_factory=lambda: dict(ladder.DEFAULT), description="ladder by kind of alert; docs/ladder.md"
    )
    acknowledged_minutes: dict[str, float] = Field(
        default_factory=lambda: {"caution": 24 * 60.0, "serious": 120.0},
        description="by level: how long after an acknowledgement an outcome may take, where no deadline was given",
    )
    past_hours: float = Field(
        2, gt=0, description="an alert whose time is further behind the clock is of the past: it is recorded, and "
        "acted on only if it still stands when the stream has caught up"
    )
    settle_minutes: float = Field(
        5, ge=0, le=60, description="what still stands so long after the last alert of the past is acted on, most "
        "urgent first; whatever else comes, within twelve times as long"
    )
    gateway: Literal["simulated", "http", "sip"] = Field("simulated", description="how residents are called")
    concurrent_calls: int = Field(20, ge=1, le=10_000, description="most calls at once")
    ring_seconds: float = Field(30, gt=0, description="how long a phone rings")
    call_back_minutes: float = Field(
        10, ge=0, le=120, description="a call-back without key 1 puts the next step of a caution off by so much, once; "
        "0: never"
    )
    sip: SipSettings = Field(default_factory=SipSettings)
    http_calls: HttpCallSettings = Field(default_factory=HttpCallSettings)
    residents: ResidentsSettings = Field(default_factory=ResidentsSettings)
    recordings: Path | None = Field(None, description="folder of recorded announcements, 8 kHz WAV, by name")
    channels: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="channel -> Apprise URL with {address}: email, sms, webhook ...; a channel without one is not sent",
    )
    sms: VendorSettings = Field(
        default_factory=VendorSettings, description="an SMS vendor by HTTP; with a URL it is the channel sms"
    )
    alimtalk: AlimtalkSettings = Field(default_factory=AlimtalkSettings)
    message_seconds: float = Field(
        15, gt=0, description="a service that has not answered for so long: nobody knows whether the message went out"
    )
    drill_channels: dict[str, SecretStr] = Field(
        default_factory=dict, description="the same for drills, which reach nothing else"
    )
    link_url: str = Field("", description="address of the acknowledgement page as officers reach it; none: no links")
    link_hours: float = Field(72, gt=0, le=168, description="a link opens its case for so long")
    link_closed_hours: float = Field(
        24, ge=0, le=72, description="so long after its end a case is still shown, without the person, by whom it was "
        "closed to be opened again; 0: not at all"
    )
    host: str = Field("127.0.0.1", description="address of the acknowledgement page and the vendors' webhooks")
    port: int = Field(8480, ge=0, le=65535, description="its port")
    connections: int = Field(500, ge=16, le=10_000, description=CONNECTIONS)
    proxies: tuple[str, ...] = Field((), description=PROXIES)
    metrics_port: int = Field(9370, ge=0, le=65535, description="port of its /metrics, /healthz, /readyz; 0: any")
    tick_seconds: float = Field(1.0, gt=0, description="how often due cases are looked for")
    lease_seconds: float = Field(300, gt=0, description="a sender silent for so long has died; its call is an attempt")
    message_hours: float = Field(6, gt=0, description="a message that has waited for so long is not sent any more")
    deadman_url: str = Field("", description="asked (GET) every minute while all is well; its absence is the alarm")
    access_log_days: int = Field(731, ge=731, le=36525, description="the access log is kept so long: two years by law")

    _web = field_validator("link_url", "deadman_url")(a_url)

    @model_validator(mode="after")
    def _in_the_clear(self) -> Self:
        for one in overt(self):
            if one.host not in self.allow_plain:
                raise ValueError(str(one))
        return self

    _host = field_validator("host")(an_address)
    _proxies = field_validator("proxies")(some_proxies)

    @field_validator("phone_region")
    @classmethod
    def _region(cls, given: str) -> str:
        if given not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"no country {given!r}: two capital letters, as KR")
        return given

    @field_validator("callback_number")
    @classmethod
    def _callback(cls, given: str) -> str:
        """A short number (02-120) can be rung too, so it need not have the one form."""
        if given:
            numbers.plain(given)
        return given

    def place(self, id_: str) -> str:
        """What people call a dong or an area; one without a name is its id."""
        return self.places.get(id_, id_)

    @field_validator("ladders")
    @classmethod
    def _all_kinds(cls, given: dict[str, ladder.Ladder]) -> dict[str, ladder.Ladder]:
        """A ladder that is given replaces that of its kind; the others stay. Residents alone are rung: a key in an
        automatic call speaks of the resident."""
        _known(given, get_args(AlertKind))
        for kind in given:
            for step in given[kind].steps:
                if "call" in step.by and step.to != ("resident",):
                    raise ValueError(f"{kind}, step {step.name!r}: a call is for a resident alone, not {step.to}")
            if not given[kind].longest() <= MOST_HOURS * 60:
                raise ValueError(f"{kind}: a step waits for {given[kind].longest():g} minutes, over {MOST_HOURS} hours")
        return {**ladder.DEFAULT, **given}

    @field_validator("acknowledged_minutes")
    @classmethod
    def _all_levels(cls, given: dict[str, float]) -> dict[str, float]:
        """A level that is not given keeps its time."""
        _known(given, ("caution", "serious"))
        for level, limit in given.items():
            if not 0 < limit <= MOST_HOURS * 60:
                most = f"more than 0, at most {MOST_HOURS * 60}, {MOST_HOURS} hours"
                raise ValueError(f"{level}: {limit:g} is no number of minutes: {most}")
        return {"caution": 24 * 60.0, "serious": 120.0, **given}

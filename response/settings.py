"""Settings of the response: the ladder, hours, the database, the telephone, the channels (docs/settings.md)."""

from datetime import time
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from response import ladder
from response.records import CallOutcome


class HoursSettings(BaseModel):
    """When a resident may be rung, when the office is open; in the time zone of the settings."""

    calling_from: time = Field(time(8, 0), description="no automatic call before")
    calling_until: time = Field(time(21, 0), description="no automatic call from then on")
    office_from: time = Field(time(9, 0), description="the office opens, on working days")
    office_until: time = Field(time(18, 0), description="the office closes")
    holidays: str = Field("KR", description="country whose public holidays are no working days (ISO 3166); empty: none")


class SipSettings(BaseModel):
    """A SIP trunk."""

    domain: str = Field("", description="host:port of the trunk")
    transport: Literal["udp", "tcp"] = Field("udp", description="how the trunk is reached")
    user: str = Field("", description="our number at the trunk: what residents see and ring back")
    auth_user: str | None = Field(None, description="where it differs from user")
    password: SecretStr | None = Field(None, description="of the trunk; give it by environment")
    register_seconds: int = Field(0, ge=0, description="register every so often, for call-backs; 0: the trunk knows us")
    listen: str = Field("0.0.0.0:5060", description="address:port of our side")
    rtp_ports: str = Field("20400-20800", description="UDP ports of the sound")
    no_progress_seconds: float = Field(
        15, gt=0, description="no ringing for so long: the trunk is down (a mobile may take ten seconds to be found)"
    )
    key_seconds: float = Field(8, ge=0, description="how long a key is waited for after the announcement")


def _statuses() -> dict[str, CallOutcome | Literal[""]]:
    return {
        "answered": CallOutcome.answered_no_key,
        "busy": CallOutcome.busy,
        "no-answer": CallOutcome.no_answer,
        "rejected": CallOutcome.rejected,
        "failed": CallOutcome.failed,
        "ringing": "",
    }


class HttpCallSettings(BaseModel):
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
    secret: SecretStr | None = Field(None, description="shared secret of that signature; without one all is refused")
    result_seconds: float = Field(180, gt=0, description="no webhook for so long: the call's end is unknown")


class VendorSettings(BaseModel):
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


class AlimtalkSettings(VendorSettings):
    """알림톡 of a Korean vendor by HTTP; what it refuses goes by SMS."""

    body: dict[str, str] = Field(
        default_factory=lambda: {
            "messageId": "{key}", "to": "{number}", "templateCode": "{template_code}", "text": "{text}",
        },
        description="fields of the request, as those of response.sms",
    )  # fmt: skip
    template_codes: dict[str, str] = Field(default_factory=dict, description="our template -> the approved code")


class ResidentsSettings(BaseModel):
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


class ResponseSettings(BaseModel):
    """Everything about cases, calls and messages."""

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL, postgresql://user:password@host/name; none: our own in the data folder"
    )
    keys: list[SecretStr] = Field(
        default_factory=list,
        description="keys of personal data, base64 of 32 bytes; the first seals, all of them open (`anbu people key`)",
    )
    office_name: str = Field("행정복지센터 안부 담당", description="in whose name messages and calls speak")
    callback_number: str = Field("", description="the number that messages ask to ring back")
    hours: HoursSettings = Field(default_factory=HoursSettings)
    ladders: dict[str, ladder.Ladder] = Field(
        default_factory=lambda: dict(ladder.DEFAULT), description="ladder by kind of alert; docs/ladder.md"
    )
    acknowledged_minutes: dict[str, float] = Field(
        default_factory=lambda: {"caution": 24 * 60.0, "serious": 120.0},
        description="by level: how long after an acknowledgement an outcome may take, where no deadline was given",
    )
    gateway: Literal["simulated", "http", "sip"] = Field("simulated", description="how residents are called")
    concurrent_calls: int = Field(20, ge=1, description="most calls at once")
    ring_seconds: float = Field(30, gt=0, description="how long a phone rings")
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
    host: str = Field("127.0.0.1", description="address of the acknowledgement page and the vendors' webhooks")
    port: int = Field(8480, ge=0, le=65535, description="its port")
    metrics_port: int = Field(9370, ge=0, le=65535, description="port of its /metrics, /healthz, /readyz; 0: any")
    tick_seconds: float = Field(1.0, gt=0, description="how often due cases are looked for")
    lease_seconds: float = Field(300, gt=0, description="a sender silent for so long has died; its call is an attempt")
    message_hours: float = Field(6, gt=0, description="a message that has waited for so long is not sent any more")
    deadman_url: str = Field("", description="asked (GET) every minute while all is well; its absence is the alarm")
    access_log_days: int = Field(731, ge=731, description="the access log is kept for so long; two years is the law")

    @field_validator("ladders")
    @classmethod
    def _all_kinds(cls, given: dict[str, ladder.Ladder]) -> dict[str, ladder.Ladder]:
        """A ladder that is given replaces that of its kind; the others stay."""
        return {**ladder.DEFAULT, **given}

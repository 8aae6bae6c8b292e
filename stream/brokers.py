"""Settings of the broker: how it is reached, and who is who there."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from stream.hosts import elsewhere, host_of
from stream.part import Part, a_server


class UserSettings(Part):
    """Who is who at the broker: users by SASL, or names in client certificates (``CN=worker,O=city``)."""

    worker: str = Field("anbu-worker", min_length=1, description="of the workers")
    http: str = Field("anbu-http", min_length=1, description="of the ingest endpoint")
    response: str = Field("anbu-response", min_length=1, description="of `anbu response`")
    operator: str = Field("anbu-operator", min_length=1, description="of who runs `anbu ingest`, `anbu warn` ...")
    admin: str = Field("anbu-admin", min_length=1, description="of who runs `anbu topics` and `anbu doctor`")


class PasswordSettings(Part):
    """Passwords of those users, where one environment starts processes of several: each is given its own alone."""

    worker: SecretStr | None = Field(None, description="of `broker.users.worker`")
    http: SecretStr | None = Field(None, description="of `broker.users.http`")
    response: SecretStr | None = Field(None, description="of `broker.users.response`")
    operator: SecretStr | None = Field(None, description="of `broker.users.operator`")
    admin: SecretStr | None = Field(None, description="of `broker.users.admin`")


class BrokerSettings(Part):
    """How to reach Kafka."""

    bootstrap: str = Field("127.0.0.1:9092", description="host:port of one or more brokers, separated by commas")
    security_protocol: Literal["LOCAL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "LOCAL", description="transport to the broker. LOCAL: the one that `anbu up` starts on this machine, with the "
        "passwords that it keeps in data_dir. PLAINTEXT and SASL_PLAINTEXT, on this machine alone, see allow_plain"
    )
    allow_plain: bool = Field(
        False, description="a broker on another machine is spoken to without encryption: only where all of the way is "
        "yours"
    )
    ssl_cafile: Path | None = Field(None, description="certificate authority that signed the broker's certificate")
    ssl_certfile: Path | None = Field(None, description="client certificate, where the broker asks for one")
    ssl_keyfile: Path | None = Field(None, description="key of the client certificate")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="used with SASL_PLAINTEXT and SASL_SSL"
    )
    sasl_username: str | None = Field(None, description="user at the broker")
    sasl_password: SecretStr | None = Field(None, description="password at the broker; give it by environment")
    users: UserSettings = Field(default_factory=UserSettings)
    passwords: PasswordSettings = Field(default_factory=PasswordSettings)
    replication_factor: int = Field(1, ge=1, description="copies of each topic; 3 in production")
    min_insync_replicas: int = Field(1, ge=1, description="copies that must have a record before it counts; 2 of 3")

    @field_validator("bootstrap")
    @classmethod
    def _servers(cls, value: str) -> str:
        return ",".join(a_server(one) for one in value.split(","))

    @model_validator(mode="after")
    def _in_the_clear(self) -> "BrokerSettings":
        away = elsewhere(host_of(server.strip()) for server in self.bootstrap.split(","))
        if away and not self.security_protocol.endswith("SSL") and not self.allow_plain:
            raise ValueError(
                f"{away[0]} would be spoken to without encryption: broker.security_protocol=SASL_SSL, or "
                "ANBU_BROKER__ALLOW_PLAIN=true where all of the way is yours"
            )
        return self

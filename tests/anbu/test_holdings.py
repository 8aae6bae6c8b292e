"""What each process is given: its settings by environment, and not one secret of another's."""

import os
from pathlib import Path
from typing import Any

import pytest

from anbu import configuration, holdings
from anbu.configuration import Settings
from anbu.holdings import Process

SECRETS: dict[str, str] = {
    "ANBU_BROKER__SASL_PASSWORD": "broker-secret-of-all",
    "ANBU_HTTP__API_KEYS__METER": "meter-secret-0123456789",
    "ANBU_RESPONSE__KEYS": '["vault-secret"]',
    "ANBU_RESPONSE__DATABASE_URL": "postgresql://a:database-secret@h/n?sslmode=verify-full",
    "ANBU_RESPONSE__OWNER_URL": "postgresql://a:owner-secret@h/n?sslmode=verify-full",
    "ANBU_RESPONSE__SIP__PASSWORD": "trunk-secret",
    "ANBU_RESPONSE__HTTP_CALLS__SECRET": "webhook-secret-0123456789abcdef",
    "ANBU_RESPONSE__HTTP_CALLS__HEADERS": '{"Authorization": "calls-secret"}',
    "ANBU_RESPONSE__SMS__HEADERS": '{"Authorization": "sms-secret"}',
    "ANBU_RESPONSE__CHANNELS": '{"email": "mailto://channel-secret"}',
    "AWS_SECRET_ACCESS_KEY": "cloud-secret",
    "PGPASSWORD": "other-database-secret",
    "HTTPS_PROXY": "http://u:proxy-secret@proxy:3128",
}
MAY: dict[Process, set[str]] = {
    "worker": {"broker-secret-of-all"},
    "http": {"broker-secret-of-all", "meter-secret-0123456789"},
    "response": {
        "broker-secret-of-all", "vault-secret", "database-secret", "trunk-secret", "webhook-secret-0123456789abcdef",
        "calls-secret", "sms-secret", "channel-secret", "proxy-secret",
    },
}  # fmt: skip
WORDS = sorted(set().union(*MAY.values()) | {"owner-secret", "cloud-secret", "other-database-secret"})


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """Settings of a city with everything secret that there is, half of it in the file."""
    monkeypatch.chdir(tmp_path)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    Path("anbu.toml").write_text(
        'tz = "Europe/London"\nmodel = "city.npz"\n[feeds.kepco]\nstall_seconds = 5\n[levels]\ncaution_days = 71\n'
        '[response]\noffice_name = "안부 \\"담당\\""\n[response.hours]\ncalling_from = "09:30"\n'
        '[response.places]\n"1"="역삼1동"\n[response.http_calls.statuses]\nDONE = "answered_no_key"\n'
        '[response.drill_channels]\nsms = "jsons://file-secret"\n'
    )
    return configuration.load()


@pytest.mark.parametrize("process", list(MAY))
def test_a_process_is_given_the_secrets_that_are_its_own(process: Process, settings: Settings) -> None:
    """Of everything secret in our environment and file it holds what its work needs."""
    held = "\n".join(f"{name}={value}" for name, value in holdings.environment(process, settings).items())
    assert {word for word in WORDS if word in held} == MAY[process]
    assert ("file-secret" in held) == (process == "response")


@pytest.mark.parametrize("process", list(MAY))
def test_a_process_reads_the_settings_it_was_given_and_no_file(
    process: Process, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but what is another's is as we have it, though the file that we read is out of its sight."""
    given = holdings.environment(process, settings)
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    without: Any = holdings.HOLDINGS[process].without
    read, told = configuration.load(), settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    assert read.model_dump(exclude=without) == told.model_dump(exclude=without)
    assert read.response.owner_url is None
    for name in {"http", "response"} - {process}:
        assert getattr(read, name) == type(getattr(read, name))()


def test_what_one_process_is_told_besides_wins(settings: Settings) -> None:
    """A login of its own, in place of the one of all."""
    own = {"ANBU_BROKER__SASL_USERNAME": "worker", "ANBU_BROKER__SASL_PASSWORD": "worker-secret"}
    held = holdings.environment("worker", settings, own)
    assert own.items() <= held.items()
    assert "broker-secret-of-all" not in str(held)

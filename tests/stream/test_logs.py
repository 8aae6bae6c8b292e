"""The log: one line each, nothing personal, ours and the libraries' alike."""

import errno
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from stream.logs import advice, setup
from stream.repeats import Repeats
from stream.settings import Settings


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    """Leave logging as it was found."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def start(level: str = "info", process: str = "", log_format: str = "json") -> io.StringIO:
    out = io.StringIO()
    setup(Settings.model_validate({"log_format": log_format, "log_level": level}), out, process=process)
    return out


def records(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_each_line_is_json_with_time_level_and_process() -> None:
    """What a collector needs is there."""
    out = start(process="worker-1")
    structlog.get_logger("anbu.worker").info("partition taken", partition=3)
    (line,) = records(out)
    assert line["event"] == "partition taken"
    assert line["partition"] == 3
    assert (line["level"], line["logger"], line["process"]) == ("info", "anbu.worker", "worker-1")
    assert line["timestamp"].endswith("Z")


def test_library_lines_take_the_same_form() -> None:
    """Faust and aiokafka log by the standard library; their lines are JSON too."""
    out = start()
    logging.getLogger("faust.worker").warning("lost %s", "a broker")
    (line,) = records(out)
    assert (line["event"], line["level"], line["logger"]) == ("lost a broker", "warning", "faust.worker")


def test_household_id_is_not_in_the_log() -> None:
    """An id is a pseudonym, yet whoever reads logs is not to follow one home."""
    out = start()
    log = structlog.get_logger("anbu")
    log.info("judged", household_id="h-777", slots=3)
    log.warning("bad row of household_id='h-777'", detail='{"household_id":"h-777","kwh":1}')
    logging.getLogger("faust").error("in ConsumerRecord(topic='t', key=b'h-777', value=b'{\"x\": 1}')")
    assert len(records(out)) == 3
    assert "h-777" not in out.getvalue()
    assert "kwh" in out.getvalue()


def test_household_id_is_in_a_debug_line_at_debug_level() -> None:
    """Somebody who looks for one record's way has to see it."""
    out = start(level="debug")
    structlog.get_logger("anbu").debug("judged", household_id="h-777")
    structlog.get_logger("anbu").info("judged", household_id="h-888")
    assert [r.get("household_id") for r in records(out)] == ["h-777", None]


@pytest.mark.parametrize("key", ["guardian", "phone_number", "address", "value", "sample"])
def test_people_and_payloads_are_never_written(key: str) -> None:
    """Not even at debug level."""
    out = start(level="debug")
    structlog.get_logger("anbu").debug("case", **{key: "010-1234-5678"})
    assert len(records(out)) == 1
    assert "1234" not in out.getvalue()


def test_secrets_are_masked() -> None:
    """An API key is shown to be there and no more."""
    out = start(level="debug")
    structlog.get_logger("anbu").info("refused", api_key="k-1234", sasl_password="p-1234")
    (line,) = records(out)
    assert (line["api_key"], line["sasl_password"]) == ("***", "***")


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("logger", ["ours", "library"])
def test_exception_is_one_line_with_what_to_do(logger: str, log_format: str) -> None:
    """Type, text, place and remedy on the line of the error; no traceback."""
    out = start(log_format=log_format)
    try:
        raise ConnectionRefusedError("no answer from 127.0.0.1:9092\nsecond line")
    except ConnectionRefusedError:
        (structlog.get_logger("anbu") if logger == "ours" else logging.getLogger("mode")).exception("cannot start")
    (line,) = out.getvalue().splitlines()
    assert "ConnectionRefusedError: no answer from 127.0.0.1:9092" in line
    assert "test_logs.py:" in line
    assert "anbu doctor" in line


def test_exception_passed_by_itself_is_told_as_well() -> None:
    """exc_info may be the exception, as in callbacks."""
    out = start()
    structlog.get_logger("anbu").error("task ended", exc_info=ValueError("bad block 7"))
    (line,) = records(out)
    assert line["error"] == "ValueError: bad block 7"
    assert line["do"]


def test_banner_of_several_lines_becomes_one() -> None:
    """A line of log is a line of the file."""
    out = start(log_format="console")
    logging.getLogger("faust").warning("ready\n  broker: x\n\n  topic: y")
    assert out.getvalue().count("\n") == 1
    assert "ready | broker: x | topic: y" in out.getvalue()


def test_lower_levels_are_left_out() -> None:
    """log_level is the least level written, for libraries too; their info lines are too many."""
    out = start(level="info")
    structlog.get_logger("anbu").debug("detail")
    logging.getLogger("aiokafka.consumer").info("fetch")
    assert out.getvalue() == ""


def test_setting_up_twice_does_not_write_twice() -> None:
    """The second set-up replaces the first."""
    first = start()
    second = start()
    structlog.get_logger("anbu").info("once")
    assert first.getvalue() == ""
    assert len(records(second)) == 1


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (OSError(errno.ENOSPC, "no space"), "disk"),
        (PermissionError("x"), "right"),
        (type("ProducerFenced", (Exception,), {})(), "supervisor"),
        (RuntimeError("x"), "ANBU_LOG_LEVEL=debug"),
    ],
)
def test_advice_fits_the_error(error: Exception, word: str) -> None:
    """Known errors have their own remedy; for the others there is a way to see more."""
    assert word in advice(error)


def test_a_library_that_repeats_itself_is_heard_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that is away: one line a kind, whatever numbers are in it, and how many were left out; ours all pass."""
    at = [100.0]
    monkeypatch.setattr("stream.repeats.time.monotonic", lambda: at[0])
    out = start()
    client = logging.getLogger("aiokafka")
    for i in range(500):
        client.error("Unable to update metadata from %s", [i])
        client.error(f"Unable connect to node with id {i}: Connect call failed ('127.0.0.1', {i})")
    client.warning("Unable to update metadata from %s", [1])
    structlog.get_logger("stream.lane").warning("offsets are missing on the broker", topic="a")
    structlog.get_logger("stream.lane").warning("offsets are missing on the broker", topic="b")
    assert [line["level"] for line in records(out)] == ["error", "error", "warning", "warning", "warning"]
    at[0] += 29
    client.error("Unable to update metadata from %s", [1])
    assert len(records(out)) == 5
    at[0] += 2
    client.error("Unable to update metadata from %s", [1])
    last = records(out)[-1]
    assert (last["event"], last["left_out"]) == ("Unable to update metadata from [1]", 500)


def test_what_never_repeats_is_not_remembered_for_ever() -> None:
    """Lines that are all different do not fill the memory."""
    at = [0.0]
    repeats = Repeats(clock=lambda: at[0])
    for i in range(5000):
        at[0] += 1
        word = "".join(chr(97 + int(d)) for d in str(i))
        assert repeats.filter(logging.LogRecord("faust", 30, "", 0, word, (), None))
    assert len(repeats._said) <= 1000


@pytest.mark.parametrize("level", ["info", "debug"])
@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "text", ["x\n2026 [error] case closed by mayor", "\x1b[2J", "a\u2028b", "\u202egnp", "b\rc", "\ud800"]
)
def test_what_others_wrote_makes_no_line_of_its_own_and_acts_on_no_terminal(
    log_format: str, level: str, text: str
) -> None:
    """In the event, in a value, in a list, in a key and in an exception; in libraries' lines too."""
    out = start(level, log_format=log_format)
    log = structlog.get_logger("anbu")
    log.warning(f"from {text}", feed=text, some=[text], **{text: 1})
    logging.getLogger("foreign").warning("said %s", text)
    assert len(out.getvalue().splitlines()) == 2
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("broken")
    for line in out.getvalue().splitlines():
        assert line.isprintable()
    lines = [line for line in out.getvalue().splitlines() if not line.startswith("  ")]
    assert len(lines) == 3


def test_no_text_of_others_fills_the_disk() -> None:
    """A key of 60 kB in a webhook is a line of two."""
    out = start()
    structlog.get_logger("anbu").info("webhook_not_final", key="x" * 60_000, why=["y" * 60_000])
    assert len(out.getvalue()) < 5_000


def test_our_own_lines_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends wrong requests all day does not fill the disk: 300 lines a minute of one event, the rest counted."""
    at = [100.0]
    monkeypatch.setattr("stream.repeats.time.monotonic", lambda: at[0])
    out = start()
    log = structlog.get_logger("stream.http")
    for n in range(10_000):
        log.info("ingest refused", status=401, source=f"192.0.2.{n % 256}")
    log.info("ingest", status=202)
    assert len(records(out)) == 301
    at[0] += 60
    log.info("ingest refused", status=401)
    assert records(out)[-1]["left_out"] == 9_700


def test_words_of_a_stranger_are_not_remembered_for_ever() -> None:
    """A thousand kinds are, and no long ones."""
    repeats = Repeats(clock=lambda: 0.0)
    for i in range(5000):
        word = "".join(chr(97 + int(d)) for d in str(i)) + "x" * 10_000
        repeats.filter(logging.LogRecord("faust", 30, "", 0, word, (), None))
    assert len(repeats._said) <= 1000
    assert max(len(kind) for *_, kind in repeats._said) <= 500

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

"""Logs: structlog for our lines and the libraries', on the console or as JSON; nothing personal, one line each.

Start Faust's worker with ``override_logging=False``, else it puts its own handlers in place of these.
"""

import logging
import re
import sys
import traceback
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from stream import plain
from stream.repeats import Repeats
from stream.settings import Settings

PERSONAL = frozenset({"resident", "guardian", "phone_number", "msisdn", "address", "value", "sample", "raw"})
"""Keys that are never written: people, and payloads of records."""
SECRET = frozenset({"api_key", "password", "sasl_password", "authorization", "token"})
PSEUDONYM = frozenset({"household_id", "household_ids"})
"""Keys that are written at debug level only: an id is a pseudonym, yet a log is no place to follow one person."""

_ID_IN_TEXT = re.compile(r"""(household_ids?["']?\s*[:=]\s*)(b?(?P<q>["']).*?(?P=q)|\[[^]]*\]|[A-Za-z0-9._:-]+)""")
_BYTES_IN_TEXT = re.compile(r"""\b((?:key|value)=)b?(?P<q>["']).*?(?<!\\)(?P=q)""")

ADVICE = {
    "ProducerFenced": "another worker took this partition; this process ends and its supervisor starts it again",
    "KafkaConnectionError": "check ANBU_BROKER__BOOTSTRAP and that the broker runs; `anbu doctor` tells more",
    "NoBrokersAvailable": "check ANBU_BROKER__BOOTSTRAP and that the broker runs; `anbu doctor` tells more",
    "ConnectionRefusedError": "check the address and that the other side runs; `anbu doctor` tells more",
    "UnknownTopicOrPartitionError": "make the topics with `anbu topics`",
    "TopicAuthorizationFailedError": "give this user the rights on the topic (docs/operations.md)",
    "AuthenticationFailedError": "check ANBU_BROKER__SASL_USERNAME and ANBU_BROKER__SASL_PASSWORD",
    "PermissionError": "give this process's user the right to that file or port",
    "ValidationError": "mend the value named above",
    "MemoryError": "give the process more memory, or share its partitions with another worker",
}
"""What to do, by the name of the exception (any of its base classes counts)."""
_BY_ERRNO = {28: "the disk is full: make room, then restart", 24: "too many open files: raise `ulimit -n`"}
_OTHERWISE = "ANBU_LOG_LEVEL=debug shows where it came from in full"


def no_personal_data(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Drop keys that name people or hold payloads, mask secrets, and keep household ids out of all but debug lines."""
    debug = event.get("level", method) == "debug"
    for key in [k for k in event if k in PERSONAL or (k in PSEUDONYM and not debug)]:
        del event[key]
    for key, value in event.items():
        if key in SECRET:
            event[key] = "***"
        elif isinstance(value, str) and not debug:
            event[key] = _BYTES_IN_TEXT.sub(r"\1***", _ID_IN_TEXT.sub(r"\1***", value))
    return event


def one_line_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Turn ``exc_info`` into ``error`` (type and first line), ``where`` and ``do``."""
    exc_info = event.pop("exc_info", None)
    if not exc_info:
        return event
    error = exc_info if isinstance(exc_info, BaseException) else None
    if error is None:
        error = exc_info[1] if isinstance(exc_info, tuple) else sys.exception()
    if error is None:
        return event
    text = str(error).strip().splitlines()
    event["error"] = f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
    if frames := traceback.extract_tb(error.__traceback__):
        event["where"] = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno} in {frames[-1].name}"
    event["do"] = advice(error)
    return event


def advice(error: BaseException) -> str:
    """What a person can do about this error, in a sentence."""
    if isinstance(error, OSError) and error.errno in _BY_ERRNO:
        return _BY_ERRNO[error.errno]
    names = (cls.__name__ for cls in type(error).__mro__)
    return next((ADVICE[name] for name in names if name in ADVICE), _OTHERWISE)


def _one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Foreign messages may have several lines (Faust's banner): a line of log is one line."""
    text = event.get("event")
    if isinstance(text, str) and "\n" in text:
        event["event"] = " | ".join(line.strip() for line in text.splitlines() if line.strip())
    return event


def harmless(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Nothing in a line breaks it, acts on a terminal or fills a disk; a traceback keeps its lines, indented."""
    trace = event.pop("exception", None)
    event = {plain.plain(key, plain.NAME): _harmless(value) for key, value in event.items()}
    if trace is not None:
        event["exception"] = "\n".join(f"  {plain.plain(line)}" for line in str(trace).splitlines())
    return event


def _harmless(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple | dict):
        return plain.harmless(list(value) if isinstance(value, tuple) else value)
    return plain.plain(value if isinstance(value, str) else repr(value), plain.SENTENCES)


def setup(settings: Settings, out: TextIO | None = None, *, process: str = "") -> None:
    """Send every log line, ours and the libraries', to ``out`` (standard error). Safe to call again.

    ``process`` (such as ``worker-1``) is added to each line, so that the lines of several can share a file.
    At log level debug the console shows full tracebacks.
    """
    out = out or sys.stderr
    debug = settings.log_level == "debug"
    as_json = settings.log_format == "json"

    def add_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {"process": process, **event} if process else event

    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        add_process,
        *([] if debug and not as_json else [one_line_exception, _one_line]),
        no_personal_data,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                harmless,
                last,
            ],
        )
    )
    handler.addFilter(Repeats())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(settings.log_level.upper())
    _quiet_libraries(debug)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _quiet_libraries(debug: bool) -> None:
    """The clients' debug lines hold whole records, and their info lines are many: warnings only, whatever our level."""
    for name in ("aiokafka", "kafka", "asyncio", "urllib3", "jgo"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("faust", "mode"):
        logging.getLogger(name).setLevel(logging.INFO if debug else logging.WARNING)

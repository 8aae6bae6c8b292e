"""Whether everything anbu needs is there, and what to mend: broker, topics, clock, disk, Java, ports.

Nothing is changed, but for one short-lived topic that tells the broker's time (Kafka has no other way to ask for it).
"""

import shutil
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError
from rich.console import Console
from rich.markup import escape

from anbu.access import acting_as
from anbu.console import Terminal, sheet
from anbu.errors import UserError
from deploy.kafka.errors import BrokerError
from deploy.kafka.java import find_java, java_major
from deploy.kafka.ports import is_free
from stream import acls, rights, topics
from stream.kafka import BrokerUnreachableError, admin, admin_options
from stream.settings import Settings

LEAST_FREE_GIB = 2.0
"""Enough for a demonstration and its logs; a production broker has its own disk and its own alarm."""
MOST_CLOCK_S = 5.0
"""Detection works on hours, alerts on a minute: a clock further off shows in latencies and as future readings."""
CLOCK_TOPIC = "doctor.clock"
_LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is well, what it is, the value found, and what to do when it is not. ``unreal``:
    no fault, but it reaches nobody (simulated, or not set up): fit for a trial alone."""

    ok: bool
    what_ko: str
    what_en: str
    value: str
    mend_ko: str = ""
    mend_en: str = ""
    unreal: bool = False


def diagnose(settings: Settings, now: datetime) -> list[Finding]:
    """Look at everything once; takes some seconds when the broker does not answer.

    ``now``: the present by our own clock (aware), compared with the broker's.
    """
    started = time.monotonic()
    findings = [disk(settings), *ports(settings)]
    if _local(settings):
        findings.insert(0, java())
    try:
        settings = acting_as("admin", settings)
        with admin(settings, _TIMEOUT_S) as client:
            findings.append(_brokers(client, settings))
            findings += _topics(settings)
            findings += _rights(settings)
            ours = now.timestamp() + time.monotonic() - started
            findings.append(clock(_broker_time(client, settings), ours))
    except (BrokerUnreachableError, UserError, ValueError) as e:
        findings.append(_no_broker(settings, str(e)))
    return findings


def render(findings: list[Finding], console: Console | None = None) -> int:
    """Show the findings as a table; the command's exit code: 0 all is well, 1 something is to be mended, 3 nothing is,
    but it is not real: there is somebody or something that would not be reached."""
    heads = ("", "항목 · what", "값 · value", "할 일 · what to do")
    table = sheet(*heads, show_edge=False, pad_edge=False, expand=False)
    for f in findings:
        mark = "[bold red]✗[/]" if not f.ok else "[yellow]○[/]" if f.unreal else "[green]✓[/]"
        mend = "" if f.ok and not f.unreal else f"{escape(f.mend_ko)}\n[dim]{escape(f.mend_en)}[/]"
        table.add_row(mark, escape(f"{f.what_ko} · {f.what_en}"), escape(f.value), mend)
    out = console or Terminal()
    out.print(table)
    bad = sum(not f.ok for f in findings)
    unreal = [f for f in findings if f.ok and f.unreal]
    if bad:
        out.print(f"[bold red]{bad}가지를 고쳐야 합니다 · {bad} to mend[/]")
    if unreal:
        ko, en = (escape(", ".join(words)) for words in zip(*((f.what_ko, f.what_en) for f in unreal), strict=True))
        out.print(f"[yellow]실제가 아닙니다 · not real: {ko} · {en}. 시험용입니다: 사람에게 닿지 않습니다 · a trial: "
                  "people are not reached[/]", soft_wrap=True)  # fmt: skip
    if not bad and not unreal:
        out.print("[green]모두 정상입니다 · all is well[/]")
    return 1 if bad else 3 if unreal else 0


def _local(settings: Settings) -> bool:
    """Whether the broker is one that we would start on this machine."""
    hosts = [server.rsplit(":", 1)[0].strip() for server in settings.broker.bootstrap.split(",")]
    return all(host in _LOOPBACK for host in hosts)


def java() -> Finding:
    """A Java for the local broker."""
    try:
        path = find_java()
    except BrokerError as e:
        return Finding(False, "자바", "Java", str(e), "자바 17 이상을 설치하십시오", "install Java 17 or newer")
    return Finding(True, "자바", "Java", f"{java_major(path)} ({path})")


def disk(settings: Settings) -> Finding:
    """Free space where our files are kept."""
    folder = settings.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**30
    return Finding(
        free >= LEAST_FREE_GIB,
        "디스크",
        "disk",
        f"{free:.1f} GiB ({folder})",
        f"{LEAST_FREE_GIB:.0f} GiB 이상을 비우거나 ANBU_DATA_DIR로 다른 폴더를 쓰십시오",
        f"free at least {LEAST_FREE_GIB:.0f} GiB, or use another folder with ANBU_DATA_DIR",
    )


def ports(settings: Settings) -> list[Finding]:
    """The ports our processes will listen on: free, or taken by anbu itself."""
    wanted = [(settings.http.port, "ANBU_HTTP__PORT")] if settings.http.port else []  # 0: the system chooses
    if settings.metrics_port:
        wanted += [(settings.metrics_port + n, "ANBU_METRICS_PORT") for n in range(settings.workers)]
    return [_port(port, variable) for port, variable in wanted]


def _port(port: int, variable: str) -> Finding:
    if is_free(port):
        value, ok = "비어 있음 · free", True
    elif _is_anbu(port):
        value, ok = "anbu가 쓰는 중 · used by a running anbu", True
    else:
        value, ok = "다른 프로그램이 쓰는 중 · taken by another program", False
    ko = f"그 프로그램을 끝내거나 {variable}로 다른 포트를 쓰십시오"
    en = f"end that program, or choose another with {variable}"
    return Finding(ok, f"포트 {port}", f"port {port}", value, ko, en)


def _is_anbu(port: int) -> bool:
    """Whether what listens there answers as our processes do."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as e:
        return e.code == 503  # ours, and not well
    except (OSError, ValueError):
        return False


def _no_broker(settings: Settings, why: str) -> Finding:
    ko = "브로커를 켜거나 ANBU_BROKER__BOOTSTRAP과 보안 설정을 고치십시오"
    en = "start it (`anbu up` starts one on this machine), or set ANBU_BROKER__BOOTSTRAP and the security settings"
    return Finding(False, "브로커", "broker", why or settings.broker.bootstrap, ko, en)


def _brokers(client: KafkaAdminClient, settings: Settings) -> Finding:
    brokers = [b for b in client.describe_cluster()["brokers"] if not b.get("is_fenced")]
    copies = settings.broker.replication_factor
    return Finding(
        len(brokers) >= copies,
        "브로커",
        "broker",
        f"{len(brokers)} ({settings.broker.bootstrap})",
        f"복제본 {copies}개에는 브로커 {copies}대가 필요합니다: 더 켜거나 ANBU_BROKER__REPLICATION_FACTOR를 낮추십시오",
        f"{copies} copies need {copies} brokers: start more, or lower ANBU_BROKER__REPLICATION_FACTOR",
    )


def _topics(settings: Settings) -> list[Finding]:
    problems = topics.check(settings, _TIMEOUT_S)
    if not problems:
        value = f"{len(topics.wanted(settings))}, 파티션 · partitions {settings.partitions}"
        return [Finding(True, "토픽", "topics", value)]
    return [Finding(False, "토픽", "topics", p.topic, p.text_ko, p.text_en) for p in problems]


def _rights(settings: Settings) -> list[Finding]:
    """Whether each user may do what it must, and nobody more."""
    try:
        problems = acls.check(settings, _TIMEOUT_S)
    except acls.NoAuthorizerError as e:
        ko = "브로커에 authorizer.class.name을 설정하고 `anbu topics`를 실행하십시오"
        return [Finding(False, "권한", "rights", str(e), ko, "set authorizer.class.name, then run `anbu topics`")]
    except acls.NotToldError as e:
        return [Finding(True, "권한", "rights", f"비교하지 못함 · not compared: {e}")]
    if not problems:
        return [Finding(True, "권한", "rights", str(len(rights.rights(settings))))]
    return [Finding(False, "권한", "rights", p.topic, p.text_ko, p.text_en) for p in problems]


def clock(broker: float | str, ours: float) -> Finding:
    """The broker's time (seconds since 1970, or why it is not known) against ours when it was taken."""
    if isinstance(broker, str):
        return Finding(True, "시계", "clock", f"비교하지 못함 · not compared: {broker}")
    ahead = broker - ours
    return Finding(
        abs(ahead) <= MOST_CLOCK_S,
        "시계",
        "clock",
        f"{ahead:+.1f} s (브로커가 기록한 시각 - 이 기계 · time at which the broker logged a record - this machine)",
        "두 기계의 시계를 NTP로 맞추십시오 (예: chrony)",
        "set both machines' clocks by NTP (for example chrony)",
    )


def _broker_time(client: KafkaAdminClient, settings: Settings) -> float | str:
    """Seconds since 1970 by the broker's clock: the time that it gives to a record of ours as it logs it."""
    name = settings.topic(CLOCK_TOPIC)
    config = {"message.timestamp.type": "LogAppendTime", "retention.ms": "3600000"}
    new = {name: {"num_partitions": 1, "replication_factor": settings.broker.replication_factor, "configs": config}}
    try:
        with suppress(TopicAlreadyExistsError):
            client.create_topics(new)
        client.wait_for_topics([name], timeout_ms=int(_TIMEOUT_S * 1000))
        options = {"max_block_ms": int(_TIMEOUT_S * 1000), "acks": "all"}
        with KafkaProducer(**admin_options(settings), **options) as producer:
            producer.send(name, value=b"-", partition=0).get(_TIMEOUT_S)  # the first also opens the connection
            return float(producer.send(name, value=b"-", partition=0).get(_TIMEOUT_S).timestamp) / 1000
    except KafkaError as e:
        return f"{type(e).__name__}"
    finally:
        with suppress(KafkaError):
            client.delete_topics([name])

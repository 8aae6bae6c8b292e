"""`anbu replay`: workers over topics of their own, files sent through them, the alerts collected."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition
from rich.markup import escape

from anbu import services
from anbu.access import FOLDER, acting_as
from anbu.console import bar, err
from anbu.errors import UserError
from anbu.history import History
from anbu.processes import Exit, Supervisor
from stream.kafka import admin_options
from stream.records import HOUSEHOLDS, METER, PHONE, Alert
from stream.settings import BrokerSettings, Settings

POLL_S = 0.2


def run(past: History, settings: Settings, local: bool) -> list[Alert]:
    """Alerts that the workers come to. Raises UserError where the topics of this prefix hold data already."""
    with (
        tempfile.TemporaryDirectory(prefix="anbu-replay-") as folder,
        Supervisor(on_exit=_told) as children,
        _on_broker(settings, Path(folder), local, children) as ours,
    ):
        services.make_topics(ours)
        operator = acting_as("operator", ours)
        _must_be_empty(operator)
        services.start_workers(children, ours, Path(folder))
        return asyncio.run(_replay(past, operator, children))


@contextmanager
def _on_broker(settings: Settings, folder: Path, local: bool, children: Supervisor) -> Iterator[Settings]:
    """Settings of the broker to use: the configured one, or one started in ``folder``."""
    ports = {"data_dir": folder, "metrics_port": services.metrics_ports(settings)}
    if not local:
        try:
            yield settings.model_copy(update=ports)
        finally:
            children.stop_all()
        return
    with services.own_broker(folder / FOLDER, 0, children) as broker:
        yield settings.model_copy(update={**ports, "broker": BrokerSettings(bootstrap=broker.bootstrap)})


async def _replay(past: History, settings: Settings, children: Supervisor) -> list[Alert]:
    from simulators.replay import replay

    with bar() as progress:
        task = progress.add_task("흘려보내는 중 · through the broker", total=None)
        watching = asyncio.create_task(_watch(children))
        try:
            return await replay(
                past.meter, past.phone, past.households, settings,
                lambda done, total: progress.update(task, completed=done, total=total), warnings=past.warnings,
            )  # fmt: skip
        finally:
            watching.cancel()


async def _watch(children: Supervisor) -> None:
    """Start workers that ended again, in this thread: they are tied to it."""
    while True:
        children.poll()
        await asyncio.sleep(POLL_S)


def _must_be_empty(settings: Settings) -> None:
    consumer = KafkaConsumer(**admin_options(settings))
    try:
        for name in (METER, PHONE, HOUSEHOLDS):
            topic = settings.topic(name)
            parts = [TopicPartition(topic, n) for n in range(settings.partitions)]
            if any(consumer.end_offsets(parts).values()):
                raise UserError(
                    f"토픽 {topic}에 자료가 있습니다 · topic {topic} holds data: a replay needs topics of its own, set "
                    "ANBU_TOPIC_PREFIX (for example replay1.), or use --local"
                )
    finally:
        consumer.close()


def _told(ended: Exit) -> None:
    err.print(f"[yellow]{escape(str(ended))}[/]", soft_wrap=True)

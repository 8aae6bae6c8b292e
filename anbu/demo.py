"""`anbu demo`: from nothing to alerts on one machine. A broker, workers, a simulated town; everything ends with it."""

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape
from rich.progress import Progress, TaskID

from anbu import demo_cases, demo_show, demo_summary, services
from anbu.access import FOLDER, acting_as
from anbu.configuration import Settings
from anbu.console import bar, out
from anbu.demo_feed import Feed
from anbu.demo_response import Response
from anbu.demo_story import PLAYED_DAYS, Story, tell_story
from anbu.demo_watch import Watcher
from anbu.errors import UserError
from anbu.processes import Exit, StopRequested, Supervisor
from deploy.kafka.broker import LocalBroker
from deploy.kafka.owner import Owner
from stream.kafka import partition_of
from stream.records import Alert
from stream.settings import BrokerSettings

PATIENCE_S = 120.0
"""How long workers may make no progress at all before the demonstration gives up."""
SAY_EVERY_S = 10.0
"""Where no terminal shows the bar move, a line says how far it is."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to play. ``port``: the broker's, 0: any free one; ``pace``: hours of life a second, 0: as fast as it
    goes; ``stay``: leave it running at the end until Ctrl-C."""

    households: int
    days: int
    seed: int
    port: int
    pace: float
    stay: bool


def run(options: Options, settings: Settings) -> int:
    """Play it; the exit code. Raises what a start can fail with."""
    over = False
    try:
        with Supervisor(on_exit=_told) as children, _services(options, settings, children) as (ours, broker):
            story = tell_story(options.households, options.days, options.seed, ours.tz, datetime.now(UTC).date())
            partitions = {partition_of(h.household_id, ours.partitions) for h in story.town.households}
            operator = acting_as("operator", ours)
            watcher, feed = Watcher(operator, partitions), Feed(operator, story, options.pace)
            response = Response(acting_as("response", ours), story, ours.data_dir, options.seed)
            try:
                play = Play(story, watcher, feed, children, broker, response)
                play.all_of_it()
                over = True
                _farewell(ours, options, play)
            finally:
                feed.close()
                watcher.close()
                response.close()
    except StopRequested as stop:
        out.print("\n멈췄습니다: 남은 프로세스가 없습니다 · stopped, nothing is left running")
        return 0 if over else stop.exit_code
    return 0


@contextmanager
def _services(options: Options, settings: Settings, children: Supervisor) -> Iterator[tuple[Settings, LocalBroker]]:
    """Broker, topics and workers, with nothing left of an earlier demonstration."""
    folder = settings.data_dir.absolute() / "demo"
    began = time.monotonic()
    clear(folder)
    changes = {"data_dir": folder, "metrics_port": services.metrics_ports(settings), "topic_prefix": ""}
    progress = bar(out, counts=True, transient=True)
    task = progress.add_task("Kafka", total=None)

    def jars(done: int, total: int) -> None:
        progress.update(task, completed=done, total=total, description="Kafka 내려받기 · jars")

    try:
        progress.start()
        with services.own_broker(folder / FOLDER, options.port, children, jars) as broker:
            progress.stop()
            ours = settings.model_copy(update={**changes, "broker": BrokerSettings(bootstrap=broker.bootstrap)})
            services.make_topics(ours)
            services.start_workers(children, ours, folder)
            out.print(
                f"[green]✓[/] 브로커 · Kafka {escape(broker.bootstrap)}, 워커 · {ours.workers} workers "
                f"[dim]({time.monotonic() - began:.0f} s; {escape(str(folder))})[/]", soft_wrap=True,
            )  # fmt: skip
            yield ours, broker
    finally:
        progress.stop()


def clear(folder: Path) -> None:
    """Empty the folder of an earlier demonstration, and end a broker that one left behind.

    Raises:
        BrokerError: when a demonstration is running in it.
    """
    kafka = folder / FOLDER
    kafka.mkdir(parents=True, exist_ok=True)
    owner = Owner(kafka)
    owner.take(str(kafka / "server.properties"))
    try:
        for path in [*kafka.iterdir(), *folder.glob("*.log")]:
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "owner.lock":
                path.unlink()
    finally:
        owner.release()


@dataclass(slots=True)
class Play:
    """The demonstration's course. All of it happens in the main thread but the sending."""

    story: Story
    watcher: Watcher
    feed: Feed
    children: Supervisor
    broker: LocalBroker
    response: Response
    alerts: list[Alert] | None = None
    showing: bool = False

    def all_of_it(self) -> None:
        """Enrol, replay the history, play the days, sum up."""
        story, watcher = self.story, self.watcher
        began, self.alerts = time.monotonic(), []
        first = story.town.midnight(0)
        with bar(out) as progress:
            self._enrol(progress)
            task = progress.add_task(f"{story.days}일 재생 · {story.days} days", total=story.begins - first)
            self._until(self.feed.history(), lambda: watcher.clock >= story.begins, progress, task, first)
        out.print(f"[green]✓[/] {story.days}일을 판단했습니다 · days judged [dim]({time.monotonic() - began:.0f} s)[/]")
        self._announce()
        self.showing = True
        with bar(out) as progress:
            task = progress.add_task(f"{PLAYED_DAYS}일 상황 · the days", total=story.ends - story.begins)
            self._until(self.feed.play(), lambda: watcher.clock >= story.ends, progress, task, story.begins)
            self._wait("지역 판단 · areas", lambda: watcher.areas_judged and watcher.drained(), progress)
        out.rule("요약 · summary")
        demo_summary.show(demo_summary.summarise(self.alerts, story), story, out)
        with bar(out, transient=True) as progress:
            progress.add_task("사례를 끝까지 · the cases go on", total=None)
            self.response.finish()
        told = self.response.cases()
        demo_cases.show(told, story, self.response.desk.hours, out, self.response.shown(told))

    def _enrol(self, progress: Progress) -> None:
        sending = self.feed.enrol()
        self._wait(f"{len(self.story.town.households):,}가구 등록 · enrolling", lambda: (
            sending.done() and self.watcher.enrolled()), progress)  # fmt: skip
        sending.result()

    def _wait(self, what: str, done: Callable[[], bool], progress: Progress) -> None:
        task = progress.add_task(what, total=None)
        until = time.monotonic() + PATIENCE_S
        while not done():
            self.step(progress)
            if time.monotonic() > until:
                raise UserError(f"{what}: {_stuck(self.children)}")
        progress.remove_task(task)

    def _until(
        self, sending: "Future[None]", done: Callable[[], bool], progress: Progress, task: TaskID, first: int
    ) -> None:
        """Follow the workers' clock until ``done``; the sender's fault is ours."""
        moved = said = time.monotonic()
        seen = 0
        while not (sending.done() and done()):
            self.step(progress)
            if sending.done():
                sending.result()
            now = time.monotonic()
            if self.watcher.clock > seen or not sending.done():
                seen, moved = max(self.watcher.clock, seen), now
            if now - moved > PATIENCE_S:
                raise UserError(_stuck(self.children))
            progress.update(task, completed=max(self.watcher.clock - first, 0))
            if not out.is_terminal and now - said > SAY_EVERY_S:
                said = now
                out.print(f"  {progress.tasks[-1].percentage:.0f} %")
        sending.result()
        progress.update(task, completed=progress.tasks[-1].total)

    def step(self, progress: Progress | None = None) -> None:
        """One look: restart what ended, show the alerts that came."""
        self.children.poll()
        if not self.broker.alive:
            raise UserError(f"브로커가 끝났습니다 · the broker ended: {self.broker.reason()}")
        screen = progress.console if progress is not None else out
        for alert in self.watcher.look():
            assert self.alerts is not None
            self.alerts.append(alert)
            if self.showing and alert.at.timestamp() > self.story.begins:
                self.response.take(alert)
            if self.showing and demo_show.worth_showing(alert) and alert.at.timestamp() > self.story.begins:
                for line in demo_show.lines(alert, self.story):
                    screen.print(line)

    def _announce(self) -> None:
        story = self.story
        counts: dict[str, int] = {}
        for event in story.planned:
            name = " ".join(demo_show.label(event))
            counts[name] = counts.get(name, 0) + 1
        out.rule(f"{story.town.date(story.days):%Y-%m-%d}")
        out.print("이 날의 일 · what happens on this day: " + "; ".join(f"{n} × {c}" for n, c in counts.items()))
        out.print("[dim]● 실제 상황 · real   ○ 다른 까닭 · another cause   ✗ 헛경보 · in vain[/]")


def _farewell(settings: Settings, options: Options, play: Play) -> None:
    """Where the metrics are, what to try next; and where it was asked for, wait."""
    ports = [settings.metrics_port + n for n in range(settings.workers)]
    out.rule("다음 · next")
    if options.stay:
        for port in ports:
            out.print(f"지표 · metrics  http://{settings.metrics_host}:{port}/metrics")
    else:
        out.print("지표를 켜 두려면 · to keep the metrics up: anbu demo --stay")
    out.print("지난 기록을 판단 · judge a history: anbu simulate --out out")
    out.print("실제 자료로 · with real feeds:      anbu up (docs/how-to.md)")
    if options.stay:
        out.print("[bold]Ctrl-C로 모두 끝납니다 · Ctrl-C ends all of it[/]")
        while True:
            play.step()


def _stuck(children: Supervisor) -> str:
    running = ", ".join(children.pids) or "-"
    return (
        f"워커가 {PATIENCE_S:.0f}초 동안 나아가지 않습니다 · the workers have made no progress for {PATIENCE_S:.0f} s "
        f"(running: {running}): see their logs in the folder named above"
    )


def _told(ended: Exit) -> None:
    out.print(f"[yellow]{escape(str(ended))}[/]", soft_wrap=True)

"""Our own broker and database beside the children: started again when they end or do not answer any more."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.markup import escape

from anbu.console import err
from anbu.probe import Probe
from anbu.processes import Supervisor
from deploy.kafka.broker import API_VERSIONS, BrokerError, LocalBroker
from deploy.postgres.errors import PostgresError
from deploy.postgres.server import SSL_REQUEST, LocalPostgres

PAUSE_S = 5.0
"""Between two starts that fail."""
STUCK_S = 60.0
"""Longer than for a child: a start takes its time, and a busy disk is no fault of theirs."""


@dataclass(slots=True)
class Kept:
    """A server that runs, and is to run."""

    server: LocalBroker | LocalPostgres
    probe: Probe
    clock: Callable[[], float] = time.monotonic
    _away: bool = field(default=False, init=False)
    _starting: bool = field(default=False, init=False)
    _retry: float = field(default=0.0, init=False)

    def tend(self, children: Supervisor, meanwhile: Callable[[], object]) -> None:
        """Start it again where it has ended; what the children failed by until then is forgotten. ``meanwhile`` is
        called while one waits for its start: nobody else is to be left alone for so long. It may call us again."""
        if self._starting:
            return
        self._away = self._away or self._gone()
        if not self._away or self.clock() < self._retry:
            return
        self._starting = True
        try:
            self.server.start(meanwhile)
        except (BrokerError, PostgresError) as e:
            err.print(f"[red]✗[/] {escape(str(e))}", soft_wrap=True)
            self._retry = self.clock() + PAUSE_S
            return
        finally:
            self._starting = False
        self._away = False
        self.probe.forget()
        children.excuse()

    def _gone(self) -> bool:
        if not self.server.alive:
            self._say(f"끝났습니다 · has ended[/]: {escape(self.server.reason())}")
            return True
        if self.probe.stuck(self.clock()):
            self._say(f"답이 없어 다시 시작합니다 · no answer for {STUCK_S:.0f} s, started again[/]")
            self.server.kill()
            return True
        return False

    def _say(self, what: str) -> None:
        name = "브로커 · the broker" if isinstance(self.server, LocalBroker) else "데이터베이스 · the database"
        err.print(f"[red]{name}: {what}", soft_wrap=True)


def kept_broker(server: LocalBroker) -> Kept:
    """A broker of ours, asked as a client begins."""
    probe = Probe(("127.0.0.1", server.port), API_VERSIONS, lambda said: len(said) >= 8, limit_s=STUCK_S)
    return Kept(server, probe)


def kept_database(server: LocalPostgres) -> Kept:
    """A database of ours, asked as a client begins: may we speak in secret? No (N) is an answer."""
    return Kept(server, Probe(str(server.socket), SSL_REQUEST, lambda said: said[:1] in (b"N", b"S"), limit_s=STUCK_S))

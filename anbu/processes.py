"""Child processes that are started again when they end, and never outlive us. For a synchronous main loop:

    with Supervisor() as children:
        children.start("worker-0", [...], log_path=...)
        while not done():
            for ended in children.poll():
                ...

A child that runs and does not answer any more (anbu/probe.py) is ended, and so started again.

Ctrl-C, SIGTERM and SIGHUP raise ``StopRequested`` in the loop, at any moment; leaving the ``with`` ends all children.
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from anbu.probe import Probe
from deploy.kafka.spawn import spawn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_EVERY_S = 0.02


class StopRequested(KeyboardInterrupt):
    """Somebody asked us to stop, by Ctrl-C or a signal. ``exit_code`` is what a shell expects then."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


class StartError(Exception):
    """A program could not be started: which, why, and what to do, in one line."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A child ended. ``code``: its exit code, negative for a signal. ``restart_in_s``: None when it stays ended.
    ``stuck``: it was ended by us, because it did not answer any more."""

    name: str
    pid: int
    code: int
    ran_s: float
    restart_in_s: float | None
    log_path: Path
    stuck: bool = False

    def __str__(self) -> str:
        how = f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"
        if self.stuck:
            how = "a kill, because it did not answer any more"
        then = "not started again" if self.restart_in_s is None else f"started again in {self.restart_in_s:.1f} s"
        after = f"ended after {self.ran_s:.0f} s"
        return f"{self.name} (process {self.pid}) {after} with {how}: {then}; see {self.log_path}"


@dataclass(slots=True)
class _Child:
    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str] | None
    log_path: Path
    restart: bool
    most_backoff_s: float
    health: Probe | None
    stuck: bool = False
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    failures: int = 0
    due: float | None = None


@dataclass(slots=True)
class Supervisor:
    """Starts children, restarts them with growing pauses, ends them. ``on_exit`` is told of each end in ``poll``.

    The first restart comes after ``first_backoff_s``, each further one after twice the pause before, at most
    ``most_backoff_s``; a child that ran for ``steady_s``, or was excused, starts over with the first pause.
    """

    on_exit: Callable[[Exit], None] | None = None
    first_backoff_s: float = 0.5
    most_backoff_s: float = 30.0
    steady_s: float = 60.0
    stop_limit_s: float = 15.0
    clock: Callable[[], float] = time.monotonic
    _children: dict[str, _Child] = field(default_factory=dict)
    _former: dict[int, Any] = field(default_factory=dict)
    _holding: bool = False
    _pending: int | None = None
    _stopping: bool = False
    _hurry: bool = False

    @property
    def pids(self) -> dict[str, int]:
        """Name -> process id of the children that run now."""
        return {c.name: c.process.pid for c in self._children.values() if c.process and c.process.poll() is None}

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        log_path: Path,
        env: Mapping[str, str] | None = None,
        restart: bool = True,
        most_backoff_s: float | None = None,
        health: Probe | None = None,
    ) -> int:
        """Start a child with its output appended to ``log_path`` and give its process id.

        ``env``: the whole environment of the child; None: ours. ``most_backoff_s``: its own, where it matters more than
        others. ``health``: how to learn whether it still answers. Call it from the main thread.

        Raises:
            StartError: when the program or its log cannot be opened.
            ValueError: when a child of this name runs already.
        """
        if name in self.pids:
            raise ValueError(f"{name} runs already (process {self.pids[name]}): stop it first")
        most = self.most_backoff_s if most_backoff_s is None else most_backoff_s
        child = _Child(name, argv, env, log_path, restart, most, health)
        try:
            log_path.parent.mkdir(parents=True, exist_ok=True)
            self._launch(child)
        except OSError as e:
            raise StartError(f"{name} cannot be started ({argv[0]}): {e.strerror or e}; log: {log_path}") from e
        assert child.process is not None
        return child.process.pid

    def _launch(self, child: _Child) -> None:
        with self._held():  # between the fork and our note of it, a signal would leave a child nobody knows
            child.process = spawn(child.argv, child.log_path, env=child.env, append=True)
            child.started, child.due, child.stuck = self.clock(), None, False
            if child.health is not None:
                child.health.forget()
            self._children[child.name] = child

    def poll(self) -> list[Exit]:
        """Children that ended since the last call; starts those whose pause is over, ends those that are stuck. Never
        waits."""
        now = self.clock()
        exits = []
        for child in list(self._children.values()):
            if child.process is not None:
                if child.process.poll() is not None:
                    exits.append(self._ended(child, child.process, now))
                elif not child.stuck and child.health is not None and child.health.stuck(now):
                    child.stuck = True
                    _kill(child.process)
            elif child.due is not None and now >= child.due:
                try:
                    self._launch(child)
                except OSError:  # for example a full disk: tried again like a child that ended at once
                    child.due = now + self._pause(child)
        for ended in exits:
            if self.on_exit is not None:
                self.on_exit(ended)
        return exits

    def _ended(self, child: _Child, process: "subprocess.Popen[bytes]", now: float) -> Exit:
        ran = now - child.started
        if ran >= self.steady_s:
            child.failures = 0
        pause = self._pause(child) if child.restart else None
        child.process, child.due = None, None if pause is None else now + pause
        return Exit(child.name, process.pid, process.returncode, ran, pause, child.log_path, child.stuck)

    def _pause(self, child: _Child) -> float:
        pause = min(self.first_backoff_s * 2.0 ** min(child.failures, 30), child.most_backoff_s)
        child.failures += 1
        return pause

    def excuse(self) -> None:
        """What all of them need was away and is back: those that wait start now, and no failure until now counts."""
        for child in self._children.values():
            child.failures = 0
            if child.due is not None:
                child.due = self.clock()

    def stop(self, *names: str) -> None:
        """End these children and do not start them again: SIGTERM, and SIGKILL to the group after ``stop_limit_s``."""
        children = [self._children[name] for name in names if name in self._children]
        running = [c.process for c in children if c.process is not None and c.process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)  # one that is frozen would not hear it
        until = time.monotonic() + self.stop_limit_s
        while any(p.poll() is None for p in running) and time.monotonic() < until and not self._hurry:
            time.sleep(_LOOK_EVERY_S)
        for process in running:
            if process.poll() is None:
                _kill(process)
            process.wait()
        for child in children:  # only now: interrupted before, they would be known to nobody
            self._children.pop(child.name, None)

    def stop_all(self) -> None:
        """End every child, the last started first to be told. A second Ctrl-C meanwhile ends them at once."""
        self._stopping = True
        try:
            self.stop(*reversed(self._children))
        finally:
            self._stopping = self._hurry = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._former = {s: signal.signal(s, self._on_signal) for s in _SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None) -> None:
        self._stopping = True  # from here on a signal must not interrupt the ending itself
        try:
            self.stop_all()
        finally:
            for signum, handler in self._former.items():
                signal.signal(signum, handler)

    def _on_signal(self, signum: int, _frame: FrameType | None) -> None:
        if self._stopping:
            self._hurry = True
        elif self._holding:
            self._pending = signum
        else:
            raise StopRequested(signum)

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Put off a request to stop until the block is done."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._pending is not None:
            signum, self._pending = self._pending, None
            raise StopRequested(signum)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End it at once, with all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)

"""`anbu` as a process of its own, as a person starts it, and what it leaves behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent.parent
LIMIT_S = 180.0


class Running:
    """A started command. ``seen``: every process that it or its children started, as far as one looked."""

    def __init__(self, folder: Path, *args: str, **env: str) -> None:
        self.output = folder / f"{args[0]}-{time.monotonic_ns()}.txt"
        given = {**os.environ, "ANBU_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(ROOT), "COLUMNS": "160", **env}
        with open(self.output, "wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "anbu", *args], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=given, cwd=folder,
            )  # fmt: skip
        self.seen: set[psutil.Process] = set()

    @property
    def text(self) -> str:
        """What it has printed."""
        return self.output.read_text(errors="replace")

    def children(self, word: str = "") -> list[psutil.Process]:
        """Its descendants that run now, those with ``word`` in their command line."""
        found = list(_below(self.process.pid))
        self.seen.update(found)
        return [p for p in found if word in _command(p)]

    def until(self, condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
        """Wait for a condition; fail when it does not come or the command ends before."""
        end, asked = time.monotonic() + limit_s, time.monotonic()
        while not condition():
            self.children()
            assert time.monotonic() < end, f"did not come within {limit_s} s:\n{self.text}"
            assert self.process.poll() is None or condition(), f"ended with {self.process.returncode}:\n{self.text}"
            time.sleep(min(max(0.05, time.monotonic() - asked), 1.0))  # no more than half the time is spent on asking
            asked = time.monotonic()

    def ended(self, limit_s: float = LIMIT_S) -> int:
        """Exit code, when it has ended by itself."""
        end = time.monotonic() + limit_s
        while self.process.poll() is None:
            self.children()
            assert time.monotonic() < end, f"has not ended within {limit_s} s:\n{self.text}"
            time.sleep(0.05)
        return int(self.process.returncode)

    def interrupt(self, signum: int = signal.SIGINT) -> int:
        """Ctrl-C; the exit code."""
        self.children()
        self.process.send_signal(signum)
        return self.ended(60)

    def left(self) -> list[str]:
        """Command lines of its descendants that are still there."""
        _, alive = psutil.wait_procs(self.seen, timeout=5)
        return [_command(p) for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]

    def end(self) -> None:
        """Whatever happened: leave nothing of it."""
        self.children()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for process in self.seen:
            if process.is_running():
                process.kill()


def _below(pid: int) -> Iterator[psutil.Process]:
    """Descendants. The kernel knows them where it is Linux; psutil would read every process of the machine."""
    try:
        if not Path("/proc/self/task").is_dir():
            yield from psutil.Process(pid).children(recursive=True)
            return
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield psutil.Process(int(child))
                yield from _below(int(child))
    except (OSError, psutil.NoSuchProcess):  # it has ended meanwhile
        return


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""

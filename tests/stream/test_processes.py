"""Supervised children: started again, ended together, never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from anbu.processes import Exit, StartError, StopRequested, Supervisor

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
DEAF = [
    sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]  # fmt: skip


def until(condition: Callable[[], object], limit_s: float = 20) -> None:
    """Wait for a condition; fail when it does not come."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "did not come within the limit"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def children() -> Iterator[Supervisor]:
    """A supervisor with short pauses, left at the end."""
    with Supervisor(first_backoff_s=0.01, most_backoff_s=0.04, stop_limit_s=0.5) as supervisor:
        yield supervisor


def test_output_goes_to_the_log(children: Supervisor, tmp_path: Path) -> None:
    """What a child prints is in its log, and folders on the way are made."""
    log = tmp_path / "logs" / "a.log"
    children.start("a", SLEEP, log_path=log)
    until(lambda: log.read_text() == "up\n")


def test_a_killed_child_is_started_again(children: Supervisor, tmp_path: Path) -> None:
    """After -9 poll reports the signal once, and a new process of that name appears."""
    first = children.start("a", SLEEP, log_path=tmp_path / "a.log")
    os.kill(first, signal.SIGKILL)
    exits: list[Exit] = []
    until(lambda: exits.extend(children.poll()) or children.pids.get("a", first) != first)
    assert [(e.name, e.pid, e.code) for e in exits] == [("a", first, -signal.SIGKILL)]


def test_a_child_without_restart_stays_ended(children: Supervisor, tmp_path: Path) -> None:
    """Its exit code is reported, once, and nothing is started."""
    children.start("once", [sys.executable, "-c", "raise SystemExit(3)"], log_path=tmp_path / "l", restart=False)
    exits: list[Exit] = []
    until(lambda: exits.extend(children.poll()) or exits)
    assert children.poll() == []
    assert [(e.code, e.restart_in_s) for e in exits] == [(3, None)]
    assert children.pids == {}


def test_the_pause_doubles_up_to_its_cap_and_starts_over_after_a_steady_run(tmp_path: Path) -> None:
    """0.5, 1, 2, 2 seconds while it ends at once; 0.5 again after it ran for the steady time."""
    now, pauses = 0.0, []
    with Supervisor(first_backoff_s=0.5, most_backoff_s=2, steady_s=60, clock=lambda: now) as children:

        def one_more() -> None:
            """Let the child end, and note the pause; then let the pause pass, and the child start."""
            exits: list[Exit] = []
            until(lambda: exits.extend(children.poll()) or exits)
            pauses.append(exits[0].restart_in_s)

        children.start("a", [sys.executable, "-c", ""], log_path=tmp_path / "l")
        for _ in range(4):
            one_more()
            now += 2
            children.poll()
        now += 61
        one_more()
    assert pauses == [0.5, 1, 2, 2, 0.5]


def test_every_end_is_told_to_the_callback(tmp_path: Path) -> None:
    """on_exit gets what poll returns, as a sentence with name, code and log."""
    told: list[str] = []
    with Supervisor(on_exit=lambda e: told.append(str(e))) as children:
        children.start("a", [sys.executable, "-c", "raise SystemExit(1)"], log_path=tmp_path / "a.log", restart=False)
        until(children.poll)
    assert len(told) == 1
    assert told[0].endswith(f"with exit code 1: not started again; see {tmp_path / 'a.log'}")


def test_stop_all_ends_a_deaf_and_a_frozen_child(children: Supervisor, tmp_path: Path) -> None:
    """One that ignores SIGTERM is killed after the limit; one that is frozen ends too."""
    pids = [children.start(n, argv, log_path=tmp_path / n) for n, argv in (("deaf", DEAF), ("frozen", SLEEP))]
    until(lambda: (tmp_path / "deaf").read_text() == (tmp_path / "frozen").read_text() == "up\n")
    os.kill(pids[1], signal.SIGSTOP)
    children.stop_all()
    assert all(gone(pid) for pid in pids)
    assert children.poll() == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_loop_and_every_child(signum: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, SIGTERM or a closed terminal: the loop is left, and no child with it."""
    pids: list[int] = []

    def main_loop() -> None:
        with Supervisor() as children:
            pids.append(children.start("a", SLEEP, log_path=tmp_path / "l"))
            os.kill(os.getpid(), signum)
            until(children.poll)

    with pytest.raises(StopRequested) as e:
        main_loop()
    assert e.value.exit_code == 128 + signum
    assert [gone(pid) for pid in pids] == [True]


def test_a_signal_while_a_child_is_being_started_leaves_no_child(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Between the fork and the note of it a request to stop waits, so that the child is known and ended."""
    started: list[int] = []
    from anbu import processes

    real = processes.spawn

    def spawn_and_signal(*args: object, **kwargs: object) -> "subprocess.Popen[bytes]":
        process = real(*args, **kwargs)  # type: ignore[arg-type]
        started.append(process.pid)
        os.kill(os.getpid(), signal.SIGINT)
        return process

    monkeypatch.setattr(processes, "spawn", spawn_and_signal)
    with pytest.raises(StopRequested), Supervisor() as children:
        children.start("a", SLEEP, log_path=tmp_path / "l")
    assert [gone(pid) for pid in started] == [True]


def test_a_second_ctrl_c_ends_a_slow_stop_at_once(tmp_path: Path) -> None:
    """While children are being ended, another Ctrl-C kills instead of waiting for the limit."""
    answer = "signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getppid(), signal.SIGINT))"
    code = f"import os, signal, time\n{answer}\nprint('up', flush=True)\nwhile True: time.sleep(600)"
    log = tmp_path / "l"
    with Supervisor(stop_limit_s=300) as children:
        pid = children.start("presses Ctrl-C when told to end", [sys.executable, "-c", code], log_path=log)
        until(lambda: log.read_text() == "up\n")
        children.stop_all()
    assert gone(pid)


def test_the_former_handlers_are_back_afterwards() -> None:
    """Leaving the supervisor leaves signals as they were."""
    before = signal.getsignal(signal.SIGTERM)
    with Supervisor():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_program_that_does_not_exist_is_one_clear_line(children: Supervisor, tmp_path: Path) -> None:
    """The error names the child and the program."""
    with pytest.raises(StartError, match=r"a cannot be started \(/no/such/program\)"):
        children.start("a", ["/no/such/program"], log_path=tmp_path / "l")


def test_two_children_of_one_name_are_refused(children: Supervisor, tmp_path: Path) -> None:
    """A name is one process."""
    children.start("a", SLEEP, log_path=tmp_path / "l")
    with pytest.raises(ValueError, match="a runs already"):
        children.start("a", SLEEP, log_path=tmp_path / "l")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_children_die_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    """kill -9 of the supervising process takes its children along."""
    code = (
        "import sys; from pathlib import Path; from anbu.processes import Supervisor\n"
        f"s = Supervisor(); print(s.start('a', {SLEEP!r}, log_path=Path({str(tmp_path / 'l')!r})), flush=True)\n"
        "sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert not gone(pid)
    parent.kill()
    until(lambda: gone(pid))
    parent.communicate()

"""Start a child process that cannot outlive us and that Ctrl-C in our terminal does not reach."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with(parent: int) -> Callable[[], None]:
    """What the child does before exec: asks the kernel to be killed when the thread that started it ends.

    SIGKILL, because nobody is left to wait for a clean end. Elsewhere than on Linux there is no such request.
    """

    def in_child() -> None:
        # A Ctrl-C that we ignore or block for a moment must not be ignored by the child for ever.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return in_child


def spawn(
    argv: Sequence[str | Path], log: Path, *, env: Mapping[str, str] | None = None, append: bool = False
) -> "subprocess.Popen[bytes]":
    """Start ``argv`` with its output in ``log``, in a process group of its own, to be killed when we end.

    Call it from a thread that lives as long as the program (the main one): Linux ties the child to that thread.

    Raises:
        OSError: when the program or the log file cannot be opened.
    """
    with open(log, "ab" if append else "wb") as out:
        return subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            process_group=0,
            preexec_fn=_die_with(os.getpid()),
        )

"""Start a child process that cannot outlive us and that Ctrl-C in our terminal does not reach."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy import private
from deploy.bare import NO_ACCESS_TO_OTHERS, bare

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with(parent: int, signum: int) -> Callable[[], None]:
    """What the child does before exec: asks the kernel for a signal when the thread that started it ends.

    Elsewhere than on Linux there is no such request.
    """

    def in_child() -> None:
        # A Ctrl-C that we ignore or block for a moment must not be ignored by the child for ever.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signum)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return in_child


def spawn(
    argv: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    append: bool = False,
    cwd: Path | None = None,
    user: tuple[int, int] | None = None,
    dies_by: int = signal.SIGKILL,
) -> "subprocess.Popen[bytes]":
    """Start ``argv`` with its output in ``log``, in a process group of its own, to be ended when we end.

    ``env``: its whole environment; None: a bare one, without anything of ours. What it and its log write is for its
    account alone. ``user``: (uid, gid) it runs as, where we are root. ``dies_by``: the signal it gets when we end;
    SIGKILL unless it cleans up after itself, because nobody is left to wait for a clean end. Call it from a thread that
    lives as long as the program (the main one): Linux ties the child to that thread.

    Raises:
        OSError: when the program or the log file cannot be opened.
    """
    with open(log, "ab" if append else "wb", opener=private.opener) as out:
        return subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=bare() if env is None else dict(env),
            umask=NO_ACCESS_TO_OTHERS,
            cwd=cwd,
            user=user[0] if user else None,
            group=user[1] if user else None,
            extra_groups=() if user else None,
            process_group=0,
            preexec_fn=_die_with(os.getpid(), dies_by),  # after the change of user, which would undo the request
        )

"""Make the virtual environment and fill it from a lock file: what ``make`` does before its first command.

Needs nothing but Python's standard library, since it runs before anything is installed:
``python deploy/environment.py .venv requirements.lock``
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

NEED_MB = {"requirements.lock": 1200, "requirements-test.lock": 2600}
"""Room for each lock: the packages take some 600 and 1,600 MB; pip keeps its downloads beside them for a while."""
MOST_MB = max(NEED_MB.values())

_DISK = re.compile(r"No space left on device|Errno 28|Disk quota exceeded|Errno 122")
_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Max retries exceeded|ProxyError|SSLError"
    r"|Connection (?:refused|reset|aborted|broken)|Temporary failure in name resolution|Network is unreachable"
)
_HASH = re.compile(r"DO NOT MATCH THE HASHES")


class SetupError(Exception):
    """Why the environment could not be made: one line in Korean and English."""


def explain(output: str, log: Path, need_mb: int = MOST_MB) -> str:
    """One line for what pip or venv said when it failed, with what to do."""
    if _DISK.search(output):
        return _disk_full(log.parent.absolute(), need_mb)
    if _HASH.search(output):
        return (
            "받은 패키지가 잠금 파일의 해시와 다릅니다: 다른 네트워크에서 다시 해 보십시오 · "
            f"a package is not the one in the lock file: try again from another network (log: {log})"
        )
    if _NETWORK.search(output):
        return (
            "패키지 저장소에 연결할 수 없습니다: 네트워크나 프록시(HTTPS_PROXY)를 확인하고 다시 실행하십시오 · "
            f"the package registry cannot be reached: check the network or the proxy and run again (log: {log})"
        )
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")] or output.strip().splitlines()[-1:]
    said = errors[-1].removeprefix("ERROR:").strip() if errors else "?"
    return f"설치하지 못했습니다: {said} · the installation failed, see {log}"


def _disk_full(folder: Path, need_mb: int) -> str:
    return (
        f"디스크가 가득 찼습니다: {folder}에 약 {need_mb} MB를 비우고 다시 실행하십시오 · "
        f"the disk is full: free about {need_mb} MB there and run again"
    )


def say(text: str) -> None:
    """One line of progress."""
    print(text, flush=True)


def _runs(python: Path) -> bool:
    return subprocess.run([python, "-c", "import pip"], capture_output=True, check=False).returncode == 0


def make_environment(folder: Path, need_mb: int = MOST_MB) -> Path:
    """The environment's Python; made when it is not there, or when its Python no longer runs.

    Raises:
        SetupError: disk full, or venv missing.
    """
    python = folder / "bin" / "python"
    if python.exists() and _runs(python):
        return python
    free = shutil.disk_usage(folder.absolute().parent).free >> 20
    if free < need_mb:
        raise SetupError(_disk_full(folder.absolute().parent, need_mb))
    version = ".".join(map(str, sys.version_info[:3]))
    say(f"환경을 만듭니다 · making the environment ({folder}, Python {version})")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", folder], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise SetupError(explain(made.stdout + made.stderr, folder / "pip.log"))
    return python


def install(python: Path, lock: Path, log: Path, progress: Callable[[int], None]) -> None:
    """Install what the lock names, with the hashes it gives, and this checkout itself.

    ``progress`` is told how many packages have been looked at so far.

    Raises:
        SetupError: registry unreachable, disk full, wrong hash, or what pip said last.
    """
    quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--retries", "2", "--timeout", "15"]
    pip = [str(python), "-m", "pip", "install", *quiet]
    _run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(lock)], log, "w", progress)
    _run([*pip, "--quiet", "--no-deps", "--no-build-isolation", "-e", "."], log, "a", progress)


def _run(command: list[str], log: Path, mode: str, progress: Callable[[int], None]) -> None:
    said: list[str] = []
    seen = 0
    try:
        with open(log, mode) as file:
            pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            assert pip.stdout is not None
            for line in pip.stdout:
                file.write(line)
                said.append(line)
                seen += line.startswith(("Collecting ", "Requirement already satisfied"))
                progress(seen)
            failed = pip.wait() != 0
    except OSError as e:
        raise SetupError(explain(str(e), log)) from e
    if failed:
        raise SetupError(explain("".join(said), log))


def _progress_line(total: int) -> Callable[[int], None]:
    """A line that counts up in place on a terminal; silent elsewhere."""

    def show(seen: int) -> None:
        if sys.stdout.isatty():
            print(f"\r  {min(seen, total)}/{total}", end="\r", flush=True)

    return show


def main(folder: Path, lock: Path) -> int:
    """Make and fill; 0 when all went well, else 1 and one line on stderr."""
    try:
        python = make_environment(folder, NEED_MB.get(lock.name, MOST_MB))
        total = len(re.findall(r"^\S+==", lock.read_text(), re.MULTILINE))
        say(f"패키지를 설치합니다 · installing {total} packages ({lock.name})")
        install(python, lock, folder / "pip.log", _progress_line(total))
    except SetupError as e:
        print(e, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("멈췄습니다 · stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))

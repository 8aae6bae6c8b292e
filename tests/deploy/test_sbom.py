"""The list of what anbu is made of: complete, held against its schema, the same for the same locks."""

import json
from pathlib import Path

import pytest

from deploy import sbom
from deploy.kafka.jars import read_lock

ROOT = Path(__file__).parents[2]


def test_every_pin_and_every_jar_is_in_it_with_its_hashes() -> None:
    """Counted by other means than those of the module."""
    made = json.loads(sbom.document())
    by_purl = {one["purl"]: one for one in made["components"]}
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [line.split()[0].lower() for line in lines if "==" in line.split(";")[0]]
    assert {f"pkg:pypi/{pin.replace('==', '@')}" for pin in pins} < by_purl.keys()
    assert len(by_purl) == len(pins) + len(read_lock())
    assert all(one["hashes"] for one in by_purl.values())
    kafka = by_purl["pkg:maven/org.apache.kafka/kafka_2.13@4.1.1"]
    assert kafka["hashes"][0]["content"] in (ROOT / "deploy/kafka/jars.lock").read_text()


def test_the_same_locks_give_the_same_document() -> None:
    """So that a changed document is a changed lock."""
    assert sbom.document() == sbom.document()


@pytest.mark.parametrize(("text", "fault"), [
    ("numpy>=2\n", "neither a pin nor its hash"),
    ("numpy==2.4.6\n", "no hash of 'numpy==2.4.6'"),
    ("git+https://somewhere/x\n", "neither a pin nor its hash"),
])  # fmt: skip
def test_what_is_not_pinned_by_hash_is_named(tmp_path: Path, text: str, fault: str) -> None:
    """A package that could be anything is no part of a list of parts."""
    lock = tmp_path / "requirements.lock"
    lock.write_text(text)
    with pytest.raises(sbom.SbomError, match=fault):
        list(sbom.packages(lock))

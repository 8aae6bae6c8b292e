"""What anbu is made of, as a CycloneDX document: the packages and jars of the lock files, with their hashes.

``python -m deploy.sbom FILE`` (``make sbom``). Nothing is asked of any registry: the locks alone decide what is run, so
the same locks give the same document.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from deploy.kafka.jars import read_lock

ROOT = Path(__file__).parent.parent
_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$")
_HASH = re.compile(r"^\s+--hash=sha256:([0-9a-f]{64})")
WHERE = "anbu:where"
"""Property of a package that is only installed on some machines: the marker of the lock."""


class SbomError(Exception):
    """A lock file cannot be read: which line."""


def packages(lock: Path) -> Iterator[Component]:
    """The packages of a lock of ``make lock``. Raises SbomError for a line that is neither a pin nor its hash."""
    found: dict[str, list[str]] = {}
    pin = ""
    for number, line in enumerate(lock.read_text().splitlines(), 1):
        if sha256 := _HASH.match(line):
            found[pin].append(sha256[1])
        elif _PIN.match(line):
            pin = line
            found[pin] = []
        elif line.strip() and not line.lstrip().startswith("#"):
            raise SbomError(f"{lock.name}:{number} is neither a pin nor its hash: {line[:80]!r}")
    for pin, hashes in found.items():
        said = _PIN.match(pin)
        if said is None or not hashes:
            raise SbomError(f"{lock.name}: no hash of {pin.rstrip(' ' + chr(92))!r}: make the lock anew (make lock)")
        where = [Property(name=WHERE, value=said["marker"].strip())] if said["marker"] else []
        yield _component(PackageURL("pypi", None, said["name"].lower(), said["version"]), hashes, where)


def jars() -> Iterator[Component]:
    """The jars of the local broker."""
    for jar in read_lock():
        yield _component(PackageURL("maven", jar.group, jar.artifact, jar.version), [jar.sha256])


def _component(purl: PackageURL, hashes: Iterable[str], properties: Iterable[Property] = ()) -> Component:
    # One file a platform: a package's hashes are those of all of them.
    return Component(
        name=purl.name, group=purl.namespace, version=purl.version, type=ComponentType.LIBRARY, purl=purl,
        bom_ref=purl.to_string(), properties=properties,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in hashes],
    )  # fmt: skip


def document(root: Path = ROOT) -> str:
    """The document, as JSON of CycloneDX 1.6, held against its schema.

    Raises:
        SbomError: a lock cannot be read, or what came out is no such document.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = root / "requirements.lock"
    bom = Bom(components=[*packages(lock), *jars()])
    bom.metadata.component = anbu = Component(
        name=project["name"], version=project["version"], type=ComponentType.APPLICATION, bom_ref=project["name"],
        description=project["description"],
    )  # fmt: skip
    bom.register_dependency(anbu, bom.components)
    # The same locks, the same document: no moment of its own, and a number that follows from them.
    bom.metadata.timestamp = datetime(2000, 1, 1, tzinfo=UTC)
    bom.serial_number = uuid5(NAMESPACE_URL, lock.read_text() + "\n".join(map(str, read_lock())))
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise SbomError(f"not a document of CycloneDX 1.6: {fault}")
    return text + "\n"


def main() -> None:
    """Write it to the file that is named."""
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    text = document()
    target.write_text(text, encoding="utf-8")
    print(f"{target}: {len(json.loads(text)['components'])} components")


if __name__ == "__main__":
    try:
        main()
    except SbomError as e:
        sys.exit(str(e))

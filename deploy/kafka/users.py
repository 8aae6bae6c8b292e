"""The users of the local broker and their passwords, made at its first start and kept in a file of our account alone.

Clients log in by SCRAM: whoever takes the broker's port while it is down learns no password, and no client goes on with
a server that does not know it. By PLAIN one user alone gets in, the broker itself, which talks to nobody but itself.
"""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from kafka.admin import KafkaAdminClient, ScramMechanism, UserScramCredentialUpsertion
from kafka.errors import KafkaError

from deploy import private
from deploy.kafka.errors import BrokerError

FILE = "users.json"
ROLES = ("admin", "operator", "worker", "http", "response")
"""Who logs in; each has a user of this name after ``anbu-``."""
ITSELF = "broker"
MECHANISM = "SCRAM-SHA-512"
_BYTES = 32


def name_of(role: str) -> str:
    """The user of a role."""
    return f"anbu-{role}"


def passwords(data_dir: Path) -> dict[str, str]:
    """Password by role, those that are missing made.

    Raises:
        OSError: the file cannot be read or written.
    """
    file = data_dir / FILE
    known = _read(file) if file.exists() else {}
    found = {role: known.get(role) or secrets.token_urlsafe(_BYTES) for role in (ITSELF, *ROLES)}
    if found != known:
        private.write(file, json.dumps(found))
    return found


def login(data_dir: Path, role: str) -> dict[str, str]:
    """How a role logs in at the broker of ``data_dir``: values of the settings below ``broker``.

    Raises:
        FileNotFoundError: no broker has been started in this folder.
        PermissionError: it is another account's.
        KeyError: one that did not know this role.
    """
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": MECHANISM,
        "sasl_username": name_of(role),
        "sasl_password": _read(data_dir / FILE)[role],
    }


def admit(bootstrap: str, known: Mapping[str, str]) -> None:
    """Tell a broker that we have just started, and know to be ours, the passwords of its users.

    Raises:
        BrokerError: it does not take them.
    """
    try:
        client = KafkaAdminClient(
            bootstrap_servers=bootstrap, security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN",
            sasl_plain_username=name_of(ITSELF), sasl_plain_password=known[ITSELF],
        )  # fmt: skip
        try:
            new = [
                UserScramCredentialUpsertion(name_of(role), ScramMechanism.SCRAM_SHA_512, known[role]) for role in ROLES
            ]
            refused = [said for said in client.alter_user_scram_credentials(new).values() if said]
        finally:
            client.close()
    except KafkaError as e:
        raise BrokerError(f"the broker does not take its users ({type(e).__name__}: {e})") from e
    if refused:
        raise BrokerError(f"the broker does not take its users ({refused[0]})")


def _read(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text())
    except ValueError:  # spoilt by hand or by the disk: nobody gets in with it, new ones are made at the next start
        return {}
    return found if isinstance(found, dict) else {}

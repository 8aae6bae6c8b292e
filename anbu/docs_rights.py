"""The part of docs/topics.md on users: who may do what on the broker, from the table in the code."""

from stream import rights
from stream.rights import OURS_TO_WRITE, TOPICS, Operation, Role
from stream.settings import Settings
from stream.topics import wanted

_WHO: dict[Role, str] = {
    "worker": "`anbu worker`",
    "http": "`anbu http`",
    "response": "`anbu response`",
    "operator": "`anbu ingest`, `warn`, `replay`, `withdrawal undo`, own programs",
    "admin": "`anbu topics`, `anbu doctor`",
}
_WORDS: dict[Operation, str] = {"READ": "read", "WRITE": "write", "DESCRIBE_CONFIGS": "see its configuration"}


def section(settings: Settings) -> str:
    """Users as columns, topics as rows."""
    roles, topics = list(TOPICS), wanted(settings)
    rows = [f"| `{topic.name}` | " + " | ".join(_may(topic.name, role) for role in roles) + " |" for topic in topics]
    alone = ", ".join(
        f"{_WORDS[r.operation]} {r.kind.lower().replace('_', ' ')} `{r.name}{'*' * r.prefixed}`"
        for r in rights.rights(settings)
        if r.kind != "TOPIC"
    )
    lines = [
        "## Users and their rights",
        "",
        "Each kind of process has a user of its own at the broker, and may do there what its work needs. On this",
        "machine `anbu up` makes users and rights; on a cluster `anbu topics` gives the rights",
        "([operations.md](operations.md#users-and-rights)). The names are settings (`broker.users`).",
        "",
        "| Topic | " + " | ".join(f"`{rights.user_of(role, settings)}`" for role in roles) + " |",
        "|---|" + "---|" * len(roles),
        *rows,
        "",
        *(f"- `{rights.user_of(role, settings)}`: {who}" for role, who in _WHO.items()),
        "",
        "The workers' user also sees the configuration of these topics, and has their group and transactions:",
        f"{alone}. The admin's makes and alters topics and gives rights: nobody else does.",
        "",
        "Nobody else than these writes " + ", ".join(f"`{t.name}`" for t in topics if t.name in OURS_TO_WRITE) + ":",
        "one forged record would withdraw a person, or raise or end an alarm. A sender of your own may be given",
        "`Write` on its input, a reader of alerts `Read`. `anbu topics` and `anbu doctor` say what is missing and what",
        "is too wide.",
    ]
    return "\n".join(lines) + "\n"


def _may(topic: str, role: Role) -> str:
    return ", ".join(_WORDS[operation] for operation in TOPICS[role].get(topic, ()))

"""The only way in which this program serves HTTP: uvicorn, held to the limits of what it serves."""

import resource
import socket
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import structlog
import uvicorn

from stream.serving.connection import Connection
from stream.serving.crowd import Crowd
from stream.serving.guarded import Guarded
from stream.serving.limits import BACKLOG, QUEUE

OTHER_FILES = 512
"""File descriptors for what else a process has open: broker, database, telephone, files."""
FEWEST = 16
"""So many connections there are at least, whatever the system allows."""

log = structlog.get_logger(__name__)


class _Server(uvicorn.Server):
    """With a longer queue at the door than it takes at once."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        if self.started:
            for door in (door for one in self.servers for door in one.sockets):
                with door.dup() as same:
                    same.listen(QUEUE)


def server(app: Guarded, host: str, port: int, proxies: Iterable[str] = ()) -> uvicorn.Server:
    """A server of ``app``, to be run on the loop of the caller. From ``proxies`` alone (addresses, networks)
    X-Forwarded-For is believed."""
    limits, trusted = replace(app.limits, connections=files_for(app.limits.connections)), list(proxies)
    crowd = Crowd(limits, app.refused)

    async def sweep() -> None:
        crowd.sweep()

    # timeout_keep_alive: longer than the crowd's own, which counts what it ends and why
    return _Server(uvicorn.Config(
        cast(Any, app), host, port, http=cast(Any, partial(Connection, crowd, app.refused)), ws="none", lifespan="off",
        loop="none", log_config=None, log_level="error", access_log=False, server_header=False,
        proxy_headers=bool(trusted), forwarded_allow_ips=trusted, backlog=BACKLOG,
        h11_max_incomplete_event_size=limits.head_bytes, timeout_keep_alive=round(limits.idle_s + limits.head_s) + 1,
        timeout_graceful_shutdown=round(limits.ending_s), callback_notify=sweep, timeout_notify=0,
    ))  # fmt: skip


def files_for(connections: int) -> int:
    """See that connections do not use up the files that this process may have open: as many of them as may be."""
    needed = connections + 4 * BACKLOG + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return connections
    may = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
    resource.setrlimit(resource.RLIMIT_NOFILE, (may, hard))
    if may == needed:
        return connections
    fit = max(FEWEST, may - (needed - connections))
    log.warning("few files may be open: fewer connections are taken", files=may, connections=fit, do="raise `ulimit`")
    return min(connections, fit)

"""A process that serves as ours do, on a port that it prints: the page, the ingest endpoint or the pages of health."""

import asyncio
import socket
import sys
from typing import Any, cast

from prometheus_client import CollectorRegistry

from response.page import app as page
from response.settings import ResponseSettings
from stream import health
from stream.http import create_app
from stream.metrics import Metrics
from stream.serving.server import server
from stream.settings import HttpSettings, Settings

NOBODY = cast(Any, None)
"""Neither a database nor a broker is reached by whoever has no link and no key."""


async def serve(what: str) -> None:
    """Until the process is ended."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        keys = HttpSettings(meter_keys={"kepco": "kepco-key-of-the-tests"})
        ours = what == "page"
        made = page(NOBODY, NOBODY, None, ResponseSettings()) if ours else create_app(Settings(http=keys), NOBODY)
        print(listener.getsockname()[1], flush=True)
        await server(made, "127.0.0.1", 0).serve([listener])


if __name__ == "__main__":
    if sys.argv[1] == "health":
        metrics = Metrics(CollectorRegistry())
        at = health.serve("127.0.0.1", 0, metrics.registry, lambda: (True, "well"), lambda: (True, "well"))
        print(at.port, flush=True)
        sys.stdin.read()
    else:
        asyncio.run(serve(sys.argv[1]))

"""A web application on a port of this machine, for the time of a test."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from stream.serving.guarded import Guarded
from stream.serving.limits import Limits
from stream.serving.server import server as server_of


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """Serve ``app`` on loopback; gives its address, ``http://127.0.0.1:port``."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        limits = Limits(body_bytes=64 * 1024, bodies_bytes=1024 * 1024)
        server = server_of(Guarded(app, limits), "127.0.0.1", 0)
        served = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(20):
                while not server.started and not served.done():
                    await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await served

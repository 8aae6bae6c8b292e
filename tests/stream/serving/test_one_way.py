"""Nobody serves HTTP in another way: a new listener has the bounds of the others."""

import re
from pathlib import Path

from stream import http
from stream.http import create_app
from stream.producer import FrameProducer
from stream.serving.guarded import Guarded
from stream.settings import Settings

ROOT = Path(__file__).parents[3]
OTHERS = re.compile(
    r"^\s*(?:import|from) (?:uvicorn|wsgiref|http\.server|socketserver|aiohttp\.web|hypercorn)|make_wsgi_app"
    r"|start_http_server|web\.Application|start_server\(",
    re.MULTILINE,
)
HERE = {"stream/serving/connection.py", "stream/serving/server.py", "stream/health.py"}
"""``health.py`` names the type alone."""


def test_nothing_of_ours_serves_http_but_by_serving() -> None:
    """Neither uvicorn nor a server of the library is used elsewhere."""
    folders = ("anbu", "stream", "response", "deploy", "models")
    found = {
        str(file.relative_to(ROOT))
        for folder in folders
        for file in (ROOT / folder).rglob("*.py")
        if OTHERS.search(file.read_text(encoding="utf-8"))
    }
    assert found == HERE


def test_what_the_ingest_endpoint_holds_follows_its_setting() -> None:
    """An operator's limits are those of the server."""
    settings = Settings(http={"max_body_bytes": 1000, "connections": 20})
    made = create_app(settings, FrameProducer(settings))
    assert isinstance(made, Guarded)
    limits = made.limits
    assert (limits.body_bytes, limits.bodies_bytes, limits.connections) == (1000, 1000 * http.BODIES, 20)

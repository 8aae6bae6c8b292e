"""The dead man's switch may be slow, broken or without end: the auditor goes on."""

import time
from typing import Any

import pytest
from aiohttp import ClientError

from response import auditor
from tests.response.channels.vendor import vendor


@pytest.mark.parametrize("ways", [{"way": "hang"}, {"way": "heads"}, {"way": "drop"}, {"status": 500}])
async def test_a_switch_that_does_not_answer_is_given_up(
    ways: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silent, a header now and then without end, gone, refusing: each is over within its time."""
    monkeypatch.setattr(auditor, "PING_S", 1.0)
    with vendor(**ways) as it:
        since = time.monotonic()
        with pytest.raises((ClientError, TimeoutError)):
            await auditor._get(it.url)
        assert time.monotonic() - since < 10


async def test_nothing_of_an_answer_without_end_is_read() -> None:
    """That there is one is enough."""
    with vendor(way="endless") as it:
        await auditor._get(it.url)
    assert it.given < 20_000_000

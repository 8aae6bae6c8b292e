"""The town of the scenarios."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.response.scenarios.times import DAY
from tests.response.town import Town, at


@pytest.fixture
def town(database: Engine) -> Iterator[Town]:
    """A town on a working day at ten; in the end nobody may have been called or told unexpectedly."""
    made = Town(database, at(DAY))
    yield made
    made.nothing_else()

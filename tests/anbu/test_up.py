"""`anbu up` before it starts anything."""

from pathlib import Path
from typing import Any

import pytest

from anbu import up
from anbu.configuration import Settings
from anbu.errors import line_of
from response.records import GatewayError
from response.settings import ResponseSettings
from response.vault import VaultError


@pytest.mark.parametrize(("own", "error", "names"), [
    ({"keys": ["abc"]}, VaultError, "ANBU_RESPONSE__KEYS"),
    ({"channels": {"sms": "nonsense"}}, GatewayError, "response.channels.sms"),
    ({"drill_channels": {"sms": "nonsense"}}, GatewayError, "sms"),
])  # fmt: skip
def test_what_the_response_cannot_start_with_is_one_line_and_nothing_runs(
    own: dict[str, Any], error: type[Exception], names: str, tmp_path: Path
) -> None:
    """No broker, no database, no process that is started again and again."""
    with pytest.raises(error) as said:
        up.run(Settings(data_dir=tmp_path, response=ResponseSettings(**own)))
    assert names in (line_of(said.value) or "")
    assert not list(tmp_path.iterdir())

"""Which gateway the settings give; and a drill that rings nobody by construction."""

import subprocess
import sys
from typing import Any, Literal

import pytest

from response.gateways.make import make
from response.records import CalledBack
from response.settings import ResponseSettings

Kind = Literal["simulated", "http", "sip"]
FULL: dict[str, Any] = {
    "sip": {"domain": "trunk.example:5060", "user": "07012345678"},
    "http_calls": {"url": "https://vendor.example", "secret": "shared-0123456789abcdef"},
}


async def nobody(back: CalledBack) -> None:
    """A listener that hears nothing here."""
    raise AssertionError(back)


@pytest.mark.parametrize("kind", ["simulated", "http", "sip"])
async def test_a_drill_is_always_simulated(kind: Kind) -> None:
    """Drill calls never reach a real phone, whatever is configured."""
    gateway = make(ResponseSettings(gateway=kind, **FULL), True, nobody)
    assert (gateway.name, gateway.real) == ("simulated", False)


@pytest.mark.parametrize("kind", ["simulated", "http", "sip"])
async def test_the_settings_choose(kind: Kind) -> None:
    """Only what is simulated says that nothing rings."""
    gateway = make(ResponseSettings(gateway=kind, **FULL), False, nobody)
    assert (gateway.name, gateway.real) == (kind, kind != "simulated")


async def test_simulated_until_a_real_one_is_configured() -> None:
    """Nobody is rung by mistake."""
    assert not make(ResponseSettings(), False, nobody).real


def test_the_sip_stack_is_loaded_only_where_it_is_used() -> None:
    """Five megabytes of C are no part of a demonstration."""
    code = "import sys, response.gateways.make; sys.exit('baresip' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0

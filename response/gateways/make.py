"""The gateway that the settings ask for."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from response.gateways import texts
from response.gateways.announcement import Announcements
from response.gateways.http import HttpGateway, Store
from response.gateways.simulated import Behaviour, SimulatedGateway
from response.records import Call, CallGateway, OnCallBack
from response.settings import ResponseSettings

CACHE = "announcements"
"""Folder of the data folder where spoken announcements are kept."""


def make(
    settings: ResponseSettings,
    drill: bool,
    on_call_back: OnCallBack,
    *,
    store: Store | None = None,
    on_dead: Callable[[], None] | None = None,
    behave: Callable[[Call], Behaviour] | None = None,
    pace: float = 1.0,
    data_dir: Path | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> CallGateway:
    """A gateway, not started yet. Of a drill it is the simulated one, whatever the settings say.

    ``store``, of HTTP vendors, see http.py; ``on_dead``, of SIP, see sip.py; ``behave`` and ``pace``, of simulated
    residents, see simulated.py; ``data_dir``: where spoken announcements are kept, None: nowhere.
    """
    if drill or settings.gateway == "simulated":
        return SimulatedGateway(
            settings.residents, behave, pace=pace, concurrent=settings.concurrent_calls, on_call_back=on_call_back,
            clock=clock,
        )  # fmt: skip
    if settings.gateway == "http":
        return HttpGateway(settings.http_calls, concurrent=settings.concurrent_calls, store=store, clock=clock)
    from response.gateways.sip import SipGateway  # baresip is loaded only where it is used

    return SipGateway(
        settings.sip,
        Announcements(settings.recordings, data_dir / CACHE if data_dir is not None else None),
        texts.called_back(settings.office_name),
        concurrent=settings.concurrent_calls, on_call_back=on_call_back, on_dead=on_dead, clock=clock,
        region=settings.phone_region,
    )  # fmt: skip

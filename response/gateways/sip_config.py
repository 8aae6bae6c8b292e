"""What the SIP stack is told at its start, from the settings."""

from baresip import Account, Config

from response.gateways.gate import host
from response.gateways.sip_words import IDENTITY
from response.settings import SipSettings


def config(settings: SipSettings, calls: int, more: str = "") -> Config:
    """The stack's configuration. Bound to one address where ``listen`` names one (loopback must be named so)."""
    address, port = listens(settings)
    shown = "0.0.0.0" if address is None else f"[{address}]" if ":" in address else address  # noqa: S104 -- asked for
    return Config(
        net_interface=address,
        max_concurrent_calls=calls,
        expose_headers=(IDENTITY,),
        native_log_level="error",
        sip_trace=True,  # for info.py alone
        extra_config_text=f"sip_listen {shown}:{port}\nrtp_ports {settings.rtp_ports}\n{more}",
    )


def listens(settings: SipSettings) -> tuple[str | None, int]:
    """Address and port of our side; None: every address of this machine. Raises ValueError."""
    address = host(settings.listen)
    port = settings.listen.removeprefix(f"[{address}]").removeprefix(address).lstrip(":")
    return None if address in ("", "0.0.0.0", "::") else address, int(port or "5060")  # noqa: S104 -- read


def account(settings: SipSettings) -> Account:
    """Who we are at the trunk. G.711 alone: every telephone network has it, and 8 kHz is what we play."""
    return Account(
        user=settings.user,
        domain=settings.domain,
        password=settings.password.get_secret_value() if settings.password is not None else "",
        auth_user=settings.auth_user,
        reg_interval=settings.register_seconds,
        transport=settings.transport,
        audio_codecs=("pcma", "pcmu"),
        extra_params=("catchall=yes",),  # a call-back may name our number in another form
    )

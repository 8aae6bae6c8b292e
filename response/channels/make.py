"""The channels of the settings, and one place that sends by them: real messages by real channels, drills by theirs."""

from collections.abc import Mapping, Sequence

import structlog
from pydantic import SecretStr

from response.channels.alimtalk import AlimtalkChannel
from response.channels.apprise import AppriseChannel
from response.channels.http import HttpChannel
from response.overt import Overt
from response.records import Channel, Delivery, DeliveryResult, GatewayError, Message, NotSent
from response.settings import ResponseSettings

log = structlog.get_logger(__name__)


class Channels:
    """Sends a message by the channel it names. Holds either real channels or those of drills, never both."""

    def __init__(self, channels: Sequence[Channel], drill: bool) -> None:
        self._by_name = {channel.name: channel for channel in channels}
        self._drill = drill

    @property
    def names(self) -> frozenset[str]:
        """Channels that there are."""
        return frozenset(self._by_name)

    async def send(self, message: Message) -> Delivery:
        """Send, or say why not; never raises for what a service does. Logged without address and text."""
        delivery = await self._send(message)
        log.info(
            "message", key=message.key, person=message.person_id, role=message.role, template=message.template,
            drill=message.drill, asked=message.channel, channel=delivery.channel, result=str(delivery.result),
            reason=str(delivery.reason or ""), detail=delivery.detail,
        )  # fmt: skip
        return delivery

    async def close(self) -> None:
        """Close every channel."""
        for channel in self._by_name.values():
            await channel.close()

    async def _send(self, message: Message) -> Delivery:
        if message.drill != self._drill:
            kind = "a drill" if message.drill else "no drill"
            return Delivery(DeliveryResult.not_sent, reason=NotSent.drill, detail=f"{kind}: not by these channels")
        channel = self._by_name.get(message.channel)
        if channel is None:
            return Delivery(DeliveryResult.not_sent, reason=NotSent.no_channel, detail=f"{message.channel}: not set up")
        try:
            return await channel.send(message)
        except Exception as e:  # a fault of ours: other messages go on, and whether this one went out nobody knows
            return Delivery(DeliveryResult.unknown, channel.name, detail=f"a fault: {type(e).__name__}")


def make(settings: ResponseSettings, drill: bool) -> Channels:
    """The channels of the settings. Those of drills are made from ``drill_channels`` and nothing else.

    Raises:
        GatewayError: a channel cannot be used as configured; one line without its secrets.
    """
    if drill:
        return Channels(_by_url(settings, settings.drill_channels, real=False), drill=True)
    return Channels(_real(settings), drill=False)


def _real(settings: ResponseSettings) -> list[Channel]:
    channels = {c.name: c for c in _by_url(settings, settings.channels, real=True)}
    if settings.sms.url:
        channels["sms"] = HttpChannel("sms", settings.sms, settings.message_seconds)
    if settings.alimtalk.url:
        channels["alimtalk"] = AlimtalkChannel(settings.alimtalk, channels.get("sms"), settings.message_seconds)
    return list(channels.values())


def _by_url(settings: ResponseSettings, urls: Mapping[str, SecretStr], real: bool) -> list[Channel]:
    made = [AppriseChannel(name, url.get_secret_value(), settings.message_seconds, real) for name, url in urls.items()]
    for channel in made:
        if (host := channel.overt()) and host not in settings.allow_plain:
            raise GatewayError(f"암호화 없이 보내게 됩니다 · {overt_channel(channel.name, host)}")
    return list(made)


def overt_channel(name: str, host: str) -> Overt:
    """A channel that speaks in the clear, or to whoever answers."""
    return Overt(f"channels.{name}", host, "an encrypted scheme (mailtos://, jsons://), without verify=no")

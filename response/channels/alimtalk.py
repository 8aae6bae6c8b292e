"""알림톡 of a Korean vendor, and SMS where it does not go: no approved template, refused, or no connection.

Where the request went out and no answer came, nothing more is done: it may have reached the person.
"""

from msgspec import structs

from response.channels.http import HttpChannel
from response.channels.words import TEMPLATES
from response.records import Channel, Delivery, DeliveryResult, GatewayError, Message, NotSent
from response.settings import AlimtalkSettings


class AlimtalkChannel:
    """Sends 알림톡; what certainly did not go goes by ``sms``, and the delivery names the channel that took it."""

    name = "alimtalk"
    real = True

    def __init__(self, settings: AlimtalkSettings, sms: Channel | None, timeout: float) -> None:
        """Raises GatewayError where the settings cannot be used. ``sms``: None where there is no such channel."""
        self._vendor = HttpChannel(self.name, settings, timeout)
        if unknown := sorted(set(settings.template_codes) - set(TEMPLATES)):
            raise GatewayError(
                f"모르는 문구입니다 · response.alimtalk.template_codes: no template {', '.join(unknown)}; there are "
                f"{', '.join(TEMPLATES)}"
            )
        self._codes = settings.template_codes
        self._sms = sms

    async def send(self, message: Message) -> Delivery:
        """Render and send, by SMS where 알림톡 is refused."""
        code = self._codes.get(message.template)
        if code is None:
            return await self._by_sms(message, DeliveryResult.not_sent, "no approved template", NotSent.no_channel)
        result, detail = await self._vendor.post(message, code)
        if result is DeliveryResult.failed:
            return await self._by_sms(message, result, detail)
        reason = NotSent.no_address if result is DeliveryResult.not_sent else None
        return Delivery(result, self.name, reason, detail)

    async def close(self) -> None:
        """Nothing is kept open; the SMS channel is closed by whoever made it."""

    async def _by_sms(
        self, message: Message, result: DeliveryResult, detail: str, reason: NotSent | None = None
    ) -> Delivery:
        if self._sms is None:
            return Delivery(result, self.name, reason, f"{detail}; no sms channel")
        delivery = await self._sms.send(structs.replace(message, channel=self._sms.name))
        return structs.replace(delivery, detail=f"alimtalk: {detail}; sms: {delivery.detail or delivery.result}")

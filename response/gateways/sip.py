"""Calls through a SIP trunk, by baresip (an alpha, pinned: kept behind our protocol, with its one bug cured in leg.py).

One runtime a process: two SIP gateways cannot be open at once, and when the stack dies a new process is needed.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from baresip import Account, BaresipError, Config, RegistrationError, Runtime, UserAgent
from baresip import Call as SipCall

from response.gateways.announcement import Announcements
from response.gateways.leg import Leg, Legs
from response.gateways.sip_words import IDENTITY, caller, dialled, ended
from response.gateways.talk import talk
from response.records import Announcement, Call, CalledBack, CallOutcome, CallResult, GatewayError, OnCallBack
from response.settings import SipSettings

CALLERS = 10
"""Most call-backs at once, beside the calls we place; the next one hears that we are busy, and is told of too."""
PICK_UP_S = 10.0
LAST_WORDS_S = 1.0
"""The goodbye of calls just ended has to leave before the stack is closed."""
REFUSED = (401, 403, 404, 407)

log = structlog.get_logger(__name__)


class SipGateway:
    """A trunk. ``called_back``: what somebody hears who rings us. ``concurrent``: most calls placed at once.
    ``on_call_back``: told when a call-back has ended. ``on_dead``: told once when the stack has died; from then on
    every call fails until a new process is started. ``more_config``: lines for baresip's own configuration.
    """

    name = "sip"
    real = True

    def __init__(
        self,
        settings: SipSettings,
        announcements: Announcements,
        called_back: Announcement,
        *,
        concurrent: int = 20,
        on_call_back: OnCallBack | None = None,
        on_dead: Callable[[], None] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        more_config: str = "",
    ) -> None:
        self._settings = settings
        self._announcements = announcements
        self._called_back = called_back
        self._concurrent = concurrent
        self._lines = asyncio.Semaphore(concurrent)
        self._on_call_back = on_call_back
        self._on_dead = on_dead
        self._clock = clock
        self._more_config = more_config
        self._legs = Legs()
        self._runtime: Runtime | None = None
        self._agent: UserAgent | None = None
        self._beside: set[asyncio.Task[None]] = set()  # hang-ups and call-backs under way
        self._callers = 0
        self._registered = False
        self._state = "new"  # open, closing, dead

    async def start(self) -> None:
        """Start the stack, register where the settings say so. A trunk that is silent is no reason not to start."""
        settings = self._settings
        if not settings.domain or not settings.user:
            raise GatewayError(
                "SIP 회선이 설정되지 않았습니다 · no SIP trunk: set ANBU_RESPONSE__SIP__DOMAIN and __USER (our number)"
            )
        self._announcements.check()
        # its lower levels hold numbers of people
        logging.getLogger("baresip").setLevel(logging.CRITICAL)
        runtime = Runtime()
        try:
            await runtime.start(config(settings, self._concurrent + CALLERS, self._more_config))
            runtime.subscribe(self._legs.apply)
            self._agent = await UserAgent.create(runtime, account(settings))
        except (BaresipError, ValueError) as e:
            with suppress(BaresipError):
                await runtime.close()
            raise GatewayError(f"SIP을 시작할 수 없습니다 · SIP cannot start on {settings.listen}: {e}") from None
        self._runtime, self._state = runtime, "open"
        runtime.on_dead = self._died
        self._agent.on_incoming(self._incoming)
        if settings.register_seconds:
            await self._register(self._agent)

    async def _register(self, agent: UserAgent) -> None:
        try:
            await agent.register()
            self._registered = True
        except RegistrationError as e:
            if e.status in REFUSED:
                await self.close()
                raise GatewayError(
                    f"회선이 등록을 거절했습니다 · the trunk refuses us (SIP {e.status}): "
                    "see ANBU_RESPONSE__SIP__USER, __AUTH_USER and __PASSWORD"
                ) from None
            log.warning("sip_not_registered", status=e.status)  # the stack goes on trying

    async def place(self, call: Call) -> CallResult:
        """Ring, play, take a key. What the network does is in the result; cancelled, it hangs up."""
        async with self._lines:
            dialled_at = self._clock()
            outcome, pressed, detail = await self._place(call)
            return CallResult(outcome, pressed, detail, dialled_at, self._clock())

    async def _place(self, call: Call) -> tuple[CallOutcome, str | None, str]:
        if self._agent is None or self._state != "open":
            return CallOutcome.failed, None, f"the telephone is not open ({self._state}): start the process anew"
        try:
            sound = await self._announcements.sound(call.announcement)
            leg = await self._dial(self._agent, dialled(call.number))
        except (GatewayError, ValueError) as e:
            return CallOutcome.failed, None, str(e)
        except BaresipError as e:
            return CallOutcome.failed, None, f"not dialled: {type(e).__name__}"
        try:
            return await self._follow(leg, sound, call.ring_s)
        finally:
            self._end(leg)

    async def _dial(self, agent: UserAgent, number: str) -> Leg:
        """Begin a call. Cancelled meanwhile, it is hung up as soon as there is something to hang up."""

        async def dial() -> Leg:
            return self._legs.take(await agent.dial(f"sip:{number}@{self._settings.domain}"))

        dialling = asyncio.ensure_future(dial())
        try:
            return await asyncio.shield(dialling)
        except asyncio.CancelledError:
            dialling.add_done_callback(self._end_unwanted)
            raise

    def _end_unwanted(self, dialled: asyncio.Future[Leg]) -> None:
        if not dialled.cancelled() and dialled.exception() is None:
            self._end(dialled.result())

    async def _follow(self, leg: Leg, sound: bytes, ring_s: float) -> tuple[CallOutcome, str | None, str]:
        """From the first ring to the last key."""
        patience = self._settings.no_progress_seconds
        if not await leg.until(lambda leg: leg.ringing or leg.established or leg.closed is not None, patience):
            return CallOutcome.failed, None, f"trunk does not answer: nothing heard for {patience:g} seconds"
        await leg.until(lambda leg: leg.established or leg.closed is not None, ring_s)
        if leg.established:
            await talk(leg, sound, self._settings.key_seconds)
        if leg.pressed is not None:
            return CallOutcome.answered_key, leg.pressed, ""
        if leg.lost or self._state == "closing":
            return CallOutcome.unknown, None, "our telephone stopped during the call"
        if leg.established:
            return CallOutcome.answered_no_key, None, "hung up" if leg.closed is not None else "no key"
        if leg.closed is not None:
            outcome, detail = ended(leg.closed)
            return outcome, None, detail
        return CallOutcome.no_answer, None, f"rang for {ring_s:g} seconds"

    def _end(self, leg: Leg) -> None:
        """Hang up, beside whatever goes on, and forget the leg."""
        if leg.closed is None and leg.call is not None:
            self._go(_hang_up(leg.call))
        self._legs.drop(leg)

    def _incoming(self, call: SipCall) -> None:
        self._go(self._answer(call, self._legs.take(call)))

    async def _answer(self, call: SipCall, leg: Leg) -> None:
        """Somebody rings us: play the announcement, take a key, tell. That they rang is told whatever comes of it."""
        at, number = self._clock(), caller(call.peer, call.headers)
        self._callers += 1
        try:
            if self._callers > CALLERS or self._state != "open":
                await call.reject()
            else:
                sound = await self._announcements.sound(self._called_back)
                await call.answer()
                if await leg.until(lambda leg: leg.established or leg.closed is not None, PICK_UP_S):
                    await talk(leg, sound, self._settings.key_seconds)
        except (BaresipError, GatewayError) as e:
            log.warning("call_back_broken", error=type(e).__name__)
        finally:
            self._callers -= 1
            self._end(leg)
        if self._on_call_back is not None:
            try:
                await self._on_call_back(CalledBack(number, at, leg.pressed))
            except Exception:  # a listener's fault must not end the telephone
                log.exception("call_back_not_told")

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def _died(self) -> None:
        """The stack's thread has ended by itself: no new one can be started in this process."""
        self._state = "dead"
        log.critical("sip_stack_died", remedy="the process has to be started anew")
        for leg in self._legs:
            leg.lose()
        if self._on_dead is not None:
            self._on_dead()

    async def close(self) -> None:
        """Hang up what is left, tell of the last call-backs, end."""
        runtime, self._runtime = self._runtime, None
        if runtime is None:
            return
        if self._state == "open":
            self._state = "closing"
        talking = [leg.call for leg in self._legs if leg.call is not None and leg.closed is None]
        await asyncio.gather(*(_hang_up(call) for call in talking))
        if self._beside:
            await asyncio.wait(set(self._beside), timeout=PICK_UP_S)
        if self._registered and self._agent is not None and self._state == "closing":
            with suppress(BaresipError):
                await self._agent.unregister(timeout=LAST_WORDS_S)
        if talking:
            await asyncio.sleep(LAST_WORDS_S)
        with suppress(BaresipError):
            await runtime.close()


def config(settings: SipSettings, calls: int, more: str = "") -> Config:
    """The stack's configuration. Bound to one address where ``listen`` names one (loopback must be named so)."""
    host, _, port = settings.listen.rpartition(":")
    return Config(
        net_interface=None if host in ("", "0.0.0.0", "[::]") else host.strip("[]"),
        max_concurrent_calls=calls,
        expose_headers=(IDENTITY,),
        native_log_level="error",
        extra_config_text=f"sip_listen {host or '0.0.0.0'}:{port}\nrtp_ports {settings.rtp_ports}\n{more}",
    )


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


async def _hang_up(call: SipCall) -> None:
    with suppress(BaresipError):  # gone already
        await call.hangup()

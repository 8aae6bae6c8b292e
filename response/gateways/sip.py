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
from baresip import BaresipError, RegistrationError, Runtime, UserAgent
from baresip import Call as SipCall

from response.gateways.announcement import Announcements
from response.gateways.gate import Gate, host
from response.gateways.info import Keys
from response.gateways.leg import Leg, Legs
from response.gateways.sip_config import account, config, listens
from response.gateways.sip_words import caller, dialled, ended
from response.gateways.talk import talk
from response.numbers import REGION
from response.records import Announcement, Call, CalledBack, CallOutcome, CallResult, GatewayError, OnCallBack
from response.settings import SipSettings

CALLERS = 10
"""Most call-backs at once, beside the calls we place; the next one hears that we are busy, and is told of too."""
REFUSED_AT_ONCE = 100
"""So many more may ring at once: the stack by itself would send them away without a word to us."""
PICK_UP_S = 10.0
LAST_WORDS_S = 1.0
"""The goodbye of calls just ended has to leave before the stack is closed."""
REFUSED = (401, 403, 404, 407)

log = structlog.get_logger(__name__)


class SipGateway:
    """A trunk. ``called_back``: what somebody hears who rings us. ``concurrent``: most calls placed at once.
    ``on_call_back``: told when a call-back has ended. ``on_dead``: told once when the stack has died; from then on
    every call fails until a new process is started. ``more_config``: lines for baresip's own configuration.
    ``region``: country of callers' numbers without a country code.
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
        region: str = REGION,
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
        self._region = region
        self._legs = Legs()
        self._runtime: Runtime | None = None
        self._agent: UserAgent | None = None
        self._beside: set[asyncio.Task[None]] = set()  # hang-ups and call-backs under way
        self._keeping: asyncio.Task[None] | None = None
        first, _, last = settings.rtp_ports.partition("-")
        self._sound = Gate(settings.media_from, range(int(first), int(last) + 1)) if settings.media_from else None
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
        Keys(asyncio.get_running_loop(), self._legs.press).listen()
        runtime = Runtime()
        try:
            await runtime.start(config(settings, self._concurrent + CALLERS + REFUSED_AT_ONCE, self._more_config))
            runtime.subscribe(self._legs.apply)
            gate = await self._shut()  # before there is anybody who could be rung
            self._agent = await UserAgent.create(runtime, account(settings))
        except (BaresipError, ValueError, OSError) as e:
            with suppress(BaresipError):
                await runtime.close()
            raise GatewayError(f"SIP을 시작할 수 없습니다 · SIP cannot start on {settings.listen}: {e}") from None
        self._runtime, self._state = runtime, "open"
        runtime.on_dead = self._died
        self._keeping = asyncio.create_task(gate.keep())
        self._agent.on_incoming(self._incoming)
        if settings.register_seconds:
            await self._register(self._agent)

    async def _shut(self) -> Gate:
        """Let nobody but the trunk in, at the address asked for alone."""
        settings, (address, port) = self._settings, listens(self._settings)
        gate = Gate(settings.accept_from or (host(settings.domain),), (port, port + 1))  # the one after: its TLS
        bound = await gate.shut()
        if not bound or (address is not None and set(bound) != {address}):
            raise ValueError(f"not bound to {settings.listen} (taken, or no address of this machine)")
        return gate

    async def _shut_sound(self) -> None:
        """Take sound, and the keys in it, from its servers alone, where the settings name them."""
        try:
            if self._sound is not None:
                await self._sound.shut()
        except (OSError, ValueError) as e:  # the call goes on: a key may be help
            log.error("sip_gate", error=str(e))

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
            await self._shut_sound()
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
        heard = leg.established and await talk(leg, sound, self._settings.key_seconds)
        if leg.pressed is not None:
            return CallOutcome.answered_key, leg.pressed, ""
        if leg.lost or self._state == "closing":
            return CallOutcome.unknown, None, "our telephone stopped during the call"
        if leg.established:
            if not heard:
                return CallOutcome.answered_no_key, None, "hung up before the announcement had ended"
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
        at, number = self._clock(), caller(call.peer, call.headers, self._region)
        refused, heard = True, False
        self._callers += 1
        try:
            if self._callers > CALLERS or self._state != "open":
                await call.reject()
            else:
                sound = await self._announcements.sound(self._called_back)
                await self._shut_sound()
                await call.answer()
                refused = False
                await self._shut_sound()
                await leg.until(lambda leg: leg.established or leg.closed is not None, PICK_UP_S)
                heard = leg.established and await talk(leg, sound, self._settings.key_seconds)
        except (BaresipError, GatewayError) as e:
            log.warning("call_back_broken", error=type(e).__name__)
        finally:
            self._callers -= 1
            self._end(leg)
        if self._on_call_back is not None:
            try:
                await self._on_call_back(CalledBack(number, at, leg.pressed, leg.established, heard, refused))
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
        if self._keeping is not None:
            self._keeping.cancel()
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


async def _hang_up(call: SipCall) -> None:
    with suppress(BaresipError):  # gone already
        await call.hangup()

"""Calls through a SIP trunk, with SIPp as the resident's telephone: real signalling, real sound, real keys."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from response.gateways import sip
from response.gateways.announcement import Announcements
from response.gateways.sip import SipGateway
from response.gateways.sip_config import listens
from response.gateways.sound import RATE
from response.records import Announcement, Call, CalledBack, CallOutcome, CallResult, GatewayError, Rang
from response.settings import SipSettings
from tests.response.gateways import sipp
from tests.response.gateways.test_sound import tone, wav

pytestmark = pytest.mark.sipp
LIMIT_S = 60.0
SOUND_S = 4.0
HZ = 440.0
OURS = "07012345678"


class Line:
    """Our gateway at a trunk that is SIPp, and the call-backs it told of."""

    def __init__(self, gateway: SipGateway, at: int, trunk: int, folder: Path, heard: "asyncio.Queue[CalledBack]"):
        self.gateway, self.at, self.trunk, self.folder, self.heard = gateway, at, trunk, folder, heard

    def resident(self, *does: str, calls: int = 1) -> Any:
        """Somebody who ``does`` this when rung."""
        return sipp.telephone(self.folder, self.trunk, sipp.INVITED, *does, calls=calls)

    def caller(self, *does: str) -> Any:
        """Somebody who rings us."""
        return sipp.telephone(self.folder, sipp.free_ports(), *does, to=f"127.0.0.1:{self.at}", number=OURS)

    async def place(self, n: int = 0, ring_s: float = 20.0) -> CallResult:
        """Ring the resident."""
        call = Call(f"k{n}", "p", f"010-0000-00{n:02}", Announcement("tone", "tone.wav"), ring_s=ring_s)
        return await asyncio.wait_for(self.gateway.place(call), LIMIT_S)


@asynccontextmanager
async def opened(folder: Path, **given: Any) -> AsyncIterator[Line]:
    """A gateway on free ports."""
    at, trunk, rtp = sipp.free_ports(), sipp.free_ports(), sipp.free_ports(100)
    (folder / "tone.wav").write_bytes(wav(tone(HZ, RATE, SOUND_S), RATE))
    heard: asyncio.Queue[CalledBack] = asyncio.Queue()
    settings = SipSettings(
        domain=f"127.0.0.1:{given.pop('trunk', trunk)}", user=OURS, rtp_ports=f"{rtp}-{rtp + 98}",
        **{"listen": f"127.0.0.1:{at}", "key_seconds": 2.0, **given.pop("settings", {})},
    )  # fmt: skip
    gateway = SipGateway(
        settings, Announcements(folder), Announcement("tone", "tone.wav"),
        on_call_back=heard.put, more_config=f"audio_telev_pt {sipp.KEYS}\n", **given,
    )  # fmt: skip
    await gateway.start()
    try:
        yield Line(gateway, at, trunk, folder, heard)
    finally:
        await gateway.close()


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    """A gateway with the settings of most tests."""
    async with opened(tmp_path) as line:
        yield line


@pytest.mark.parametrize("key", ["1", "2"])
async def test_resident_presses_a_key_while_it_plays(line: Line, key: str) -> None:
    """The announcement stops at once, we hang up, and the key is the answer."""
    does = (sipp.RINGS, sipp.waits(200), sipp.ANSWERS, sipp.waits(1000), sipp.presses(key), sipp.IS_HUNG_UP_ON)
    async with line.resident(*does) as phone:
        done = await line.place()
        assert await phone.done() == ""
    assert (done.outcome, done.pressed) == (CallOutcome.answered_key, key)
    assert done.dialled_at is not None
    assert done.ended_at is not None
    assert (done.ended_at - done.dialled_at).total_seconds() > 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/dtmf", "2"),
        ("application/dtmf-relay", "Signal=2\r\nDuration=160\r\n"),
        ("application/dtmf-relay", "Signal= 2\r\nDuration= 160\r\n"),
    ],
)
async def test_a_key_that_comes_as_info_is_not_lost(line: Line, kind: str, body: str) -> None:
    """Some trunks send keys beside the sound."""
    async with line.resident(sipp.ANSWERS, sipp.waits(500), sipp.sends_info(kind, body), sipp.IS_HUNG_UP_ON) as phone:
        done = await line.place()
        assert await phone.done() == ""
    assert done.key == "2"


async def test_resident_presses_after_it_has_ended(tmp_path: Path) -> None:
    """Some think a while."""
    does = (sipp.ANSWERS, sipp.waits(int((SOUND_S + 2) * 1000)), sipp.presses("1"), sipp.IS_HUNG_UP_ON)
    async with opened(tmp_path, settings={"key_seconds": 30.0}) as line, line.resident(*does) as phone:
        done = await line.place()
        assert await phone.done() == ""
    assert (done.outcome, done.pressed) == (CallOutcome.answered_key, "1")


async def test_a_key_not_asked_for_does_not_stop_the_announcement(line: Line) -> None:
    """A cheek on the keys first, then the answer: the answer counts."""
    does = (
        sipp.ANSWERS, sipp.waits(500), sipp.presses("7"), sipp.waits(1500), sipp.presses("2"), sipp.IS_HUNG_UP_ON
    )  # fmt: skip
    async with line.resident(*does) as phone:
        done = await line.place()
        assert await phone.done() == ""
    assert (done.outcome, done.pressed) == (CallOutcome.answered_key, "2")


async def test_resident_presses_nothing(line: Line) -> None:
    """The whole announcement is played, a key waited for, then we hang up."""
    async with line.resident(sipp.RINGS, sipp.ANSWERS, sipp.IS_HUNG_UP_ON) as phone:
        done = await line.place()
        assert await phone.done() == ""
    assert (done.outcome, done.pressed, done.detail) == (CallOutcome.answered_no_key, None, "no key")
    assert done.dialled_at is not None
    assert done.ended_at is not None
    assert (done.ended_at - done.dialled_at).total_seconds() > SOUND_S + 2


async def test_resident_hangs_up_while_it_plays(line: Line) -> None:
    """Answered, and no more."""
    async with line.resident(sipp.RINGS, sipp.ANSWERS, sipp.waits(1000), sipp.HANGS_UP) as phone:
        done = await line.place()
        assert await phone.done() == ""
    assert (done.outcome, done.pressed) == (CallOutcome.answered_no_key, None)
    assert done.detail == "hung up before the announcement had ended"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("486 Busy Here", CallOutcome.busy),
        ("600 Busy Everywhere", CallOutcome.busy),
        ("603 Decline", CallOutcome.rejected),
        ("480 Temporarily Unavailable", CallOutcome.no_answer),
        ("404 Not Found", CallOutcome.failed),
        ("503 Service Unavailable", CallOutcome.failed),
    ],
)
async def test_call_that_is_not_answered(line: Line, status: str, outcome: CallOutcome) -> None:
    """What the network says is put into our words, its number kept for the log."""
    async with line.resident(sipp.refuses(status)) as phone:
        done = await line.place()
        assert await phone.done() == ""
    assert (done.outcome, done.pressed, done.detail) == (outcome, None, f"SIP {status[:3]}")


async def test_fast_answer_is_not_lost_when_we_are_busy(line: Line) -> None:
    """The stack's one bug: an answer that comes before dialling has returned is heard all the same."""
    loop = asyncio.get_running_loop()

    def hold_up() -> None:
        ends = loop.time() + 0.02
        while loop.time() < ends:
            pass
        if not over:
            loop.call_soon(hold_up)

    over = False
    async with line.resident(sipp.refuses("486 Busy Here"), calls=10) as phone:
        loop.call_soon(hold_up)
        done = [await line.place(n) for n in range(10)]
        over = True
        assert await phone.done() == ""
    assert [result.outcome for result in done] == [CallOutcome.busy] * 10
    assert len(line.gateway._runtime._listeners) < 5, "ended calls still listen"


async def test_it_rings_out(line: Line) -> None:
    """After ``ring_s`` we give up, and the phone stops ringing (CANCEL)."""
    async with line.resident(sipp.RINGS_OUT) as phone:
        done = await line.place(ring_s=1.0)
        assert await phone.done() == ""
    assert (done.outcome, done.detail) == (CallOutcome.no_answer, "rang for 1 seconds")


async def test_stopped_ladder_stops_the_ringing(line: Line) -> None:
    """A proof of life came: the call is cancelled, the phone falls silent."""
    async with line.resident(sipp.RINGS_OUT) as phone:
        placed = asyncio.create_task(line.place())
        assert await _until(lambda: any(leg.ringing for leg in line.gateway._legs))
        placed.cancel()
        assert await phone.done() == ""
    assert placed.cancelled()


async def test_stopped_ladder_ends_a_call_that_talks(line: Line) -> None:
    """The same after somebody has picked up: we hang up."""
    async with line.resident(sipp.ANSWERS, sipp.IS_HUNG_UP_ON) as phone:
        placed = asyncio.create_task(line.place())
        assert await _until(lambda: any(leg.established for leg in line.gateway._legs))
        placed.cancel()
        assert await phone.done() == ""


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_trunk_is_down(tmp_path: Path, transport: str) -> None:
    """Nobody there: failed, long before the stack itself gives up, and the next call is tried again."""
    settings = {"no_progress_seconds": 0.5, "transport": transport}
    async with opened(tmp_path, settings=settings) as line:
        done = [await line.place(n) for n in range(2)]
    for result in done:
        assert result.outcome is CallOutcome.failed
        assert result.detail.startswith("trunk does not answer: ")
        assert "0100" not in result.detail


async def test_two_calls_at_once(line: Line) -> None:
    """Side by side, each with its own key."""
    does = (sipp.RINGS, sipp.ANSWERS, sipp.waits(1500), sipp.presses("1"), sipp.IS_HUNG_UP_ON)
    peak = 0

    def both() -> bool:
        nonlocal peak
        peak = max(peak, sum(leg.established for leg in line.gateway._legs))
        return peak == 2

    async with line.resident(*does, calls=2) as phone:
        placed = asyncio.gather(line.place(1), line.place(2))
        assert await _until(both)
        done = await placed
        assert await phone.done() == ""
    assert [(result.outcome, result.pressed) for result in done] == [(CallOutcome.answered_key, "1")] * 2
    assert len(line.gateway._legs) == 0


async def test_no_more_at_once_than_allowed(tmp_path: Path) -> None:
    """The third waits until a line is free."""
    does = (sipp.ANSWERS, sipp.waits(700), sipp.presses("1"), sipp.IS_HUNG_UP_ON)
    peak = 0
    async with opened(tmp_path, concurrent=1) as line, line.resident(*does, calls=3) as phone:
        placed = asyncio.gather(*(line.place(n) for n in range(3)))

        def look() -> bool:
            nonlocal peak
            peak = max(peak, len(line.gateway._legs))
            return placed.done()

        assert await _until(look)
        assert await phone.done() == ""
    assert [result.pressed for result in placed.result()] == ["1", "1", "1"]
    assert peak == 1


@pytest.mark.parametrize("number", ["01098765432", "+821098765432"])
async def test_resident_calls_back_and_presses_1(line: Line, number: str) -> None:
    """The same announcement, the key, and whose number it was, in the registry's form."""
    does = (sipp.rings_us(number), sipp.waits(800), sipp.presses("1"), sipp.IS_HUNG_UP_ON)
    async with line.caller(*does) as phone:
        back = await asyncio.wait_for(line.heard.get(), LIMIT_S)
        assert await phone.done() == ""
    assert (back.number, back.key, back.how) == ("+821098765432", "1", Rang.key)


async def test_resident_calls_back_and_presses_nothing(line: Line) -> None:
    """That they rang is told all the same."""
    async with line.caller(sipp.rings_us("01098765432"), sipp.IS_HUNG_UP_ON) as phone:
        back = await asyncio.wait_for(line.heard.get(), LIMIT_S)
        assert await phone.done() == ""
    assert (back.number, back.key, back.how) == ("+821098765432", None, Rang.no_key)


async def test_a_call_back_that_ends_before_the_announcement_says_so(line: Line) -> None:
    """Somebody rang, and has heard nothing of what was asked."""
    async with line.caller(sipp.rings_us("01098765432"), sipp.waits(500), sipp.CALLER_HANGS_UP) as phone:
        back = await asyncio.wait_for(line.heard.get(), LIMIT_S)
        assert await phone.done() == ""
    assert (back.key, back.how) == (None, Rang.cut_short)


async def test_a_call_back_that_we_have_no_line_for_says_so(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Busy to the caller; whoever listens is told, to ring back."""
    monkeypatch.setattr(sip, "CALLERS", 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        us = f"127.0.0.1:{phone.getsockname()[1]}"
        phone.sendto(sipp.forged(line.at, us, "01098765432"), ("127.0.0.1", line.at))
        back = await asyncio.wait_for(line.heard.get(), LIMIT_S)
    assert (back.number, back.key, back.how) == ("+821098765432", None, Rang.no_line)


async def test_caller_without_a_number_is_heard(line: Line) -> None:
    """A withheld number: the listener gets none, and nothing breaks."""
    async with line.caller(sipp.rings_us("anonymous"), sipp.waits(500), sipp.presses("1"), sipp.IS_HUNG_UP_ON) as phone:
        back = await asyncio.wait_for(line.heard.get(), LIMIT_S)
        assert await phone.done() == ""
    assert (back.number, back.pressed) == ("", "1")


@pytest.mark.parametrize("asserted", ["", "+821098765432"])
async def test_an_invite_that_is_not_the_trunks_is_not_even_answered(line: Line, asserted: str) -> None:
    """Anybody can write a number into From or P-Asserted-Identity: only what comes from the trunk is read."""
    loop = asyncio.get_running_loop()
    answers = {}
    for by in ("127.0.0.2", "127.0.0.1"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind((by, 0))
            phone.setblocking(False)
            phone.sendto(sipp.forged(line.at, by, "01098765432", asserted), ("127.0.0.1", line.at))
            wait = LIMIT_S if by == "127.0.0.1" else 0.3
            try:
                answers[by] = await asyncio.wait_for(loop.sock_recv(phone, 2048), wait)
            except TimeoutError:
                answers[by] = b""
    assert answers["127.0.0.2"] == b""
    assert answers["127.0.0.1"].startswith(b"SIP/2.0 ")
    assert len(line.gateway._legs) <= 1


@pytest.mark.parametrize(("server", "key"), [("127.0.0.1", None), ("127.0.0.2", "1")])
async def test_a_key_in_the_sound_of_a_stranger_is_nothing(tmp_path: Path, server: str, key: str | None) -> None:
    """Where the trunk's media servers are named, no other address presses keys."""
    settings = {"media_from": (server,), "key_seconds": 0.1}
    async with opened(tmp_path, settings=settings) as line, line.resident(sipp.ANSWERS, sipp.IS_HUNG_UP_ON):
        placed = asyncio.create_task(line.place())
        assert await _until(lambda: any(leg.established for leg in line.gateway._legs))
        first, last = map(int, line.gateway._settings.rtp_ports.split("-"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.2", 0))
            for n in range(6):
                head = struct.pack(">BBHII", 0x80, sipp.KEYS | (0x80 if n == 0 else 0), 100 + n, 1000, 7777)
                event = struct.pack(">BBH", 1, 10 | (0x80 if n > 2 else 0), 160 * (n + 1))
                for port in range(first, last + 1, 2):
                    stranger.sendto(head + event, ("127.0.0.1", port))
        done = await placed
    assert done.key == key


async def test_a_connection_from_elsewhere_is_not_taken(line: Line) -> None:
    """By TCP and TLS neither."""
    for port in (line.at, line.at + 1):
        with socket.socket() as stranger:
            stranger.bind(("127.0.0.2", 0))
            stranger.settimeout(0.2)
            with pytest.raises(TimeoutError):
                stranger.connect(("127.0.0.1", port))
    with socket.create_connection(("127.0.0.1", line.at), timeout=LIMIT_S):
        pass


async def test_trunks_addresses_can_be_given(tmp_path: Path) -> None:
    """Signalling from other machines than the domain's; then those alone."""
    async with opened(tmp_path, settings={"accept_from": ("127.0.0.2/31",)}) as line:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind(("127.0.0.3", 0))
            phone.setblocking(False)
            phone.sendto(sipp.forged(line.at, "127.0.0.3", "01098765432"), ("127.0.0.1", line.at))
            answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(phone, 2048), LIMIT_S)
    assert answer.startswith(b"SIP/2.0 ")


@pytest.mark.parametrize(
    ("listen", "bound"),
    [
        ("0.0.0.0:5062", (None, 5062)), ("0.0.0.0", (None, 5060)), ("127.0.0.1:5062", ("127.0.0.1", 5062)),
        ("[::1]:5062", ("::1", 5062)), ("[::]:5060", (None, 5060)),
    ],
)  # fmt: skip
def test_what_is_listened_on(listen: str, bound: tuple[str | None, int]) -> None:
    """One address, or all of this machine; 5060 where no port is said."""
    assert listens(SipSettings(listen=listen)) == bound


@pytest.mark.parametrize("listen", ["198.51.100.7:5060", "127.0.0.1:{taken}"])
async def test_an_address_we_cannot_have_is_told_at_the_start(tmp_path: Path, listen: str) -> None:
    """Bound to the address asked for, or not at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        given = listen.format(taken=taken.getsockname()[1])
        with pytest.raises(GatewayError, match=given):
            async with opened(tmp_path, settings={"listen": given}):
                pass


async def test_resident_hears_the_announcement(line: Line) -> None:
    """The tone that was recorded arrives, about as long as it is."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.setblocking(False)
        does = (sipp.answers_hearing_at(ear.getsockname()[1]), sipp.IS_HUNG_UP_ON)
        async with line.resident(*does) as phone:
            done = await line.place()
            assert await phone.done() == ""
        packets = _received(ear)
    assert done.outcome is CallOutcome.answered_no_key
    heard = np.concatenate([_linear(packet[12:]) for packet in packets if packet[1] & 0x7F == 8])
    loud = np.flatnonzero(np.abs(heard) > 0.05)
    tone_heard = heard[loud[0] : loud[-1] + 1]
    assert len(tone_heard) / RATE == pytest.approx(SOUND_S, abs=0.3)
    spectrum = np.abs(np.fft.rfft(tone_heard * np.hanning(len(tone_heard))))
    assert np.argmax(spectrum) * RATE / len(tone_heard) == pytest.approx(HZ, abs=3)


async def test_registered_with_the_trunk(tmp_path: Path) -> None:
    """Where the settings say so, the trunk is told where we are, so that call-backs find us."""
    trunk = sipp.free_ports()
    takes = '<recv request="REGISTER"/>\n' + sipp._answer("200 OK")
    async with sipp.telephone(tmp_path, trunk, takes, takes) as phone:
        async with opened(tmp_path, trunk=trunk, settings={"register_seconds": 300}) as line:
            assert line.gateway._registered
        assert await phone.done() == ""


async def test_trunk_that_refuses_our_password_is_told_at_the_start(tmp_path: Path) -> None:
    """Before the first alert, and with what to look at."""
    trunk = sipp.free_ports()
    async with sipp.telephone(tmp_path, trunk, '<recv request="REGISTER"/>\n' + sipp._answer("403 Forbidden")):
        with pytest.raises(GatewayError, match="SIP 403"):
            async with opened(tmp_path, trunk=trunk, settings={"register_seconds": 300}):
                pass


async def test_dead_stack_is_told_and_ends_calls(line: Line) -> None:
    """The process is to be started anew; what the call came to nobody knows, and no further one is tried."""
    told: list[bool] = []
    line.gateway._on_dead = lambda: told.append(True)
    async with line.resident(sipp.RINGS_OUT):
        placed = asyncio.create_task(line.place())
        assert await _until(lambda: any(leg.ringing for leg in line.gateway._legs))
        line.gateway._died()  # what the stack calls; really killing its thread would end it for all tests after this
        done = await placed
        after = await line.place()
    assert told == [True]
    assert done.outcome is CallOutcome.unknown
    assert after.outcome is CallOutcome.failed
    assert "start the process anew" in after.detail


@pytest.mark.parametrize("number", ["", "sip:x@example.org", "010 1234\r\nX: y", "01012345678@elsewhere"])
async def test_what_is_no_number_is_not_dialled(line: Line, number: str) -> None:
    """Nothing but digits gets into a SIP address."""
    done = await line.gateway.place(Call("k", "p", number, Announcement("tone", "tone.wav")))
    assert done.outcome is CallOutcome.failed
    assert "no telephone number" in done.detail


async def test_settings_without_a_trunk_are_named(tmp_path: Path) -> None:
    """One line, what to set."""
    with pytest.raises(GatewayError, match="ANBU_RESPONSE__SIP__DOMAIN"):
        await SipGateway(SipSettings(), Announcements(tmp_path), Announcement("a")).start()


async def _until(holds: Callable[[], bool]) -> bool:
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            await asyncio.sleep(0.01)
    return True


def _received(ear: socket.socket) -> list[bytes]:
    packets = []
    while True:
        try:
            packets.append(ear.recv(2048))
        except BlockingIOError:
            return packets


def _linear(alaw: bytes) -> np.ndarray:
    """A-law (ITU-T G.711) as numbers from -1 to 1."""
    code = np.frombuffer(alaw, "u1").astype(int) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    value = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, value, -value) / 2**15

"""SIPp as a resident's telephone: what it does, told in steps that become SIPp's scenario; and SIPp itself."""

import asyncio
import itertools
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

LIMIT_S = 60
"""SIPp gives up after so long; a call of these tests takes a few seconds on a quiet machine."""

_ECHOED = "[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n[last_CSeq:]\n"
_CONTACT = "Contact: <sip:resident@[local_ip]:[local_port]>\n"
_SDP = """v=0
o=resident 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio {port} RTP/AVP 8 {keys}
a=rtpmap:8 PCMA/8000
a=rtpmap:{keys} telephone-event/8000
a=fmtp:{keys} 0-15
"""
KEYS = 96
"""Payload type of keys: `play_dtmf` knows no other."""


def _send(message: str, retrans: bool = False) -> str:
    opens = '<send retrans="500">' if retrans else "<send>"
    return f"{opens}<![CDATA[\n{message}\n]]></send>\n"


def _answer(status: str, tag: bool = True, body: str = "", retrans: bool = False) -> str:
    head = f"SIP/2.0 {status}\n" + _ECHOED.format(tag=";tag=r[call_number]" if tag else "") + _CONTACT
    kind = "Content-Type: application/sdp\n" if body else ""
    return _send(f"{head}{kind}Content-Length: [len]\n\n{body}", retrans)


def _sdp(port: str = "[media_port]") -> str:
    return _SDP.format(port=port, keys=KEYS)


INVITED = """<recv request="INVITE"><action>
<ereg regexp=".*" search_in="hdr" header="CSeq:" check_it="true" assign_to="cseq"/>
<ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="caller"/>
<ereg regexp=".*" search_in="hdr" header="To:" check_it="true" assign_to="called"/>
<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" check_it="true" assign_to="contact"/>
</action></recv>
<Reference variables="cseq,caller,called,contact"/>
"""
TRIES = _answer("100 Trying", tag=False)
RINGS = _answer("180 Ringing")
ANSWERS = _answer("200 OK", body=_sdp(), retrans=True) + '<recv request="ACK"/>\n'
IS_HUNG_UP_ON = '<recv request="BYE"/>\n' + _answer("200 OK", tag=False)
HANGS_UP = (
    _send(
        "BYE [$contact] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
        "Max-Forwards: 70\nFrom:[$called];tag=r[call_number]\nTo:[$caller]\n[last_Call-ID:]\nCSeq: 1 BYE\n"
        "Content-Length: 0\n",
        retrans=True,
    )
    + '<recv response="200"/>\n'
)
RINGS_OUT = (
    RINGS
    + '<recv request="CANCEL"/>\n'
    + _answer("200 OK")
    + _send(
        "SIP/2.0 487 Request Terminated\n[last_Via:]\n[last_From:]\n[last_To:];tag=r[call_number]\n[last_Call-ID:]\n"
        "CSeq:[$cseq]\nContent-Length: 0\n",
        retrans=True,
    )
    + '<recv request="ACK"/>\n'
)


def answers_hearing_at(port: int) -> str:
    """Picks up; the sound is to be sent to ``port``."""
    return _answer("200 OK", body=_sdp(str(port)), retrans=True) + '<recv request="ACK"/>\n'


def refuses(status: str) -> str:
    """Ends the call before it is answered: ``486 Busy Here``."""
    return _answer(status, retrans=True) + '<recv request="ACK"/>\n'


def waits(ms: int) -> str:
    """Does nothing for so long."""
    return f'<pause milliseconds="{ms}"/>\n'


def presses(key: str) -> str:
    """Presses a key (RFC 4733)."""
    return f'<nop><action><exec play_dtmf="{key}"/></action></nop>\n'


def sends_info(kind: str, body: str) -> str:
    """Whom we rang presses a key that the trunk sends as INFO; whatever we answer."""
    lines = body.replace("\r\n", "\n")
    return (
        _send(
            "INFO [$contact] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
            "Max-Forwards: 70\nFrom:[$called];tag=r[call_number]\nTo:[$caller]\n[last_Call-ID:]\nCSeq: 7 INFO\n"
            f"Content-Type: {kind}\nContent-Length: [len]\n\n{lines}"
        )
        + '<recv response="200" optional="true" next="1"/>\n<recv response="488"/>\n<label id="1"/>\n'
    )


def rings_us(number: str) -> str:
    """Calls us from ``number`` and is picked up; answers that we negotiate the sound again."""
    start = (
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nMax-Forwards: 70\n"
        f"From: <sip:{number}@[local_ip]>;tag=r[call_number]\n"
    )
    invite = (
        f"INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n{start}To: <sip:[service]@[remote_ip]>\n"
        f"Call-ID: [call_id]\nCSeq: 1 INVITE\n{_CONTACT}Content-Type: application/sdp\n"
        f"Content-Length: [len]\n\n{_sdp()}"
    )
    ack = f"ACK [next_url] SIP/2.0\n{start}[last_To:]\nCall-ID: [call_id]\nCSeq: 1 ACK\nContent-Length: 0\n"
    return (
        _send(invite, retrans=True)
        + '<recv response="100" optional="true"/>\n<recv response="180" optional="true"/>\n'
        + '<recv response="200" rrs="true"/>\n'
        + _send(ack)
        + '<recv request="INVITE"><action>'
        + '<ereg regexp=".*" search_in="hdr" header="From:" check_it="true" assign_to="us"/>'
        + '<ereg regexp=".*" search_in="hdr" header="To:" check_it="true" assign_to="me"/>'
        + '</action></recv>\n<Reference variables="us,me"/>\n'
        + _answer("200 OK", tag=False, body=_sdp(), retrans=True)
        + '<recv request="ACK"/>\n'
    )


CALLER_HANGS_UP = (
    _send(
        "BYE [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nMax-Forwards: 70\n"
        "From:[$me]\nTo:[$us]\nCall-ID: [call_id]\nCSeq: 9 BYE\nContent-Length: 0\n"
    )
    + '<recv response="200"/>\n'
)


def forged(at: int, by: str, number: str, asserted: str = "") -> bytes:
    """An INVITE to us as anybody can write it: ``by`` an address, from ``number``, the trunk said to vouch for
    ``asserted``."""
    vouched = f"P-Asserted-Identity: <sip:{asserted}@trunk>\r\n" if asserted else ""
    ip = by.partition(":")[0]
    sdp = _SDP.format(port=6000, keys=KEYS).replace("[local_ip]", ip).replace("[media_ip]", ip).replace("\n", "\r\n")
    return (
        f"INVITE sip:07012345678@127.0.0.1:{at} SIP/2.0\r\nVia: SIP/2.0/UDP {by};branch=z9hG4bK{random.random()};rport"
        f"\r\nMax-Forwards: 70\r\nFrom: <sip:{number}@trunk>;tag=t\r\nTo: <sip:07012345678@127.0.0.1>\r\n{vouched}"
        f"Call-ID: {random.random()}\r\nCSeq: 1 INVITE\r\nContact: <sip:{number}@{by}>\r\n"
        f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}"
    ).encode()


class Telephone:
    """SIPp at work; ``done`` waits for its end and says what it complains of (empty: all went as told)."""

    def __init__(self, process: asyncio.subprocess.Process, errors: Path) -> None:
        self._process, self._errors = process, errors

    async def done(self) -> str:
        """Its complaint, if it has one."""
        code = await asyncio.wait_for(self._process.wait(), LIMIT_S + 10)
        said = self._errors.read_text(errors="replace") if self._errors.exists() else ""
        return "" if code == 0 else f"SIPp ended with {code}: {said}"


@asynccontextmanager
async def telephone(
    folder: Path, port: int, *steps: str, calls: int = 1, to: str = "127.0.0.1", number: str = "07000000000"
) -> AsyncIterator[Telephone]:
    """SIPp at ``127.0.0.1:port`` that goes through ``steps`` with each of ``calls`` calls."""
    folder.mkdir(exist_ok=True)
    scenario, errors = folder / f"{port}.xml", folder / f"{port}.err"
    scenario.write_text(
        f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="r">\n{"".join(steps)}</scenario>\n',
        encoding="latin-1",
    )
    process = await asyncio.create_subprocess_exec(
        "sipp", "-sf", scenario, "-i", "127.0.0.1", "-p", str(port), "-mi", "127.0.0.1",
        "-mp", str(free_ports(20)), "-m", str(calls), "-s", number, "-nostdin", "-timeout", f"{LIMIT_S}s",
        "-timeout_error", "-trace_err", "-error_file", errors, to,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT_S):
            while to == "127.0.0.1" and not _bound(port) and process.returncode is None:
                await asyncio.sleep(0.02)
        yield Telephone(process, errors)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


_LOW, _HIGH = 22_000, 32_000
"""Below the system's own choices."""
_after = itertools.count(random.randrange(_LOW, _HIGH, 2))
"""Ports are given one after the other: two that are not bound yet would else be the same now and then."""


def free_ports(n: int = 1) -> int:
    """First of ``n`` UDP ports in a row that are free on loopback (even, as RTP wants it), of nobody else here."""
    for _ in range(200):
        taken = [next(_after) for _ in range(n + n % 2)]
        first = _LOW + (taken[0] - _LOW) % (_HIGH - _LOW)
        held = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(n)]
        try:
            for k, sock in enumerate(held):
                sock.bind(("127.0.0.1", first + k))
            return first
        except OSError:
            continue
        finally:
            for sock in held:
                sock.close()
    raise RuntimeError("no free ports")


def _bound(port: int) -> bool:
    """Whether somebody listens at a UDP port, without disturbing whoever is about to."""
    rows = Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]
    return any(int(row.split()[1].split(":")[1], 16) == port for row in rows)

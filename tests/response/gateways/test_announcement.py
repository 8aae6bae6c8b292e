"""Announcements: the recording first, else the text; made once; and where neither can be, what to do."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from response.gateways import texts
from response.gateways.announcement import LEAD_S, Announcements
from response.gateways.sound import RATE, seconds, silence
from response.records import Announcement, GatewayError
from tests.response.gateways.test_sound import loudest_hz, tone, wav

SPEAKS = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng (apt-get install espeak-ng)")
LEAD = silence(LEAD_S)


def recorded(folder: Path, hz: float = 440, rate: int = 44_100) -> Announcement:
    """An announcement with a recording of a tone."""
    (folder / "check_ko.wav").write_bytes(wav(tone(hz, rate), rate))
    return Announcement("안내", "check_ko.wav")


def speaker(folder: Path, script: str) -> str:
    """A program in espeak-ng's place."""
    program = folder / "speaker"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


async def test_recording_is_played_where_there_is_one(tmp_path: Path) -> None:
    """Its own voice, without a program to speak; the first word is not swallowed."""
    pcm = await Announcements(tmp_path, program="no-such-program").sound(recorded(tmp_path))
    assert pcm.startswith(LEAD)
    assert loudest_hz(pcm[len(LEAD) :]) == pytest.approx(440, abs=3)


@SPEAKS
@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("made", [texts.check, texts.called_back])
async def test_text_is_spoken(made, language) -> None:  # type: ignore[no-untyped-def]
    """Both announcements are of a length that people listen to, and audible."""
    pcm = await Announcements().sound(made("역삼동 주민센터" if language == "ko" else "the district office", language))
    assert 8 < seconds(pcm) < 60
    loud = np.abs(np.frombuffer(pcm, "<i2").astype(int))
    assert loud.max() > 2**14
    assert (loud > 500).mean() > 0.2


@SPEAKS
@pytest.mark.parametrize("broken", [b"", b"no wav", None])
async def test_text_takes_the_place_of_a_broken_or_missing_recording(tmp_path: Path, broken: bytes | None) -> None:
    """A call without words would be worse than a machine's voice."""
    if broken is not None:
        (tmp_path / "check_ko.wav").write_bytes(broken)
    pcm = await Announcements(tmp_path).sound(Announcement("괜찮으시면 1번", "check_ko.wav"))
    assert seconds(pcm) > 1


@SPEAKS
async def test_a_name_leads_out_of_no_folder(tmp_path: Path) -> None:
    """A recording is a file of the folder of recordings."""
    inner = tmp_path / "inner"
    inner.mkdir()
    recorded(tmp_path)
    pcm = await Announcements(inner).sound(Announcement("one", "../check_ko.wav"))
    assert loudest_hz(pcm[len(LEAD) :]) != pytest.approx(440, abs=3)


async def test_text_is_spoken_once(tmp_path: Path) -> None:
    """In memory, and on disk over a restart; nothing half-written is left."""
    source = tmp_path / "source.wav"
    source.write_bytes(wav(tone(440, RATE), RATE))
    program = speaker(tmp_path, f"echo spoken >> {tmp_path}/log; cat > {tmp_path}/text; cat {source}")
    cache = tmp_path / "cache"
    first = Announcements(cache=cache, program=program)
    pcm = await first.sound(Announcement("괜찮으시면 1번"))
    assert await first.sound(Announcement("괜찮으시면 1번")) == pcm
    assert await Announcements(cache=cache, program=program).sound(Announcement("괜찮으시면 1번")) == pcm
    assert (tmp_path / "log").read_text() == "spoken\n"
    assert (tmp_path / "text").read_text(encoding="utf-8") == "괜찮으시면 1번"
    assert len(list(cache.iterdir())) == 1
    await first.sound(Announcement("도움이 필요하시면 2번"))
    assert (tmp_path / "log").read_text() == "spoken\nspoken\n"


@pytest.mark.parametrize("script", ["exit 1", "echo 'no voice' >&2; exit 1", "echo junk", "cat > /dev/null"])
async def test_program_that_makes_no_sound_is_told_in_a_line(tmp_path: Path, script: str) -> None:
    """Whatever it does instead of speaking."""
    with pytest.raises(GatewayError, match="made no sound") as refused:
        await Announcements(program=speaker(tmp_path, script)).sound(Announcement("하나"))
    assert "\n" not in str(refused.value)


async def test_neither_recording_nor_program_says_what_to_install(tmp_path: Path) -> None:
    """At the start already, and for every call."""
    nobody = Announcements(tmp_path, program="no-such-program")
    with pytest.raises(GatewayError, match="apt-get install espeak-ng"):
        nobody.check()
    with pytest.raises(GatewayError, match="ANBU_RESPONSE__RECORDINGS"):
        await nobody.sound(Announcement("하나"))
    recorded(tmp_path)
    nobody.check()


@pytest.mark.parametrize(("language", "asked"), [("ko", "1번, 도움이 필요하시면 2번"), ("en", "press 1. If you need")])
@pytest.mark.parametrize("made", [texts.check, texts.called_back])
def test_what_is_said(made, language, asked) -> None:  # type: ignore[no-untyped-def]
    """In the office's name, and both keys twice."""
    said = made("역삼동 주민센터", language)
    assert said.text.count("역삼동 주민센터") == 2
    assert said.text.count(asked) == 2
    assert said.recording.endswith(f"_{language}.wav")

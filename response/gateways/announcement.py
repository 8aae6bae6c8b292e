"""What is played to a caller: a recording where there is one, else the text spoken by espeak-ng."""

import asyncio
import hashlib
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

import structlog

from response.gateways.sound import SoundError, silence, telephone
from response.records import Announcement, GatewayError

PROGRAM = "espeak-ng"
WORDS_A_MINUTE = 130
"""Slower than espeak-ng's 175: for old ears on a bad line."""
SPEAK_S = 30.0
LEAD_S = 0.6
"""Silence before the first word: a phone that has just been answered swallows the beginning."""
_NO_SECRETS = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
"""All that the speaking program has of our environment."""
_HANGUL = re.compile("[가-힣]")

log = structlog.get_logger(__name__)


class Announcements:
    """Sound by announcement, each made once. ``recordings``: folder of WAV files. ``cache``: folder for what was
    spoken, so that a restart does not speak it again (texts hold no personal data)."""

    def __init__(self, recordings: Path | None = None, cache: Path | None = None, program: str = PROGRAM) -> None:
        self._recordings = recordings
        self._cache = cache
        self._program = program
        self._made: dict[tuple[str, str | None], bytes] = {}

    def check(self) -> None:
        """Raises GatewayError where nothing could be played at all: no recording and nobody to speak."""
        recorded = self._recordings is not None and any(self._recordings.glob("*.wav"))
        if not recorded and shutil.which(self._program) is None:
            raise GatewayError(_mend(self._program))

    async def sound(self, announcement: Announcement) -> bytes:
        """Telephone sound (sound.py) of an announcement.

        Raises:
            GatewayError: there is no recording of it, and its text cannot be spoken.
        """
        named = (announcement.text, announcement.recording)
        if named not in self._made:
            recorded = await asyncio.to_thread(self._recorded, announcement.recording)
            self._made[named] = silence(LEAD_S) + (recorded or await self._spoken(announcement.text))
        return self._made[named]

    def _recorded(self, name: str | None) -> bytes | None:
        """A recording; None where there is none or it is broken, which is logged: the text is better than nothing."""
        if self._recordings is None or not name or Path(name).name != name:  # no way out of the folder
            return None
        try:
            return telephone((self._recordings / name).read_bytes())
        except FileNotFoundError:
            return None
        except (SoundError, OSError) as e:
            log.warning("recording_unusable", recording=name, error=str(e))
            return None

    async def _spoken(self, text: str) -> bytes:
        voice = "ko" if _HANGUL.search(text) else "en"
        of = hashlib.sha256(f"{self._program} {voice} {WORDS_A_MINUTE}\n{text}".encode()).hexdigest()
        kept = self._cache / f"{of[:32]}.s16" if self._cache is not None else None
        if kept is not None and kept.is_file():
            return await asyncio.to_thread(kept.read_bytes)
        spoken = await speak(text, voice, self._program)
        if kept is not None:
            await asyncio.to_thread(_keep, kept, spoken)
        return spoken


async def speak(text: str, voice: str, program: str = PROGRAM) -> bytes:
    """Telephone sound of a text by espeak-ng.

    Raises:
        GatewayError: the program is not there, fails or does not end.
    """
    args = ("-v", voice, "-s", str(WORDS_A_MINUTE), "--stdin", "--stdout")
    try:
        process = await asyncio.create_subprocess_exec(
            program, *args, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, env=_NO_SECRETS,
        )  # fmt: skip
    except OSError:
        raise GatewayError(_mend(program)) from None
    try:
        wav, said = await asyncio.wait_for(process.communicate(text.encode()), SPEAK_S)
        return telephone(wav)
    except TimeoutError:
        raise GatewayError(f"음성 합성이 끝나지 않습니다 · {program} did not end within {SPEAK_S:g} seconds") from None
    except SoundError as e:
        why = " ".join(said.decode(errors="replace").split())[:200] or str(e)
        raise GatewayError(f"음성 합성에 실패했습니다 · {program} -v {voice} made no sound: {why}") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _keep(path: Path, sound: bytes) -> None:
    """Written whole or not at all; a full disk costs only that it is spoken again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(sound)
        part.replace(path)
    except OSError as e:
        log.warning("announcement_not_kept", error=str(e))


def _mend(program: str) -> str:
    return (
        f"안내 음성을 만들 수 없습니다 · no announcement can be played: install {program} (apt-get install espeak-ng), "
        "or put recordings (WAV) into the folder of ANBU_RESPONSE__RECORDINGS"
    )

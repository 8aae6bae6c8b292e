"""Sound for a telephone: any WAV file comes to 8 kHz, 16 bits, mono, and stays the same sound."""

import io
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from response.gateways.sound import RATE, SoundError, resampled, seconds, silence, telephone


def wav(samples: np.ndarray, rate: int, width: int = 2) -> bytes:
    """A WAV file of numbers from -1 to 1, shape (n,) or (n, channels)."""
    samples = samples[:, np.newaxis] if samples.ndim == 1 else samples
    whole = np.clip(samples, -1, 1 - 1e-9) * 2.0 ** (8 * width - 1)
    if width == 1:
        raw = (whole + 128).astype("u1").tobytes()
    else:
        raw = np.ascontiguousarray(whole.astype("<i4").view("u1").reshape(*samples.shape, 4)[..., :width]).tobytes()
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setparams((samples.shape[1], width, rate, 0, "NONE", ""))
        file.writeframes(raw)
    return held.getvalue()


def tone(hz: float, rate: int, of_seconds: float = 0.5) -> np.ndarray:
    """A sine of half the loudness."""
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate * of_seconds)) / rate)


def loudest_hz(pcm: bytes) -> float:
    """Frequency with most energy."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(samples * np.hanning(len(samples))))) * RATE / len(samples))


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("channels", [1, 2])
def test_tone_stays_the_tone_it_was(rate: int, width: int, channels: int) -> None:
    """Pitch and length are kept whatever the recording's rate, bits and channels."""
    pcm = telephone(wav(np.stack([tone(440, rate)] * channels, axis=1), rate, width))
    assert seconds(pcm) == pytest.approx(0.5, abs=0.001)
    assert loudest_hz(pcm) == pytest.approx(440, abs=3)
    loudest = np.abs(np.frombuffer(pcm, "<i2").astype(int)).max() / 2**15
    assert 0.45 < loudest < 0.85


def test_sound_above_the_telephones_band_is_gone() -> None:
    """It would otherwise fold into what people hear."""
    rate = 48_000
    low, high = tone(500, rate), tone(6_000, rate)
    with_high, without = resampled(low + high, rate, RATE), resampled(low, rate, RATE)
    inner = slice(200, -200)
    assert np.abs(with_high - without)[inner].max() < 0.02


def test_telephone_sound_is_taken_as_it_is() -> None:
    """A recording made for the telephone keeps every sample and its loudness."""
    file = wav(tone(300, RATE), RATE)
    with wave.open(io.BytesIO(file)) as opened:
        assert telephone(file) == opened.readframes(opened.getnframes())


@given(st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100]), st.integers(1, 3_000))
def test_length_follows_from_the_rates(rate: int, n: int) -> None:
    """Whole samples, within one of the exact length."""
    assert abs(len(resampled(np.ones(n), rate, RATE)) - n * RATE / rate) <= 1


@given(st.binary(max_size=80))
def test_what_is_no_wav_is_refused_in_a_line(raw: bytes) -> None:
    """Whatever the file holds."""
    with pytest.raises(SoundError) as refused:
        telephone(raw)
    assert "\n" not in str(refused.value)


def test_empty_wav_is_refused() -> None:
    """A recording of nothing would be a call without a word."""
    with pytest.raises(SoundError, match="no sound"):
        telephone(wav(np.zeros(0), 16_000))


def test_silence_has_its_length() -> None:
    """Half a second of nothing."""
    assert seconds(silence(0.5)) == 0.5
    assert set(silence(0.01)) == {0}

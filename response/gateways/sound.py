"""Sound as a telephone takes it: 8,000 samples a second, 16 bits signed, one channel. Pure: bytes in, bytes out."""

import io
import wave

import numpy as np
from numpy.typing import NDArray

RATE = 8_000
"""Samples a second."""
SAMPLE = 2
"""Bytes of a sample."""
_PEAK = 0.8
"""Loudest sample after conversion, of the whole range: an A-law line distorts above."""


class SoundError(Exception):
    """Sound that cannot be read: one line, why."""


def telephone(wav: bytes) -> bytes:
    """A WAV file of any rate, 8 to 32 bits and any number of channels as s16le at ``RATE``, mono.

    A file that is of that shape already is taken as it is; others are brought to one channel, to the rate and to a
    good loudness.

    Raises:
        SoundError: it is no WAV file of plain samples, or holds none.
    """
    try:
        with wave.open(io.BytesIO(wav)) as opened:
            rate, channels, width = opened.getframerate(), opened.getnchannels(), opened.getsampwidth()
            # programs that write to a pipe leave the length open: what is there counts
            raw = opened.readframes(opened.getnframes())
    except (wave.Error, EOFError, ValueError) as e:
        raise SoundError(f"no WAV file of PCM samples: {e or 'it ends too early'}") from None
    raw = raw[: len(raw) - len(raw) % (channels * width)]
    if not raw or rate <= 0:
        raise SoundError("the WAV file holds no sound")
    if (rate, channels, width) == (RATE, 1, SAMPLE):
        return raw
    mono = _samples(raw, width).reshape(-1, channels).mean(axis=1)
    return _bytes(resampled(mono, rate, RATE))


def resampled(samples: NDArray[np.float64], rate: int, wanted: int) -> NDArray[np.float64]:
    """Samples at another rate, by cutting or widening the spectrum (an ideal low-pass; for whole clips).

    Silence is put before and after while it is computed: the ends of a Fourier transform meet.
    """
    if rate == wanted:
        return samples
    pad = rate // 10
    padded = np.pad(samples, pad)
    size = max(1, round(len(padded) * wanted / rate))
    spectrum = np.fft.rfft(padded)
    done = np.fft.irfft(spectrum[: size // 2 + 1], n=size) * (size / len(padded))
    start = round(pad * wanted / rate)
    return done[start : start + max(1, round(len(samples) * wanted / rate))]


def seconds(pcm: bytes) -> float:
    """How long telephone sound lasts."""
    return len(pcm) / (RATE * SAMPLE)


def silence(of_seconds: float) -> bytes:
    """Telephone sound of nothing."""
    return bytes(SAMPLE * round(RATE * of_seconds))


def _samples(raw: bytes, width: int) -> NDArray[np.float64]:
    """PCM of WAV (8 bits are unsigned, wider ones signed little-endian) as numbers from -1 to 1."""
    if width == 1:
        return (np.frombuffer(raw, "u1").astype(np.float64) - 128) / 128
    if width == 3:  # widened to four bytes, the lowest zero
        wide = np.zeros((len(raw) // 3, 4), "u1")
        wide[:, 1:] = np.frombuffer(raw, "u1").reshape(-1, 3)
        return wide.view("<i4").ravel().astype(np.float64) / 2**31
    return np.frombuffer(raw, f"<i{width}").astype(np.float64) / 2 ** (8 * width - 1)


def _bytes(samples: NDArray[np.float64]) -> bytes:
    loudest = float(np.max(np.abs(samples), initial=0.0))
    if loudest > 0:
        samples = samples * (_PEAK / loudest)
    return np.rint(samples * (2**15 - 1)).astype("<i2").tobytes()

"""The learned model read from its file: the shipped one, or a city's own made by `anbu train`."""

from functools import lru_cache
from importlib import resources
from pathlib import Path

from models.forest import Forest, ForestError, decode

SHIPPED = "shipped.npz"


@lru_cache(maxsize=1)
def shipped() -> Forest:
    """The model that comes with anbu."""
    return decode((resources.files("models") / SHIPPED).read_bytes(), SHIPPED)


@lru_cache(maxsize=8)
def read(path: Path) -> Forest:
    """A model of one's own. Raises ForestError, in one line, where there is none that can be used."""
    try:
        data = path.read_bytes()
    except OSError as e:
        raise ForestError(f"{path}: {e.strerror}: leave the setting model out, or name a model") from e
    return decode(data, str(path))

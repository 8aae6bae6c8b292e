"""Files of what is known of homes are their owner's alone, and written through nobody's link."""

import os
import stat
from pathlib import Path

import pytest

from anbu.files import whole_file


def test_a_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask, and while it is written too."""
    before = os.umask(0)
    try:
        with whole_file(tmp_path / "report.html") as file:
            file.write(b"x")
            (partial,) = tmp_path.iterdir()
            assert stat.S_IMODE(partial.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["report.html", "report.html.partial"])
def test_a_link_that_somebody_laid_is_not_followed(tmp_path: Path, name: str) -> None:
    """At the file's own name, and where it was to be written meanwhile: whoever it led to stays as they were."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / name).symlink_to(victim)
    with whole_file(tmp_path / "report.html") as file:
        file.write(b"x")
    assert victim.read_bytes() == b"mine"
    assert (tmp_path / "report.html").read_bytes() == b"x"
    assert not (tmp_path / "report.html").is_symlink()


def test_what_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    """What was there stays."""
    (tmp_path / "report.html").write_bytes(b"old")
    with pytest.raises(ValueError, match="broke"), whole_file(tmp_path / "report.html"):
        raise ValueError("broke")
    assert (tmp_path / "report.html").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_not_there_is_named_as_it_was_asked_for(tmp_path: Path) -> None:
    """Not the file that was to be written meanwhile."""
    with pytest.raises(FileNotFoundError) as e, whole_file(tmp_path / "none" / "report.html"):
        pass
    assert e.value.filename == str(tmp_path / "none" / "report.html")

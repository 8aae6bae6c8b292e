"""Files of our account alone: new ones, those that an earlier version left open, and folders that are not ours."""

import os
import stat
import sys
from pathlib import Path

import pytest

from deploy import private
from deploy.kafka import users
from deploy.kafka.broker import BrokerError, LocalBroker
from deploy.kafka.spawn import spawn


@pytest.fixture(autouse=True)
def careless() -> object:
    """As started from a shell that lets everybody read everything."""
    former = os.umask(0)
    yield
    os.umask(former)


def open_to_others(folder: Path) -> list[str]:
    """What in a folder, itself included, another account could use."""
    paths = [folder, *folder.rglob("*")]
    return [str(p) for p in paths if not p.is_symlink() and stat.S_IMODE(p.lstat().st_mode) & 0o077]


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    """Folder, files below, and what is linked elsewhere is left as it is."""
    folder, elsewhere = tmp_path / "kafka", tmp_path / "elsewhere"
    (folder / "data" / "state-0").mkdir(parents=True)
    (folder / "data" / "state-0" / "0.log").write_text("readings")
    elsewhere.write_text("not ours to change")
    elsewhere.chmod(0o644)
    (folder / "link").symlink_to(elsewhere)
    assert len(open_to_others(folder)) == 4
    private.make(folder)
    assert open_to_others(folder) == []
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_account_is_not_used(tmp_path: Path) -> None:
    """Its owner could read whatever is put there: one line, before anything is written."""
    folder = tmp_path / "kafka"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    with pytest.raises(BrokerError, match=r"belongs to another account \(65534\).*ANBU_DATA_DIR"):
        LocalBroker(folder, 0).start()
    assert list(folder.iterdir()) == []


def test_passwords_are_kept_once_and_for_us_alone(tmp_path: Path) -> None:
    """The same again at each start; for a user of a later version one is added; nothing is left of the writing."""
    first = users.passwords(tmp_path)
    assert users.passwords(tmp_path) == first
    file = tmp_path / users.FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == [users.FILE]
    file.write_text(file.read_text().replace('"http"', '"other"'))
    again = users.passwords(tmp_path)
    assert {role for role in first if again[role] == first[role]} == set(first) - {"http"}


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '"x"'])
def test_a_file_of_passwords_that_is_cut_short_is_made_anew(tmp_path: Path, spoilt: str) -> None:
    """A disk that was full must not keep everybody out for ever."""
    private.write(tmp_path / users.FILE, spoilt)
    assert len(set(users.passwords(tmp_path).values())) == len(users.ROLES) + 1


def test_what_a_child_writes_is_for_us_alone(tmp_path: Path) -> None:
    """Its log and its files, whatever our own umask."""
    code = f"open({str(tmp_path / 'made')!r}, 'w')"
    spawn([sys.executable, "-c", code], tmp_path / "out").wait(30)
    assert (tmp_path / "made").exists()
    assert open_to_others(tmp_path) == []

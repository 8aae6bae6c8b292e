"""The benchmark of judging runs without a broker."""

import re

import pytest

from benchmarks import judge


@pytest.mark.parametrize("minutes", [15, 60])
def test_it_tells_slots_in_which_the_model_is_asked_from_others(
    minutes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Eight slots of two hours: in two of them everybody's model is asked, and readings are due as meters give them."""
    judge.main(["--days", "9", "--minutes", str(minutes), "--households", "1500"])
    out = capsys.readouterr().out
    rows = re.findall(r"^\| (\d) \| (\d+)% \| (\d+)% \| ([\d.]+) \| ([\d.]+) \|$", out, re.MULTILINE)
    assert [int(r[0]) for r in rows] == list(range(1, 9))
    assert [int(r[1]) for r in rows] == [100 if i * 15 % minutes == 0 else 0 for i in range(1, 9)]
    assert [int(r[2]) > 90 for r in rows] == [i % 4 == 0 for i in range(1, 9)]
    assert all(float(r[4]) > 0 for r in rows)
    assert re.search(r"bytes a household .* in all$", out, re.MULTILINE)

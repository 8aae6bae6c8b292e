"""Rows that each pass their check and together cannot be the use of a home; and homes that only look odd."""

import numpy as np
import pytest

from stream import files
from stream.sources import Source
from tests.stream.suspicion_files import HEADER, csv, rows, uses

SEOUL = "Asia/Seoul"


def read(text: str, signal: str = "meter", **how):
    """What a CSV text comes to."""
    return files.load(Source("m.csv", "csv", text.encode()), signal, files.How(SEOUL, **how))


def told(batch) -> set[tuple[str, str, bool]]:
    """(household, what, blinds) of each suspicion."""
    return {(one.household, one.what, one.blinds) for one in batch.suspicions}


def daily(values, per_day=24):
    """A counter that begins anew at each midnight."""
    return [round(v, 4) for i in range(0, len(values), per_day) for v in np.cumsum(values[i : i + per_day]).tolist()]


def hourly(values):
    """A counter that begins anew at each hour, read every 15 minutes."""
    return daily(values, 4)


@pytest.mark.parametrize(
    ("values", "minutes"),
    [
        (daily(uses(7)), 60),
        (daily(uses(1)), 60),
        (daily(uses(3, 15), 96), 15),
        (np.cumsum(uses(1)).tolist(), 60),
        ((4 + np.cumsum(uses(1, 15)) / 10).tolist(), 15),
        ((np.floor(np.cumsum(uses(4)) * 10) / 10).tolist(), 60),
        (daily(uses(60), 24 * 30), 60),
        (hourly(uses(4, 15)), 15),
        ((25 - np.cumsum(uses(3)) % 12).tolist(), 60),
        (daily(uses(7), 12), 60),
        (daily(uses(7), 8), 60),
        (daily(uses(7, 15), 24), 15),
        (np.floor(daily(uses(30))).tolist(), 60),
        (np.floor(daily(uses(30, 15), 96)).tolist(), 15),
    ],
    ids=[
        "daily", "one-day", "daily-15", "ever", "ever-15", "coarse", "monthly", "hourly", "prepaid", "twice-a-day",
        "thrice-a-day", "tariffs", "daily-coarse", "daily-coarse-15",
    ],
)
def test_a_counter_is_no_energy_and_is_held_back(values, minutes):
    """Whatever sets it back, and how often: nothing of it is used, and what to send is said."""
    batch = read(csv(rows([min(v, 7.4 if minutes == 15 else 29.9) for v in values], minutes)))
    assert ("h1", "register", True) in told(batch)
    assert (len(batch.columns), batch.held) == (0, len(values))
    assert "difference" in str(batch.suspicions[0])
    assert batch.suspicions[0].lines[0] == 2


def test_what_is_suspected_is_used_when_it_is_forced_and_told_all_the_same():
    """The person who knows better has the last word."""
    batch = read(csv(rows(daily(uses(7)))), force=True)
    assert len(batch.columns) == 168
    assert batch.held == 0
    assert ("h1", "register", True) in told(batch)


def test_a_home_is_not_held_back_for_its_neighbours():
    """Only the rows of the counter are left out."""
    counter = rows(daily(uses(7, seed=2)), household="h2")
    lines = [row for pair in zip(rows(uses(7)), counter, strict=True) for row in pair]
    batch = read(csv(lines))
    assert set(batch.columns.household_id.to_pylist()) == {"h1"}
    assert (len(batch.columns), batch.held) == (168, 168)
    assert batch.suspicions[0].lines[:2] == (3, 5)


@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize("seed", range(6))
def test_an_ordinary_home_is_not_suspected(minutes, seed):
    """A day, a week, a month of it: no word."""
    for days in (1, 7, 30):
        assert told(read(csv(rows(uses(days, minutes, seed), minutes)))) == set()


@pytest.mark.parametrize(
    "values",
    [[0.0] * 96, [0.02] * 96, [0.05, 0.06] * 48, [0.001, 0.002] * 48, [0.0] * 95 + [0.4]],
    ids=["off", "steady", "fridge", "standby", "came-home"],
)
def test_a_vacant_or_steady_home_is_used_and_told_at_most(values):
    """Nothing of it is refused: an empty home is a home."""
    batch = read(csv(rows(values)))
    assert len(batch.columns) == 96
    assert not any(one.blinds for one in batch.suspicions)


@pytest.mark.parametrize("n", range(1, 13))
def test_what_is_streamed_is_too_little_to_be_suspected(n):
    """Some hours of one home, rising as in any morning: used without a word."""
    values = [0.1 + i / 20 for i in range(n)]
    lines = [(*row, "15") for row in rows(values, 15)]
    batch = read(csv(lines, HEADER + ",minutes"))
    assert (len(batch.columns), batch.suspicions) == (n, [])


def test_one_value_for_a_day_is_told():
    """A meter that stands still is used and told, with its evidence."""
    batch = read(csv(rows([0.12] * 48)))
    assert told(batch) == {("h1", "unchanging", False)}
    assert "48 readings" in str(batch.suspicions[0])


def test_watt_hours_sent_as_kwh_are_held_back():
    """No home of one person uses 9 kW on average."""
    batch = read(csv(rows([9.0 + v for v in uses(2)])))
    assert told(batch) == {("h1", "too_much", True)}
    assert len(batch.columns) == 0


def test_two_meters_under_one_id_are_held_back_and_a_correction_is_told():
    """Many slots with different values are an error, one is a word; the same row twice is nothing."""
    one, two = rows(uses(3)), rows(uses(3, seed=9))
    assert told(read(csv(one + two))) == {("h1", "several_values", True)}
    corrected = read(csv([*one, (*one[5][:2], "0.9")]))
    assert (told(corrected), corrected.held) == ({("h1", "several_values", False)}, 0)
    assert told(read(csv(one + one))) == set()
    assert told(read(csv(one + [(h, t, f"{float(k):.2f}") for h, t, k in one]))) == set()


def test_nights_that_are_missing_are_told():
    """Days from six to midnight only."""
    lines = [row for row in rows(uses(10)) if row[1][11:13] >= "06"]
    assert told(read(csv(lines))) == {("h1", "nights_missing", False)}


@pytest.mark.parametrize(
    ("minutes", "step", "what"), [("60", 15, "overlap"), ("30", 15, "overlap"), ("15", 30, "holes")]
)
def test_minutes_that_the_times_contradict_are_held_back(minutes, step, what):
    """A column that says another interval than the readings have."""
    lines = [(*row, minutes) for row in rows(uses(2, step), step)]
    batch = read(csv(lines, HEADER + ",minutes"))
    assert ("h1", what, True) in told(batch)
    assert len(batch.columns) == 0


@pytest.mark.parametrize(("first", "then", "what"), [(15, 30, "holes"), (60, 15, "overlap"), (30, 60, "holes")])
def test_minutes_that_stay_when_the_interval_changes_are_held_back(first, then, what):
    """An exporter that writes the same minutes for ever, and a meter that was set anew in the last days."""
    lines = [(*row, str(first)) for row in rows(uses(6, first), first)]
    later = rows(uses(2, then, 3), then)
    lines += [(h, t.replace("2026-03-0", "2026-03-1"), k, str(first)) for h, t, k in later]
    batch = read(csv(lines, HEADER + ",minutes"))
    assert ("h1", what, True) in told(batch)
    assert len(batch.columns) == 0


@pytest.mark.parametrize("bad", ["2026-03-{d:02} {h:02}.00 Uhr", "{d:02}/03/2026 {h:02}:00"])
def test_hours_of_every_day_that_are_refused_hold_the_home_back(bad):
    """A form of time that cannot be read, at night only: what is left would be a home without nights."""
    lines = [
        (h, bad.format(d=int(t[8:10]), h=int(t[11:13])), k) if t[11:13] < "04" else (h, t, k)
        for h, t, k in rows(uses(14))
    ]
    batch = read(csv(lines))
    assert (len(batch.columns), len(batch.bad)) == (0, 14 * 4)
    assert ("h1", "refused", True) in told(batch)
    assert "00, 01, 02, 03" in str(batch.suspicions[0])


def test_hours_refused_of_many_homes_of_a_day_are_seen_in_the_file():
    """Four rows of each are few; of forty homes the same four are none by chance. A home without is used."""
    lines = [
        (h, t.replace(" ", " um ") if t[11:13] < "04" else t, k)
        for i in range(40) for h, t, k in rows(uses(1, seed=i), household=f"h{i}")
    ] + rows(uses(1, seed=77), household="whole")  # fmt: skip
    batch = read(csv(lines))
    assert set(batch.columns.household_id.to_pylist()) == {"whole"}
    assert len(batch.suspicions) == 40
    assert "as in the whole file" in str(batch.suspicions[0])


def test_values_refused_at_the_same_hours_hold_the_home_back():
    """The feed-in of a solar home is below zero at noon."""
    lines = [(h, t, "-0.4" if t[11:13] in ("12", "13") else k) for h, t, k in rows(uses(14))]
    batch = read(csv(lines))
    assert ("h1", "refused", True) in told(batch)
    assert "12, 13" in str(batch.suspicions[0])
    assert len(batch.columns) == 0


def test_a_large_share_that_is_refused_holds_the_home_back_and_a_small_one_does_not():
    """A third of the rows is another file; one in twenty is a file with bad rows."""
    for every, kept in ((3, 0), (20, 319)):
        lines = [(h, t, "?" if i % every == 0 else k) for i, (h, t, k) in enumerate(rows(uses(14)))]
        batch = read(csv(lines))
        assert len(batch.columns) == kept
        assert bool(batch.suspicions) == (every == 3)


def test_ids_that_are_all_refused_are_an_error_of_the_file():
    """Row by row to the last: said once, of the whole file."""
    batch = read(csv(rows(uses(2), household="home 1")))
    assert told(batch) == {("", "refused", True)}
    assert "48 of 48" in str(batch.suspicions[0])


def test_lines_torn_by_decimal_commas_hold_everything_back():
    """Nobody knows whose they were, and the rest are whole numbers only."""
    lines = [(h, t, k.replace(".", ",")) for h, t, k in rows([*uses(2), 0, 1, 0])]
    batch = read(csv(lines))
    assert len(batch.columns) == 0
    assert told(batch) == {("", "refused", True)}


def test_many_homes_with_a_few_bad_rows_each_are_told_and_the_others_used():
    """A region's hour: one in four is of a kind we do not know, and nobody's good rows are lost for it."""
    lines = [(f"h{i}", "2026-03-02 10:00", "fax" if i % 4 == 0 else "data") for i in range(80)]
    batch = read(csv(lines, "household_id,at,kind"), "phone")
    assert (len(batch.columns), batch.held) == (60, 0)
    assert told(batch) == {("", "refused", True)}


def test_rows_of_the_future_are_no_share():
    """A day's file at noon has its afternoon ahead."""
    batch = read(csv(rows(uses(1))), now=1_772_420_000)
    assert len(batch.bad) > 8
    assert batch.suspicions == []


def test_totals_of_the_days_among_the_readings_are_held_back():
    """A day without an hour reads as its midnight: each total would be life at 00:00, of a home that is silent too."""
    lines = rows(uses(30))
    totals = [("h1", f"2026-03-{day:02}", "9.9") for day in range(2, 32)]
    batch = read(csv(sorted(lines + totals, key=lambda row: row[1][:10])))
    assert ("h1", "several_values", True) in told(batch)
    assert len(batch.columns) == 0
    few = [("h1", f"2026-03-{day:02} {day:02}:00", "0.9") for day in range(2, 11)]
    assert told(read(csv(lines + few))) == {("h1", "several_values", False)}


def test_a_file_whose_every_line_is_torn_is_told_and_no_fault_of_ours():
    """Decimal commas without quotes: no row has a household."""
    batch = read(csv([("h1", f"2026-03-02 {hour:02}:00", "0", "12") for hour in range(24)]))
    assert (len(batch.columns), len(batch.bad)) == (0, 24)
    assert told(batch) == {("", "refused", True)}

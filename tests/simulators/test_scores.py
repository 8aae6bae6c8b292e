"""What is found when, counted on lives and cases made by hand."""

import numpy as np
import pytest

from models.features import NAMES
from simulators import scores
from simulators.columns import Settled, choose, settle
from simulators.scores import Unseen, home_scores, report, unseen
from simulators.splice import AWAY, FULL_STOP
from simulators.study import Lived, hours_to_onset
from tests.simulators.test_calibration import lives
from tests.simulators.test_columns import home, person

DAYS = 170
F32 = np.float32


@pytest.fixture(scope="module")
def settled() -> Settled:
    """Two homes in two folds, lived in twice each and once changed."""
    found = settle(choose([home("a"), home("b")]), [person("p"), person("q")], 2, seed=1, varied=1)
    assert found.scored.tolist() == [0, 1, 3, 4]
    return found


def watched(settled: Settled, after: float) -> tuple[Lived, Unseen]:
    """Lives that wander, and cases that are plain for all to see from ``after`` hours after their onset on."""
    told = [(i, case) for i in range(len(settled.columns)) for case in settled.columns[i].cases]
    of = np.array([i for i, _ in told])
    lived = Lived(np.zeros((0, 0, 0), F32), np.zeros((0, 0, 0), F32), of, [case for _, case in told])
    case = np.flatnonzero(np.isin(of, settled.scored))
    firsts = [settled.columns[i].empty.home.first for i in of[case]]
    onset = np.array([hours_to_onset(lived.each[k], f) for k, f in zip(case, firsts, strict=True)])
    hour = np.arange(-47, 145)[:, None]
    means = np.where(hour >= onset + after, F32(9), F32(-5))
    return lived, Unseen(lives(4, DAYS, 1), settled.scored, means, case)


@pytest.mark.parametrize(("after", "shares"), [(5, (1, 1, 1)), (30, (0, 1, 1)), (50, (0, 0, 1)), (500, (0, 0, 0))])
def test_what_is_found_when(settled: Settled, after: float, shares: tuple[float, ...]) -> None:
    """Shares within 24 and 36 hours and at all, and the median, which there is only where half are found."""
    lived, u = watched(settled, after)
    found = report(lived, settled, "caution", u, 70)["known homes"]
    assert isinstance(found, dict)
    got = found[FULL_STOP]
    assert (got["24 h"], got["36 h"], got["ever"]) == shares
    assert got["cases"] > 20
    if shares[2]:
        assert after <= got["median h"] < after + 1
    else:
        assert "median h" not in got


def test_who_was_alarmed_just_before_is_not_found(settled: Settled) -> None:
    """An alert in the day before the onset leaves the case out; only known homes' cases are left."""
    lived, u = watched(settled, -3)
    found = report(lived, settled, "caution", u, 70)["known homes"]
    assert isinstance(found, dict)
    assert found[FULL_STOP] is None


def test_an_alert_after_the_return_is_none_on_the_absence(settled: Settled) -> None:
    """Of an absence what is counted is an alert while it lasts."""
    lived, u = watched(settled, 500)
    lasts = np.array([(lived.each[k].until - lived.each[k].onset) / 4 for k in u.case])
    away = np.array([lived.each[k].scenario == AWAY for k in u.case])
    onset = np.array(
        [hours_to_onset(lived.each[k], settled.columns[i].empty.home.first)
         for k, i in zip(u.case, lived.of[u.case], strict=True)]
    )  # fmt: skip
    hour = np.arange(-47, 145)[:, None]
    u.cases[:, away] = np.where(hour > onset + lasts + 1, F32(9), F32(-5))[:, away]
    found = report(lived, settled, "caution", u, 70)["known homes"]
    assert isinstance(found, dict)
    assert found[AWAY]["ever"] == 0
    assert (hour[-1] > onset + lasts + 1)[away].any()


@pytest.mark.parametrize("after", [5, 30, 500])
def test_shares_by_hours_rise_at_the_hour_of_the_alert(settled: Settled, after: float) -> None:
    """None is found before the alert, every one after it; the shares end where those of the table do."""
    lived, u = watched(settled, after)
    told = report(lived, settled, "caution", u, 70)
    hours, stops = told["by hours"]["hours"], told["by hours"][FULL_STOP]
    for hour, share in zip(hours, stops, strict=True):
        assert share == (hour >= after + 1) or after < hour < after + 1
    assert {24, 36} < set(hours)
    for kind, numbers in told["known homes"].items():
        shares = dict(zip(hours, told["by hours"][kind], strict=True))
        assert (shares[24], shares[36]) == (numbers["24 h"], numbers["36 h"])


def test_more_false_alerts_allowed_find_no_less(settled: Settled) -> None:
    """A weak case is found at the rates whose level it reaches and at no lower one; at the level's own rate the
    shares are those of the table."""
    lived, u = watched(settled, 5)
    u.cases[u.cases > 0] = np.nanquantile(u.mean, 0.9999)
    told = report(lived, settled, "caution", u, 70)
    points = told["operating"]
    assert [p["asked"] for p in points] == [20, 10, 5, 2, 1, 0.5]
    for name in ("full_stop 24 h", "left_on 36 h"):
        shares = [p[name] for p in points]
        assert shares == sorted(shares, reverse=True)
        assert (shares[0], shares[-1]) == (1, 0)
    assert points[1]["full_stop 24 h"] == told["known homes"][FULL_STOP]["24 h"]


@pytest.mark.slow
def test_each_home_has_its_own_false_alerts(settled: Settled) -> None:
    """They add up to those of the report, home by home; a home says its fold and what was found of its own."""
    lived, u = watched(settled, 5)
    whole = report(lived, settled, "caution", u, 70)
    homes = home_scores(lived, settled, {"caution": u, "serious": u}, {"caution": 70, "serious": 700})
    assert sum(h.false["caution"] for h in homes) == whole["false alerts"]
    assert sum(h.days for h in homes) == whole["days"] == 4 * DAYS
    assert [h.household_id for h in homes] == ["a", "b"]
    assert sorted(h.fold for h in homes) == [0, 1]
    assert all(h.found == h.stops > 10 for h in homes)


def test_only_known_days_of_a_record_count(settled: Settled) -> None:
    """Sixty days are left out at the beginning, and what comes after the end; cases begin two days before."""
    columns, cases = len(settled.columns), sum(len(c.cases) for c in settled.columns)
    told = [(i, case) for i in range(columns) for case in settled.columns[i].cases]
    x = np.full((24 * (DAYS + 30), columns, len(NAMES)), 9, F32)
    forks = np.full((144, cases, len(NAMES)), 9, F32)
    lived = Lived(x, forks, np.array([i for i, _ in told]), [case for _, case in told])
    scored = np.isin(lived.of, settled.scored).sum()
    u = unseen(lived, settled, "caution", np.full((len(x), 4), 2, F32), np.full((144, scored), 3, F32))
    there = ~np.isnan(u.mean[:, 0])
    assert np.flatnonzero(there)[[0, -1]].tolist() == [24 * scores.SETTLED_DAYS, 24 * DAYS - 1]
    assert u.cases.shape == (48 + 144, scored)
    assert u.cases[47].max() <= 2 < u.cases[-1].min()

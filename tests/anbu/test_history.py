"""`anbu simulate` and `anbu backtest`: files out, files in, alerts ordered, bad rows told."""

from pathlib import Path

import msgspec
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from anbu import history
from stream.records import Alert
from tests.anbu.conftest import Run
from tests.stream.suspicion_files import csv, rows, uses
from tests.stream.test_suspicion import daily

DAYS = 18


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a small simulated town."""
    from anbu import cli

    folder = tmp_path_factory.mktemp("town")
    with pytest.raises(SystemExit) as ended:
        cli.main(["simulate", "--households", "40", "--days", str(DAYS), "--seed", "3", "--out", str(folder)])
    assert ended.value.code == 0
    return folder


def alerts(path: Path) -> list[Alert]:
    return [msgspec.json.decode(line, type=Alert) for line in path.read_bytes().splitlines()]


def test_simulate_writes_the_files_and_the_truth(town: Path) -> None:
    """Readings, events, enrolments and what really happened."""
    assert {p.name for p in town.iterdir()} == {"meter.parquet", "phone.parquet", "households.jsonl", "truth.csv"}
    assert len((town / "households.jsonl").read_text().splitlines()) == 40


@pytest.mark.slow
def test_backtest_writes_alerts_in_order(run: Run, town: Path) -> None:
    """One JSON object a line, each an alert event, `at` never goes back."""
    said = run("backtest", "--meter", town / "meter.parquet", "--phone", town / "phone.parquet",
               "--households", town / "households.jsonl", "--out", "alerts.jsonl")  # fmt: skip
    assert said.code == 0
    found = alerts(Path("alerts.jsonl"))
    assert len(found) > 10
    times = [a.at for a in found]
    assert times == sorted(times)
    assert "40 households" in said.out
    assert not Path("alerts.jsonl.partial").exists()


@pytest.mark.slow
def test_warnings_shorten_the_limits_of_a_backtest(run: Run, town: Path) -> None:
    """`--warnings`: more is raised, and its reasons say why; a bad line is named and nothing is judged."""
    homes = [msgspec.json.decode(line) for line in (town / "households.jsonl").read_bytes().splitlines()]
    rows = [
        {"area": area, "kind": "cold", "level": 2, "from": "2026-03-03T00:00:00Z", "until": "2026-03-25T00:00:00Z"}
        for area in sorted({h["area"] for h in homes})
    ]
    Path("w.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    files = ("--meter", town / "meter.parquet", "--phone", town / "phone.parquet",
             "--households", town / "households.jsonl")  # fmt: skip
    assert run("backtest", *files, "--out", "plain.jsonl").code == 0
    assert run("backtest", *files, "--warnings", "w.jsonl", "--out", "cold.jsonl").code == 0
    plain, cold = ([a for a in alerts(Path(f)) if a.event == "raised"] for f in ("plain.jsonl", "cold.jsonl"))
    assert len(cold) > len(plain)
    assert "cold_limit" in {r.code for a in cold for r in a.reasons} - {r.code for a in plain for r in a.reasons}
    Path("w.jsonl").write_bytes(msgspec.json.encode({**rows[0], "until": "2027-03-25T00:00:00Z"}))
    said = run("backtest", *files, "--warnings", "w.jsonl", "--out", "no.jsonl")
    assert (said.code, "line 1" in said.err) == (2, True)


@pytest.mark.slow
def test_csv_gives_the_same_as_parquet(run: Run, town: Path) -> None:
    """Naive local times and no column for the interval: the alerts are the same, record for record."""
    meter, phone = pq.read_table(town / "meter.parquet"), pq.read_table(town / "phone.parquet")
    pacsv.write_csv(meter.select(["household_id", "timestamp", "kwh"]), "meter.csv")
    pacsv.write_csv(phone, "phone.csv")
    pq.write_table(meter.select(["household_id", "timestamp", "kwh"]), "meter.parquet")
    assert run("backtest", "--meter", "meter.csv", "--phone", "phone.csv", "--out", "a.jsonl").code == 0
    assert run("backtest", "--meter", "meter.parquet", "--phone", town / "phone.parquet", "--out", "b.jsonl").code == 0
    assert alerts(Path("a.jsonl")) == alerts(Path("b.jsonl"))


@pytest.mark.slow
def test_phone_may_be_left_out(run: Run, town: Path) -> None:
    """A history of meters alone is judged; no alert speaks of a phone that was quiet."""
    assert run("backtest", "--meter", town / "meter.parquet", "--out", "alerts.jsonl").code == 0
    found = alerts(Path("alerts.jsonl"))
    assert found
    assert {r.code for a in found for r in a.reasons}.isdisjoint({"phone_quiet", "phone_quiet_week"})


@pytest.mark.slow
def test_naive_times_are_in_tz(run: Run) -> None:
    """`--tz` moves the alerts by the difference of the zones."""
    rows = [f"a,2026-01-{day:02} {hour:02}:00,0.01" for day in range(1, 6) for hour in range(24)]
    Path("flat.csv").write_text("household_id,timestamp,kwh\n" + "\n".join(rows) + "\n")
    run("backtest", "--meter", "flat.csv", "--out", "a.jsonl", "--tz", "UTC")
    run("backtest", "--meter", "flat.csv", "--out", "b.jsonl", "--tz", "Asia/Seoul")
    first = [alerts(Path(f))[0].at for f in ("a.jsonl", "b.jsonl")]
    assert (first[0] - first[1]).total_seconds() == 9 * 3600


def test_bad_rows_are_counted_and_do_not_stop_it(run: Run) -> None:
    """Each reason with its count and the first lines; the good rows are judged."""
    rows = [f"a,2026-01-01 {h:02}:00,0.2" for h in range(24)]
    rows[3:3] = ["a,2026-01-01 03:30,-1", "a,yesterday,0.2", "a,2026-01-01 04:30,-2"]
    Path("m.csv").write_text("household_id,timestamp,kwh\n" + "\n".join(rows) + "\n")
    said = run("backtest", "--meter", "m.csv", "--out", "o.jsonl")
    assert said.code == 0
    assert "3 rows could not be used" in said.err
    assert "bad_energy: 2" in said.err
    assert "m.csv:5:" in said.err
    assert "24 readings" in said.out


@pytest.mark.parametrize("force", [False, True])
def test_a_home_that_would_be_hidden_is_an_error_and_the_others_are_judged(run: Run, force: bool) -> None:
    """Exit code 1 with the household, its evidence and what to do; `--force` judges it as it is, and says so too."""
    counter = rows(daily(uses(4)), household="hidden")
    Path("m.csv").write_text(csv(rows(uses(4)) + counter))
    said = run("backtest", "--meter", "m.csv", "--out", "o.jsonl", *(["--force"] if force else []))
    assert said.code == (0 if force else 1)
    assert "hidden: 누적 계량값 · a counter" in said.err
    assert ("--force" in said.err) != force
    assert f"{192 if force else 96} readings" in said.out
    assert Path("o.jsonl").exists()


def test_a_file_of_which_nothing_can_be_used_ends_with_an_error(run: Run) -> None:
    """Ids that hold a blank, row by row to the last: no "0 events", and no file of alerts."""
    Path("m.csv").write_text(csv(rows(uses(4), household="home 1")))
    said = run("backtest", "--meter", "m.csv", "--out", "o.jsonl")
    assert said.code == 1
    assert "96 of 96 rows were refused (bad_household)" in said.err
    assert "nothing was judged" in said.err
    assert "home 1" not in said.err + said.out
    assert not Path("o.jsonl").exists()


def test_spreadsheet_hours_and_times_of_ends_are_the_same_history(run: Run) -> None:
    """`0:15` is 00:15, and `--time-is end` reads a file from 01:00 to 24:00 as its twin from 00:00 to 23:00."""
    lines = rows(uses(2))
    Path("m.csv").write_text(csv(lines))
    Path("hours.csv").write_text(csv([(h, t.replace(" 0", " "), k) for h, t, k in lines]))
    Path("ends.csv").write_text(csv([(h, f"{t[:11]}{int(t[11:13]) + 1:02}:00", k) for h, t, k in lines]))
    past = [
        history.load(Path(f"{name}.csv"), None, None, "Asia/Seoul", ends=name == "ends")
        for name in ("m", "hours", "ends")
    ]
    assert [(p.meter.start.tolist(), p.meter.kwh.tolist(), p.exit_code) for p in past[1:]] == [
        (past[0].meter.start.tolist(), past[0].meter.kwh.tolist(), 0)
    ] * 2
    said = run("backtest", "--meter", "ends.csv", "--out", "o.jsonl", "--time-is", "end")
    assert (said.code, "48 readings" in said.out, "24:00" in said.err) == (0, True, False)


def test_a_bad_enrolment_is_not_passed_over(run: Run, town: Path) -> None:
    """An enrolment must not go missing: the line is named and nothing is judged."""
    Path("h.jsonl").write_text('{"household_id": "a"}\n')
    said = run("backtest", "--meter", town / "meter.parquet", "--households", "h.jsonl", "--out", "o.jsonl")
    assert said.code == 2
    assert "h.jsonl: line 1" in said.err


def test_a_run_that_fails_leaves_the_old_output(tmp_path: Path) -> None:
    """The file of alerts is replaced only when it is whole."""
    out = tmp_path / "alerts.jsonl"
    out.write_text("old")
    with pytest.raises(AttributeError), history.alerts_file(out) as write:
        write("no alert")  # type: ignore[arg-type]
    assert out.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["alerts.jsonl"]


def test_the_output_folder_must_exist(run: Run, town: Path) -> None:
    """One line, before anything is read."""
    said = run("backtest", "--meter", town / "meter.parquet", "--out", "no/such/alerts.jsonl")
    assert said.code == 2
    assert "no such file or folder" in said.err


@pytest.mark.parametrize("content", [None, b"no model\n"])
def test_a_model_that_cannot_be_used_is_a_mistake(
    run: Run, town: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    """A setting `model` without a model behind it: exit code 2 and one line with the path, and no file of alerts."""
    if content is not None:
        Path("m.npz").write_bytes(content)
    monkeypatch.setenv("ANBU_MODEL", "m.npz")
    said = run("backtest", "--meter", town / "meter.parquet", "--out", "alerts.jsonl")
    assert said.code == 2
    [line] = [x for x in said.err.splitlines() if x.startswith("anbu: ")]
    assert "m.npz" in line
    assert "anbu train" in line or "No such file" in line
    assert "Traceback" not in said.err
    assert not Path("alerts.jsonl").exists()


@pytest.mark.slow
def test_a_report_is_a_page_and_changes_no_alert(run: Run, town: Path) -> None:
    """`--report`: the same alerts, and one HTML file that counts them; nothing half-written is left."""
    files = ("--meter", town / "meter.parquet", "--phone", town / "phone.parquet",
             "--households", town / "households.jsonl")  # fmt: skip
    assert run("backtest", *files, "--out", "plain.jsonl").code == 0
    assert run("backtest", *files, "--out", "told.jsonl", "--report", "out.html").code == 0
    assert alerts(Path("told.jsonl")) == alerts(Path("plain.jsonl"))
    page = Path("out.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "40 homes" in page
    assert not list(Path().glob("*.partial"))


def test_a_backtest_whose_phone_events_are_all_refused_ends_with_an_error(run: Run, tmp_path: Path) -> None:
    """Six of six with numbers as kinds: the readings are judged, but not as a success."""
    meter, phone = tmp_path / "m.csv", tmp_path / "p.jsonl"
    meter.write_text(csv(rows(uses(3))))
    phone.write_text("".join(
        f'{{"household_id":"h1","at":"2026-03-02T0{kind}:00:00","kind":{kind}}}\n' for kind in range(1, 7)
    ))  # fmt: skip
    said = run("backtest", "--meter", meter, "--phone", phone, "--out", tmp_path / "a.jsonl")
    assert said.code == 1
    assert "no event of it can be used" in said.err
    assert "bad_kind" in said.err + said.out

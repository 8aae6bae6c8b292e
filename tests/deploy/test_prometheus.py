"""The Prometheus configuration: correct by promtool, and speaking of metrics and pages that exist."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from response.metrics import ResponseMetrics
from response.settings import ResponseSettings
from stream.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
NAMES = [rule["alert"] for rule in RULES]


def promtool(*args: str) -> str:
    done = subprocess.run(["promtool", *args], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.promtool
def test_configuration_and_rules_are_valid() -> None:
    """promtool reads the configuration and every rule in it."""
    assert f"SUCCESS: {len(RULES)} rules found" in promtool("check", "config", "prometheus.yml")


@pytest.mark.promtool
def test_rules_fire_and_keep_quiet_as_they_should() -> None:
    """promtool's unit tests of the rules pass."""
    assert "SUCCESS" in promtool("test", "rules", "rules_test.yml")


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(name: str) -> None:
    """No rule is without both cases in rules_test.yml."""
    cases = yaml.safe_load((FOLDER / "rules_test.yml").read_text(encoding="utf-8"))["tests"]
    expected = [
        bool(test["exp_samples"])
        for case in cases
        for test in case.get("promql_expr_test", ())
        if f'alertname="{name}"' in test["expr"]
    ]
    assert True in expected
    assert False in expected


def scraped() -> str:
    """What a worker and the response show."""
    made = (Metrics(CollectorRegistry()), ResponseMetrics(CollectorRegistry()))
    return "".join(generate_latest(metrics.registry).decode() for metrics in made)


def metric_names() -> set[str]:
    """All series names of our processes: known by their HELP lines, histograms by their parts too."""
    text = scraped()
    names = set(re.findall(r"^# HELP (\w+)", text, re.M))
    histograms = re.findall(r"^# TYPE (\w+) histogram", text, re.M)
    return names | {f"{name}_{part}" for name in histograms for part in ("bucket", "count", "sum")} | {"up"}


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_metrics_in_the_rule_exist(rule: dict[str, Any]) -> None:
    """A rule on a metric that nobody writes would never fire."""
    used = set(re.findall(r"\b(?:anbu|process)_\w+", re.sub(r'"[^"]*"', "", rule["expr"]))) | (
        {"up"} & set(re.findall(r"\bup\b", rule["expr"]))
    )
    assert used
    assert used <= metric_names()


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_rule_says_in_both_languages_what_is_wrong_and_where_to_read_on(rule: dict[str, Any]) -> None:
    """Severity, summary in Korean and English, description, and a paragraph of docs/operations.md."""
    notes = rule["annotations"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert re.search(r"[가-힣]", notes["summary_ko"])
    assert notes["summary"]
    assert notes["description"]
    page, _, anchor = notes["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.M)
    assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


def test_no_two_processes_have_one_name_for_two_things() -> None:
    """A metric of the stream and one of the response never share a name, but for what every process shows."""
    stream, response = (
        set(re.findall(r"^# HELP (anbu_\w+)", generate_latest(made.registry).decode(), re.M))
        for made in (Metrics(CollectorRegistry()), ResponseMetrics(CollectorRegistry()))
    )
    assert stream & response == {"anbu_http_refused_total"}  # by listener, each of one process


def test_every_process_is_scraped_by_its_job() -> None:
    """The job names that the rules select by are those of the configuration; the response's port is the setting's."""
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"]
        for job in yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    }
    used = {name for rule in RULES for name in re.findall(r'job="([^"]+)"', rule["expr"])}
    assert used <= set(jobs)
    assert jobs["anbu-response"] == [f"127.0.0.1:{ResponseSettings().metrics_port}"]


def test_every_metric_is_explained() -> None:
    """docs/operations.md names each metric of ours."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    text = scraped()
    ours = set(re.findall(r"^# HELP (anbu_\w+)", text, re.M))
    assert {name for name in ours if f"`{name}" not in page} == set()

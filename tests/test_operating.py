"""docs/operating.md and compose/prometheus speak of the metrics that there are, and Prometheus takes them."""

import re
import shutil
import subprocess
from pathlib import Path

import yaml
from prometheus_client import Metric

from storage.metrics import Metrics
from tests.real.conftest import missing

ROOT = Path(__file__).parents[1]
OPERATING = (ROOT / "docs/operating.md").read_text()
PROMETHEUS = ROOT / "compose/prometheus"
RULES = (PROMETHEUS / "logdock.rules.yml").read_text()

ROW = re.compile(r"^\| `(logdock_\w+)`", re.MULTILINE)
USED = re.compile(r"\blogdock_\w+")
ALERT = re.compile(r"\*\*(Logdock[A-Za-z, ]+)\.?\*\*")


def shown(metric: Metric) -> str:
    """The name as /metrics shows it, without what a histogram appends."""
    return metric.name + "_total" if metric.type == "counter" else metric.name


def metrics() -> set[str]:
    return {shown(metric) for metric in Metrics().registry.collect()}


def test_every_metric_is_explained_and_no_other() -> None:
    assert set(ROW.findall(OPERATING)) == metrics()


def test_text_and_rules_use_metrics_that_there_are() -> None:
    known = metrics()
    series = known | {f"{name}_{part}" for name in known for part in ("bucket", "sum", "count")}
    for text in (OPERATING, RULES):
        assert set(USED.findall(text)) - series == set()


def test_every_alert_is_explained_and_no_other() -> None:
    rules = yaml.safe_load(RULES)["groups"][0]["rules"]
    runbook = OPERATING.partition("## When it is red")[2].partition("\n## ")[0]
    told = {name.strip() for match in ALERT.findall(runbook) for name in match.split(",")}
    assert {rule["alert"] for rule in rules} == told


def test_prometheus_takes_the_files_and_the_alerts_fire() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        missing("promtool (Debian package prometheus)")
    for arguments in (("check", "config", "prometheus.yml"), ("test", "rules", "logdock.rules.test.yml")):
        ran = subprocess.run(
            [str(promtool), *arguments],
            cwd=PROMETHEUS, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr

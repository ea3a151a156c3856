"""Alerts that last at the same time are all in the status and the metrics, and every receiver gets each of them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from kherd.testing.herd import Herd
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.statsd import StatsdServer
from kherd.testing.story import PRELUDE, put, tables, wait_committed
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

from ..fakes.receiver import Receiver, receiver
from .test_dead_letter_alert import passed

ROOT = Path(__file__).resolve().parents[2]
CALM = {"PYTHONPATH": str(ROOT), "CALMER": "0.5"}
HANDLER = f"""{PRELUDE}
def handle(message):
    if message.value() == b"bad":
        raise ProcessingError("bad")
"""
BOTH = ["dead_letters", "error_rate"]


def test_two_alerts(kafka: Cluster, topic: NewTopic, herd: NewHerd, statsd: StatsdServer, tmp_path: Path) -> None:
    # Given a herd of which half of the calls fail
    name, book = topic(1), tmp_path / "book"
    put(kafka, name, *[b"good", b"bad"] * 60)
    with receiver() as server:
        more: dict[str, Any] = {
            "workers": {"count": 1},
            "metrics": {"statsd": statsd.address, "prefix": "two"},
            "dead_letter": {"alert_above": 10},
            "alerts": {"webhook": server.url(), "command": ["sh", "-c", f"cat >> {book}"], "error_rate_above": 0.4},
        }
        within = (sys.executable, "-m", "tests.fakes.calmer")
        one = herd(tables(kafka, name, **more), HANDLER, env=CALM, within=within)

        # Then both alerts are shown, and told to both receivers
        status = one.wait_status(lambda status: len(status["alerts"]) == len(BOTH))
        assert sorted(row["name"] for row in status["alerts"]) == BOTH
        assert [problem.split()[:2] for problem in status["problems"]] == [
            ["alert", row["name"]] for row in status["alerts"]
        ]
        assert all(f"alert {alert} since" in shown(one) for alert in BOTH)
        gauges = [f"two.{status['app']}.alerts.{alert}.active" for alert in BOTH]
        until(lambda: [statsd.gauges().get(gauge) for gauge in gauges] == [1, 1], 20, "the metrics of both")
        until(
            lambda: told(server, book) == [[[alert, "raised"] for alert in BOTH]] * 2, 20, "two receivers of two alerts"
        )

        # When the dead letters are dealt with, then the one is over and the other lasts
        passed(kafka, f"{one.settings['app']['name']}.dlq", f"dlq.{name}", 60)
        one.wait_event("alert_cleared", alert="dead_letters")
        assert [row["name"] for row in one.status()["alerts"]] == ["error_rate"]

        # When enough goes well, then the other is over too
        put(kafka, name, *[b"good"] * 400)
        wait_committed(kafka, one, name, {0: 520})
        one.wait_event("alert_cleared", alert="error_rate")
        everything = [[alert, state] for alert in BOTH for state in ("raised", "cleared")]
        until(lambda: told(server, book) == [sorted(everything)] * 2, 20, "two receivers of everything")
        until(lambda: [statsd.gauges().get(gauge) for gauge in gauges] == [0, 0], 20, "the metrics of none")
        assert one.status()["alerts"] == []
        one.stop()


def told(server: Receiver, book: Path) -> list[list[list[str]]]:
    """Return the alerts and states that each of the two receivers was told, sorted."""
    text = book.read_text() if book.exists() else ""
    written = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    return [sorted([one["alert"], one["state"]] for one in documents) for documents in (server.accepted, written)]


def shown(herd: Herd) -> str:
    """Return what `kherd status` shows a person."""
    command = [sys.executable, "-m", "kherd", "status", "-c", str(herd.config)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=herd.env, timeout=30).stdout

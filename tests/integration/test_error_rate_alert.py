"""Too large a share of failing calls raises an alert; `Skip` is no failure; calls that go well clear it.

That takes a minute of calm, which is waited for in a full run.
"""

import json
from pathlib import Path
from typing import Any

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.results import FULL
from kherd.testing.story import PRELUDE, put, tables, wait_committed
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

HANDLER = f"""{PRELUDE}
def handle(message):
    if message.value() == b"bad":
        raise ProcessingError("bad")
    if message.value() == b"skip":
        raise Skip
"""
CALM = 60.0


def test_error_rate_alert(kafka: Cluster, topic: NewTopic, herd: NewHerd, tmp_path: Path) -> None:
    # Given a herd that bears one failed call in a hundred; of 400 one has failed, and many were skipped
    name, book = topic(1), tmp_path / "book"
    put(kafka, name, *[b"skip"] * 100, b"bad", *[b"good"] * 299)
    alerts = {"command": ["sh", "-c", f"cat >> {book}"]}
    one = herd(tables(kafka, name, workers={"count": 1}, alerts=alerts), HANDLER)
    wait_committed(kafka, one, name, {0: 400})
    one.wait_status(lambda status: status["totals"]["calls"] == 400)
    assert one.status()["alerts"] == []

    # When nine more fail, then it is told everywhere
    put(kafka, name, *[b"bad"] * 9)
    event = one.wait_event("alert_raised")
    assert (event["level"], event["alert"], event["threshold"]) == ("error", "error_rate", 0.01)
    assert 0.01 < event["value"] <= 10 / 400
    [row] = one.wait_status(lambda status: status["alerts"])["alerts"]
    assert row["name"] == "error_rate"
    assert row["summary"].startswith("failed handler calls: 2.")
    until(lambda: [told["alert"] for told in written(book)] == ["error_rate"], 20, "the command")

    # When thousands go well, then after a minute it is over
    put(kafka, name, *[b"good"] * 4_000)
    one.wait_status(lambda status: status["totals"]["calls"] == 4_409)
    if FULL:
        one.wait_event("alert_cleared", CALM + 30)
        until(lambda: [told["state"] for told in written(book)] == ["raised", "cleared"], 20, "the all-clear")
    one.stop()
    assert len(one.events("alert_raised")) == 1


def written(book: Path) -> list[Any]:
    """Return what the command was given so far; it may be at it."""
    text = book.read_text() if book.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

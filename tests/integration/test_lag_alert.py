"""A real backlog raises the lag alert in the log, the status, the metric and at a webhook; worked off, it clears it.

That takes a minute of calm, which is waited for in a full run.
"""

from typing import Any

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.results import FULL
from kherd.testing.statsd import StatsdServer
from kherd.testing.story import PRELUDE, handled, put, switch, tables
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

from ..fakes.receiver import receiver

HANDLER = f"""{PRELUDE}
def handle(message):
    if not SWITCH.on:
        raise ConnectionError("the database is away")
    LEDGER.write(message)
"""
CALM = 60.0


def test_lag_alert(kafka: Cluster, topic: NewTopic, herd: NewHerd, statsd: StatsdServer) -> None:
    # Given a herd that can handle nothing for now, and a hundred records: as many as are borne
    name = topic(2)
    put(kafka, name, *[b"x"] * 100)
    errors = {"backoff_initial": 0.2, "backoff_max": 0.5, "on_exhausted": "hold"}
    more: dict[str, Any] = {
        "workers": {"count": 1},
        "errors": errors,
        "metrics": {"statsd": statsd.address, "prefix": "alerted"},
    }
    with receiver() as server:
        alerts = {"webhook": server.url(), "error_rate_above": 1.0}
        config = tables(kafka, name, **more, alerts=alerts, lag={"interval": 0.2, "alert_above": 100})
        one = herd(config, HANDLER)
        status = one.wait_status(lambda status: status["lag"]["total"] == 100)
        metric = f"alerted.{status['app']}.alerts.lag.active"
        until(lambda: statsd.gauges().get(metric) == 0, 20, "the metric of an alert that is not active")
        assert status["alerts"] == []

        # When there are 500, then the alert is everywhere
        put(kafka, name, *[b"x"] * 400, partition=1)
        event = one.wait_event("alert_raised")
        assert (event["level"], event["alert"], event["value"], event["threshold"]) == ("error", "lag", 500, 100)
        status = one.wait_status(lambda status: status["alerts"])
        assert (status["alerts"][0]["name"], status["alerts"][0]["value"]) == ("lag", 500)
        assert status["problems"][0].endswith("lag 500 records, raised above 100 records")
        until(lambda: statsd.gauges().get(metric) == 1, 20, "the metric of an active alert")
        one.wait_event("alert_delivered")

        # When they are worked off, then it lasts for a minute more, and is over
        switch(one).turn_on()
        handled(one, 500)
        status = one.wait_status(lambda status: status["lag"]["total"] == 0)
        assert status["alerts"][0]["name"] == "lag"
        if not FULL:
            one.stop()
            return
        one.wait_event("alert_cleared", CALM + 30)
        one.wait_event("alert_delivered", count=2)
        until(lambda: statsd.gauges().get(metric) == 0, 20, "the metric of an alert that is over")
        assert [document["state"] for document in server.accepted] == ["raised", "cleared"]
        assert one.status()["alerts"] == []
        one.stop()
    assert len(one.events("alert_raised")) == len(one.events("alert_cleared")) == 1
    assert one.events("alert_failed") == []

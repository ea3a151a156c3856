"""What an alert leads to: a line, a row in the status, a problem, a document; the same for every rule of the table."""

from io import StringIO
from typing import Any

import pytest

from kherd.supervisor.alarms import Alarms
from kherd.supervisor.config.schema import Settings
from kherd.supervisor.decide.alerts import Rule
from kherd.worker import log
from kherd.worker.spec import LogSpec

from ..fakes.configs import settings


class Place:
    """Alarms with the rules `lag` and `other`, which need no calm to clear."""

    def __init__(self) -> None:
        self.settings = settings("lag.alert_above = 100")
        self.delivered: list[dict[str, Any]] = []
        self.lines = StringIO()
        log.configure(LogSpec(), log.Identity(), stream=self.lines)
        rules = {"lag": self._lag, "other": lambda _: Rule("other", 1, 0, "others", "{:.1%}", readings=1, calm=0)}
        self.alarms = Alarms(lambda: self.settings, "host1", self.delivered.append, rules)

    def _lag(self, settings: Settings) -> Rule:
        return Rule("lag", settings.lag.alert_above, settings.lag.alert_above // 2, "lag", "{:,} records", calm=0)


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_raised_alert_is_logged_listed_and_delivered(place: Place) -> None:
    place.alarms.read("lag", 1500)
    assert (place.alarms.document(), place.delivered) == ([], [])
    place.alarms.read("lag", 2500)
    [document] = place.delivered
    assert document == {
        "version": 1,
        "alert": "lag",
        "state": "raised",
        "app": "orders",
        "instance": "host1",
        "host": document["host"],
        "at": document["since"],
        "since": document["since"],
        "value": 2500,
        "threshold": 100,
        "summary": "lag 2,500 records, above 100 records",
    }
    [row] = place.alarms.document()
    assert row == {
        "name": "lag",
        "since": document["since"],
        "value": 2500,
        "threshold": 100,
        "summary": "lag 2,500 records, raised above 100 records",
    }
    since = document["since"]
    assert place.alarms.problems() == [f"alert lag since {since}: lag 2,500 records, raised above 100 records"]
    assert '"event": "alert_raised"' in place.lines.getvalue()


def test_while_it_lasts_its_last_known_value_is_shown(place: Place) -> None:
    for value in (200, 200, 70, None):
        place.alarms.read("lag", value)
    assert place.alarms.document()[0]["value"] == 70
    assert len(place.delivered) == 1


def test_a_cleared_alert_is_logged_and_delivered_and_listed_no_more(place: Place) -> None:
    for value in (200, 200, 50):
        place.alarms.read("lag", value)
    raised, cleared = place.delivered
    assert (cleared["state"], cleared["value"], cleared["since"]) == ("cleared", 50, raised["since"])
    assert cleared["summary"] == "lag 50 records, at most 50 records for 0 s"
    assert (place.alarms.document(), place.alarms.problems()) == ([], [])
    assert '"event": "alert_cleared"' in place.lines.getvalue()


def test_a_reload_is_in_force_at_the_next_reading(place: Place) -> None:
    place.alarms.read("lag", 60)
    place.settings = settings("lag.alert_above = 50")
    place.alarms.read("lag", 60)
    assert place.delivered == []
    place.alarms.read("lag", 60)
    assert place.delivered[0]["threshold"] == 50
    place.settings = settings("lag.alert_above = 1000")
    place.alarms.read("lag", 60)
    assert place.delivered[1]["state"] == "cleared"


def test_alerts_do_not_disturb_each_other(place: Place) -> None:
    place.alarms.read("other", 2.0)
    for value in (200, 200, 10):
        place.alarms.read("lag", value)
    assert [row["name"] for row in place.alarms.document()] == ["other"]
    assert place.delivered[0]["summary"] == "others 200.0%, above 100.0%"

"""Alerts are kept until the exporter is done with them, whatever becomes of exporters meanwhile."""

import json
from io import StringIO
from typing import Any

import pytest

from kherd.supervisor.children.exporter.spec import MOST_WAITING
from kherd.supervisor.deliveries import Deliveries
from kherd.worker import log
from kherd.worker.spec import LogSpec

BOTH = ["webhook", "command"]


class Office:
    """Deliveries, and what was said to the exporter."""

    def __init__(self, *targets: str) -> None:
        self.targets = list(targets)
        self.said: list[dict[str, Any]] = []
        self.lines = StringIO()
        log.configure(LogSpec(), log.Identity(), stream=self.lines)
        self.deliveries = Deliveries(lambda: self.targets, self.said.append)

    def ready(self) -> None:
        self.deliveries.hear({"type": "ready"})

    def done(self, number: int, target: str) -> None:
        self.deliveries.hear({"type": "alert_done", "id": number, "target": target})

    def told(self) -> list[tuple[int, list[str]]]:
        told = [(one["id"], one["to"]) for one in self.said if one["type"] == "alert"]
        self.said.clear()
        return told

    def failures(self) -> list[tuple[str, str, str]]:
        lines = map(json.loads, self.lines.getvalue().splitlines())
        return [(line["state"], line["target"], line["reason"]) for line in lines if line["event"] == "alert_failed"]


def alert(state: str = "raised") -> dict[str, Any]:
    return {"alert": "lag", "state": state}


@pytest.fixture
def office() -> Office:
    return Office(*BOTH)


def test_without_a_target_there_is_nothing_to_deliver() -> None:
    office = Office()
    office.deliveries.post(alert())
    office.ready()
    assert (office.told(), len(office.deliveries)) == ([], 0)


def test_an_exporter_that_is_only_starting_is_told_when_it_is_there(office: Office) -> None:
    office.deliveries.post(alert())
    assert office.told() == []
    office.ready()
    assert office.told() == [(1, ["command", "webhook"])]
    office.deliveries.post(alert("cleared"))
    assert office.told() == [(2, ["command", "webhook"])]


def test_the_next_exporter_is_told_what_was_not_acknowledged_in_order(office: Office) -> None:
    office.ready()
    for state in ("raised", "cleared", "raised"):
        office.deliveries.post(alert(state))
    office.done(1, "webhook")
    office.done(2, "webhook")
    office.done(2, "command")
    office.told()
    office.deliveries.interrupted()
    office.ready()
    assert office.told() == [(1, ["command"]), (3, ["command", "webhook"])]
    office.done(1, "command")
    office.done(1, "command")
    office.done(99, "command")
    assert len(office.deliveries) == 1


def test_a_target_that_is_not_configured_any_more_is_given_up(office: Office) -> None:
    office.ready()
    office.deliveries.post(alert())
    office.targets = ["command"]
    office.deliveries.interrupted()
    office.told()
    office.ready()
    assert office.told() == [(1, ["command"])]
    assert office.failures() == [("raised", "webhook", "it is not configured any more")]
    office.targets = []
    office.deliveries.interrupted()
    assert len(office.deliveries) == 0
    assert ("raised", "command", "it is not configured any more") in office.failures()


def test_of_too_many_the_oldest_is_given_up_and_told(office: Office) -> None:
    for _ in range(MOST_WAITING + 1):
        office.deliveries.post(alert())
    assert len(office.deliveries) == MOST_WAITING
    assert [target for _, target, _ in office.failures()] == ["command", "webhook"]
    office.ready()
    assert office.told()[0][0] == 2


def test_what_is_left_at_the_end_is_told(office: Office) -> None:
    office.ready()
    office.deliveries.post(alert())
    office.done(1, "command")
    office.deliveries.abandon("kherd has stopped")
    office.deliveries.abandon("kherd has stopped")
    assert office.failures() == [("raised", "webhook", "kherd has stopped")]


def test_an_exporter_is_told_when_it_must_have_ended(office: Office) -> None:
    office.deliveries.ending(12.5)
    assert office.said == [{"type": "ending", "deadline": 12.5}]

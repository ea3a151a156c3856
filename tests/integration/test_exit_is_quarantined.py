"""A record at which the handler ends its process, with whatever exit code, is put aside; no slot is held for it."""

import pytest

from kherd.testing.killers import BATCH, DEATHS, RECORD, again, deaths, expect, feed, many, origin, said, settle
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import tables
from kherd.testing.topics import Cluster

HANDLERS = {"record": RECORD, "batch": BATCH}


@pytest.mark.parametrize("mode", ["record", "batch"])
def test_exits_among_many_records(kafka: Cluster, topic: NewTopic, herd: NewHerd, mode: str) -> None:
    # Given a herd, and records at which the handler ends the process: as any, and as one that cannot be helped
    name, number = topic(2), many()
    killers = {0: [(number // 3, b"exit")], 1: [(number // 2, b"permanent")]}
    workers = {"count": 2, "mode": mode, "batch_size": 50}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers=workers), HANDLERS[mode])
    settle(kafka, one, name, 2, 2)

    # When it consumes them
    feed(kafka, name, killers, number)
    letters = expect(kafka, one, name, killers, number, f"exit_{mode}")

    # Then each is put aside after three deaths of its own, with its exit code
    together = mode == "batch"
    codes = {origin(letter)[0]: said(letter)["kherd.exit.code"] for letter in letters}
    assert codes == {0: "7", 1: "100"}
    assert {said(letter)["kherd.disposition"] for letter in letters} == {"crash_quarantine"}
    assert set(deaths(one).values()) == {DEATHS + together}

    # and both slots have their worker, which no backoff has kept
    status = one.wait_ready(2)
    assert status["deaths"] == {"exit:7": DEATHS + together, "exit:100": DEATHS + together}
    one.stop()
    assert again(one) == {}
    assert one.events("child_held") == one.events("child_backoff") == []

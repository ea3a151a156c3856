"""The next supervisor counts a record's deaths on: kill -9 of the one before, between two of them, forgets none."""

import json

from kherd.testing.killers import DEATHS, RECORD, deaths, expect, feed, settle
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import tables
from kherd.testing.topics import Cluster

KILLER, NUMBER = 5, 10
RISE = """
import pathlib

def may(message):
    gate = pathlib.Path(f"{LEDGER_PATH}.gate")
    while message.value() in ENDS and not gate.exists():
        time.sleep(0.01)
    if message.value() in ENDS:
        gate.unlink()

def handle(message):
    may(message)
    meet(message)
    LEDGER.write(message)
"""


def test_a_count_outlives_its_supervisor(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a killer that has killed once, and is about to be tried again
    name = topic(1)
    killers = {0: [(KILLER, b"segfault")]}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers={"count": 1}), RECORD + RISE)
    gate = one.ledger.with_name(f"{one.ledger.name}.gate")
    settle(kafka, one, name, 1, 1)
    feed(kafka, name, killers, NUMBER)
    for death in range(1, DEATHS):
        gate.touch()
        one.wait_event("suspected", first=KILLER, crashes=death)
        [suspect] = one.wait_status(lambda status: status["suspects"])["suspects"]
        assert (suspect["first"], suspect["cause"]) == (KILLER, "SIGSEGV, not sent by kherd")
        one.wait_status(lambda status: status["slots"][0]["in_flight"], what="the killer to be tried again")

        # When the supervisor is killed, and its worker with it
        kept = json.loads((one.state / "suspects.json").read_text())
        assert [row["crashes"] for row in kept["suspects"]] == [death]
        one.kill()
        one.start()

        # Then the next one knows what was counted, and has counted nothing for the death that came with its own
        one.wait_status(lambda status: status["slots"] and status["slots"][0]["in_flight"])
        assert [row["crashes"] for row in one.status()["suspects"]] == [death]

    # and the third death is the last
    gate.touch()
    [_] = expect(kafka, one, name, killers, NUMBER, "across_supervisors")
    assert deaths(one) == {(0, KILLER): DEATHS}
    one.wait_status(lambda status: not status["suspects"])
    assert not (one.state / "suspects.json").exists()
    one.stop()

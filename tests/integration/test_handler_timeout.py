"""A handler that hangs shows its stacks, may end by itself (TERM), and is killed; its record is delivered again."""

from datetime import datetime

from kherd.testing import ledger
from kherd.testing.herd import Herd
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.results import report
from kherd.testing.story import PRELUDE, handled, put, shared, switch, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def an_endless_wait():
    while not SWITCH.on:
        time.sleep(0.05)

def a_wait_for_the_end():
    while not context().stopping:
        time.sleep(0.02)

def handle(message):
    LEDGER.write(message)
    if message.value() == b"hang":
        an_endless_wait()
    elif message.value() == b"slow":
        a_wait_for_the_end()
"""
ENDED = {"hang": "killed by kherd: the handler", "slow": "drained after TERM: the handler"}


def test_hangs(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given two workers, and records at which the handler of one hangs: for good, and until it is asked to end
    name = topic(2)
    put(kafka, name, b"0")
    workers = {"count": 2, "handler_timeout": 1.5}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers=workers), HANDLER)
    one.wait_status(shared)
    wait_committed(kafka, one, name, {0: 1})
    put(kafka, name, b"hang", b"2")
    victim = handled(one, 2).entries[-1]

    # When its time is over, then its stack is logged, then it is killed, and the death has its name
    died = one.wait_event("child_died", child_pid=victim.pid)
    switch(one).turn_on()
    assert f"{name}[0]@1" in died["message"]
    assert "over handler_timeout 1.5 s" in died["message"]
    assert ENDED["hang"] in died["message"]
    assert _order(one, victim.pid) == ["child_hangs", "child_stacks", "child_killed", "child_died"]
    report("hang", {"seen_to_killed": round(_time(one, "child_killed") - _time(one, "child_hangs"), 3)})
    stacks = one.wait_event("child_stacks", child_pid=victim.pid)
    assert "an_endless_wait" in stacks["stacks"]
    left = one.wait_event("unfinished")
    assert (left["topic"], left["partition"], left["first"], left["last"]) == (name, 0, 1, 1)

    # and its successor handles the record again, everything after it in order, and the other worker saw nothing of it
    wait_committed(kafka, one, name, {0: 3})
    one.wait_ready(2)

    # When a call that is only slow returns in the second that it gets, then what it did counts, and the death as well
    put(kafka, name, b"slow", b"4")
    slow = handled(one, 5).entries[-1]
    died = one.wait_event("child_died", child_pid=slow.pid)
    assert ENDED["slow"] in died["message"]
    assert _order(one, slow.pid) == ["child_hangs", "child_stacks", "child_died"]
    wait_committed(kafka, one, name, {0: 5})
    status = one.wait_ready(2)
    assert status["deaths"] == {"hang": 2}
    assert status["restarts"] == 2
    assert sorted(slot["restarts"] for slot in status["slots"]) == [0, 2]
    one.stop()
    assert len(one.events("unfinished")) == 1
    record = ledger.read(one.ledger)
    assert record.duplicates() == {(name, 0, 1): 2}
    assert record.disorder() == []


def _order(one: Herd, pid: int) -> list[str]:
    """Return what was said of a worker's end, in order; how long a part of it took is the loop's business."""
    told = {"child_hangs", "child_stacks", "child_killed", "child_died"}
    return [str(event["event"]) for event in one.events(child_pid=pid) if event["event"] in told]


def _time(one: Herd, event: str) -> float:
    return datetime.fromisoformat(str(one.events(event)[0]["time"])).timestamp()

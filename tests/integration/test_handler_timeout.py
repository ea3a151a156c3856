"""A handler that hangs past handler_timeout is killed after its stacks are logged; its record is delivered again."""

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, handled, put, shared, switch, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def an_endless_wait():
    while not SWITCH.on:
        time.sleep(0.05)

def handle(message):
    LEDGER.write(message)
    if message.value() == b"hang":
        an_endless_wait()
"""


def test_hang(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given two workers, and a record at which the handler of one hangs
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
    stacks = one.wait_event("child_stacks", child_pid=victim.pid)
    assert "an_endless_wait" in stacks["stacks"]
    assert "hang" in one.wait_status(lambda status: status["deaths"])["deaths"]
    assert f"{name}[0]@1" in died["message"]
    assert "over handler_timeout 1.5 s" in died["message"]
    left = one.wait_event("unfinished")
    assert (left["topic"], left["partition"], left["first"], left["last"]) == (name, 0, 1, 1)

    # and its successor handles the record again, everything after it in order, and the other worker saw nothing of it
    wait_committed(kafka, one, name, {0: 3})
    status = one.wait_ready(2)
    one.stop()
    assert one.events("child_stacks") == [stacks]
    assert one.events("unfinished") == [left]
    record = ledger.read(one.ledger)
    assert record.duplicates() == {(name, 0, 1): 2}
    assert record.disorder() == []
    assert victim.pid not in {entry.pid for entry in record.at(name, 0)[2:]}
    assert sorted(slot["restarts"] for slot in status["slots"]) == [0, 1]
    assert status["restarts"] == 1

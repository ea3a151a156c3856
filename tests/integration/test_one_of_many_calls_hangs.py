"""Of calls beside each other the one that hangs is killed with its process and named; the others went on until then."""

import pytest

from kherd.testing.keyed import ends, workers
from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, put, switch, tables, wait_committed
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

THREADS = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message, note="began")
    while message.value() == b"hang" and not SWITCH.on:
        time.sleep(0.02)
    LEDGER.write(message)
"""
COROUTINES = f"""{PRELUDE}
import asyncio

async def handle(message):
    LEDGER.write(message, note="began")
    while message.value() == b"hang" and not SWITCH.on:
        await asyncio.sleep(0.02)
    LEDGER.write(message)
"""


@pytest.mark.parametrize("source", [THREADS, COROUTINES], ids=["threads", "coroutines"])
def test_a_hang(kafka: Cluster, herd: NewHerd, topic: NewTopic, source: str) -> None:
    # Given records of many keys, and one at which the handler hangs
    name = topic(1)
    one = herd(tables(kafka, name, workers=workers(1, 8, handler_timeout=1.5)), source)
    put(kafka, name, b"0", b"1", key=b"a")
    wait_committed(kafka, one, name, {0: 2})
    put(kafka, name, b"hang", b"later", key=b"b")
    put(kafka, name, *[b"%d" % n for n in range(50)], key=b"c")

    # When it hangs, then the others are handled all the same
    until(lambda: len(ends(read(one.ledger)).records) == 52, 10, "the other keys")
    assert one.events("child_hangs") == []

    # When its time is over, then it is named, and its process killed
    died = one.wait_event("child_died")
    switch(one).turn_on()
    assert f"{name}[0]@2" in died["message"]
    assert "over handler_timeout 1.5 s" in died["message"]
    left = one.wait_event("unfinished")
    assert (left["topic"], left["partition"], left["first"], left["last"]) == (name, 0, 2, 2)

    # and nothing else is handled again
    wait_committed(kafka, one, name, {0: 54})
    one.stop()
    assert len(one.events("unfinished")) == 1
    handled = read(one.ledger)
    assert [entry.offset for entry in handled.entries if entry.key == b"b"] == [2, 2, 2, 3, 3]
    assert ends(handled).duplicates() == {}

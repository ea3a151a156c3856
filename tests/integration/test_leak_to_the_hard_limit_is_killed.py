"""A worker that grows over memory_hard is killed with that cause and comes back at once; the others notice nothing."""

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.scenes import standings
from kherd.testing.story import PRELUDE, handled, put, shared, switch, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
LEAK = []

def handle(message):
    LEDGER.write(message)
    while message.value() == b"leak" and not SWITCH.on:
        LEAK.append(os.urandom(1 << 20) * 10)
        time.sleep(0.02)
"""


def test_a_leak(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given two workers, and a record at which the handler of one takes more and more memory
    name = topic(2)
    limits = {"memory_hard": "150MiB"}
    one = herd(tables(kafka, name, app={"instance": "here"}, workers={"count": 2}, limits=limits), HANDLER)
    before = standings(one.wait_status(shared))
    put(kafka, name, b"leak", b"1")
    put(kafka, name, b"x", partition=1)
    victim = next(entry.pid for entry in handled(one, 2).entries if entry.partition == 0)

    # When it is over the limit, then it is killed, and the death has its name
    died = one.wait_event("child_died", child_pid=victim)
    switch(one).turn_on()
    assert "killed by kherd: memory_hard: " in died["message"]
    assert "PSS over 150 MiB" in died["message"]

    # and its successor goes on at once where it was, and the other has seen nothing
    wait_committed(kafka, one, name, {0: 2, 1: 1})
    status = one.wait_ready(2)
    slot = next(index for index, (pid, *_) in before.items() if pid == victim)
    assert standings(status)[1 - slot] == before[1 - slot]
    assert (status["deaths"], status["restarts"], status["recycled"]) == ({"memory": 1}, 1, {})
    one.stop()
    assert one.events("child_hangs") == one.events("child_backoff") == []
    assert ledger.read(one.ledger).duplicates() == {(name, 0, 0): 2}

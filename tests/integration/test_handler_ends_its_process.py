"""Whatever way a handler ends its own process, the cause is named and counted, and the slot has a new one at once."""

from kherd.testing import ledger
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import PRELUDE, handled, put, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
import ctypes, signal, sys

ENDS = {{
    b"_exit": lambda: os._exit(7),
    b"segfault": lambda: ctypes.string_at(0),
    b"abort": os.abort,
    b"kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"_exit 0": lambda: os._exit(0),
}}

def handle(message):
    value = message.value()
    again = os.path.exists(f"{{LEDGER_PATH}}.{{message.offset()}}")
    LEDGER.write(message)
    open(f"{{LEDGER_PATH}}.{{message.offset()}}", "w").close()
    if value in ENDS and not again:
        ENDS[value]()
    if value == b"sys.exit" and not again:
        sys.exit(3)
"""
ENDS = (b"_exit", b"segfault", b"abort", b"kill", b"_exit 0")
KINDS = {"exit:7": 1, "signal:SEGV": 1, "signal:ABRT": 1, "signal:KILL": 1, "exit:0": 1}


def test_ends(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a worker whose handler ends the process in every way there is, at the first sight of a record
    name = topic(1)
    config = tables(
        kafka,
        name,
        app={"instance": "here"},
        workers={"count": 1},
        restart={"backoff_max": 0.2},
        errors={"backoff_initial": 0.05},
    )
    one = herd(config, HANDLER)
    pids = {one.wait_ready(1)["slots"][0]["pid"]}

    # When it comes to each, then the death is told with its cause, and the record is delivered to the next process
    for number, end in enumerate(ENDS):
        put(kafka, name, end)
        wait_committed(kafka, one, name, {0: number + 1})
        one.wait_event("child_died", count=number + 1)
        pids.add(one.wait_ready(1)["slots"][0]["pid"])
    assert len(pids) == len(ENDS) + 1
    causes = [event["cause"] for event in one.events("child_died")]
    assert causes[0] == "exit 7"
    assert causes[1].startswith("SIGSEGV")
    assert causes[2].startswith("SIGABRT")
    assert causes[3].startswith("SIGKILL, not sent by kherd")
    assert causes[4] == "exit 0 without being asked"
    [crash] = [event for event in one.events("child_stacks") if "Segmentation fault" in event["stacks"]]
    assert "in handle" in crash["stacks"]

    # sys.exit() is an exception like any other: the record is retried by the same process
    put(kafka, name, b"sys.exit")
    wait_committed(kafka, one, name, {0: len(ENDS) + 1})
    assert len(one.events("child_died")) == len(ENDS)
    [retried] = one.events("record_retried")
    assert "SystemExit: 3" in retried["message"]

    # and the status counts them by cause
    status = one.wait_ready(1)
    assert {kind: n for kind, n in status["deaths"].items() if kind != "stop"} == KINDS
    assert status["restarts"] == len(ENDS)
    one.stop()
    record = ledger.read(one.ledger)
    assert record.duplicates() == {(name, 0, number): 2 for number in range(len(ENDS) + 1)}
    assert handled(one, 12).disorder() == []

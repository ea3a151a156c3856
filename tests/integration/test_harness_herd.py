"""The harness' herd driver sees what a herd does, and leaves no process of it behind."""

import signal
from pathlib import Path

import pytest

from kherd.testing import ledger
from kherd.testing.embedded import EmbeddedCluster
from kherd.testing.herd import Herd, HerdError
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.wait import until

HANDLER = """
from kherd.testing.ledger import Ledger
ledger = Ledger(LEDGER_PATH)
def handle(message):
    ledger.write(message)
"""


def config(cluster: EmbeddedCluster, topic: str, count: int = 2) -> dict[str, dict[str, object]]:
    kafka = {"bootstrap": cluster.bootstrap, "topics": [topic], "group_protocol": "consumer"}
    return {
        "kafka": {**kafka, "consumer": {"fetch.wait.max.ms": "10"}},
        "dead_letter": {"create": False},
        "workers": {"count": count},
    }


def test_a_herd_is_watched_from_its_start_to_its_stop(
    embedded: EmbeddedCluster, topic: NewTopic, herd: NewHerd
) -> None:
    name = topic(4, on=embedded)
    fill(embedded.client_properties(), name, 100, partitions=4)
    one = herd(config(embedded, name), HANDLER)
    one.wait_ready(2)
    until(lambda: len(ledger.read(one.ledger)) == 100, 20, "100 records in the ledger")
    workers = one.worker_pids()
    assert set(workers) == {0, 1}
    assert {one.pid, *workers.values()} <= set(one.processes())
    assert one.wait_event("supervisor_started")["pid"] == one.pid
    handled = ledger.read(one.ledger)
    assert handled.pids <= set(workers.values())
    assert handled.duplicates() == {}
    assert handled.disorder() == []
    one.stop()
    assert one.processes() == {}
    assert one.log.other == []


def test_a_killed_supervisor_takes_its_processes_with_it(
    embedded: EmbeddedCluster, topic: NewTopic, herd: NewHerd
) -> None:
    one = herd(config(embedded, topic(2, on=embedded)))
    one.wait_ready(2)
    one.kill()
    assert one.processes() == {}


def test_cleanup_kills_even_what_is_frozen(embedded: EmbeddedCluster, topic: NewTopic, tmp_path: Path) -> None:
    with Herd(tmp_path, config(embedded, topic(2, on=embedded))) as one:
        one.wait_ready(2)
        one.signal(signal.SIGSTOP)
    until(lambda: not one.processes(), 5, "every process of the herd to be gone")


def test_a_herd_that_ends_while_it_is_waited_for_is_told_with_its_last_words(tmp_path: Path) -> None:
    with (
        pytest.raises(HerdError, match="has ended") as failure,
        Herd(tmp_path, "[app]\nhandler = 'nowhere:handle'\n") as one,
    ):
        one.wait_ready(1)
    assert "app.name" in "".join(failure.value.__notes__)

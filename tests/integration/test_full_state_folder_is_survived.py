"""The state folder's disk is full: what runs goes on, what needs room says so and succeeds when there is some again."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.control.client import ControlError
from kherd.testing import namespaces
from kherd.testing.herd import Herd
from kherd.testing.plugin import NewHerd, NewTopic, part_or_skip
from kherd.testing.scenes import LEDGER
from kherd.testing.story import handled, put, tables, wait_committed
from kherd.testing.topics import Cluster

from ..fakes.processes import until

MEGABYTES = 4
"""Room for some workers' boards."""


class Disk:
    """A small disk that only the herd sees; from here it is reached through its process."""

    def __init__(self, herd: Herd) -> None:
        self._folder = herd.state = Path(f"/proc/{herd.pid}/root") / herd.state.relative_to("/")

    def fill(self) -> None:
        """Leave no room, whatever has been given back meanwhile."""
        with (self._folder / "filler").open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    def empty(self) -> None:
        (self._folder / "filler").unlink()


@pytest.fixture
def start(herd: NewHerd, tmp_path: Path) -> Any:
    part_or_skip(namespaces.available)

    def started(config: dict[str, Any], handler: str, more: str = "") -> tuple[Herd, Disk]:
        state = tmp_path / "herd-0" / "state"
        script = f"mkdir -p {state}; mount -t tmpfs -o mode=700,size={MEGABYTES}m none {state}\n"
        one = herd(config, handler, within=namespaces.mounted(script + more.replace("STATE", str(state))))
        return one, Disk(one)

    return started


def test_a_herd_that_runs_goes_on(start: Any, kafka: Cluster, topic: NewTopic) -> None:
    name = topic(2)
    settings: dict[str, Any] = {"app": {"instance": "here"}, "workers": {"count": 2}, "restart": {"backoff_max": 0.2}}
    one, disk = start(tables(kafka, name, **settings), LEDGER)
    before = one.wait_ready(2)
    put(kafka, name, b"0")
    wait_committed(kafka, one, name, {0: 1})

    # When the disk is full, then records are handled and committed as ever
    disk.fill()
    put(kafka, name, b"1")
    wait_committed(kafka, one, name, {0: 2})

    # A worker more, or one in place of another, cannot be: that is a failed start, with its reason, tried again
    one.signal(signal.SIGTTIN)
    failed = one.wait_event("spawn_failed", count=2, child="worker 2")
    assert "No space left on device" in failed["reason"]
    assert one.worker_pids() == {slot["slot"]: slot["pid"] for slot in before["slots"]}

    # A pause that could not be kept is refused, and nothing has changed
    with pytest.raises(ControlError, match=r"nothing has changed: .*No space left on device"):
        one.ask("pause", topic=name, partition=0)
    assert one.status()["paused"] == []

    # A reload is in force
    one.configure({**one.settings, "lag": {"interval": 0.3}})
    assert one.ask("reload")["changes"]

    # When there is room again, then all of it comes by itself
    disk.empty()
    one.wait_ready(3)
    assert one.ask("pause", topic=name, partition=0)["changed"]
    assert one.ask("resume", topic=name, partition=0)["changed"]
    assert one.events("internal_error") == []
    one.stop(code=0)
    assert handled(one, 2).duplicates() == {}


def test_a_worker_that_dies_meanwhile_is_replaced_when_there_is_room(
    start: Any, kafka: Cluster, topic: NewTopic
) -> None:
    name = topic(2)
    settings: dict[str, Any] = {"app": {"instance": "here"}, "workers": {"count": 2}, "restart": {"backoff_max": 0.2}}
    one, disk = start(tables(kafka, name, **settings), LEDGER)
    victim = one.wait_ready(2)["slots"][0]["pid"]
    disk.fill()
    os.kill(victim, signal.SIGKILL)
    one.wait_event("child_died", child_pid=victim)
    disk.fill()
    put(kafka, name, b"0", partition=0)
    put(kafka, name, b"0", partition=1)
    disk.empty()
    one.wait_ready(2)
    wait_committed(kafka, one, name, {0: 1, 1: 1})
    one.stop(code=0)


def test_a_herd_that_starts_on_a_full_disk_waits_for_room(start: Any) -> None:
    config = {
        "app": {"handler": "handlers:handle", "pidfile": "state/pid"},
        "kafka": {"bootstrap": "embedded", "topics": ["orders"]},
        "restart": {"backoff_max": 0.2},
    }
    more = "dd if=/dev/zero of=STATE/filler bs=64k 2> /dev/null || true"
    one, disk = start(config, LEDGER, more)
    one.wait_event("pidfile_missing")
    one.wait_event("bootstrap_unwritten")
    until(lambda: one.events("spawn_failed", child="worker 0"), 20.0)
    assert one.status()["pid"] == one.pid
    disk.empty()
    one.wait_ready(2)
    one.stop(code=0)

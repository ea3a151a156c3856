"""A worker told to stop does so at once, or as soon as the handler returns; it begins nothing more."""

import os
import signal
import time

import pytest

from kherd.worker.exits import WorkerExit

from ..fakes.scene import Scene

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("mode", ["record", "batch"])
def test_an_idle_worker_stops_within_half_a_second(stage: Scene, mode: str) -> None:
    stage.topic(1)
    stage.handler("def handle(message): note(message)")
    worker = stage.worker(mode=mode)
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < 0.5


def test_the_record_in_hand_is_finished_and_committed_and_none_begun_after_it(stage: Scene) -> None:
    stage.topic(1)
    stage.feed(100)
    stage.handler(
        "def handle(message):\n"
        "    note(message, 'began')\n"
        "    while not switch('done'): time.sleep(0.005)\n"
        "    note(message, 'stopping' if context().stopping else 'did')\n"
    )
    worker = stage.worker()
    worker.until(lambda: len(stage.ledger) == 1, "begun")
    os.kill(worker.pid, signal.SIGTERM)
    stage.switch("done")
    assert worker.wait() == 0
    assert [(note.what, note.offset) for note in stage.ledger] == [("began", 0), ("stopping", 0)]
    assert stage.committed == {0: 1}


def test_a_worker_that_never_passed_the_barrier_stops(stage: Scene) -> None:
    stage.topic(1)
    stage.handler("def handle(message): note(message)")
    worker = stage.boot()
    worker.expect("booted")
    assert worker.stop() == 0
    assert stage.ledger == []


@pytest.mark.parametrize("when", ["waiting", "consuming"])
def test_a_worker_whose_supervisor_is_gone_ends_at_once(stage: Scene, when: str) -> None:
    stage.topic(1)
    stage.handler("def handle(message): note(message)")
    worker = stage.boot() if when == "waiting" else stage.worker()
    worker.expect("booted")
    worker.channel.hang_up()
    assert worker.wait() == WorkerExit.TEMPORARY


def test_signals_meant_for_the_supervisor_are_ignored(stage: Scene) -> None:
    stage.topic(1)
    stage.handler("def handle(message): note(message)")
    worker = stage.worker()
    os.kill(worker.pid, signal.SIGINT)
    os.kill(worker.pid, signal.SIGHUP)
    stage.feed(5)
    worker.until(lambda: len(stage.did()) == 5, "handled")
    assert worker.stop() == 0


def test_a_handler_that_cannot_be_loaded_is_told_with_its_reason(stage: Scene) -> None:
    stage.topic(1)
    stage.handler("def handle(): pass")
    worker = stage.boot()
    assert worker.wait() == WorkerExit.PERMANENT
    assert worker.said("failed")
    assert "cannot be called with one argument" in worker.messages[-1]["reason"]


def test_a_property_that_librdkafka_refuses_is_told_with_its_reason(stage: Scene) -> None:
    stage.topic(1)
    stage.handler("def handle(message): pass")
    worker = stage.boot(kafka={"consumer": {"no.such.property": "1"}})
    worker.expect("booted")
    worker.channel.send({"type": "go"})
    assert worker.wait() == WorkerExit.PERMANENT
    assert worker.said("failed")
    assert "no.such.property" in worker.messages[-1]["reason"]

"""With a batch_wait a batch is filled before it is handled, and handled when it is full or the wait is over."""

from ..fakes.scene import Scene

COUNT = """
def handle(messages):
    for message in messages: note(message, str(len(messages)))
"""


def test_records_that_trickle_in_are_handled_together(stage: Scene) -> None:
    # Given a worker with time to wait, and one record
    stage.topic(2)
    stage.handler(COUNT)
    worker = stage.worker(mode="batch", batch_size=20, batch_wait=0.5)
    stage.feed(1)
    worker.until(lambda: worker.counters["fetched"] == 1, "fetched")

    # When more come before the wait is over
    stage.feed(9)

    # Then all are handled in one call, after the wait
    worker.until(lambda: worker.counters["handled"] == 10, "handled")
    assert worker.counters["calls"] == 1
    assert {note.what for note in stage.ledger} == {"10"}
    worker.until(lambda: all(done == committed for done, committed in worker.partitions.values()), "committed")
    assert worker.stop() == 0


def test_a_full_batch_does_not_wait(stage: Scene) -> None:
    stage.topic(2)
    stage.feed(40)
    stage.handler(COUNT)
    worker = stage.worker(mode="batch", batch_size=20, batch_wait=3600.0, handler_timeout=2.0)
    worker.until(lambda: worker.counters["handled"] == 40, "handled")
    assert {note.what for note in stage.ledger} == {"20"}
    assert worker.stop() == 0


def test_a_stop_does_not_wait_for_a_batch_to_fill(stage: Scene) -> None:
    stage.topic(2)
    stage.feed(10)
    stage.handler(COUNT)
    worker = stage.worker(mode="batch", batch_size=20, batch_wait=3600.0)
    worker.until(lambda: worker.counters["buffered"] == 10, "fetched")
    assert worker.stop() == 0
    assert stage.ledger == []
    assert stage.committed == {}

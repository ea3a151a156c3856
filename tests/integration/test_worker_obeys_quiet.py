"""A quiet worker takes nothing new and keeps its partitions; told to resume, it goes on where it was."""

from ..fakes.scene import Scene


def test_nothing_is_begun_while_quiet(stage: Scene) -> None:
    # Given a busy worker
    stage.topic(2)
    stage.handler("def handle(message):\n    time.sleep(0.001)\n    note(message)")
    worker = stage.worker()
    stage.feed(2000)
    worker.until(lambda: worker.counters["handled"] > 10, "busy")

    # When it is told to be quiet, then it stops in the middle of its batch, and commits what is done
    worker.channel.send({"type": "quiet", "on": True})
    worker.until(lambda: worker.counters["paused"] == 2, "paused")
    handled = worker.counters["handled"]
    worker.until(lambda: all(done == committed for done, committed in worker.partitions.values()), "committed")
    assert (worker.counters["handled"], len(stage.did())) == (handled, handled)
    assert len(worker.partitions) == 2

    # When it may go on, then it does
    worker.channel.send({"type": "quiet", "on": False})
    worker.until(lambda: set(worker.partitions.values()) == {(1000, 1000)}, "all done")
    assert len(stage.did()) == len(set(stage.did())) == 2000
    assert worker.stop() == 0

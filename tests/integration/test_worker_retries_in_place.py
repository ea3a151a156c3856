"""A record that fails is retried where it is: its partition waits in order, the others go on, nothing passes it."""

from ..fakes.scene import Scene

FAILS_TWICE = """
def handle(message):
    if message.partition() == 1 and message.offset() == 5 and context().attempt < 3:
        note(message, "failed")
        raise RuntimeError("down")
    note(message)
"""
AS_A_BATCH = FAILS_TWICE + "def handle_all(messages):\n    for message in messages: handle(message)\n"
RESULTS = (
    FAILS_TWICE
    + """
def handle_all(messages):
    results = []
    for message in messages:
        try:
            results.append(handle(message))
        except RuntimeError as error:
            results.append(error)
    return Results(results)
"""
)
DOWN = """
def handle(message):
    if switch("down") and message.offset() >= 5:
        raise RuntimeError("down")
    note(message)
"""


def test_a_record_that_fails_is_done_in_order_in_the_end_and_the_others_do_not_wait(stage: Scene) -> None:
    # Given a record that fails for now
    stage.topic(2)
    stage.feed(40)
    stage.handler(
        "def handle(message):\n"
        "    if message.partition() == 1 and message.offset() == 5 and switch('down'): raise RuntimeError('down')\n"
        "    note(message)\n"
    )
    stage.switch("down")
    worker = stage.worker()

    # When it has failed, then the other partition is finished and committed, and this one up to the record
    worker.until(lambda: worker.partitions == {(stage.name, 0): (20, 20), (stage.name, 1): (5, 5)}, "the others done")
    assert worker.counters["paused"] == 1

    # When its cause is gone, then all is done, in order
    stage.switch("down", on=False)
    worker.until(lambda: set(worker.partitions.values()) == {(20, 20)}, "all done")
    assert stage.did(1) == [(1, offset) for offset in range(20)]
    assert worker.logged("record_released") == 1

    # And the partition is no longer paused
    stage.feed(2)
    worker.until(lambda: set(worker.partitions.values()) == {(21, 21)}, "the next ones")
    assert worker.counters["paused"] == 0
    assert worker.stop() == 0


def test_attempts_are_counted_and_told_to_the_handler(stage: Scene) -> None:
    stage.topic(2)
    stage.feed(40)
    stage.handler(FAILS_TWICE)
    worker = stage.worker()
    worker.until(lambda: set(worker.partitions.values()) == {(20, 20)}, "all done")
    assert [note.attempt for note in stage.ledger if (note.partition, note.offset) == (1, 5)] == [1, 2, 3]
    assert (worker.counters["retried"], worker.counters["failed"], worker.counters["handled"]) == (2, 2, 40)
    assert stage.did(1) == [(1, offset) for offset in range(20)]
    assert worker.stop() == 0


def test_a_batch_that_fails_twice_is_done_in_parts(stage: Scene) -> None:
    stage.topic(2)
    stage.feed(40)
    stage.handler(AS_A_BATCH, "handle_all")
    worker = stage.worker(mode="batch")
    worker.until(lambda: set(worker.partitions.values()) == {(20, 20)}, "all done")
    assert worker.logged("batch_failed") == 2
    assert sorted(set(stage.did())) == [(number, offset) for number in range(2) for offset in range(20)]
    assert worker.stop() == 0


def test_the_records_of_a_batch_that_succeeded_are_not_rerun_if_results_say_which_failed(stage: Scene) -> None:
    stage.topic(2)
    stage.feed(40)
    stage.handler(RESULTS, "handle_all")
    worker = stage.worker(mode="batch")
    worker.until(lambda: set(worker.partitions.values()) == {(20, 20)}, "all done")
    assert worker.logged("batch_failed") == 0
    assert sorted(stage.did()) == [(number, offset) for number in range(2) for offset in range(20)]
    assert worker.counters["retried"] == 2
    assert worker.stop() == 0


def test_an_exhausted_record_is_held_and_released_when_its_cause_is_gone(stage: Scene) -> None:
    # Given an outage longer than all attempts
    stage.topic(2)
    stage.feed(20)
    stage.handler(DOWN)
    stage.switch("down")
    errors = {"max_attempts": 2, "backoff_initial": 0.01, "backoff_max": 0.05, "on_exhausted": "hold"}
    worker = stage.worker(errors=errors)

    # When the attempts are exhausted, then both partitions are held at their record, once told, and still tried
    worker.until(lambda: worker.counters["held"] == 2 and worker.counters["retried"] > 6, "held")
    assert worker.logged("record_held") == 2
    assert stage.committed == {0: 5, 1: 5}

    # When the outage is over, then they go on where they were
    stage.switch("down", on=False)
    worker.until(lambda: set(worker.partitions.values()) == {(10, 10)}, "all done")
    assert stage.did(0) == [(0, offset) for offset in range(10)]
    assert (worker.counters["held"], worker.counters["dead_lettered"]) == (0, 0)
    assert worker.stop() == 0


def test_what_waits_for_a_retry_at_a_stop_is_left_to_the_next_worker(stage: Scene) -> None:
    stage.topic(2)
    stage.feed(20)
    stage.handler(DOWN)
    stage.switch("down")
    worker = stage.worker(errors={"backoff_initial": 30.0, "backoff_max": 30.0})
    worker.until(lambda: worker.counters["failed"] == 2, "both failed")
    assert worker.stop() == 0
    assert stage.committed == {0: 5, 1: 5}

    stage.switch("down", on=False)
    other = stage.worker(incarnation=2)
    other.until(lambda: set(other.partitions.values()) == {(10, 10)}, "all done")
    assert sorted(stage.did()) == [(number, offset) for number in range(2) for offset in range(10)]


def test_a_retry_waits_as_long_as_it_asks_for(stage: Scene) -> None:
    stage.topic(1)
    stage.feed(1)
    stage.handler(
        "def handle(message):\n    note(message)\n    if context().attempt < 3: raise Retry('not yet', after=0.01)\n"
    )
    worker = stage.worker(errors={"backoff_initial": 60.0, "backoff_max": 60.0})
    worker.until(lambda: set(worker.partitions.values()) == {(1, 1)}, "done")
    assert [note.attempt for note in stage.ledger] == [1, 2, 3]


def test_a_skipped_record_is_passed_and_counted(stage: Scene) -> None:
    stage.topic(1)
    stage.feed(10)
    stage.handler("def handle(message):\n    if message.offset() % 2: raise Skip\n    note(message)")
    worker = stage.worker()
    worker.until(lambda: set(worker.partitions.values()) == {(10, 10)}, "done")
    assert (worker.counters["skipped"], worker.counters["failed"], worker.counters["handled"]) == (5, 0, 5)


def test_a_handler_that_exits_is_retried_like_any_other_failure(stage: Scene) -> None:
    stage.topic(1)
    stage.feed(3)
    stage.handler("def handle(message):\n    if context().attempt == 1: raise SystemExit(3)\n    note(message)")
    worker = stage.worker(errors={"backoff_initial": 0.01})
    worker.until(lambda: set(worker.partitions.values()) == {(3, 3)}, "done")
    assert worker.stop() == 0

"""Notes on commits, written and read by a whole worker: what is done above the offset, and what has failed before."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError

from kherd import ProcessingError, Record, Results
from kherd.worker import clock, heritage
from kherd.worker.board import Board
from kherd.worker.boardentries import entries_of
from kherd.worker.commit import Committer
from kherd.worker.decide.handover import METADATA, Entry, Identity, identity_of
from kherd.worker.decide.metadata import Known, Place, compose, read, unsealed
from kherd.worker.decide.retry import State
from kherd.worker.notes import Said
from kherd.worker.partition import Partition
from kherd.worker.spec import ErrorSpec

from ..fakes.consumer import TOPIC
from ..fakes.rig import Rig

ID, OTHER = "11" * 16, "22" * 16
FAR = ErrorSpec(max_attempts=5, backoff_initial=900.0, backoff_max=900.0, on_exhausted="hold")
NEAR = ErrorSpec(max_attempts=5, backoff_initial=1e-6, backoff_max=1e-6, on_exhausted="hold")
LONG_AGO = 1e9
NewRig = Callable[..., Rig]


@pytest.fixture
def new(board: Board) -> Iterator[NewRig]:
    """A worker with two partitions of ten records, that knows which topic it is; its handler fails at `bad`."""
    made: list[Rig] = []

    def make(*bad: int, topic_id: str | None = ID, **fields: Any) -> Rig:
        rig = Rig(board, **{"commit_interval": 0.0, "errors": FAR, **fields})
        made.append(rig)
        for number in (0, 1):
            for _ in range(10):
                rig.group.write(number, b"x")
        rig.session.handler.invoke = lambda given: handle(rig, given, bad)
        if topic_id is not None:
            name(rig, topic_id)
        return rig

    yield make
    for rig in made:
        rig.close()


def handle(rig: Rig, given: Any, bad: tuple[int, ...]) -> Any:
    """Fail at the offsets `bad`, record by record or as Results."""
    messages = given if isinstance(given, list) else [given]
    rig.seen += [(message.partition(), message.offset()) for message in messages]
    failed = [ConnectionError("away") if message.offset() in bad else None for message in messages]
    if isinstance(given, list):
        return Results(failed)
    if failed[0] is not None:
        raise failed[0]
    return None


def name(rig: Rig, topic_id: str, at: float | None = None) -> None:
    asked = clock.monotonic() + 1000 if at is None else at
    for message in heritage.identities({TOPIC: identity_of("c", topic_id)}, asked):
        rig.ours.send(message)


def assign(rig: Rig, *numbers: int, rounds: int = 10) -> None:
    rig.group.news.append(("on_assign", list(numbers)))
    rig.go(rounds)


def noted(rig: Rig, number: int = 0) -> Known | None:
    note = read(rig.group.metadata.get(number, ""))
    return unsealed(note, rig.group.committed[number]) if note.body else None


def note(rig: Rig, offset: int, known: Known, topic_id: str = ID) -> None:
    """Commit as an earlier owner of partition 0 did."""
    place = Place(identity_of("c", topic_id) or Identity(0, 0, 0), 0, offset)
    rig.group.committed[0], rig.group.metadata[0] = offset, compose(77, place, known, 4096)[0]


def offsets(rig: Rig, number: int = 0) -> list[int]:
    return [offset for partition, offset in rig.seen if partition == number]


def test_what_is_done_above_a_failing_record_and_how_often_that_failed_is_committed(new: NewRig) -> None:
    rig = new(3, mode="batch", batch_size=500)
    assign(rig, 0)
    known = noted(rig)
    assert known is not None
    assert (rig.group.committed[0], known.done) == (3, ((4, 10),))
    assert {offset: state.failures for offset, state in known.attempts.items()} == {3: 1}


def test_every_attempt_is_committed_although_the_offset_stands_still(new: NewRig) -> None:
    rig = new(0, errors=NEAR)
    assign(rig, 0, rounds=30)
    known = noted(rig)
    assert known is not None
    assert rig.group.committed[0] == 0
    assert known.attempts[0].failures == len(offsets(rig)) > 5


def test_nothing_but_whose_it_is_is_committed_where_nothing_has_failed(new: NewRig) -> None:
    rig = new()
    assign(rig, 0)
    partition = rig.session.partitions.get(TOPIC, 0)
    assert partition is not None
    assert rig.group.metadata[0] == METADATA.format(partition.nonce)
    assert {len(text) for text in rig.group.metadata.values()} == {29}


def test_a_revoked_partition_takes_its_notes_along(new: NewRig) -> None:
    rig = new(3, mode="batch", commit_interval=60.0)
    assign(rig, 0)
    rig.group.commits.clear()
    rig.group.news.append(("on_revoke", [0]))
    rig.go(1)
    known = noted(rig)
    assert known is not None
    assert (known.done, known.attempts[3].failures) == (((4, 10),), 1)


def test_as_long_as_nobody_knows_which_topic_it_is_nothing_is_noted_and_then_at_once(new: NewRig) -> None:
    rig = new(3, mode="batch", topic_id=None)
    assign(rig, 0)
    assert (rig.group.committed[0], noted(rig)) == (3, None)
    name(rig, ID)
    rig.session.desk._heard_at = rig.pulse.due = rig.session.handover._names._look_at = 0.0
    rig.go(5)
    assert noted(rig) is not None


def test_the_next_owner_leaves_out_what_is_done_and_commits_past_it(new: NewRig) -> None:
    rig = new()
    note(rig, 2, Known(((3, 6), (8, 9))))
    assign(rig, 0)
    assert offsets(rig) == [2, 6, 7, 9]
    assert rig.group.committed[0] == 10


def test_what_is_done_is_left_out_of_a_batch_too(new: NewRig) -> None:
    rig = new(6, mode="batch")
    note(rig, 2, Known(((3, 6), (8, 9))))
    assign(rig, 0)
    assert offsets(rig) == [2, 6, 7, 9]
    known = noted(rig)
    assert known is not None
    assert (rig.group.committed[0], known.done) == (6, ((7, 10),))


@pytest.mark.parametrize("topic_id", [OTHER, ID])
def test_a_note_is_read_only_where_it_was_written(new: NewRig, topic_id: str) -> None:
    rig = new()
    note(rig, 2, Known(((3, 6),)), topic_id)
    if topic_id == ID:  # and then somebody has copied it to another offset
        rig.group.committed[0] = 1
    assign(rig, 0)
    assert offsets(rig) == list(range(rig.group.committed[0] - len(offsets(rig)), 10))
    assert len(offsets(rig)) == (8 if topic_id == OTHER else 9)


def test_a_log_that_was_cut_wins_over_a_note(new: NewRig) -> None:
    rig = new()
    note(rig, 2, Known(((3, 40),)))
    assign(rig, 0)
    assert offsets(rig) == list(range(2, 10))


def test_a_note_waits_for_the_topics_identity_while_others_go_on_and_not_for_ever(new: NewRig) -> None:
    rig = new(topic_id=None)
    note(rig, 2, Known(((3, 6),)))
    assign(rig, 0, 1)
    assert offsets(rig) == []
    assert offsets(rig, 1) == list(range(10))
    for wait in rig.session.handover._waits.values():
        wait.since -= 60
    rig.go()
    assert offsets(rig) == list(range(2, 10))


def test_records_that_wait_for_the_note_are_left_out_as_well(new: NewRig) -> None:
    rig = new(topic_id=None)
    note(rig, 2, Known(((3, 6),)))
    assign(rig, 0)
    name(rig, ID)
    rig.go()
    assert offsets(rig) == [2, *range(6, 10)]


def test_a_record_that_failed_before_goes_on_with_the_next_attempt_in_its_turn(new: NewRig) -> None:
    rig = new(4, errors=NEAR)
    note(rig, 2, Known((), {4: State(3, LONG_AGO, LONG_AGO)}))
    assign(rig, 0, rounds=4)
    partition = rig.session.partitions.get(TOPIC, 0)
    assert partition is not None
    assert offsets(rig)[:3] == [2, 3, 4]
    assert partition.attempts[4].failures == 1 + len(offsets(rig))
    assert partition.attempts[4].first_failure == LONG_AGO


@pytest.mark.parametrize("mode", ["record", "batch"])
def test_its_backoff_goes_on_too_and_what_comes_behind_it_waits(new: NewRig, mode: str) -> None:
    rig = new(mode=mode)
    note(rig, 2, Known((), {4: State(3, LONG_AGO, clock.wall())}))
    assign(rig, 0)
    assert offsets(rig) == [2, 3]
    known = noted(rig)
    assert known is not None
    assert (rig.group.committed[0], known.attempts[4].failures) == (4, 3)
    (trouble,) = next(iter(rig.session.partitions)).troubles
    assert trouble.due is not None
    assert 400 < trouble.due - clock.monotonic() <= 900
    trouble.due = 0.0
    rig.go()
    assert offsets(rig) == list(range(2, 10))
    assert rig.group.committed[0] == 10
    assert noted(rig) is None


def test_a_record_that_is_gone_is_waited_for_by_nobody(new: NewRig) -> None:
    rig = new()
    note(rig, 2, Known(((4, 8),), {3: State(2, LONG_AGO, LONG_AGO)}))
    rig.group.log[0] = [message for message in rig.group.log[0] if message.offset() not in {2, 3, 8, 9}]
    assign(rig, 0)
    assert offsets(rig) == []
    assert rig.group.committed[0] == 8
    rig.group.write(0, b"x")
    rig.go()
    assert (offsets(rig), rig.group.committed[0]) == ([10], 11)


def test_the_board_has_what_was_done_and_tried_before_and_since(new: NewRig, board: Board) -> None:
    rig = new(6, mode="batch")
    rig.group.silent = True
    note(rig, 2, Known(((3, 5),), {9: State(2, LONG_AGO, LONG_AGO)}))
    assign(rig, 0)
    entry: Entry = entries_of(board)[0]
    assert (entry.done, entry.above) == (6, ((7, 9),))
    assert {offset: state.failures for offset, state in entry.attempts} == {6: 1, 9: 2}


def test_outputs_that_are_not_acknowledged_are_not_done(new: NewRig) -> None:
    rig = new(mode="batch", batch_size=4)
    rig.session.handler.invoke = lambda messages: [Record("out", b"1")]
    rig.producers.options["silent"] = True
    assign(rig, 0)
    partition = rig.session.partitions.get(TOPIC, 0)
    assert partition is not None
    assert partition.offsets.runs() == ()
    assert (partition.offsets.committable, partition.offsets.pending) == (0, 10)


def test_metadata_that_is_refused_for_its_size_is_left_out_at_once_and_made_shorter(new: NewRig) -> None:
    rig = new(1, 3, 5, mode="batch")
    rig.group.metadata_limit = 45
    assign(rig, 0, rounds=20)
    committer: Committer = rig.session.committer
    known = noted(rig)
    assert rig.group.committed[0] == 1
    assert committer.notes.limit <= 45
    if known is not None:
        assert set(known.attempts) < {1, 3, 5}
    assert len(rig.group.metadata[0]) <= 45


def test_so_it_is_when_the_partition_is_revoked(new: NewRig) -> None:
    rig = new(1, 3, 5, mode="batch", commit_interval=60.0)
    rig.group.metadata_limit = 30
    assign(rig, 0, rounds=3)
    rig.group.news.append(("on_revoke", [0]))
    rig.go(2)
    assert (rig.group.committed[0], len(rig.group.metadata[0])) == (1, 29)


def test_a_broker_that_takes_no_metadata_at_all_gets_offsets(new: NewRig) -> None:
    rig = new()
    rig.group.metadata_limit = 10
    assign(rig, 0, rounds=20)
    assert (rig.group.committed[0], rig.group.metadata[0]) == (10, "")


def test_only_what_was_refused_for_its_size_is_committed_again_at_once(new: NewRig) -> None:
    rig = new(3, mode="batch")
    assign(rig, 0, 1)
    one, other = sorted(rig.session.partitions, key=lambda partition: partition.number)
    sent = {one: Said(3, "x" * 500), other: Said(3, "y" * 400)}
    errors = {
        one: KafkaError(KafkaError.OFFSET_METADATA_TOO_LARGE),
        other: KafkaError(KafkaError.REBALANCE_IN_PROGRESS),
    }
    notes = rig.session.committer.notes
    assert notes.smaller(sent, errors) == {one: Said(3, one.metadata)}
    assert notes.limit == 250
    assert notes.smaller(sent, {other: errors[other]}) == {}


def test_a_partition_takes_nothing_new_far_above_its_commit_or_with_too_much_to_note(new: NewRig) -> None:
    rig = new()
    assign(rig, 1)
    (one,) = rig.session.partitions
    assert isinstance(one, Partition)
    one.offsets.open(10)
    assert one.may_begin(10 + 4095)
    assert not one.may_begin(10 + 4096)
    one.attempts = {11 + number: State(1, LONG_AGO + number, LONG_AGO) for number in range(1000)}
    rig.session.committer.progress(one, 0)
    rig.go(2)
    assert not one.may_begin(11)
    one.attempts = {}
    rig.session.committer.progress(one, 0)
    rig.go(2)
    assert one.may_begin(11)


def test_poison_is_settled_at_once_and_leaves_no_note(new: NewRig) -> None:
    rig = new()

    def reject(message: Any) -> None:
        if message.offset() == 4:
            raise ProcessingError("no order")

    rig.session.handler.invoke = reject
    assign(rig, 0, rounds=20)
    assert (rig.group.committed[0], noted(rig)) == (10, None)

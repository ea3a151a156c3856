"""A worker that fails: what it tells the supervisor of records, and what it does as that says."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kherd.worker.board import Board
from kherd.worker.boardview import counters_of, passed_of
from kherd.worker.context import context
from kherd.worker.counters import Counter
from kherd.worker.errors import Record
from kherd.worker.spec import ErrorSpec, SlotIdentity

from ..fakes.consumer import TOPIC
from ..fakes.rig import Rig

SOON = 1e-6


class Failing(Rig):
    """Its handler raises `error`, if there is one, and returns `output`."""

    error: Exception | None = RuntimeError("away")
    output: Record | None = None

    def __init__(self, board: Board, **fields: Any) -> None:
        self.attempts: list[int] = []
        super().__init__(board, commit_interval=0.0, **fields)
        self.group.news.append(("on_assign", [0, 1]))

    def _handle(self, given: Any) -> Any:
        super()._handle(given)
        self.attempts.append(context().attempt)
        if self.error is not None:
            raise type(self.error)(*self.error.args)  # a new one: a traceback grows each time it is raised
        return self.output

    def told(self, *kinds: str) -> list[dict[str, Any]]:
        """Return what the supervisor was told of these kinds, since the last call, whatever else there was."""
        found = []
        while (received := self.ours.receive()) is not None:
            found.append(received[0])
        return [message for message in found if message["type"] in kinds]

    def say(self, kind: str, offset: int = 0, **more: Any) -> None:
        """Have the supervisor say something, and the worker act on it."""
        self.ours.send({"type": kind, "topic": TOPIC, "partition": 0, "offset": offset, **more})
        self.session.desk._heard_at = -1.0
        self.session.desk.look_up()


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    made, fd = Board.create(tmp_path / "board", SlotIdentity(1, 0, 1), 1)
    yield made
    made.close()
    os.close(fd)


@pytest.fixture(params=["record", "batch"])
def rig(board: Board, request: pytest.FixtureRequest) -> Iterator[Failing]:
    made = Failing(board, mode=request.param, errors=ErrorSpec(3, SOON, SOON))
    made.group.write(0, b"x")
    yield made
    made.close()


def exhaust(rig: Failing) -> dict[str, Any]:
    """Go round until the record's attempts are exhausted, once; return how it was told to fail."""
    rig.session.outcomes.appeals._seconds = 1e6  # asked once, it waits for the answer
    rig.go(20)
    failing, asked = rig.told("failing", "exhausted")
    assert (failing["type"], asked["type"]) == ("failing", "exhausted")
    assert rig.attempts == [1, 2, 3]
    return failing


def test_a_kind_of_failure_is_told_once_and_then_that_attempts_are_exhausted(rig: Failing) -> None:
    told = exhaust(rig)
    assert (told["topic"], told["partition"], told["offset"], told["key"]) == (TOPIC, 0, 0, None)
    assert told["error"] == "RuntimeError: away"
    assert rig.told("settled") == []
    assert rig.group.committed == {0: 0, 1: 0}


def test_it_is_put_aside_when_the_supervisor_says_so(rig: Failing) -> None:
    exhaust(rig)
    rig.say("put_aside")
    rig.go()
    counters = counters_of(rig.session.board.board)
    assert (counters["dead_lettered"], counters["diverted"], counters["handled"]) == (1, 1, 0)
    assert rig.group.committed[0] == 1
    assert [message["how"] for message in rig.told("settled")] == ["aside"]
    assert passed_of(rig.session.board.board) == {TOPIC: 0}


def test_it_is_held_and_tried_again_when_the_supervisor_says_so(rig: Failing) -> None:
    exhaust(rig)
    rig.say("hold", reason="too few are handled")
    rig.go()
    assert counters_of(rig.session.board.board)["held"] == 1
    [partition] = rig.session.partitions.blocked.values()
    partition.troubles[0].due = 0.0
    rig.error = None
    rig.go()
    assert rig.attempts[-1] == 4
    assert [message["how"] for message in rig.told("settled")] == ["handled"]
    assert counters_of(rig.session.board.board)["held"] == 0
    assert rig.group.committed[0] == 1


def test_in_an_outage_no_attempt_is_counted_and_a_probe_is_one_call(rig: Failing) -> None:
    # Given a record that has failed once or more, and is told that this is an outage
    rig.session.outcomes._policy = rig.session.outcomes._policy.__class__(1000, 1e6, 1e6, "dead_letter")
    rig.go()
    [failing] = rig.told("failing")
    rig.say("outages", open=[failing["fingerprint"]])
    rig.go(20)
    assert rig.attempts == [1]

    # When it is to be tried, then it is, once, and the same attempt again; it says that it failed alike
    for _ in range(3):
        rig.say("probe")
        rig.go(20)
    assert rig.attempts == [1, 2, 2, 2]
    assert [message["fingerprint"] for message in rig.told("failing")] == [failing["fingerprint"]] * 3

    # Of the same kind another record fails: it waits after its first call
    rig.group.write(1, b"y")
    rig.go(20)
    assert rig.attempts == [1, 2, 2, 2, 1]
    assert len(rig.told("failing")) == 1

    # When it is over, then both are tried at once
    rig.error = None
    rig.say("outages", open=[])
    rig.go()
    assert rig.group.committed == {0: 1, 1: 1}
    assert [message["how"] for message in rig.told("settled")] == ["handled"] * 2


def test_a_probe_that_fails_in_another_way_is_an_attempt_like_any(rig: Failing) -> None:
    rig.go()
    failing = rig.told("failing")[0]
    rig.say("outages", open=[failing["fingerprint"]])
    tried = len(rig.attempts)
    rig.error = KeyError("another")
    rig.session.outcomes.appeals._seconds = 1e6
    rig.say("probe")
    rig.go(20)
    told = rig.told("failing", "exhausted")
    assert told[0]["fingerprint"] != failing["fingerprint"]
    assert told[-1]["type"] == "exhausted"
    assert len(rig.attempts) >= tried


@pytest.mark.parametrize("how", ["quiet", "stopping"])
def test_a_probe_while_nothing_is_begun_is_refused(rig: Failing, how: str) -> None:
    rig.session.outcomes._policy = rig.session.outcomes._policy.__class__(1000, 1e6, 1e6, "dead_letter")
    rig.go()
    rig.say("outages", open=[rig.told("failing")[0]["fingerprint"]])
    setattr(rig.pulse, how, True)
    rig.say("probe")
    assert [message["how"] for message in rig.told("settled")] == ["not_now"]
    assert rig.attempts == [1]


def test_of_a_record_that_is_not_here_it_is_said_that_it_is_gone(rig: Failing) -> None:
    rig.session.outcomes._policy = rig.session.outcomes._policy.__class__(1000, 1e6, 1e6, "dead_letter")
    rig.go()
    rig.told("failing")
    rig.say("put_aside", offset=77)
    rig.group.news.append(("on_revoke", [0]))
    rig.go()
    rig.say("probe")
    assert [(message["offset"], message["how"]) for message in rig.told("settled")] == [(77, "gone"), (0, "gone")]
    assert counters_of(rig.session.board.board)["dead_lettered"] == 0


def test_what_has_been_handled_meanwhile_is_not_put_aside_and_not_tried_again(rig: Failing) -> None:
    # Given an exhausted record that is handled at last, and whose output is on its way
    failing = exhaust(rig)
    [partition] = rig.session.partitions.blocked.values()
    case = partition.troubles[0]
    case.due = None

    # When the supervisor says anything about it, then that comes too late
    for kind in ("put_aside", "probe"):
        rig.say(kind)
    rig.say("outages", open=[failing["fingerprint"]])
    rig.go()
    assert rig.attempts == [1, 2, 3]
    assert not case.waits
    assert case.letter is None


def test_finished_records_are_counted_by_topic(rig: Failing, board: Board) -> None:
    rig.error = None
    for _ in range(5):
        rig.group.write(1, b"y")
    rig.go(20)
    assert passed_of(board) == {TOPIC: 6}
    assert board.words[Counter.HANDLED] == 6

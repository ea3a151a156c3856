"""Deaths become suspects: kept in the folder before anybody is told, counted on, put aside within a quota."""

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor import hangings
from kherd.supervisor.decide.blame import ACCUSATIONS
from kherd.supervisor.decide.cause import Cause
from kherd.supervisor.process.handle import Handle, Process
from kherd.supervisor.slot import Papers, Slot, stacks_file
from kherd.supervisor.suspects import FILE, PRICE, Suspects
from kherd.worker import log
from kherd.worker.board import Board
from kherd.worker.boardview import in_flight_of
from kherd.worker.boardwriter import BoardWriter, done_word
from kherd.worker.decide.handover import Identity
from kherd.worker.decide.suspects import Suspect, Verdict
from kherd.worker.spec import LogSpec, SlotIdentity
from kherd.worker.suspects import Suspects as Told
from kherd.worker.suspects import acquitted

from ..fakes.nursery import process

SEGV = Cause("SIGSEGV, not sent by kherd", "signal:SEGV")
KILLED = Cause("SIGKILL, not sent by kherd", "signal:KILL")
HANG = Cause("killed by kherd: the handler has been at it", "hang")
STOPPED = Cause("killed by kherd: the deadline passed", "killed")
TIMEOUT = 20.0
OURS = hangings.OURS


class Herd:
    """A state folder, the suspects of its supervisor, and workers of it that die with something in flight."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / FILE
        self.told: list[dict[str, Any]] = []
        self.kept: list[str | None] = []
        """What was in the file whenever the workers were told."""
        self.stream = io.StringIO()
        self.slots: list[Slot] = []
        self.processes: list[Process] = []
        log.configure(LogSpec(), log.Identity("orders", "supervisor"), stream=self.stream)
        self.suspects = self.start()

    def start(self, app: str = "orders") -> Suspects:
        """Be the next supervisor."""
        self.suspects = Suspects(self._hear)
        self.suspects.keep(self.folder, app)
        return self.suspects

    def _hear(self, message: dict[str, Any]) -> None:
        self.told.append(message)
        self.kept.append(self.file.read_text() if self.file.is_file() else None)

    def slot(
        self, index: int = 0, *calls: tuple[int, int, int], pid: int | None = None, done: int | None = None
    ) -> Slot:
        """A worker with `calls` in flight: partition, first, last."""
        identity = SlotIdentity(1, index, len(self.slots) + 1)
        board, fd = Board.create(self.folder / f"board-{len(self.slots)}", identity, 1)
        os.close(fd)
        writer = BoardWriter(board)
        for row, (partition, first, last) in enumerate(calls):
            writer.start_call(row, writer.topic("orders"), partition, first, last, 1)
            base = writer.assign("orders", partition, 1)
            assert base is not None
            writer.identify(base, Identity(1, 2, 3))
            if done is not None:
                board.words[done_word(base)] = done
        papers = Papers(identity, 1, board, self.folder / "none", stacks_file(index))
        slot = Slot(index, Handle(f"worker {index}", 60.0), 1, papers=papers)
        one = process()
        one.channel.close()
        one.pid = 1000 + len(self.slots) if pid is None else pid
        slot.handle.process = one
        self.slots.append(slot)
        return slot

    def die(
        self,
        *calls: tuple[int, int, int],
        cause: Cause = SEGV,
        stacks: str = "",
        slot: Slot | None = None,
        **fields: Any,
    ) -> bool:
        """Have a worker end; return whether its slot is excused."""
        done = fields.pop("done", None)
        one = slot or self.slot(0, *calls, done=done)
        ended = one.handle.process
        assert ended is not None
        for name, value in fields.items():
            setattr(ended, name, value)
        return self.suspects.died(one, ended, cause, stacks, TIMEOUT)

    def hang(self, slot: Slot, function: str = "ask", **handled: int) -> bool:
        """Have a worker be seen to hang in what it has in flight, and be killed for it; `handled` is by topic."""
        self.seen(slot, **handled)
        return self.die(slot=slot, cause=HANG, stacks=stacks(function))

    def seen(self, slot: Slot, **handled: int) -> None:
        self.suspects.hangings.seen(slot, [hangings.where(call) for call in slot.in_flight()], handled)

    @property
    def known(self) -> list[tuple[int, int, int, int, str]]:
        """What a worker knows that has heard everything: partition, first, last, deaths, verdict."""
        told = Told()
        for message in self.told:
            told.take(message)
        found = [one for suspects in told.by_key.values() for one in suspects]
        return sorted((one.partition, one.first, one.last, one.crashes, one.verdict.value) for one in found)

    def lines(self, event: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in found if line["event"] == event]

    def close(self) -> None:
        for slot in self.slots:
            assert slot.papers is not None
            slot.papers.discard()


def stacks(function: str) -> str:
    return "\n".join(
        [
            "Current thread 0x01 (most recent call first):",
            f'  File "/app/db.py", line 3 in {function}',
            f'  File "{OURS}/record.py", line 90 in _burst',
        ]
    )


@pytest.fixture
def herd(tmp_path: Path) -> Iterator[Herd]:
    made = Herd(tmp_path)
    yield made
    made.close()


def test_nobody_is_suspected_at_first(herd: Herd) -> None:
    assert (herd.suspects.document(), herd.suspects.problems(), list(herd.suspects.greet())) == ([], [], [])
    assert not herd.file.exists()


def test_a_death_is_kept_before_it_is_told_and_shown_and_logged(herd: Herd) -> None:
    assert herd.die((3, 41, 41), signal="SIGSEGV", peak_rss=5)
    assert herd.known == [(3, 41, 41, 1, "pending")]
    assert [json.loads(kept or "")["suspects"][0]["crashes"] for kept in herd.kept] == [1]
    [row] = herd.suspects.document()
    assert (row["topic"], row["partition"], row["first"], row["crashes"], row["cause"]) == (
        "orders", 3, 41, 1, SEGV.text,
    )  # fmt: skip
    [line] = herd.lines("suspected")
    assert (line["child"], line["first"], line["last"], line["crashes"], line["most"]) == ("worker 0", 41, 41, 1, 3)
    assert not (herd.file.stat().st_mode & 0o077)


def test_the_third_death_alone_condemns_with_a_report_of_the_last(herd: Herd) -> None:
    for number in range(3):
        herd.die((3, 41, 41), signal="SIGSEGV", peak_rss=number, stacks=f"stack {number}")
    assert herd.known == [(3, 41, 41, 3, "condemned")]
    told = Told()
    for message in herd.told:
        told.take(message)
    [suspect] = told.by_key["orders", 3]
    assert suspect.identity == Identity(1, 2, 3)
    assert suspect.report is not None
    assert (suspect.report.signal, suspect.report.peak_rss, suspect.report.stack) == ("SIGSEGV", 2, "stack 2")
    assert suspect.report.worker.startswith("worker 0@")
    assert suspect.report.first <= suspect.report.last
    [line] = herd.lines("quarantined")
    assert (line["first"], line["crashes"], line["reason"]) == (41, 3, SEGV.text)


def test_a_batch_is_suspected_as_ranges_and_counts_for_nobody(herd: Herd) -> None:
    for _ in range(4):
        herd.die((0, 10, 19), (1, 5, 5))
    assert herd.known == [(0, 10, 19, 0, "pending"), (1, 5, 5, 0, "pending")]
    assert len(herd.lines("suspected")) == 2


def test_what_was_done_before_a_death_is_no_suspect_any_more(herd: Herd) -> None:
    herd.die((0, 10, 19), (1, 5, 5))
    herd.die((0, 14, 14), done=14)
    assert herd.known == [(0, 14, 14, 1, "pending"), (0, 15, 19, 0, "pending"), (1, 5, 5, 0, "pending")]


@pytest.mark.parametrize("cause", [STOPPED, Cause("drained", "stop", clean=True), Cause("no room", "spawn")])
def test_ends_that_were_wanted_blame_nobody(herd: Herd, cause: Cause) -> None:
    assert not herd.die((3, 41, 41), cause=cause)
    assert herd.known == []


def test_a_kill_from_outside_while_stopping_blames_nobody(herd: Herd) -> None:
    assert not herd.die((3, 41, 41), cause=KILLED, asked=True)
    assert herd.die((3, 41, 41), cause=KILLED)
    assert herd.known == [(3, 41, 41, 1, "pending")]


def test_a_worker_that_did_nothing_is_not_excused(herd: Herd) -> None:
    assert not herd.die()
    assert herd.known == []


def test_a_worker_says_whose_call_has_ended(herd: Herd) -> None:
    herd.die((3, 41, 41))
    herd.suspects.acquitted(acquitted(Suspect("orders", 3, 41, 41)))
    assert herd.known == []
    assert not herd.file.exists()
    assert [(line["first"], line["crashes"]) for line in herd.lines("acquitted")] == [(41, 1)]


@pytest.mark.parametrize(
    "changes", [{"topic": 3}, {"topic": None}, {"first": "x"}, {"last": True}, {"partition": None}, {"first": []}]
)
def test_a_worker_gone_mad_acquits_nobody(herd: Herd, changes: dict[str, Any]) -> None:
    herd.die((3, 41, 41))
    herd.suspects.acquitted({**acquitted(Suspect("orders", 3, 41, 41)), **changes})
    herd.suspects.acquitted({"type": "acquitted"})
    assert herd.known == [(3, 41, 41, 1, "pending")]


def test_what_the_group_has_committed_is_forgotten(herd: Herd) -> None:
    for _ in range(3):
        herd.die((3, 41, 41))
    herd.suspects.committed({("orders", 3): 41})
    assert len(herd.known) == 1
    herd.suspects.committed({("orders", 3): 42, ("orders", 1): None})
    assert herd.known == []


def test_the_next_supervisor_counts_on(herd: Herd) -> None:
    herd.die((3, 41, 41))
    herd.start()
    told = Told()
    for message in herd.suspects.greet():
        told.take(message)
    assert told.by_key["orders", 3][0].crashes == 1
    herd.die((3, 41, 41))
    herd.start()
    herd.die((3, 41, 41))
    assert herd.known == [(3, 41, 41, 3, "condemned")]


def test_who_died_with_an_earlier_supervisor_leaves_suspects_without_deaths(herd: Herd) -> None:
    herd.die((3, 41, 41))
    left = herd.slot(1, (0, 10, 12), (3, 41, 41))
    assert left.papers is not None
    herd.suspects.left(1, in_flight_of(left.papers.board), {})
    assert herd.known == [(0, 10, 12, 0, "pending"), (3, 41, 41, 1, "pending")]
    assert [(line["child"], line["first"]) for line in herd.lines("suspected")] == [("worker 0", 41), ("worker 1", 10)]


def test_a_new_suspect_excuses_only_so_many_deaths_and_a_known_one_all(herd: Herd) -> None:
    excused = [herd.die((0, offset, offset)) for offset in range(ACCUSATIONS + 2)]
    assert excused == [True] * ACCUSATIONS + [False] * 2
    assert herd.die((0, ACCUSATIONS + 1, ACCUSATIONS + 1))


def test_quarantines_are_used_up_and_earned_by_what_is_handled(herd: Herd) -> None:
    herd.suspects.most = lambda: 1
    for offset in range(PRICE.start + 1):
        herd.die((0, offset, offset))
    assert [row[-1] for row in herd.known] == ["condemned"] * PRICE.start + ["held"]
    [line] = herd.lines("quarantine_held")
    assert "after 50 more are handled" in line["reason"]
    [problem] = herd.suspects.problems()
    assert problem.startswith(f"orders[0]@{PRICE.start} has killed 1 processes and its partition waits")
    herd.suspects.tick(PRICE.cost - 1)
    assert "after 1 more are handled" in herd.suspects.problems()[0]
    herd.suspects.tick(PRICE.cost)
    assert [row[-1] for row in herd.known] == ["condemned"] * (PRICE.start + 1)
    assert herd.suspects.problems() == []
    assert len(herd.lines("quarantined")) == PRICE.start + 1


def test_another_limit_takes_effect_within_a_second(herd: Herd) -> None:
    herd.die((0, 1, 1))
    herd.suspects.tick(0)
    assert herd.known == [(0, 1, 1, 1, "pending")]
    herd.suspects.most = lambda: 1
    herd.suspects.tick(0)
    assert herd.known == [(0, 1, 1, 1, "condemned")]


def test_a_hang_blames_the_call_that_was_too_late(herd: Herd) -> None:
    slot = herd.slot(0, (0, 7, 7), (1, 9, 9))
    herd.suspects.hangings.seen(slot, ["orders[1]@9"], {})
    assert herd.die(slot=slot, cause=HANG, stacks=stacks("ask"))
    assert herd.known == [(1, 9, 9, 1, "pending")]


def test_a_hang_elsewhere_blames_nobody(herd: Herd) -> None:
    slot = herd.slot(0, (0, 7, 7))
    herd.suspects.hangings.seen(slot, [], {})
    assert not herd.die(slot=slot, cause=HANG)
    unseen = herd.slot(0, (0, 7, 7))
    assert not herd.die(slot=unseen, cause=HANG)
    assert herd.known == []


def test_two_workers_that_hang_at_once_blame_nobody_and_take_the_first_blame_back(herd: Herd) -> None:
    first, second = herd.slot(0, (0, 7, 7)), herd.slot(1, (1, 9, 9))
    herd.hang(first, "ask")
    assert herd.known == [(0, 7, 7, 1, "pending")]
    assert not herd.hang(second, "wait")
    assert herd.known == [(0, 7, 7, 0, "pending")]
    [line] = herd.lines("hang_is_outage")
    assert (line["child"], line["reason"]) == ("worker 1", "worker 0 hangs as well, 0 s apart")


def test_a_hang_that_is_seen_before_the_other_one_ends_counts_for_both(herd: Herd) -> None:
    first, second = herd.slot(0, (0, 7, 7)), herd.slot(1, (1, 9, 9))
    herd.seen(first)
    herd.seen(second)
    for slot in (first, second):
        assert not herd.die(slot=slot, cause=HANG, stacks=stacks("ask"))
    assert herd.known == []


def test_the_same_place_for_another_partition_is_an_outage_and_for_the_same_one_a_killer(herd: Herd) -> None:
    for _ in range(2):
        herd.hang(herd.slot(0, (0, 7, 7)))
    assert herd.known == [(0, 7, 7, 2, "pending")]
    assert herd.hang(herd.slot(0, (1, 3, 3)), "another_place")
    assert not herd.hang(herd.slot(0, (2, 5, 5)))
    assert herd.known == [(0, 7, 7, 0, "pending"), (1, 3, 3, 1, "pending")]


def test_two_that_hang_at_once_while_plenty_of_their_topic_is_handled_are_killers_both(herd: Herd) -> None:
    for _ in range(2):
        first, second = herd.slot(0, (0, 7, 7)), herd.slot(1, (1, 9, 9))
        herd.seen(first, orders=50)
        herd.seen(second, orders=50)
        for slot in (first, second):
            herd.die(slot=slot, cause=HANG, stacks=stacks("ask"))
    assert herd.known == [(0, 7, 7, 2, "pending"), (1, 9, 9, 2, "pending")]


def test_what_is_handled_of_other_topics_says_nothing_about_a_hang(herd: Herd) -> None:
    first, second = herd.slot(0, (0, 7, 7)), herd.slot(1, (1, 9, 9))
    herd.hang(first, payments=50)
    assert not herd.hang(second, payments=50)
    assert herd.known == [(0, 7, 7, 0, "pending")]


def test_without_room_it_goes_on_in_memory_and_says_so(herd: Herd) -> None:
    herd.file.mkdir()
    (herd.file / "x").touch()
    herd.die((3, 41, 41))
    assert herd.known == [(3, 41, 41, 1, "pending")]
    [line] = herd.lines("suspects_unwritten")
    assert line["path"] == str(herd.file)


def write(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


GOOD = {"version": 1, "app": "orders", "suspects": []}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (write(""), "no JSON"),
        (write("[]"), "no list of suspects"),
        (write(json.dumps(GOOD | {"version": 2})), "version 2, not 1"),
        (write(json.dumps(GOOD | {"app": "payments"})), "application 'payments', not 'orders'"),
        (write(json.dumps(GOOD | {"suspects": [{}]})), "a suspect has no"),
        (lambda path: path.write_bytes(b"\xff"), "not UTF-8"),
        (os.mkfifo, "no regular file"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_ignored_and_told(
    herd: Herd, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(herd.file)
    herd.start()
    assert herd.suspects.document() == []
    [line] = herd.lines("suspects_ignored")
    assert says in line["reason"]
    herd.file.unlink()


def test_a_verdict_outlives_the_supervisor_too(herd: Herd) -> None:
    for _ in range(3):
        herd.die((3, 41, 41))
    herd.start()
    [row] = herd.suspects.document()
    assert row["verdict"] == Verdict.CONDEMNED.value


@pytest.mark.parametrize("call", [(-1, 5, 5), (0, -7, -7), (0, 9, 5)])
def test_a_board_that_makes_no_sense_accuses_nobody(herd: Herd, call: tuple[int, int, int]) -> None:
    slot = herd.slot(0, call)
    assert slot.papers is not None
    herd.suspects.left(0, in_flight_of(slot.papers.board), {})
    assert not herd.die(slot=slot)
    assert herd.suspects.document() == []


def test_a_call_for_a_topic_that_the_board_does_not_name_accuses_nobody(herd: Herd) -> None:
    slot = herd.slot()
    assert slot.papers is not None
    BoardWriter(slot.papers.board).start_call(0, 77, 3, 5, 5, 1)
    assert not herd.die(slot=slot)

"""Out-of-order work over restarts: what is done is not done again, what is not done is done, on this host or elsewhere.

Owners follow each other: they crash, leave in order, or are taken their place by one elsewhere. Between them a
broker with a limit on metadata, lost answers, an operator who rewinds, and compaction. The truth is kept apart.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, Message
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kherd.worker.board import Board
from kherd.worker.boardentries import entries_of
from kherd.worker.boardwriter import BoardWriter
from kherd.worker.decide.handover import Commit, Entry, Identity, Log, choose, screen
from kherd.worker.decide.metadata import Known, merged, read
from kherd.worker.decide.offsets import WINDOW, length, united
from kherd.worker.decide.retry import State, counted
from kherd.worker.notes import Notes, Said
from kherd.worker.partition import Partition
from kherd.worker.spec import SlotIdentity

ID = Identity(1, 2, 3)
LIMITS = [20, 35, 40, 48, 64, 100, 300, 4096, 4096, 4096]


class Durable(RuleBasedStateMachine):
    @initialize(limit=st.sampled_from(LIMITS), hole=st.sampled_from([0, 0, 3]))
    def start(self, limit: int, hole: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.limit, self.hole = limit, hole
        self.log: list[int] = []
        self.end = 0
        self.commit = Commit(None)
        self.finished: set[int] = set()
        self.failures: dict[int, int] = {}
        self.noted: dict[int, int] = {}
        """Failures that the commit that is stored tells of."""
        self.known: set[int] = set()
        """What the present owner knows to be finished."""
        self.durable: set[int] = set()
        """What is finished by what is committed: nobody may do it again."""
        self.orphans: list[Entry] = []
        self.owners = 0
        self.take_over(here=False)

    # --- owners

    def take_over(self, *, here: bool) -> None:
        """Begin as a worker does that has heard of all there is to hear."""
        self.owners += 1
        self.board, self.fd = Board.create(
            Path(self.folder.name) / f"{self.owners}", SlotIdentity(1, 0, self.owners), 1
        )
        self.owner = one = Partition("t", 0, self.owners, BoardWriter(self.board))
        self.notes = Notes()
        one.based(self.commit)
        one.identify(ID)
        one.led(0)
        entries, _ = screen(self.orphans if here else [], self.commit)
        log = Log(0, self.end, 0)
        best, _ = choose(entries, ID, log)
        note = self.notes.heard(one, self.commit)
        noted = self.notes.believed(one, self.commit, note, ID, log) or Known()
        begin = self.commit.offset or 0
        if best is not None:
            above = united(best.above, noted.done, best.done)
            one.go_on(best.done, above, merged(noted.attempts, dict(best.attempts)))
            begin = best.done
        elif note is not None and self.commit.offset is not None:
            one.go_on(begin, noted.done, noted.attempts)
        self.begun: list[int] = []
        self.waiting = list(one.received(self.messages(begin))) if self.messages(begin) else []
        self.received_to = self.end
        expected = self.failures if best is not None else self.noted
        for offset, count in expected.items():
            if offset not in self.finished and len(expected) <= 8 and self.limit > 500:
                state = one.attempts.get(offset, State())
                assert state.failures == count, f"{offset} was tried {count} times, known are {state}"
        if best is not None or (here and self.commit.nonce == self.owners - 1):  # the one before has made that commit
            self.durable |= self.known
        self.known, self.failures = set(self.durable), dict(expected)

    def messages(self, start: int) -> list[Message]:
        return [Message(topic="t", partition=0, offset=at, value=b"") for at in self.log if start <= at < self.end]

    def bury(self) -> None:
        found = entries_of(self.board)
        self.orphans = [*([] if self.owner.committed is not None else self.orphans), *found]
        self.board.close()
        os.close(self.fd)

    # --- what happens

    @rule(count=st.integers(1, 8))
    def produce(self, count: int) -> None:
        for _ in range(count):
            self.log.append(self.end)
            self.end += 1 + (self.hole if self.end % 5 == 0 else 0)
        arrived = self.messages(self.received_to)
        self.received_to = self.end
        self.waiting = [*self.waiting, *(self.owner.received(arrived) if arrived else [])]

    @rule(count=st.integers(1, 6))
    def begin(self, count: int) -> None:
        for _ in range(count):
            if not self.waiting or not self.owner.may_begin(self.waiting[0].offset() or 0):
                return
            offset = self.waiting.pop(0).offset() or 0
            assert offset not in self.durable, f"{offset} is begun again"
            self.owner.offsets.open(offset)
            self.owner.show()
            self.begun.append(offset)

    @precondition(lambda self: self.begun)
    @rule(data=st.data(), count=st.integers(1, 4))
    def finish(self, data: st.DataObject, count: int) -> None:
        for _ in range(min(count, len(self.begun))):
            offset = data.draw(st.sampled_from(self.begun))
            self.begun.remove(offset)
            self.owner.offsets.close(offset)
            self.owner.settled(offset)
            self.owner.show()
            self.finished.add(offset)
            self.known.add(offset)
            self.failures.pop(offset, None)

    @precondition(lambda self: self.begun)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        offset = data.draw(st.sampled_from(self.begun))
        state = self.owner.attempts.get(offset, State())
        self.owner.tried(offset, counted(state, 1000.0 + self.owners))
        self.failures[offset] = state.failures + 1

    @rule(fate=st.sampled_from(["answered", "answered", "answered", "arrived", "lost"]))
    def send_commit(self, fate: str) -> None:
        said = self.notes.due(self.owner)
        while said is not None:
            self.owner.sending(said.offset)
            self.owner.sent, self.owner.told = said.offset, said.text
            if len(said.text) <= self.limit:
                self.arrive(said, fate)
                return
            self.owner.refused()
            said = self.refuse(said)

    def refuse(self, said: Said) -> Said | None:
        error = KafkaError(KafkaError.OFFSET_METADATA_TOO_LARGE)
        smaller = self.notes.smaller({self.owner: said}, {self.owner: error})
        assert len(smaller[self.owner].text) < len(said.text)
        return smaller[self.owner]

    def arrive(self, said: Said, fate: str) -> None:
        if fate == "lost":
            self.owner.refused()  # the answer of a commit that has not arrived is an error
            return
        self.commit = Commit(said.offset, read(said.text).nonce, said.text)
        known = self.notes.believed(
            self.owner, self.commit, self.notes.heard(self.owner, self.commit), ID, self.log_now
        )
        mapped = {offset for first, end in (known.done if known else ()) for offset in range(first, end)}
        self.durable = {at for at in self.known if at < said.offset or at in mapped}
        self.noted = {at: state.failures for at, state in (known.attempts if known else {}).items()}
        if self.limit == LIMITS[-1] and len(self.begun) < 100:
            assert self.durable == self.known, "not all of it was noted"
        if fate == "answered":
            self.owner.acknowledged(said.offset, said.text)

    @property
    def log_now(self) -> Log:
        return Log(0, self.end, 0)

    @rule(here=st.sampled_from([True, True, False]))
    def crash(self, here: bool) -> None:
        self.bury()
        if not here:
            self.orphans = []  # another host knows nothing of this one's boards
        self.take_over(here=here)

    @rule()
    def hand_over_in_order(self) -> None:
        said = self.notes.last(self.owner)
        while said is not None and len(said.text) > self.limit:
            said = self.refuse(said)
        if said is not None:
            self.arrive(said, "answered")
        self.board.close()
        os.close(self.fd)
        self.orphans = []
        self.take_over(here=False)

    @rule(share=st.floats(0, 1))
    def rewind(self, share: float) -> None:
        self.bury()
        offset = int(share * (self.commit.offset or 0))
        self.commit = Commit(offset)
        self.finished = {at for at in self.finished if at < offset}
        self.known, self.durable, self.noted, self.failures = set(), set(), {}, {}
        self.take_over(here=True)

    @precondition(lambda self: self.log)
    @rule(data=st.data())
    def compact(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(self.log))
        if gone not in self.begun and all(one.offset() != gone for one in self.waiting):
            self.log.remove(gone)

    @invariant()
    def nothing_unfinished_is_committed(self) -> None:
        left = [at for at in self.log if at not in self.finished and at < (self.commit.offset or 0)]
        assert not left, f"{left} passed by {self.commit}"

    def teardown(self) -> None:
        if not hasattr(self, "owner"):
            return
        try:
            self.end_well()
        finally:
            self.board.close()
            os.close(self.fd)
            self.folder.cleanup()

    def end_well(self) -> None:
        """Left alone, the last owner finishes and commits everything."""
        self.produce(1)
        for _ in range(2 * len(self.log) + 10):
            self.begin(6)
            if self.begun:
                lowest = min(self.begun)
                self.begun.remove(lowest)
                self.owner.offsets.close(lowest)
                self.owner.settled(lowest)
                self.owner.show()
                self.finished.add(lowest)
                self.known.add(lowest)
            self.send_commit("answered")
        assert not self.waiting, f"stands still at {self.owner.offsets.committable}"
        assert set(self.log) <= self.finished
        assert (self.commit.offset or 0) > self.log[-1]
        assert length(self.owner.offsets.runs()) == 0
        assert len(self.log) < WINDOW


Durable.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestDurable: Any = Durable.TestCase

"""Whatever order records finish in, the offset to commit never passes an unfinished one, and never goes back."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kherd.worker.decide.offsets import Offsets


class Finishing(RuleBasedStateMachine):
    """Records are begun in order, some offsets do not exist, any may stay open and finish later."""

    def __init__(self) -> None:
        super().__init__()
        self.offsets = Offsets()
        self.next = 0
        self.unfinished: set[int] = set()
        self.last: int | None = None
        self.before: int | None = None

    @rule(gap=st.integers(0, 3), count=st.integers(1, 5))
    def finish_in_sequence(self, gap: int, count: int) -> None:
        self.next += gap
        self.last = self.next + count - 1
        self.next = self.last + 1
        self.offsets.reach(self.next)

    @rule(gap=st.integers(0, 3))
    def begin(self, gap: int) -> None:
        self.last = self.next + gap
        self.next = self.last + 1
        self.unfinished.add(self.last)
        self.offsets.open(self.last)

    @precondition(lambda self: self.unfinished)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        offset = data.draw(st.sampled_from(sorted(self.unfinished)))
        self.unfinished.discard(offset)
        self.offsets.close(offset)

    @precondition(lambda self: self.last is not None)
    @rule(offset=st.integers(0, 50))
    def say_again_what_is_finished(self, offset: int) -> None:
        if offset not in self.unfinished and offset < self.next:
            self.offsets.close(offset)
            self.offsets.reach(offset)

    @invariant()
    def never_past_an_unfinished_record(self) -> None:
        expected = min(self.unfinished) if self.unfinished else None if self.last is None else self.last + 1
        assert self.offsets.committable == expected
        assert self.offsets.pending == len(self.unfinished)

    @invariant()
    def never_back(self) -> None:
        now = self.offsets.committable
        assert self.before is None or (now is not None and now >= self.before)
        self.before = now


TestFinishing = Finishing.TestCase

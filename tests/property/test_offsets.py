"""Whatever order records finish in, the offset to commit never passes an unfinished one, and never goes back."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kherd.worker.decide.donemap import spans
from kherd.worker.decide.offsets import WINDOW, Offsets, Runs, between, length, united

some_runs = st.integers(0, 2**40).map(lambda bits: spans(bits, 0))


class Finishing(RuleBasedStateMachine):
    """Records are begun in order, some offsets do not exist, any may stay open and finish later.

    An earlier owner may have finished some above the commit. What it left may not exist any more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.offsets = Offsets()
        self.unfinished: set[int] = set()
        self.owed: set[int] = set()
        """Left by the earlier owner and not begun."""
        self.next = 0
        """What is delivered next, unless it is finished."""
        self.top: int | None = None
        """One past the highest that was begun or finished."""
        self.before: int | None = None
        self.news: set[int] = set()

    @initialize(base=st.integers(0, 5), bits=st.integers(0, 2**24))
    def adopt(self, base: int, bits: int) -> None:
        done = spans(bits, base)
        if done:
            self.next, self.top = base, done[-1][1]
            self.owed = set(between(base, done))
            self.offsets.adopt(base, done)

    def deliver(self, gap: int) -> int:
        """Return the next record that is not finished; those that would have come first turn out not to exist."""
        offset = self.next + gap
        while self.top is not None and offset < self.top and offset not in self.owed:
            assert self.offsets.is_done(offset)
            offset += 1
        self.offsets.absent(self.next, offset)
        self.owed -= set(range(offset + 1))
        self.next = offset + 1
        self.top = max(self.top or 0, self.next)
        assert not self.offsets.is_done(offset)
        return offset

    @rule(gap=st.integers(0, 3), count=st.integers(1, 5))
    def finish_in_sequence(self, gap: int, count: int) -> None:
        last = [self.deliver(gap if number == 0 else 0) for number in range(count)][-1]
        self.offsets.reach(last + 1)

    @rule(gap=st.integers(0, 3))
    def begin(self, gap: int) -> None:
        offset = self.deliver(gap)
        self.unfinished.add(offset)
        self.offsets.open(offset)

    @precondition(lambda self: self.unfinished)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        offset = data.draw(st.sampled_from(sorted(self.unfinished)))
        self.unfinished.discard(offset)
        self.offsets.close(offset)

    @rule(count=st.integers(1, 6))
    def receive_nothing_but_what_is_finished(self, count: int) -> None:
        """A record that is delivered shows that what was to come before it does not exist."""
        done = [one for one in range(self.next, self.top or 0) if one not in self.owed][:count]
        if done:
            self.offsets.absent(self.next, done[-1])
            self.owed -= set(range(done[-1]))
            self.next = done[-1] + 1

    @precondition(lambda self: self.top is not None)
    @rule(offset=st.integers(0, 50))
    def say_again_what_is_finished(self, offset: int) -> None:
        if offset not in self.unfinished and offset < min([self.next, *self.owed]):
            self.offsets.close(offset)
            self.offsets.reach(offset)

    @invariant()
    def never_past_an_unfinished_record(self) -> None:
        left = self.unfinished | self.owed
        expected = min(left) if left else self.top
        assert self.offsets.committable == expected
        assert self.offsets.pending == len(self.unfinished)
        assert self.offsets.frontier == self.top

    @invariant()
    def never_back(self) -> None:
        now = self.offsets.committable
        assert self.before is None or (now is not None and now >= self.before)
        self.before = now

    @invariant()
    def what_is_finished_above_is_known(self) -> None:
        base, left = self.offsets.committable, self.unfinished | self.owed
        expected = set() if base is None else set(range(base, self.top or 0)) - left
        runs = self.offsets.runs()
        assert {offset for first, end in runs for offset in range(first, end)} == expected
        assert length(runs) == len(expected)
        assert not self.offsets.plain or not expected
        self.news |= {offset for first, end in self.offsets.news for offset in range(first, end)}
        assert expected <= self.news, "who takes note of the news has missed something"
        assert not self.news & self.unfinished, "not finished"
        assert not self.news & self.owed, "not finished"

    @invariant()
    def what_is_begun_is_done_unless_it_is_open(self) -> None:
        for offset in range(self.top or 0):
            assert self.offsets.is_done(offset) == (offset not in self.unfinished | self.owed)


TestFinishing = Finishing.TestCase


@given(some_runs, some_runs, st.integers(0, 45))
def test_two_accounts_of_what_is_finished_make_one(one: Runs, other: Runs, base: int) -> None:
    expected = {offset for first, end in (*one, *other) for offset in range(first, end) if offset >= base}
    runs = united(one, other, base)
    assert {offset for first, end in runs for offset in range(first, end)} == expected
    assert len(between(base, runs)) == (max(expected) + 1 - base - len(expected) if expected else 0)


@given(st.integers(0, 3 * WINDOW))
def test_what_is_known_ends_with_the_window(count: int) -> None:
    offsets = Offsets()
    offsets.open(7)
    offsets.reach(8 + count)
    assert offsets.runs() == (() if not count else ((8, min(8 + count, 7 + WINDOW)),))

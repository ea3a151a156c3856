"""However records end, one of a lane runs at a time and in order, what is held holds its lane alone, all get a turn."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kherd.worker.decide.queues import Order, Queues, name_of


@dataclass(eq=False)
class Record:
    place: tuple[int, int]
    name: bytes | int
    offset: int
    lonely: bool = False
    size: int = 3

    @property
    def home(self) -> int:
        return self.place[0]


class Running(RuleBasedStateMachine):
    """Two partitions whose assignments come and go; records end well, badly, or turn out not to be done."""

    def __init__(self) -> None:
        super().__init__()
        self.queues: Queues[Record] = Queues(lambda record: record.lonely)
        self.epochs = [0, 0]
        self.next = [0, 0]
        self.waiting: list[Record] = []
        self.running: list[Record] = []
        self.held: list[Record] = []
        self.again: list[Record] = []
        self.done: list[Record] = []

    @initialize(order=st.sampled_from(["key", "partition", "none"]))
    def begin(self, order: Order) -> None:
        self.order: Order = order

    @rule(home=st.integers(0, 1), key=st.sampled_from([None, b"", b"a", b"b"]), lonely=st.integers(0, 9))
    def receive(self, home: int, key: bytes | None, lonely: int) -> None:
        offset, self.next[home] = self.next[home], self.next[home] + 1
        name = name_of(self.order, key, offset)
        record = Record((home, self.epochs[home]), name, offset, lonely == 0)
        self.waiting.append(record)
        self.queues.add(record)

    @rule()
    def take(self) -> None:
        startable, eligible = self.queues.startable, self._eligible()
        record = self.queues.take()
        if record is None:
            assert not eligible or any(one.lonely for one in eligible + self.running)
            return
        assert record in eligible
        assert startable
        assert not (record.lonely and self.running)
        assert not any(one.lonely for one in self.running)
        (self.again if record in self.again else self.waiting).remove(record)
        if record in self.held:
            self.held.remove(record)
        self.running.append(record)

    def _eligible(self) -> list[Record]:
        """Return what may run by the law, told from the records alone."""
        busy = {(one.home, one.name) for one in self.running}
        gone = {one.home for one in self.running if one.place[1] != self.epochs[one.home]}
        heads: dict[tuple[int, bytes | int], Record] = {}
        for one in sorted(self.waiting, key=lambda one: one.offset):
            heads.setdefault((one.home, one.name), one)
        for one in self.held:
            heads.pop((one.home, one.name), None)
        found = [*heads.values(), *self.again]
        return [one for one in found if (one.home, one.name) not in busy and one.home not in gone]

    @precondition(lambda self: self.running)
    @rule(data=st.data(), well=st.booleans())
    def end(self, data: st.DataObject, well: bool) -> None:
        record = data.draw(st.sampled_from(self.running))
        self.running.remove(record)
        ours = record.place[1] == self.epochs[record.home]
        if well:
            self.queues.ended(record)
            self.done += [record] if ours else []
        else:
            self.queues.rest(record)
            self.held += [record] if ours else []

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(self.done))
        self.done.remove(record)
        self.held.append(record)
        self.queues.hold(record)
        self.queues.hold(record)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def try_again(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(self.held))
        first = min(
            (one for one in self.held if one.place == record.place and one.name == record.name), key=lambda o: o.offset
        )
        assert self.queues.leads(record) == (record is first)
        if record is first and record not in self.again:
            others = [one for one in self.again if one.place == record.place and one.name == record.name]
            self.again = [one for one in self.again if one not in others]
            self.again.append(record)
            self.queues.again(record)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        record = data.draw(st.sampled_from(self.held))
        self.held.remove(record)
        if record in self.again:
            self.again.remove(record)
        self.queues.release(record)
        self.queues.release(record)

    @rule(home=st.integers(0, 1))
    def pause_and_resume(self, home: int) -> None:
        place = (home, self.epochs[home])
        waiting, again = self.queues.withdraw(place)
        ours = [one for one in self.waiting if one.place == place]
        assert waiting == sorted(ours, key=lambda one: one.offset)
        assert {id(one) for one in again} == {id(one) for one in self.again if one.place == place}
        self.again = [one for one in self.again if one.place != place]
        for record in waiting:
            self.queues.add(record)

    @rule(home=st.integers(0, 1))
    def lose(self, home: int) -> None:
        place = (home, self.epochs[home])
        self.queues.forget(place)
        self.epochs[home] += 1
        for records in (self.waiting, self.held, self.again, self.done):
            records[:] = [one for one in records if one.place != place]

    @invariant()
    def counted(self) -> None:
        ours = [*self.waiting, *self.held, *(one for one in self.running if one.place[1] == self.epochs[one.home])]
        assert (self.queues.records, self.queues.bytes) == (len(ours), 3 * len(ours))
        assert self.queues.active == len(self.running)
        for home in (0, 1):
            place = (home, self.epochs[home])
            assert self.queues.count(place) == sum(one.place == place for one in ours)
            assert self.queues.running(place) == sum(one.place == place for one in self.running)

    def teardown(self) -> None:
        """In the end everything can be done."""
        for record in list(self.running):
            self.queues.ended(record)
        self.running = []
        for record in sorted(self.held, key=lambda one: one.offset):
            self.queues.release(record)
        self.held, self.again = [], []
        while self.waiting:
            taken = self.queues.take()
            assert taken is not None
            assert taken in self._eligible()
            self.waiting.remove(taken)
            self.queues.ended(taken)
        assert self.queues.take() is None
        assert (self.queues.records, self.queues.bytes, self.queues.active) == (0, 0, 0)


TestRunning = Running.TestCase


@given(hot=st.integers(1, 200), others=st.integers(1, 20))
def test_a_hot_key_has_one_turn_of_every_round(hot: int, others: int) -> None:
    queues: Queues[Record] = Queues(lambda _: False)
    for offset in range(hot):
        queues.add(Record((0, 0), b"hot", offset))
    for offset in range(hot, hot + others):
        queues.add(Record((0, 0), b"%d" % offset, offset))
    names = []
    for _ in range(others + 1):
        record = queues.take()
        assert record is not None
        names.append(record.name)
        queues.ended(record)
    assert names.count(b"hot") == 1


@given(crowd=st.integers(1, 200), few=st.integers(1, 20))
def test_partitions_take_turns_however_much_is_ready_in_them(crowd: int, few: int) -> None:
    queues: Queues[Record] = Queues(lambda _: False)
    for offset in range(crowd):
        queues.add(Record((0, 0), offset, offset))
    for offset in range(few):
        queues.add(Record((1, 0), offset, offset))
    homes = []
    while (record := queues.take()) is not None:
        homes.append(record.home)
        queues.ended(record)
    turns = 2 * min(crowd, few)
    assert homes[:turns] == [0, 1] * (turns // 2)

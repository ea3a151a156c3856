"""A lane is what the order says, and of the lanes of an assignment each that is ready has one turn."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.lanes import Order, Shelf, name_of


@dataclass(eq=False)
class Record:
    name: bytes | int
    offset: int
    place: int = 0
    home: int = 0
    size: int = 1


@pytest.mark.parametrize(("order", "lanes"), [("key", 5), ("partition", 1), ("none", 6)])
def test_a_lane_is_what_the_order_says(order: Order, lanes: int) -> None:
    names = [name_of(order, key, offset) for offset, key in enumerate([b"a", b"b", b"a", None, None, b""])]
    assert len(set(names)) == lanes
    assert (names[0] == names[2]) == (order != "none")


@given(st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=30))
def test_a_lane_that_is_ready_has_one_turn_and_gives_its_records_in_order(names: list[bytes]) -> None:
    shelf: Shelf[Record] = Shelf(0)
    records = [Record(name, offset) for offset, name in enumerate(names)]
    for record in records:
        shelf.lane(record.name).waiting.append(record)
        shelf.enlist(shelf.lane(record.name))
    assert len(shelf.ready) == len(set(names))
    begun = []
    while shelf.ready:
        record = shelf.next()
        begun.append(record)
        lane = shelf.lane(record.name)
        assert not lane.ready
        lane.running = False
        shelf.enlist(lane)
    assert {record.offset for record in begun} == set(range(len(names)))
    for name in set(names):
        offsets = [record.offset for record in begun if record.name == name]
        assert offsets == sorted(offsets)


@given(st.lists(st.booleans(), min_size=1, max_size=10), st.data())
def test_what_is_taken_out_is_what_waits_and_what_is_held_stays(held: list[bool], data: st.DataObject) -> None:
    shelf: Shelf[Record] = Shelf(0)
    records = [Record(data.draw(st.sampled_from([b"a", b"b"])), offset) for offset in range(len(held))]
    for record, stays in zip(records, held, strict=True):
        lane = shelf.lane(record.name)
        lane.hold(record) if stays else lane.waiting.append(record)
        shelf.enlist(lane)
    waiting, again = shelf.clear()
    assert [record.offset for record in waiting] == [offset for offset, stays in enumerate(held) if not stays]
    assert again == []
    assert not shelf.ready
    assert sum(len(lane.held) for lane in shelf.lanes.values()) == sum(held)

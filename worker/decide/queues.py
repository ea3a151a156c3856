"""Which records may run beside each other, of all that was received: one of a lane at a time, in order.

A lane is what `order` says: a key of a partition, a whole partition, or one record. It goes on by itself when its
record ends well. One that ended otherwise is held: it keeps its lane, and no other, until it is released.
Partitions take turns, and in each its lanes do, so that much to do for one of them is no delay for the others.
"""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic

from .lanes import Item, Lane, Order, Shelf, T, name_of

__all__ = ["Item", "Order", "Queues", "name_of"]


class Queues(Generic[T]):
    """What waits, runs or is held. `alone` tells of which records nothing may run beside them."""

    def __init__(self, alone: Callable[[T], bool] = lambda _: False) -> None:
        self.alone = alone
        self._shelves: dict[Hashable, Shelf[T]] = {}
        self._turns: deque[Shelf[T]] = deque()
        self._leaving: dict[Hashable, int] = {}
        """Calls under way of assignments that have ended, by partition: its next one waits for them."""
        self._solo = False
        self.active = 0
        """Records that run."""
        self.records = 0
        self.bytes = 0

    @property
    def startable(self) -> int:
        """How many `take` would give one after the other, at the most."""
        return sum(len(shelf.ready) for shelf in self._turns) if self._may_take() else 0

    def count(self, place: Hashable) -> int:
        """Return how many records of `place` wait, run or are held."""
        shelf = self._shelves.get(place)
        return 0 if shelf is None else shelf.count

    def running(self, place: Hashable) -> int:
        """Return how many records of `place` run."""
        shelf = self._shelves.get(place)
        return 0 if shelf is None else shelf.running

    def places(self) -> list[Hashable]:
        """Return the places that anything was added for and that were not forgotten."""
        return list(self._shelves)

    def add(self, item: T) -> None:
        """Add what was received, after everything else of its lane."""
        shelf = self._shelf(item)
        lane = shelf.lane(item.name)
        lane.waiting.append(item)
        self._count(shelf, item, 1)
        self._enlist(shelf, lane)

    def take(self) -> T | None:
        """Let the record run whose turn it is, and return it; None if none may."""
        if not self._may_take():
            return None
        shelf = self._turns.popleft()
        shelf.listed = False
        item = shelf.next()
        self._solo = self.alone(item)
        self.active += 1
        self._turn(shelf)
        return item

    def ended(self, item: T) -> None:
        """Say that a record ended well: its lane goes on."""
        shelf = self._stop(item)
        if shelf is not None:
            self._count(shelf, item, -1)
            self._go_on(shelf, item)

    def rest(self, item: T) -> None:
        """Say that a record ended, and that it is not known yet what becomes of it: it is held."""
        shelf = self._stop(item)
        if shelf is not None:
            lane = shelf.lane(item.name)
            lane.hold(item)
            self._enlist(shelf, lane)

    def hold(self, item: T) -> None:
        """Hold a record that had ended well: it is not done after all. One that is held stays so."""
        shelf = self._shelf(item)
        lane = shelf.lane(item.name)
        if item not in lane.held:
            lane.hold(item)
            self._count(shelf, item, 1)
            self._delist(shelf, lane)

    def vacant(self, item: T) -> bool:
        """Return whether there is nothing of the lane of a record that is not added yet."""
        return self._lane(item) is None

    def leads(self, item: T) -> bool:
        """Return whether a record is the first of those held in its lane, and so the one to run again."""
        lane = self._lane(item)
        return lane is not None and bool(lane.held) and lane.held[0] is item

    def again(self, item: T) -> None:
        """Run a record that leads its lane again, before everything else of its partition."""
        shelf = self._shelves[item.place]
        lane = shelf.lanes[item.name]
        assert lane.held[0] is item
        lane.again = item
        self._enlist(shelf, lane, first=True)

    def release(self, item: T) -> None:
        """Say that a record is settled: if it is held, its lane goes on."""
        lane = self._lane(item)
        if lane is not None and item in lane.held:
            shelf = self._shelves[item.place]
            lane.release(item)
            self._count(shelf, item, -1)
            self._delist(shelf, lane)
            self._go_on(shelf, item)

    def withdraw(self, place: Hashable) -> tuple[list[T], list[T]]:
        """Begin nothing of `place`: return what waits, which is taken out, and what was to run again, which stays."""
        shelf = self._shelves.get(place)
        if shelf is None:
            return [], []
        waiting, again = shelf.clear()
        self._end_turn(shelf)
        for item in waiting:
            self._count(shelf, item, -1)
        return waiting, again

    def forget(self, place: Hashable) -> None:
        """Drop an assignment that has ended; what runs of it ends without a consequence."""
        self.withdraw(place)
        shelf = self._shelves.pop(place, None)
        if shelf is not None:
            self.records -= shelf.count
            self.bytes -= shelf.bytes
            if shelf.running:
                self._leaving[shelf.home] = self._leaving.get(shelf.home, 0) + shelf.running

    def _may_take(self) -> bool:
        """Return whether the next one may run: not beside one that runs alone, nor if it is one, beside any."""
        if self._solo or not self._turns:
            return False
        return not self.active or not self.alone(self._turns[0].ready[0].first)

    def _shelf(self, item: T) -> Shelf[T]:
        shelf = self._shelves.get(item.place)
        if shelf is None:
            shelf = self._shelves[item.place] = Shelf(item.home)
        return shelf

    def _lane(self, item: T) -> Lane[T] | None:
        shelf = self._shelves.get(item.place)
        return None if shelf is None else shelf.lanes.get(item.name)

    def _stop(self, item: T) -> Shelf[T] | None:
        """Note that `item` does not run any more; return its shelf, None if its assignment has ended."""
        self.active -= 1
        self._solo = False
        shelf = self._shelves.get(item.place)
        if shelf is None:
            self._leave(item.home)
            return None
        shelf.running -= 1
        shelf.lanes[item.name].running = False
        return shelf

    def _leave(self, home: Hashable) -> None:
        self._leaving[home] -= 1
        if not self._leaving[home]:
            del self._leaving[home]
            for shelf in self._shelves.values():
                if shelf.home == home:
                    self._turn(shelf)

    def _go_on(self, shelf: Shelf[T], item: T) -> None:
        lane = shelf.lanes[item.name]
        if lane.empty:
            del shelf.lanes[item.name]
        else:
            self._enlist(shelf, lane)

    def _enlist(self, shelf: Shelf[T], lane: Lane[T], *, first: bool = False) -> None:
        shelf.enlist(lane, first=first)
        self._turn(shelf)

    def _delist(self, shelf: Shelf[T], lane: Lane[T]) -> None:
        shelf.delist(lane)
        if not shelf.ready:
            self._end_turn(shelf)

    def _turn(self, shelf: Shelf[T]) -> None:
        if shelf.ready and not shelf.listed and shelf.home not in self._leaving:
            shelf.listed = True
            self._turns.append(shelf)

    def _end_turn(self, shelf: Shelf[T]) -> None:
        if shelf.listed:
            shelf.listed = False
            self._turns.remove(shelf)

    def _count(self, shelf: Shelf[T], item: T, sign: int) -> None:
        shelf.count += sign
        shelf.bytes += sign * item.size
        self.records += sign
        self.bytes += sign * item.size

"""What runs one at a time, in the order of its offsets: a lane. And the lanes of one assignment, which take turns."""

from bisect import insort
from collections import deque
from collections.abc import Hashable
from typing import Generic, Literal, Protocol, TypeVar

Order = Literal["partition", "key", "none"]
Name = bytes | int
_WHOLE: Name = b""


def name_of(order: Order, key: bytes | None, offset: int) -> Name:
    """Return the lane of a record within its partition; a record without a key is free under "key"."""
    if order == "partition":
        return _WHOLE
    return offset if order == "none" or key is None else key


class Item(Protocol):
    """A record. `place` is one assignment of its partition, `home` the partition, whichever assignment it is of."""

    @property
    def place(self) -> Hashable: ...  # noqa: D102 - see above
    @property
    def home(self) -> Hashable: ...  # noqa: D102
    @property
    def name(self) -> Name: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102


T = TypeVar("T", bound=Item)


def offset_of(item: Item) -> int:
    """Return the offset of a record."""
    return item.offset


class Lane(Generic[T]):
    """Records of which one runs at a time. While any is `held`, only that one of them runs that is to run `again`."""

    __slots__ = ("again", "held", "listed", "running", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[T] = deque()
        self.held: list[T] = []
        self.again: T | None = None
        self.running = False
        self.listed = False

    @property
    def ready(self) -> bool:
        """Whether a record of it may run."""
        return not self.running and (self.again is not None or (bool(self.waiting) and not self.held))

    @property
    def empty(self) -> bool:
        """Whether there is nothing of it."""
        return not (self.running or self.held or self.waiting)

    @property
    def first(self) -> T:
        """The record that is to run next, of a lane that is ready."""
        return self.waiting[0] if self.again is None else self.again

    def begin(self) -> T:
        """Remove that record and let it run."""
        self.running = True
        if self.again is None:
            return self.waiting.popleft()
        item, self.again = self.again, None
        self.held.remove(item)
        return item

    def hold(self, item: T) -> None:
        """Let nothing else of the lane begin before `item` is settled."""
        insort(self.held, item, key=offset_of)

    def release(self, item: T) -> None:
        """Hold `item` no longer."""
        self.held.remove(item)
        if self.again is item:
            self.again = None


class Shelf(Generic[T]):
    """The lanes of one assignment: by name, and those that are ready in the order of their turns."""

    __slots__ = ("bytes", "count", "home", "lanes", "listed", "ready", "running")

    def __init__(self, home: Hashable) -> None:
        self.home = home
        self.lanes: dict[Name, Lane[T]] = {}
        self.ready: deque[Lane[T]] = deque()
        self.running = 0
        self.count = 0
        """Records that wait, run or are held."""
        self.bytes = 0
        self.listed = False

    def lane(self, name: Name) -> Lane[T]:
        """Return the lane of that name, made if it is not there."""
        lane = self.lanes.get(name)
        if lane is None:
            lane = self.lanes[name] = Lane()
        return lane

    def enlist(self, lane: Lane[T], *, first: bool = False) -> None:
        """Give `lane` its turn if it is ready and has none; `first`: before all others."""
        if lane.ready and not lane.listed:
            lane.listed = True
            self.ready.appendleft(lane) if first else self.ready.append(lane)

    def delist(self, lane: Lane[T]) -> None:
        """Take its turn from `lane` if it is not ready any more."""
        if lane.listed and not lane.ready:
            lane.listed = False
            self.ready.remove(lane)

    def next(self) -> T:
        """Let the record run whose turn it is, of a shelf with a lane that is ready."""
        lane = self.ready.popleft()
        lane.listed = False
        self.running += 1
        return lane.begin()

    def clear(self) -> tuple[list[T], list[T]]:
        """Let nothing begin: return what waits, which is taken out, and what was to run again, which stays held."""
        waiting = [item for lane in self.lanes.values() for item in lane.waiting]
        again = [lane.again for lane in self.lanes.values() if lane.again is not None]
        for lane in self.ready:
            lane.listed = False
        self.ready.clear()
        for lane in self.lanes.values():
            lane.waiting.clear()
            lane.again = None
        self.lanes = {name: lane for name, lane in self.lanes.items() if not lane.empty}
        return sorted(waiting, key=offset_of), again

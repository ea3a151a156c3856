"""One bisection: a list that failed twice is halved until the records that fail alone are known, the rest being done.

The order of each partition is kept: nothing of it is called before what comes earlier there has succeeded, has been put
aside, or waits, and then it waits behind that. So a record that fails alone at the head of everything may be at fault
or not: it is, once something succeeds or fails in another way; if what is called next fails alike, the list waits.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from confluent_kafka import Message

from . import events, log
from .deadletter import fingerprint_of
from .decide import bisect
from .decide.bisect import Part
from .decide.classify import Verdict
from .partition import Partition
from .trouble import Rest

Lists = Mapping[Partition, Sequence[Message]]
Attempt = Callable[[Lists, int], BaseException | None]
"""Calls the handler with lists, as the attempt of this number, and settles them; returns what it raised instead."""


class Ledger(Protocol):
    """Where what is found out goes: `failedlists.FailedLists`."""

    def give_up(self, lists: Lists, rest: Rest, error: BaseException) -> None: ...  # noqa: D102 - see there
    def works(self, rest: Rest) -> bool: ...  # noqa: D102
    def exhausted(self, rest: Rest) -> bool: ...  # noqa: D102
    def judge(self, error: BaseException) -> Verdict: ...  # noqa: D102
    def kept_from(self, lists: Lists, error: BaseException) -> None: ...  # noqa: D102
    def blame(  # noqa: D102
        self, partition: Partition, message: Message, error: BaseException, before: Rest | None = None
    ) -> None: ...
    def go_on(self, partition: Partition, messages: Sequence[Message]) -> None: ...  # noqa: D102


class Bisection:
    """From the second failure of the whole to the end; `rest` is what is known of the whole."""

    def __init__(self, ledger: Ledger, lists: Lists, rest: Rest, attempt: Attempt) -> None:
        self._ledger = ledger
        self._rest = rest
        self._attempt = attempt
        self._items = [(partition, message) for partition, those in lists.items() for message in those]
        self._state = bisect.begin(len(self._items))
        self._left = [True] * len(self._items)
        """Which of them are still to be called."""
        self._doubtful: tuple[Partition, list[Message], BaseException] | None = None
        """A record that failed alone, with all that is behind it, as long as it is not known to be at fault."""
        self._sure = False
        """Whether what fails alone is at fault."""
        self._calls = self._culprits = 0

    def step(self) -> bool:
        """Call the next part; return whether there is more to do. Else every record is settled, or waits."""
        while self._state.parts:
            part = self._state.parts[0]
            lists = self._lists(part)
            if lists:
                return self._call(part, lists)
            self._state = bisect.passed(self._state)
        self._end()
        return False

    def _call(self, part: Part, lists: Lists) -> bool:
        self._calls += 1
        error = self._attempt(lists, self._rest.failures + 1)
        if error is None:
            self._take(part)
            self._believe()
            self._state = bisect.succeeded(self._state)
        elif self._ends_with(lists, error):
            return False
        else:
            self._failed(part, error)
            self._state = bisect.failed(self._state)
        return True

    def _lists(self, part: Part) -> dict[Partition, list[Message]]:
        """Return what of `part` is to be called. What waits, or is not ours any more, is taken out first, all of it."""
        for partition in {self._items[at][0] for at in range(part.first, part.end) if self._left[at]}:
            if not partition.owned or partition.blocked:
                self._ledger.go_on(partition, self._take_all(partition))
        lists: dict[Partition, list[Message]] = {}
        for at in range(part.first, part.end):
            if self._left[at]:
                partition, message = self._items[at]
                lists.setdefault(partition, []).append(message)
        return lists

    def _take(self, part: Part) -> None:
        for at in range(part.first, part.end):
            self._left[at] = False

    def _take_all(self, partition: Partition) -> list[Message]:
        """Remove what is left of a partition: all at once, so that its order does not depend on when it goes on."""
        taken = [at for at, (one, _) in enumerate(self._items) if one is partition and self._left[at]]
        for at in taken:
            self._left[at] = False
        return [self._items[at][1] for at in taken]

    def _ends_with(self, lists: Lists, error: BaseException) -> bool:
        """Have everything wait if `error` does not speak against a record of `lists`; return whether it does not."""
        if self._ledger.judge(error) is Verdict.OUTAGE:
            self._ledger.kept_from({partition: self._take_all(partition) for partition in lists}, error)
            self._put_back()
            return True
        if self._doubtful is None:
            return False
        if fingerprint_of(error) != fingerprint_of(self._doubtful[2]):
            self._believe()
            return False
        self._give_up(error)
        return True

    def _failed(self, part: Part, error: BaseException) -> None:
        if not part.alone:
            return
        partition, message = self._items[part.first]
        if self._ledger.judge(error) is not Verdict.RETRY:  # the handler itself says that it is this record
            self._believe()
        if self._sure:
            self._take(part)
            self._culprits += 1
            self._ledger.blame(partition, message, error)
        else:
            self._doubtful = (partition, self._take_all(partition), error)

    def _believe(self) -> None:
        """From here on, what fails alone is at fault."""
        self._sure = True
        if self._doubtful is not None:
            self._settle(None)

    def _settle(self, before: Rest | None) -> None:
        assert self._doubtful is not None
        (partition, (message, *behind), error), self._doubtful = self._doubtful, None
        self._culprits += 1
        self._ledger.blame(partition, message, error, before)
        self._ledger.go_on(partition, behind)

    def _end(self) -> None:
        if self._doubtful is not None:
            if self._ledger.works(self._rest):
                self._settle(None)
            elif self._ledger.exhausted(self._rest):
                self._settle(self._rest)
            else:
                self._give_up(self._doubtful[2])
        if self._culprits:
            log.emit(events.BATCH_BISECTED, count=len(self._items), calls=self._calls, culprits=self._culprits)

    def _give_up(self, error: BaseException) -> None:
        assert self._doubtful is not None
        (partition, those, _), self._doubtful = self._doubtful, None
        lists = {partition: those}
        for one in dict.fromkeys(one for (one, _), left in zip(self._items, self._left, strict=True) if left):
            lists[one] = self._take_all(one)
        self._ledger.give_up(lists, self._rest, error)

    def _put_back(self) -> None:
        """Return what is left, in order, to where it came from."""
        if self._doubtful is not None:
            (partition, those, _), self._doubtful = self._doubtful, None
            self._ledger.go_on(partition, those)
        for one in dict.fromkeys(one for (one, _), left in zip(self._items, self._left, strict=True) if left):
            self._ledger.go_on(one, self._take_all(one))

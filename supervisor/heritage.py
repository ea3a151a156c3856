"""What dead workers leave to the next owners of their partitions, and how the workers hear of it.

A board with work that is done and not known to be committed outlives its process, as a file for the supervisor after
this one, until commits of later owners have made it worthless. Workers are told its entries; whether one is followed
is decided by the worker that has asked what is committed (`worker.decide.handover`).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..worker import clock, heritage
from ..worker.board import Board
from ..worker.boardentries import acknowledged_of, entries_of
from ..worker.channel import Message
from ..worker.decide.handover import Entry, Identity, identity_of
from ..worker.decide.pressure import Key
from .decide import orphans as decide
from .decide.orphans import Orphan, Orphans

EMBEDDED: Final = "embedded"
LONG_AGO: Final = -1e9
"""Monotonic seconds before every start of a machine."""
MOST_TOPICS: Final = 10_000
"""Beyond so many names that nobody could find out, no more are remembered."""


class Heritage:
    """The kept boards, and which topics the names mean.

    `tell` sends a message to every worker that may have joined. `liaison` sends one to the liaison, if it runs;
    without it (the embedded broker) a topic is what it is for this supervisor's `life`, for the broker ends with it.
    """

    def __init__(self, tell: Callable[[Message], None], life: int) -> None:
        self._tell, self._life = tell, life
        self.liaison: Callable[[Message], None] | None = None
        self._folder: Path | None = None
        self._orphans: Orphans = ()
        self._named: dict[float, dict[str, Identity | None]] = {}
        """Which topics names mean, by the time at which that was asked."""
        self._wanted: set[str] = set()

    def __len__(self) -> int:
        return len(self._orphans)

    def greet(self) -> Iterator[Message]:
        """Yield what a worker has to know before it joins."""
        for at, topics in self._named.items():
            yield from heritage.identities(topics, at)
        if self._orphans:
            yield from heritage.orphans(self._entries)

    def bury(self, path: Path, board: Board) -> bool:
        """Take the board of a worker that is dead over; return whether its file is to be kept."""
        return self.leave(path, entries_of(board), acknowledged_of(board))

    def leave(self, path: Path, entries: Sequence[Entry], acknowledged: Mapping[Key, int]) -> bool:
        """Keep `entries`, those of the board at `path`, and let go of what its commits ended; as `bury` does."""
        self._change(decide.succeed(self._orphans, acknowledged))
        if not entries:
            return False
        self._folder = path.parent
        orphan = Orphan(path.name, tuple(entries))
        self._change(decide.admit(self._orphans, orphan))
        self.ask({entry.topic for entry in entries})
        return orphan in self._orphans

    def look(self, boards: Iterable[Board]) -> None:
        """Let go of what commits of the living have overtaken; `boards` are theirs. Once a second."""
        if self._orphans:
            for board in boards:
                self._change(decide.succeed(self._orphans, acknowledged_of(board)))

    def committed(self, offsets: Mapping[Key, int | None]) -> None:
        """Let go of what the group has committed, as the lag's reading says."""
        self._change(decide.pass_by(self._orphans, offsets))

    def give_up_files(self) -> bool:
        """The disk is full: delete the files, for a new worker needs one; return whether there were any."""
        folder = self._folder
        found = [] if folder is None else [folder / one.name for one in self._orphans if (folder / one.name).exists()]
        for path in found:
            path.unlink(missing_ok=True)
        return bool(found)

    def ask(self, topics: Iterable[str]) -> None:
        """Have it found out which topics these are, now."""
        names = set(topics)
        if self.liaison is None:
            self._learn({name: identity_of(EMBEDDED, self._own_id(name)) for name in names}, clock.monotonic())
            return
        if len(self._wanted | names) <= MOST_TOPICS:
            self._wanted |= names
        self._question(names)

    def ask_again(self) -> None:
        """Put every open question to a new liaison."""
        self._question(self._wanted)

    def answered(self, message: Message) -> None:
        """Take an answer of the liaison."""
        self._wanted -= message["topics"].keys()
        cluster, ids = message["cluster"], message["topics"]
        known = {name: identity_of(cluster, one) if cluster and one else None for name, one in ids.items()}
        self._learn(known, message["at"])

    def remember(self, topics: Mapping[str, Identity]) -> None:
        """Take from a board of a life before which topics there were: for the boards of new workers that will do."""
        self._learn(topics, LONG_AGO)

    @property
    def _entries(self) -> list[Entry]:
        return [entry for one in self._orphans for entry in one.entries]

    def _question(self, names: Iterable[str]) -> None:
        if self.liaison is not None:
            for message in heritage.questions(names):
                self.liaison({**message, "at": clock.monotonic()})

    def _learn(self, topics: Mapping[str, Identity | None], at: float) -> None:
        for known in self._named.values():
            for name in topics:
                known.pop(name, None)
        self._named.setdefault(at, {}).update(topics)
        self._named = {key: known for key, known in self._named.items() if known}
        for message in heritage.identities(topics, at):
            self._tell(message)

    def _own_id(self, topic: str) -> str:
        return hashlib.blake2b(f"{self._life} {topic}".encode(), digest_size=16).hexdigest()

    def _change(self, orphans: Orphans) -> None:
        if orphans == self._orphans:
            return
        before, self._orphans = self._orphans, orphans
        kept = {one.name for one in orphans}
        for one in before:
            if one.name not in kept and self._folder is not None:
                with suppress(OSError):
                    (self._folder / one.name).unlink(missing_ok=True)
        for message in heritage.orphans(self._entries):
            self._tell(message)

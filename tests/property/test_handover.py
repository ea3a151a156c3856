"""Crash hand-over: whatever happens, nobody goes on beyond what was done, and whoever committed otherwise is heard.

A model plays owners on this host and on others, crashes, members that were fenced and live on, lost answers, operators
and brokers against one partition. What must be handled is kept apart from what any board says.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kherd.worker.decide.handover import (
    METADATA,
    Commit,
    Entry,
    Identity,
    Log,
    choose,
    cluster_word,
    decode,
    doubt_of_log,
    doubt_of_topic,
    encode,
    identity_of,
    nonce_of,
    saves,
    screen,
)

words = st.integers(-(2**63), 2**63 - 1)
nonces = st.integers(0, 2**63 - 1)
offsets = st.integers(0, 12)
maybe = st.one_of(st.none(), offsets)
commits = st.builds(Commit, maybe, st.one_of(st.none(), st.integers(1, 3)))
identities = st.builds(Identity, st.integers(1, 2), st.integers(1, 2), st.integers(1, 2))
entries = st.builds(
    Entry,
    topic=st.just("orders"),
    partition=st.just(0),
    pid=st.just(7),
    identity=st.one_of(st.none(), identities),
    nonce=st.integers(1, 3),
    epoch=st.one_of(st.none(), st.integers(0, 2)),
    base=st.one_of(st.none(), commits),
    sent=maybe,
    acked=maybe,
    done=offsets,
)
logs = st.builds(Log, offsets, offsets, st.one_of(st.none(), st.integers(0, 2)))


@given(nonces)
def test_a_commit_of_ours_says_whose_it_is(nonce: int) -> None:
    assert nonce_of(METADATA.format(nonce)) == nonce


@given(st.one_of(st.none(), st.text(), st.from_regex(r"kherd[12];nonce=[0-9a-fA-F_ +-]{15,17}", fullmatch=True)))
def test_whatever_else_is_in_a_commit_is_nobodys(metadata: str | None) -> None:
    nonce = nonce_of(metadata)
    assert nonce is None or METADATA.format(nonce) == metadata


@given(entries)
def test_workers_are_told_what_the_board_said(entry: Entry) -> None:
    assert decode(encode(entry)) == entry


@given(st.text(), st.binary(min_size=16, max_size=16))
def test_an_identity_is_of_words_and_never_of_nothing(cluster: str, topic: bytes) -> None:
    identity = identity_of(cluster, topic.hex())
    assert (identity is None) == (topic == bytes(16))
    assert -(2**63) <= cluster_word(cluster) < 2**63
    assert cluster_word(cluster) != 0


@given(st.lists(entries), commits, st.one_of(st.none(), identities), logs)
def test_what_is_followed_is_furthest_of_what_nothing_speaks_against(
    given_: list[Entry], commit: Commit, identity: Identity | None, log: Log
) -> None:
    usable, ignored = screen(given_, commit)
    best, more = choose(usable, identity, log)
    assert all(saves(entry, commit) for entry in (*usable, *(one.entry for one in ignored)))
    assert len(usable) + len(ignored) == sum(saves(entry, commit) for entry in given_)
    if best is not None:
        assert log.start <= best.done <= log.end
        assert (best.identity, best.epoch) == (identity, log.epoch)
        assert best.done == max(entry.done for entry in usable if entry not in [one.entry for one in more])


@given(entries, commits)
def test_a_commit_that_it_neither_began_with_nor_sent_wins(entry: Entry, commit: Commit) -> None:
    usable, _ = screen([entry], commit)
    if usable and commit.nonce == entry.nonce and commit.offset is not None:
        assert (entry.acked or 0) <= commit.offset <= (entry.sent or -1)
    elif usable:
        assert commit == entry.base
        assert entry.acked is None
        assert entry.sent is None or commit.offset is not None
        assert commit == Commit(None, commit.nonce) or commit.nonce is not None


@given(entries, logs)
def test_another_topic_or_another_log_wins(entry: Entry, log: Log) -> None:
    if doubt_of_log(entry, log) is None:
        assert entry.epoch == log.epoch is not None
        assert log.start <= entry.done <= log.end
    for other in (None, Identity(9, 9, 9)):
        assert doubt_of_topic(entry, other) is not None


@dataclass
class Owner:
    """A worker that has the partition: what its board says, and whether it is on this host."""

    entry: Entry
    here: bool


@dataclass
class World:
    """The truth. `owed` is what still has to be handled by whoever, `spared` what a fenced member has handled of it."""

    identity: Identity = field(default_factory=lambda: Identity(1, 1, 1))
    epoch: int = 0
    start: int = 0
    end: int = 0
    commit: Commit = field(default_factory=lambda: Commit(None))
    owed: set[int] = field(default_factory=set)
    spared: set[int] = field(default_factory=set)
    replaced: list[Commit] = field(default_factory=list)
    """Commits of which somebody knows that a later one has arrived: what a backup may bring back."""
    orphans: list[Entry] = field(default_factory=list)
    fenced: list[Owner] = field(default_factory=list)
    owners: int = 0
    unseen: bool = False
    """Whether there was a commit of which no board here tells: that it was deleted or undone cannot be seen."""

    def produce(self, count: int) -> None:
        self.owed |= set(range(self.end, self.end + count))
        self.end += count

    def ask_again_from(self, offset: int) -> None:
        self.owed, self.spared = set(range(max(offset, self.start), self.end)), set()

    def assign(self, *, here: bool, spare: bool) -> Owner:
        """Begin as the worker does; `spare`: nothing but crashes on this host has happened."""
        usable, _ = screen(self.orphans if here else [], self.commit)
        best, _ = choose(usable, self.identity, Log(self.start, self.end, self.epoch))
        begin = max(self.start, self.commit.offset or 0)
        start = begin if best is None else best.done
        skipped = {offset for offset in self.owed - self.spared if self.start <= offset < start}
        assert not skipped, f"{skipped} skipped: went on at {start} by {best}, committed {self.commit}"
        if spare:
            assert start == max([begin, *(entry.done for entry in self.orphans)]), "delivered again"
        self.owners += 1
        base = self.commit
        return Owner(Entry("orders", 0, 7, self.identity, self.owners, self.epoch, base, None, None, start), here)

    def handle(self, owner: Owner, count: int, *, fenced: bool = False) -> None:
        entry = owner.entry
        if (entry.identity, entry.epoch) != (self.identity, self.epoch):
            return  # it would have heard of that with its next fetch
        upto = max(entry.done, min(entry.done + count, self.end))
        handled = set(range(entry.done, upto))
        if fenced:
            self.spared |= handled
        else:
            self.owed -= handled
        owner.entry = replace(entry, done=upto)

    def send_commit(self, owner: Owner, fate: str) -> None:
        entry = owner.entry
        owner.entry = replace(entry, sent=max(entry.sent or 0, entry.done))
        if fate != "lost":
            self.unseen |= not owner.here
            before, self.commit = self.commit, Commit(entry.done, entry.nonce)
            if fate == "answered":
                owner.entry = replace(owner.entry, acked=entry.done)
                if before != self.commit and before.offset is not None:
                    self.replaced.append(before)

    def bury(self, owner: Owner) -> None:
        """Keep the board as the supervisor does: an acknowledged commit ends those before it."""
        if owner.entry.acked is not None:
            self.orphans = []
        self.orphans.append(owner.entry)

    def happen(self, what: str, offset: int) -> None:
        if what == "set":
            self.unseen |= self.commit.offset is None
            self.commit = Commit(min(offset, self.end))
            self.ask_again_from(self.commit.offset or 0)
        elif what == "deleted" and self.commit.offset is not None and not self.unseen:
            self.commit = Commit(None)
            self.ask_again_from(0)
        elif what == "restored" and self.replaced and not self.unseen:
            self.commit = self.replaced[offset % len(self.replaced)]
            self.ask_again_from(self.commit.offset or 0)
        elif what == "re-created":
            left = self.commit  # not every broker deletes the commits with the topic
            self.identity = replace(self.identity, low=self.identity.low + 1)
            self.start, self.end, self.replaced = 0, 0, []
            self.produce(offset)
            self.commit = left if (left.offset or 0) <= 0 else Commit(None)
            self.ask_again_from(0)
        elif what == "cut":
            self.end, self.epoch = max(self.start, min(self.end, offset)), self.epoch + 1
            self.replaced = []
            self.owed = {one for one in self.owed if one < self.end}
            if (self.commit.offset or 0) > self.end:
                self.commit = Commit(self.end)
            self.produce(3)
            self.spared = {one for one in self.spared if one < self.end - 3}
        elif what == "expired":
            self.start = max(self.start, min(self.end, offset))


STEPS = st.tuples(st.integers(0, 4), st.sampled_from(["none", "lost", "arrived", "answered", "answered"]))
EPISODES = st.fixed_dictionaries(
    {
        "produced": st.integers(0, 5),
        "here": st.sampled_from([True, True, True, False]),
        "steps": st.lists(STEPS, max_size=3),
        "fenced": st.sampled_from([False, False, True]),
        "revived": st.integers(0, 3),
        "then": st.sampled_from(["", "", "set", "deleted", "restored", "re-created", "cut", "expired"]),
        "offset": st.integers(0, 8),
    }
)


@settings(max_examples=300, deadline=None)
@given(st.lists(EPISODES, min_size=2, max_size=5))
def test_nothing_is_skipped_whoever_owned_it_and_whatever_came_between(episodes: list[dict[str, Any]]) -> None:
    world = World()
    for one in episodes:
        world.produce(one["produced"])
        owner = world.assign(here=one["here"], spare=False)
        for count, fate in one["steps"]:
            world.handle(owner, count)
            if fate != "none":
                world.send_commit(owner, fate)
        for zombie in world.fenced:
            world.handle(zombie, one["revived"], fenced=True)
            if zombie.here:
                world.orphans.append(zombie.entry)
        world.fenced = [owner] if one["fenced"] else []
        world.unseen |= one["fenced"] and owner.entry.sent is not None
        if owner.here and not one["fenced"]:
            world.bury(owner)
        world.happen(one["then"], one["offset"])
    world.assign(here=True, spare=False)


ARRIVING = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["none", "arrived", "answered"])))
CRASHES = st.lists(st.tuples(st.integers(0, 5), ARRIVING))


@given(CRASHES)
def test_crashes_alone_have_nothing_delivered_again(crashes: list[tuple[int, list[tuple[int, str]]]]) -> None:
    world = World()
    for produced, steps in crashes:
        world.produce(produced)
        owner = world.assign(here=True, spare=True)
        for count, fate in steps:
            world.handle(owner, count)
            if fate != "none":
                world.send_commit(owner, fate)
        world.bury(owner)
    world.assign(here=True, spare=True)

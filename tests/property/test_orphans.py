"""Boards of dead workers are kept within bounds, the newest first, and as long as they could spare anything."""

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide import orphans as decide
from kherd.supervisor.decide.orphans import MOST_BOARDS, MOST_ENTRIES, Orphan, Orphans
from kherd.worker.decide.handover import Entry


def _entry(partition: int, done: int) -> Entry:
    return Entry("orders", partition, 7, None, 1, None, None, None, None, done)


entries = st.builds(_entry, st.integers(0, 3), st.integers(0, 9))
orphan_lists = st.lists(st.lists(entries, max_size=3).map(tuple), max_size=2 * MOST_BOARDS)
kept = st.lists(st.lists(entries, min_size=1, max_size=3).map(tuple), max_size=4).map(
    lambda boards: tuple(Orphan(str(number), board) for number, board in enumerate(boards))
)
offsets = st.dictionaries(st.tuples(st.just("orders"), st.integers(0, 3)), st.integers(0, 9))


@given(orphan_lists)
def test_the_newest_boards_with_entries_are_kept(boards: list[tuple[Entry, ...]]) -> None:
    orphans: Orphans = ()
    for number, board in enumerate(boards):
        orphans = decide.admit(orphans, Orphan(str(number), board))
    with_entries = [str(number) for number, board in enumerate(boards) if board]
    assert [one.name for one in orphans] == with_entries[-MOST_BOARDS:]


@given(st.lists(st.integers(1, MOST_ENTRIES), min_size=1, max_size=6))
def test_so_many_entries_that_workers_can_be_told_of_them(sizes: list[int]) -> None:
    orphans: Orphans = ()
    for number, size in enumerate(sizes):
        orphans = decide.admit(orphans, Orphan(str(number), (_entry(0, 1),) * size))
        assert orphans[-1].name == str(number)
        assert sum(len(one.entries) for one in orphans) <= MOST_ENTRIES


@given(kept, offsets)
def test_a_successors_acknowledged_commit_ends_what_was_before_it(
    orphans: Orphans, acknowledged: dict[tuple[str, int], int]
) -> None:
    left = decide.succeed(orphans, acknowledged)
    remaining = [entry for one in left for entry in one.entries]
    expected = [e for one in orphans for e in one.entries if (e.topic, e.partition) not in acknowledged]
    assert remaining == expected
    assert all(one.entries for one in left)


@given(kept, offsets)
def test_what_the_group_has_passed_spares_nothing(orphans: Orphans, committed: dict[tuple[str, int], int]) -> None:
    left = decide.pass_by(orphans, committed)
    remaining = [entry for one in left for entry in one.entries]
    assert all(entry.done > committed.get((entry.topic, entry.partition), -1) for entry in remaining)
    assert decide.pass_by(orphans, {}) == orphans
    assert all(one.entries for one in left)

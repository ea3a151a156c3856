"""The breakers' table: allocated, sealed, claimed by name, whole at every moment, and not trusted if it is not ours."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kherd.worker import breakertable
from kherd.worker.breakerslot import SLOT_WORDS, Slot, Word
from kherd.worker.breakertable import FIRST, SIZE, SLOTS, Header, Table, boot, mapped
from kherd.worker.decide.breaker import Breaker, Holder, State

whole = st.integers(0, 2**40)
# Nanoseconds beyond that, of 13 days, are lost in a float.
seconds = st.integers(0, 2**50).map(lambda ns: ns / 1e9)
breakers = st.builds(
    Breaker, st.sampled_from(State), whole, whole, seconds, seconds, seconds, st.builds(Holder, whole, whole), whole,
    seconds,
)  # fmt: skip


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    made = Table.create(tmp_path / "breakers")
    yield made
    made.close()


def claim(table: Table, name: str) -> Slot:
    slot = table.claim(name)
    assert slot is not None
    return slot


def test_a_new_table_is_private_allocated_and_of_this_boot(table: Table, tmp_path: Path) -> None:
    status = (tmp_path / "breakers").stat()
    assert (status.st_size, status.st_mode & 0o777) == (SIZE, 0o600)
    assert status.st_blocks * 512 >= SIZE
    assert table.problem() is None
    assert table.of_this_boot
    assert boot() != (0, 0)
    assert list(table.named()) == []


def test_a_table_takes_the_place_of_whatever_was_there(table: Table, tmp_path: Path) -> None:
    claim(table, "db").store(Breaker(State.OPEN, 1))
    again = Table.create(tmp_path / "breakers")
    assert list(again.named()) == []
    assert [name for name, _ in table.named()] == ["db"]  # who has the old one goes on with it
    again.close()


def test_a_table_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "breakers").mkdir()
    with pytest.raises(OSError, match="breakers"):
        Table.create(tmp_path / "breakers")
    with pytest.raises(FileNotFoundError):
        Table.create(tmp_path / "missing" / "breakers")
    assert list(tmp_path.iterdir()) == [tmp_path / "breakers"]


def test_a_name_has_one_slot_for_everybody(table: Table, tmp_path: Path) -> None:
    other = Table.open(tmp_path / "breakers")
    claim(table, "db").store(Breaker(State.OPEN, 7, until=3.5))
    assert claim(other, "db").load() == Breaker(State.OPEN, 7, until=3.5)
    assert claim(other, "cäche").load() == Breaker()
    assert [name for name, _ in table.named()] == ["db", "cäche"]
    other.close()


def test_there_are_64_and_only_names_of_ours_that_rest_make_room(table: Table) -> None:
    claim(table, "~resting").store(Breaker(State.CLOSED, 5, trips=3))
    claim(table, "~open").store(Breaker(State.OPEN, 1))
    for number in range(SLOTS - 2):
        claim(table, f"name {number}")
    taken = claim(table, "db")
    assert taken.load() == Breaker()
    names = [name for name, _ in table.named()]
    assert (len(names), "~resting" in names, "~open" in names, "db" in names) == (SLOTS, False, True, True)
    assert table.claim("one too many") is None
    assert table.problem() is None


@given(st.lists(breakers, max_size=8))
def test_a_slot_holds_every_state(states: list[Breaker]) -> None:
    slot = Slot.private()
    for breaker in states:
        slot.store(breaker)
        assert slot.load() == breaker
        assert (slot.hot[0] == 0) == breaker.quiet


class KilledError(Exception):
    """The writer ends here."""


class Dying(Slot):
    """A slot whose writer is killed after so many of the writes that matter."""

    __slots__ = ("left",)
    left: int

    def _write(self, copy: int, breaker: Breaker) -> None:
        self._count()
        super()._write(copy, breaker)
        self._count()

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KilledError


@given(breakers, breakers, breakers, st.integers(0, 5))
def test_a_writer_that_is_killed_leaves_the_state_before_or_after(
    first: Breaker, before: Breaker, then: Breaker, writes: int
) -> None:
    slot = Dying.private()
    slot.left = 100
    slot.store(first)
    slot.store(before)
    slot.left = writes
    try:
        slot.store(then)
    except KilledError:
        assert slot.load() in {before, then}
    else:
        assert slot.load() == then
    assert slot.hot[0] != 0 or (found := slot.load()) is None or found.quiet
    slot.left = 100
    slot.store(then)
    assert slot.load() == then


@pytest.fixture
def spoil(tmp_path: Path) -> Callable[[int, bytes], str | None]:
    """Write bytes into a table with an open breaker; return what is said of it then."""

    def write(at: int, data: bytes) -> str | None:
        table = Table.create(tmp_path / "spoilt")
        claim(table, "db").store(Breaker(State.OPEN, 3, until=9.0))
        table.close()
        with (tmp_path / "spoilt").open("r+b") as file:
            file.seek(at)
            file.write(data)
        found = Table.open(tmp_path / "spoilt")
        problem = found.problem()
        assert (mapped(found.fd) is None) == (problem is not None)
        found.close()
        return problem

    return write


def word(number: int) -> bytes:
    return number.to_bytes(8, "little", signed=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(st.integers(0, Header.CHECKSUM), st.integers(-(2**63), 2**63 - 1))
def test_another_header_is_noticed(
    spoil: Callable[[int, bytes], str | None], table: Table, at: int, value: int
) -> None:
    assert (spoil(at * 8, word(value)) is None) == (value == table.words[at])


def test_a_table_of_another_version_says_which(table: Table) -> None:
    table.words[Header.VERSION] = 2
    table.words[Header.CHECKSUM] = breakertable._checksum(table.words)
    assert table.problem() == "it is of version 2, this kherd has version 1"


def test_a_slot_that_nobody_can_have_written_is_noticed(spoil: Callable[[int, bytes], str | None]) -> None:
    base = FIRST * 8
    assert spoil(SIZE, b"") is None
    for at in (Word.NAME_LENGTH, Word.NAME_CHECKSUM, Word.NAME):
        assert spoil(base + at * 8, word(77)) == "one of its slots is damaged"
    assert spoil(base + Word.COPIES * 8, word(99) * 24) == "one of its slots is damaged"
    assert spoil(base + (SLOT_WORDS + Word.NAME_LENGTH) * 8, word(5)) == "one of its slots is damaged"
    assert spoil(base, os.urandom(SIZE - base)) == "one of its slots is damaged"


def test_a_file_of_another_kind_is_none(tmp_path: Path) -> None:
    path = tmp_path / "breakers"
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="mmap length"):
        Table.open(path)
    path.write_bytes(bytes(SIZE))
    found = Table.open(path)
    assert found.problem() == "it is no table of circuit breakers, or is damaged"
    found.close()
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        Table.open(path)
    assert mapped(None) is None


def test_a_table_of_another_boot_says_so(table: Table) -> None:
    table.words[Header.BOOT_LOW] ^= 1
    assert not table.of_this_boot


def test_a_descriptor_that_became_another_files_is_noticed_at_the_lock(table: Table, tmp_path: Path) -> None:
    slot = claim(table, "db")
    assert slot.lock()
    slot.unlock()
    keep = os.dup(table.fd)
    with (tmp_path / "other").open("wb") as other:
        os.dup2(other.fileno(), table.fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        slot.lock()
    with pytest.raises(OSError, match="Bad file descriptor"):
        table.claim("new")
    os.dup2(keep, table.fd)
    os.close(keep)

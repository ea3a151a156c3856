"""What a ledger says about what was handled."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from kherd.testing.ledger import Entry, Handled, Ledger, read


@dataclass
class Record:
    at: int
    part: int = 0
    name: str | None = "t"
    word: bytes | None = None

    def topic(self) -> str | None:
        return self.name

    def partition(self) -> int:
        return self.part

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes | None:
        return self.word


def entries(*offsets: int) -> Handled:
    return Handled(Entry("t", 0, offset, None, 1, float(n), "") for n, offset in enumerate(offsets))


def test_a_ledger_that_nobody_wrote_to_is_empty(tmp_path: Path) -> None:
    assert len(read(tmp_path / "none")) == 0


def test_keys_of_any_bytes_and_no_key_come_back(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l")
    ledger.write(Record(1, word=b"\t\n\x00"), Record(2), Record(3, word=b""), note="x")
    found = read(tmp_path / "l").entries
    assert [(one.offset, one.key, one.note) for one in found] == [(1, b"\t\n\x00", "x"), (2, None, "x"), (3, b"", "x")]
    assert {one.pid for one in found} == {os.getpid()}


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    Ledger(tmp_path / "l").write(Record(1))
    with (tmp_path / "l").open("a") as file:
        file.write("t\t0\t2\t-\t1")
    assert [entry.offset for entry in read(tmp_path / "l").entries] == [1]


def test_duplicates_are_counted_and_missing_ones_named() -> None:
    handled = entries(0, 1, 1, 3)
    assert handled.duplicates() == {("t", 0, 1): 2}
    assert handled.duplicates("other") == {}
    assert handled.missing("t", {0: range(4), 1: [5]}) == {(0, 2), (1, 5)}
    assert handled.counts("t") == {0: 4}


def test_a_replay_is_no_disorder_and_a_late_first_time_is() -> None:
    assert entries(0, 1, 2, 0, 1, 2, 3).disorder() == []
    assert [entry.offset for entry in entries(0, 2, 1, 3).disorder()] == [1]


def test_the_longest_pause_is_the_one_that_touches_the_window() -> None:
    handled = Handled(Entry("t", 0, n, None, 1, at, "") for n, at in enumerate([0.0, 5.0, 6.0, 8.0]))
    assert handled.longest_pause("t", 0) == 5.0
    assert handled.longest_pause("t", 0, since=5.5) == 2.0
    assert handled.longest_pause("t", 0, since=5.5, until=5.9) == pytest.approx(1.0)
    assert handled.longest_pause("t", 9) == 0.0

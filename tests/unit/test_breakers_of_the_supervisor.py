"""The supervisor's hand on the breakers' table: kept over its end, probes of the dead freed, no wait for a lock."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.breakers import Breakers
from kherd.worker.breakerslot import Slot
from kherd.worker.breakertable import FILE, SIZE, Header, Table, _checksum
from kherd.worker.clock import monotonic
from kherd.worker.decide.breaker import Breaker, Holder, State

from ..fakes.processes import child

PID = 4711


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    made = Table.create(tmp_path / FILE)
    yield made
    made.close()


def put(table: Table, name: str, **fields: Any) -> Slot:
    slot = table.claim(name)
    assert slot is not None
    now = monotonic()
    slot.store(replace(Breaker(State.OPEN, 3, since=now - 10, until=now + 50, timeout=60.0, trips=2), **fields))
    return slot


def probed(table: Table, name: str = "db") -> Slot:
    return put(table, name, state=State.HALF_OPEN, holder=Holder(PID, 99))


def state(slot: Slot) -> State:
    known = slot.load()
    assert known is not None
    return known.state


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    found: Any = caplog.records
    return [(record.event, record.fields) for record in found]


def test_what_is_open_stays_open_and_is_counted_from_now_on(table: Table, tmp_path: Path) -> None:
    slot = put(table, "db", open_seconds=100.0)
    supervised = Breakers(tmp_path)
    (shown,) = supervised.document()
    assert (shown["name"], shown["state"], shown["trips"], shown["probe_pid"]) == ("db", "open", 0, None)
    assert 10 <= shown["open_for"] < 20
    assert 10 <= shown["open_seconds"] < 20  # not the 100 of before
    assert 40 < shown["probed_in"] <= 50
    assert supervised.problems() == ["the circuit breaker db is open since 10 s: records that need it wait"]
    slot.store(Breaker(State.CLOSED, 9, trips=5, open_seconds=112.5))
    (shown,) = supervised.document()
    assert (shown["state"], shown["trips"], shown["open_for"], shown["open_seconds"]) == ("closed", 3, 0.0, 12.5)
    assert supervised.problems() == []


def test_a_probe_of_the_life_before_is_free(table: Table, tmp_path: Path, caplog: Any) -> None:
    slot = probed(table)
    Breakers(tmp_path)
    assert state(slot) is State.OPEN
    assert told(caplog)[0][0] == "probe_lost"


@pytest.mark.parametrize(("hung", "wait"), [(False, 0.0), (True, 59.0)])
def test_the_probe_of_a_dead_worker_is_free_and_of_one_that_hung_has_failed(
    table: Table, tmp_path: Path, caplog: Any, hung: bool, wait: float
) -> None:
    supervised = Breakers(tmp_path)
    slot, other = probed(table), put(table, "other", state=State.HALF_OPEN, holder=Holder(PID + 1, 99))
    supervised.buried(None, "never announced", hung=False)
    supervised.buried(PID, "SIGKILL, not sent by kherd", hung=hung)
    assert (state(slot), state(other)) == (State.OPEN, State.HALF_OPEN)
    assert supervised.document()[0]["probed_in"] >= wait
    [(event, fields)] = told(caplog)
    assert (event, fields["breaker"], fields["worker_pid"]) == ("probe_lost", "db", PID)


def test_a_lock_that_somebody_has_is_tried_again_at_the_next_tick(table: Table, tmp_path: Path) -> None:
    supervised, slot = Breakers(tmp_path), probed(table)
    with child(slot.lock):
        supervised.buried(PID, "killed", hung=False)
        supervised.tick()
        assert state(slot) is State.HALF_OPEN
    supervised.tick()
    assert state(slot) is State.OPEN


def test_what_has_gone_on_meanwhile_is_left_alone(table: Table, tmp_path: Path) -> None:
    supervised, slot = Breakers(tmp_path), probed(table)
    with child(slot.lock):
        supervised.buried(PID, "killed", hung=False)
    slot.store(Breaker(State.HALF_OPEN, 8, holder=Holder(PID, 100)))  # a later process of that pid
    supervised.tick()
    assert state(slot) is State.HALF_OPEN


@pytest.mark.parametrize("spoilt", [b"short", bytes(SIZE), os.urandom(SIZE)])
def test_a_file_that_is_no_table_is_made_anew_and_told(tmp_path: Path, caplog: Any, spoilt: bytes) -> None:
    (tmp_path / FILE).write_bytes(spoilt)
    supervised = Breakers(tmp_path)
    assert supervised.document() == []
    assert [event for event, _ in told(caplog)] == ["breakers_renewed"]
    made = Table.open(tmp_path / FILE)
    assert made.problem() is None
    made.close()


def test_a_table_of_another_boot_is_made_anew_silently(table: Table, tmp_path: Path, caplog: Any) -> None:
    put(table, "db")
    table.words[Header.BOOT_HIGH] ^= 1
    table.words[Header.CHECKSUM] = _checksum(table.words)
    assert Breakers(tmp_path).document() == []
    assert told(caplog) == []


def test_without_a_table_the_herd_runs_and_says_so(tmp_path: Path, caplog: Any) -> None:
    (tmp_path / FILE).mkdir()
    supervised = Breakers(tmp_path)
    assert supervised.descriptor() == ()
    assert (supervised.document(), supervised.problems()) == ([], [])
    supervised.buried(PID, "killed", hung=False)
    supervised.tick()
    assert "breakers_unshared" in [event for event, _ in told(caplog)]


def test_each_worker_gets_a_descriptor_of_its_own(table: Table, tmp_path: Path) -> None:
    supervised = Breakers(tmp_path)
    (one,), (two,) = supervised.descriptor(), supervised.descriptor()
    assert one != two
    assert os.fstat(one).st_ino == (tmp_path / FILE).stat().st_ino
    os.close(one)
    os.close(two)

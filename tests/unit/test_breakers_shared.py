"""A worker's breakers on the host's table: bound when there is one, configured, alone where they cannot be shared."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kherd import BreakerOpen, CircuitBreaker
from kherd.testing.wait import until
from kherd.worker.breakers import BREAKERS
from kherd.worker.breakertable import SLOTS, Table
from kherd.worker.decide.breaker import Breaker, State
from kherd.worker.spec import BreakerSpec

from ..fakes.processes import child


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    made = Table.create(tmp_path / "breakers")
    BREAKERS.attach(made, 20.0, {})
    yield made
    BREAKERS.detach()
    made.close()


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex


def fail() -> None:
    raise OSError("away")


def trip(breaker: CircuitBreaker) -> None:
    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            breaker.call(fail)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    found: Any = caplog.records
    return [record.event for record in found]


def state_of(table: Table, name: str) -> State | None:
    slot = table.find(name)
    known = None if slot is None else slot.load()
    return None if known is None else known.state


def test_one_that_is_made_before_there_is_a_table_is_shared_from_then_on(name: str, tmp_path: Path) -> None:
    breaker = CircuitBreaker(name, 2, 1000.0)
    trip(breaker)
    assert breaker.state == "open"
    table = Table.create(tmp_path / "breakers")
    BREAKERS.attach(table, 20.0, {})
    assert breaker.state == "closed"  # what was tried out at import is of no account
    trip(breaker)
    assert state_of(table, name) is State.OPEN
    BREAKERS.detach()
    assert breaker.state == "open"
    table.close()


def test_what_another_process_has_opened_is_open_here(table: Table, name: str) -> None:
    breaker = CircuitBreaker(name, 2, 1000.0)
    breaker.call(len, "")

    def work() -> None:
        BREAKERS.attach(table, 20.0, {})
        trip(breaker)

    with child(work), pytest.raises(BreakerOpen):
        breaker.call(len, "")
    assert breaker.state == "open"


def test_the_configuration_wins_over_the_code(table: Table, name: str) -> None:
    breaker = CircuitBreaker(name, 9, 1000.0)
    BREAKERS.attach(table, 20.0, {name: BreakerSpec(failure_threshold=2), "other": BreakerSpec(timeout=7.0)})
    trip(breaker)
    assert breaker.state == "open"
    slot = table.find(name)
    assert slot is not None
    assert (slot.load() or Breaker()).timeout == 1000.0


def test_the_65th_name_is_each_processs_own(table: Table, name: str, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(SLOTS):
        assert table.claim(f"name {number}") is not None
    breaker = CircuitBreaker(name, 2, 1000.0)
    trip(breaker)
    with pytest.raises(BreakerOpen):
        breaker.call(len, "")
    assert told(caplog) == ["breaker_alone", "breaker_opened"]
    assert table.find(name) is None


def test_a_name_of_ours_that_lost_its_place_gets_another_one(table: Table) -> None:
    cell = BREAKERS.named("~x", 1, 1000.0)
    cell.trip()
    assert state_of(table, "~x") is State.OPEN
    slot = table.find("~x")
    assert slot is not None
    slot.store(Breaker())
    for number in range(SLOTS):
        table.claim(f"name {number}")
    assert table.find("~x") is None
    cell.trip()
    assert cell.state() is State.OPEN  # by itself: there is no place left
    assert all((known.load() or Breaker()).state is State.CLOSED for _, known in table.named())


def test_a_probe_by_name_is_one_for_the_host(table: Table) -> None:
    cell = BREAKERS.named("~probe", 1, 1000.0)
    assert (cell.ask(), cell.take_probe()) == ((True, None), None)
    cell.trip("too many", timeout=0.001)
    until(cell.may_try, 5, "its time")
    probe = cell.take_probe()
    assert probe is not None
    assert (cell.take_probe(), cell.may_try(), cell.state()) == (None, False, State.HALF_OPEN)
    assert cell.failed(probe, timeout=500.0) is State.OPEN
    assert 400 < cell.after() <= 500


def test_a_lock_that_somebody_sits_on_refuses_and_counts_nothing(table: Table, name: str) -> None:
    breaker = CircuitBreaker(name, 2, 1000.0)
    trip(breaker)
    slot = table.find(name)
    assert slot is not None
    with child(slot.lock):
        with pytest.raises(BreakerOpen):
            breaker.call(len, "")
        BREAKERS.named(name).failed()
    assert breaker.state == "open"
    slot.store(Breaker())
    with child(slot.lock):
        with pytest.raises(OSError, match="away"):
            breaker.call(fail)
        assert breaker.call(len, "") == 0
    assert breaker.state == "closed"


def test_a_first_call_does_not_suffer_from_somebody_who_claims_a_place(table: Table, name: str) -> None:
    breaker = CircuitBreaker(name, 2, 1000.0)
    with child(lambda: table._locks.take(0)):
        assert breaker.call(len, "") == 0
        with pytest.raises(OSError, match="away"):
            breaker.call(fail)
    assert table.find(name) is None
    trip(breaker)
    assert state_of(table, name) is State.OPEN


def test_a_call_through_a_closed_one_needs_nobodys_lock(table: Table, name: str) -> None:
    breaker = CircuitBreaker(name, 2, 1000.0)
    with pytest.raises(OSError, match="away"):
        breaker.call(fail)
    slot = table.find(name)
    assert slot is not None
    with child(slot.lock):
        assert breaker.call(len, "") == 0
        with pytest.raises(OSError, match="away"):
            breaker.call(fail)
    assert slot.load() == Breaker(failures=1)


def test_a_table_whose_descriptor_is_closed_is_given_up_from_what_was_known(
    table: Table, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    breaker = CircuitBreaker(name, 2, 1000.0)
    trip(breaker)
    keep = os.dup(table.fd)
    os.close(table.fd)
    with pytest.raises(BreakerOpen):
        breaker.call(len, "")
    other = CircuitBreaker(f"{name} other", 2, 1000.0)
    trip(other)
    assert told(caplog).count("breakers_alone") == 1
    assert (breaker.state, other.state) == ("open", "open")
    os.dup2(keep, table.fd)
    os.close(keep)


def test_names_that_nobody_knows_keep_nobody() -> None:
    assert BREAKERS.may_try(["unheard of"])
    assert not BREAKERS.shut(["unheard of"])
    assert not BREAKERS.knows(["unheard of"])

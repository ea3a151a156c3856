"""Autoscaling in a house in which nothing runs: the lag is read, and the wanted number of workers follows."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.commands import Commands
from kherd.supervisor.config.load import load
from kherd.supervisor.control.protocol import Answer, Request
from kherd.supervisor.decide import shutdown
from kherd.supervisor.decide.child import Child, State
from kherd.supervisor.hearing import Hearing
from kherd.supervisor.house import House
from kherd.supervisor.poller import Poller
from kherd.supervisor.process.handle import Handle
from kherd.supervisor.scaler import REMEMBERED, observe
from kherd.supervisor.slot import Papers, Slot, stacks_file
from kherd.supervisor.status import document
from kherd.worker import log
from kherd.worker.board import Board
from kherd.worker.boardwriter import BoardWriter
from kherd.worker.spec import LogSpec, SlotIdentity

CONFIG = """
[app]
name = "orders"
handler = "orders:handle"
[kafka]
bootstrap = "127.0.0.1:1"
topics = ["orders"]
start = "{start}"
[workers]
count = {count}
[autoscale]
{autoscale}
"""
SCALE = "max = 6\nlag_above = 1000"
PARTITIONS = 8


class Orders:
    """A herd called orders, asked for workers by the readings of its lag."""

    def __init__(self, folder: Path, poller: Poller) -> None:
        self._folder = folder
        self.write()
        self.house = House(load(folder / "kherd.toml"), folder, poller)
        self.house.scaler.begin(self.house.settings, self.house.settings.workers.count)
        self.house.set_wanted()
        self._commands = Commands(self.house, lambda *_, **__: shutdown.Daemon(), shutdown.Daemon)
        self.hear_liaison = Hearing(self.house).liaison
        self._sweep = 0

    def write(self, autoscale: str = SCALE, count: int = 2, start: str = "earliest") -> None:
        text = CONFIG.format(autoscale=autoscale, count=count, start=start)
        (self._folder / "kherd.toml").write_text(text)

    def ask(self, command: str, **args: Any) -> Answer:
        defaults = {"to": None, "by": None, "auto": False} if command == "scale" else {}
        return self._commands.dispatch(Request(command, {**defaults, **args}))

    def reload(self, autoscale: str = SCALE, count: int = 2) -> int:
        self.write(autoscale, count)
        answer = self.ask("reload")
        assert answer.ok, answer
        return self.wanted

    def read(self, *lags: int | None) -> int:
        """Have the lag read so many times; return how many workers are wanted then."""
        for lag in lags:
            self._sweep += 1
            rows = [["orders", number, 0, 0, 0] for number in range(1, PARTITIONS)]
            rows.append(["orders", 0, None if lag is None else 5, None if lag is None else lag + 5, 0])
            self.hear(rows, valid=lag is not None)
        return self.wanted

    def hear(self, rows: list[list[Any]], *, valid: bool = True) -> None:
        self.house.observed.hear({"type": "topics", "topics": {"orders": PARTITIONS}})
        reason = None if valid else "no broker answers"
        message = {"type": "lag", "sweep": self._sweep, "at": 0.0, "valid": valid, "reason": reason}
        self.hear_liaison({**message, "last": False, "partitions": rows[:3]})
        self.hear_liaison({**message, "last": True, "partitions": rows[3:]})

    @property
    def wanted(self) -> int:
        return self.house.herd.wanted

    @property
    def decisions(self) -> list[dict[str, Any]]:
        found = self.house.scaler.document()
        assert found is not None
        return list(found["decisions"])


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[Orders]:
    (tmp_path / "orders.py").write_text("def handle(message): ...\n")
    poller = Poller()
    yield Orders(tmp_path, poller)
    poller.close()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    log.configure(LogSpec("json", "debug"), log.Identity("orders", "supervisor"), stream=stream)
    yield stream
    log.configure(LogSpec("json", "info"), log.Identity("orders", "supervisor"))


def test_a_high_lag_asks_for_the_most_and_a_half_read_one_for_nothing(orders: Orders) -> None:
    assert orders.read(2000) == 2
    assert orders.read(None) == 2
    assert orders.read(2000, 2000) == 6
    assert orders.read(None, None) == 6


def test_a_part_of_a_reading_decides_nothing(orders: Orders) -> None:
    orders.read(2000)
    part = {"type": "lag", "sweep": 9, "at": 0.0, "valid": True, "reason": None, "last": False}
    orders.hear_liaison({**part, "partitions": [["orders", 0, 0, 5000, 0]]})
    assert orders.wanted == 2
    assert len(orders.decisions) == 1


def test_a_pin_holds_against_the_lag_until_it_is_released(orders: Orders) -> None:
    assert orders.ask("scale", to=3).data == {"before": 2, "after": 3, "pinned": True, "autoscale": False}
    assert orders.read(2000, 2000, 2000) == 3
    assert orders.ask("scale", auto=True).data == {"before": 3, "after": 3, "pinned": False, "autoscale": True}
    assert orders.read(2000, 2000) == 6
    assert orders.ask("scale", to=9).ok
    assert orders.ask("scale", auto=True).data["after"] == 6


def test_a_reload_begins_anew_only_if_the_count_in_the_file_has_changed(orders: Orders) -> None:
    orders.read(2000, 2000)
    assert orders.reload() == 6
    assert orders.reload(SCALE + "\ncalm = '9s'") == 6
    assert orders.reload(SCALE, count=3) == 3
    assert orders.read(2000) == 3
    assert orders.read(2000) == 6
    orders.ask("scale", to=4)
    assert orders.reload(SCALE + "\ncalm = '8s'", count=3) == 4
    assert orders.reload(SCALE, count=2) == 2


def test_other_bounds_hold_from_the_reload_on(orders: Orders) -> None:
    orders.read(2000, 2000)
    assert orders.reload("max = 4\nlag_above = 1000") == 4
    assert orders.reload("") == 2
    assert orders.house.scaler.document() is None
    assert orders.read(2000, 2000) == 2


def test_a_dry_run_decides_and_changes_nothing(orders: Orders, logged: io.StringIO) -> None:
    assert orders.reload(SCALE + "\ndry_run = true") == 2
    assert orders.read(2000, 2000) == 2
    assert orders.decisions[-1]["wanted"] == 6
    (line,) = [json.loads(line) for line in logged.getvalue().splitlines() if '"autoscaled"' in line]
    assert "autoscaling (dry run): 2 -> 6 workers" in line["message"]


def test_nothing_is_decided_while_the_herd_is_quiet_or_stopping(orders: Orders) -> None:
    orders.house.herd.set_quiet(True)
    assert orders.read(2000, 2000, 2000) == 2
    orders.house.herd.set_quiet(False)
    orders.house.herd.stopping = True
    assert orders.read(2000, 2000, 2000) == 2
    assert orders.decisions == []


def test_a_lag_that_is_to_be_left_alone_asks_for_nobody_and_is_no_calm_either(orders: Orders) -> None:
    orders.read(2000, 2000)
    assert orders.wanted == 6
    assert orders.ask("pause", topic=None, partition=None).ok
    orders.read(2000, 0, 0)
    assert (orders.wanted, orders.decisions[-1]["reason"]) == (6, "everything is paused by an operator")
    assert orders.ask("resume", topic=None, partition=None).ok
    orders.read(0)
    assert "for less than" in orders.decisions[-1]["reason"]


def test_the_lag_of_a_paused_partition_asks_for_nobody(orders: Orders) -> None:
    assert orders.ask("pause", topic="orders", partition=0).ok
    assert orders.read(2000, 2000, 2000) == 2
    assert (orders.decisions[-1]["lag"], orders.decisions[-1]["partitions"]) == (0, PARTITIONS)
    assert orders.house.observed.total == 2000
    assert orders.ask("resume", topic="orders", partition=0).ok
    assert orders.read(2000, 2000) == 6


def test_every_decision_is_one_event_with_its_inputs_and_is_remembered(orders: Orders, logged: io.StringIO) -> None:
    orders.read(2000, 2000, 1500, None, None)
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    told = [(one["event"], one["before"], one["after"], one["lag"], one["partitions"]) for one in lines]
    assert told == [
        ("autoscale_holds", 2, 2, 2000, PARTITIONS),
        ("autoscaled", 2, 6, 2000, PARTITIONS),
        ("autoscale_holds", 6, 6, "unknown", PARTITIONS),
    ]
    kept = [(one["wanted"], one["lag"], one["readings"]) for one in orders.decisions]
    assert kept == [(2, 2000, 1), (6, 2000, 2), (6, None, 2)]
    assert document(orders.house, shutdown.Daemon())["autoscale"] == orders.house.scaler.document()


def test_as_many_decisions_are_remembered_as_promised(orders: Orders) -> None:
    for _ in range(REMEMBERED):
        orders.read(2000, 500)
    assert len(orders.decisions) == REMEMBERED


def test_a_policy_sees_who_has_which_partition_and_how_long_each_worker_is_ready(orders: Orders) -> None:
    one = Slot(4, Handle("worker 4", 60.0, Child(State.READY, wanted=True), ready_at=10.0), 1)
    leaving = Slot(5, Handle("worker 5", 60.0, Child(State.DRAINING, wanted=False)), 1)
    one.carried = {"handled": 5, "skipped": 2, "dead_lettered": 1, "busy_ns": 3_000_000_000}
    orders.house.herd.slots.update({4: one, 5: leaving})
    orders.read(7)
    seen = observe(orders.house.herd, orders.house.observed, orders.house.halts, 10.5)
    (worker,) = seen.workers
    assert (worker.slot, worker.done_total, worker.busy_seconds_total) == (4, 8, 3.0)
    assert (worker.age, worker.steady) == (0.5, False)
    assert observe(orders.house.herd, orders.house.observed, orders.house.halts, 11.0).workers[0].steady
    assert {place.owner for place in seen.partitions} == {None}
    assert (seen.cap, seen.valid) == (PARTITIONS, True)


def test_members_that_are_not_ours_are_others_and_of_unknown_ones_none_is_counted(
    orders: Orders, tmp_path: Path
) -> None:
    board, fd = Board.create(tmp_path / "one", SlotIdentity(1, 4, 1), 1)
    os.close(fd)
    BoardWriter(board).member("ours")
    papers = Papers(SlotIdentity(1, 4, 1), 1, board, tmp_path / "one", stacks_file(4))
    orders.house.herd.slots[4] = Slot(4, Handle("worker 4", 60.0), 1, papers=papers)
    assert observe(orders.house.herd, orders.house.observed, orders.house.halts, 0.0).foreign == 0
    members = {"type": "members", "census": 1, "last": True, "ids": ["ours", "a", "b"], "reason": None}
    orders.hear_liaison(members)
    assert observe(orders.house.herd, orders.house.observed, orders.house.halts, 0.0).foreign == 2
    papers.discard()


@pytest.mark.parametrize(("start", "lag"), [("latest", 0), ("earliest", 60)])
def test_without_a_commit_it_counts_what_the_group_would_read(orders: Orders, start: str, lag: int) -> None:
    orders.house.observed.start = start  # type: ignore[assignment]  # one of the three
    orders.hear([["orders", number, None, 20, 0] for number in range(3)])
    seen = observe(orders.house.herd, orders.house.observed, orders.house.halts, 0.0)
    assert sum((one.end or 0) - (one.committed or 0) for one in seen.partitions) == lag

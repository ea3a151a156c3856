"""A house in which nothing has started: it can be asked, told to stop and told to reload, and does nothing rash."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kherd.supervisor.commands import Commands
from kherd.supervisor.config.load import load
from kherd.supervisor.control.protocol import Request
from kherd.supervisor.decide import shutdown
from kherd.supervisor.decide.child import State
from kherd.supervisor.decide.limits import Policy
from kherd.supervisor.house import House
from kherd.supervisor.poller import Poller
from kherd.supervisor.status import document, snapshot

CONFIG = """
[app]
name = "orders"
handler = "orders:handle"
[kafka]
bootstrap = "{bootstrap}"
topics = ["orders"]
[workers]
count = {count}
"""


@pytest.fixture(params=["embedded", "127.0.0.1:1"])
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    """A house that has not been started."""
    (tmp_path / "orders.py").write_text("def handle(message): ...\n")
    _write(tmp_path, request.param, 2)
    poller = Poller()
    yield House(load(tmp_path / "kherd.toml"), tmp_path, poller)
    poller.close()


def _write(folder: Path, bootstrap: str, count: int, extra: str = "") -> None:
    (folder / "kherd.toml").write_text(CONFIG.format(bootstrap=bootstrap, count=count) + extra)


def _commands(house: House) -> Commands:
    return Commands(house, lambda *_, **__: shutdown.Daemon(), shutdown.Daemon)


def test_its_status_is_a_whole_document_that_says_starting(house: House) -> None:
    found = document(house, shutdown.Daemon())
    assert json.loads(json.dumps(found)) == found
    assert (found["state"], found["slots"], found["generation"]) == ("starting", [], 0)
    assert found["workers"]["by_state"] == {}
    assert (found["lag"]["valid"], found["lag"]["total"]) == (False, None)
    assert found["problems"] == []
    assert all(service["state"] == "down" for service in found["services"].values())
    assert json.dumps(snapshot(house))
    assert document(house, shutdown.Daemon(shutdown.State.STOPPING))["state"] == "stopping"


def test_no_worker_is_asked_for_before_there_is_a_generation(house: House) -> None:
    house.set_wanted()
    house.herd.reconcile()
    assert house.herd.slots == {}
    assert house.herd.down


def test_it_is_dismissed_at_once(house: House) -> None:
    house.herd.drain(1e12)
    assert house.dismiss(1e12)
    house.kill("over")
    assert all(handle.child.state is State.DOWN for handle in house.nursery.handles.values())


def test_a_reload_before_the_first_generation_loads_none(house: House) -> None:
    bootstrap = house.settings.kafka.bootstrap
    _write(house.state_dir, bootstrap, 3, "handler_timeout = 5\n")
    answer = _commands(house).dispatch(Request("reload", {}))
    assert answer.ok, answer
    assert house.herd.generation == 0
    assert (house.herd.wanted, house.spec.handler_timeout) == (3, 5.0)
    assert house.nursery.handles.keys() <= {"liaison", "exporter", "broker"}


def test_a_reload_does_not_start_a_liaison_that_has_no_broker_yet(house: House) -> None:
    _write(house.state_dir, house.settings.kafka.bootstrap, 2, "[lag]\ninterval = 9\n")
    assert _commands(house).dispatch(Request("reload", {})).ok
    assert house.nursery.handles["liaison"].child.state is State.DOWN


def test_limits_are_in_force_with_the_reload(house: House) -> None:
    house.adopt_settings()
    assert not house.herd.recycler.policy.limiting
    limits = "[limits]\nmemory_soft = '1GiB'\nmax_age = '1h'\njitter = '20%'\n"
    _write(house.state_dir, house.settings.kafka.bootstrap, 2, limits)
    assert _commands(house).dispatch(Request("reload", {})).ok
    assert house.herd.recycler.policy == Policy(memory_soft=2**30, max_age=3600.0, jitter=0.2)
    assert house.herd.generation == 0


def test_what_does_not_validate_changes_nothing_and_is_remembered(house: House) -> None:
    _write(house.state_dir, house.settings.kafka.bootstrap, -3)
    before = house.settings
    answer = _commands(house).dispatch(Request("reload", {}))
    assert not answer.ok
    assert house.settings is before
    assert "workers.count" in document(house, shutdown.Daemon())["problems"][0]

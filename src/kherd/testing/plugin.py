"""pytest fixtures for the real parts: each started at its first use, once per run, healed after every test.

A part that is missing skips its tests, and the run's last lines say so; with `CI=true` it fails them.
`KHERD_TEST_KAFKA=host:port` has the `kafka` fixture use that cluster instead of one of its own.
"""

import os
import re
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from .embedded import EmbeddedCluster
from .herd import Herd
from .kafka import KafkaCluster
from .machine import Machine, debian
from .parts import MissingPartError
from .statsd import StatsdServer
from .topics import Cluster

SHARED: Final = "KHERD_TEST_KAFKA"
MISSING: Final = "missing part: "
MARKS: Final = {
    "kafka": "kafka",
    "kafka3": "kafka",
    "kafka_proxied": "kafka",
    "kafka_secured": "kafka",
    "kafka_tight": "kafka",
    "statsd": "statsd",
    "machine": "systemd",
}
"""Fixture -> the marker its tests get, so that `-m "not kafka"` leaves them out."""

NewTopic = Callable[..., str]
NewHerd = Callable[..., Herd]
_missing: dict[str, int] = {}
_running: list[KafkaCluster] = []
_herds: list[Herd] = []


def part_or_skip(start: Callable[[], Any]) -> Any:
    """Return what `start` returns; skip the test (fail it under CI) if a part is missing."""
    try:
        return start()
    except MissingPartError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(f"{MISSING}{error}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the parts it uses."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in MARKS:
                item.add_marker(MARKS[fixture])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count what is skipped for want of a part."""
    if report.skipped and isinstance(report.longrepr, tuple) and MISSING in report.longrepr[2]:
        reason = report.longrepr[2].split(MISSING, 1)[1]
        _missing[reason] = _missing.get(reason, 0) + 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the last log lines of the herds of a test that failed."""
    report = yield
    if report.failed and report.when == "call":
        report.sections += [(f"the end of {one.log.path}", one.log.tail()) for one in _herds]
    return report


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say loudly, below everything else, what was not tested."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None:
        return
    for reason, count in _missing.items():
        terminal.write_line(f"NOT TESTED ({count} skipped): {reason}", red=True, bold=True)
    _missing.clear()


@pytest.fixture(scope="session")
def kafka() -> Iterator[Cluster]:
    """One real broker; nothing in a test may depend on stopping it (see `kafka3`)."""
    shared = os.environ.get(SHARED)
    if shared:
        yield Cluster(shared)
    else:
        yield from _cluster()


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedCluster]:
    """The embedded broker, in a process of its own."""
    with EmbeddedCluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kafka_proxied() -> Iterator[KafkaCluster]:
    """One real broker behind a proxy."""
    yield from _cluster(proxied=True)


@pytest.fixture(scope="session")
def kafka3() -> Iterator[KafkaCluster]:
    """Three real brokers, each behind a proxy; whatever a test does to them is undone after it."""
    yield from _cluster(3, proxied=True)


@pytest.fixture(scope="session")
def kafka_secured() -> Iterator[KafkaCluster]:
    """One real broker that wants SASL_SSL, SCRAM-SHA-512 and ACLs."""
    yield from _cluster(secured=True)


@pytest.fixture(scope="session")
def kafka_tight() -> Iterator[KafkaCluster]:
    """One real broker that takes 100 bytes of metadata with a commit, and looks for what to compact all the time."""
    yield from _cluster(settings={"offset.metadata.max.bytes": "100", "log.cleaner.backoff.ms": "100"})


@pytest.fixture(scope="session")
def statsd() -> Iterator[StatsdServer]:
    """One real statsd; names of metrics are the test's own business (`metrics.prefix`)."""
    server: StatsdServer = part_or_skip(lambda: StatsdServer().open())
    yield server
    server.close()


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """A Debian of its own, booted by systemd, that has kherd and its units; each test has an instance of its own."""
    with ExitStack() as stack:
        yield part_or_skip(lambda: stack.enter_context(debian()))


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Return names no other test or run uses: `unique("group")`."""
    test = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:40].strip("-")
    return lambda what: f"{what}.{test}.{uuid.uuid4().hex[:8]}"


@pytest.fixture
def topic(unique: Callable[[str], str], request: pytest.FixtureRequest) -> NewTopic:
    """Return a factory of topics: `topic(8, on=kafka3, rf=3, retention_ms="1000")`; without `on`, on `kafka`."""

    def create(partitions: int = 4, *, on: Cluster | None = None, name: str = "topic", **more: Any) -> str:
        cluster = request.getfixturevalue("kafka") if on is None else on
        return str(cluster.create_topic(unique(name), partitions, **more))

    return create


@pytest.fixture
def herd(tmp_path: Path) -> Iterator[NewHerd]:
    """Return a factory of running herds, `herd(config, handler_source)`: see `kherd.testing.herd`."""

    def start(config: Mapping[str, Any] | str, handler_source: str = "", **more: Any) -> Herd:
        folder = tmp_path / f"herd-{len(_herds)}"
        folder.mkdir()
        source = (handler_source,) if handler_source else ()
        _herds.append(Herd(folder, config, *source, **more))
        return _herds[-1].start()

    yield start
    for one in _herds:
        one.cleanup()
    _herds.clear()


@pytest.fixture(autouse=True)
def _healed() -> Iterator[None]:
    yield
    for cluster in _running:
        cluster.heal()


def _cluster(brokers: int = 1, **how: Any) -> Iterator[KafkaCluster]:
    cluster: KafkaCluster = part_or_skip(lambda: KafkaCluster(brokers, **how).open())
    _running.append(cluster)
    try:
        yield cluster
    finally:
        _running.remove(cluster)
        cluster.close()

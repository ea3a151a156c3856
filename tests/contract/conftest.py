"""Every test of the contract runs on the embedded broker and on a real one, under each group protocol it names.

`@differs(why)` marks what the embedded broker is known to do differently: there the test must fail, and one that passes
all of a sudden fails the run, so that the list of its limits stays true.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka import Producer

from kherd.testing.consuming import GroupProtocol, Member
from kherd.testing.producing import fill
from kherd.testing.topics import Cluster

HERE: Final = Path(__file__).parent
EMBEDDED: Final = "embedded"
REAL: Final = "real"
PLACES: Final = (EMBEDDED, REAL)
SETTINGS: Final = ((EMBEDDED, "consumer"), (REAL, "consumer"), (REAL, "classic"))
"""Classic groups are refused on the embedded broker by the configuration: see its limits.py."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    config.addinivalue_line("markers", "differs(why): the embedded broker is known to do this differently")
    config.addinivalue_line("markers", "protocol(*names): only under these group protocols")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a `group` under every setting, one that takes a `place` on both brokers."""
    if "setting" in metafunc.fixturenames:
        wanted = metafunc.definition.get_closest_marker("protocol")
        chosen = [pair for pair in SETTINGS if wanted is None or pair[1] in wanted.args]
        metafunc.parametrize("setting", chosen, ids=["-".join(pair) for pair in chosen], scope="session")
    elif "place" in metafunc.fixturenames:
        metafunc.parametrize("place", PLACES, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect what `differs` says, and mark what needs a real broker."""
    for item in items:
        if item.path.parent != HERE or not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
            continue
        name = item.callspec.id
        if name.startswith(REAL):
            item.add_marker("kafka")
        elif (known := item.get_closest_marker("differs")) is not None:
            item.add_marker(
                pytest.mark.xfail(reason=str(known.args[0]), strict=True, raises=known.kwargs.get("raises"))
            )


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """The broker of this run of the test."""
    if "setting" in request.fixturenames:
        where = request.getfixturevalue("setting")[0]
    else:
        where = request.getfixturevalue("place")
    found: Cluster = request.getfixturevalue("embedded" if where == EMBEDDED else "kafka")
    return found


@dataclass
class Group:
    """One group on one new topic of `partitions` partitions; every member of it is closed after the test."""

    cluster: Cluster
    protocol: GroupProtocol
    name: str
    topic: str
    partitions: int
    members: list[Member]

    def join(self, instance: str | None = None, **more: Any) -> Member:
        """Return a new member, static if `instance` is said; `more` are callbacks, or properties with `_` for `.`."""
        callbacks = {key: more.pop(key) for key in ("on_assign", "on_revoke") if key in more}
        properties = {**self.cluster.client_properties(), **{key.replace("_", "."): v for key, v in more.items()}}
        if instance is not None:
            properties["group.instance.id"] = instance
        if self.protocol == "classic":
            # A revocation is heard of with a heartbeat, every 3 s by default.
            properties = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 200, **properties}
        member = Member(properties, self.name, [self.topic], protocol=self.protocol, **callbacks)
        self.members.append(member)
        return member

    def fill(self, count: int, start: int = 0) -> None:
        """Produce numbered records to all partitions in turn."""
        fill(self.cluster.client_properties(), self.topic, count, partitions=self.partitions, start=start)


NewGroup = Callable[..., Group]


@pytest.fixture
def group(cluster: Cluster, setting: tuple[str, GroupProtocol], unique: Callable[[str], str]) -> Iterator[NewGroup]:
    """Return a factory of groups."""
    members: list[Member] = []

    def create(partitions: int = 1) -> Group:
        topic = cluster.create_topic(unique("topic"), partitions)
        name = unique("group")
        if setting[1] == "consumer":
            cluster.time_group(name, heartbeat=0.2)
        return Group(cluster, setting[1], name, topic, partitions, members)

    yield create
    for member in members:
        member.close()


@pytest.fixture
def new_topic(cluster: Cluster, unique: Callable[[str], str]) -> Callable[[int], str]:
    """Return a factory of topics."""
    return lambda partitions: cluster.create_topic(unique("topic"), partitions)


def send(cluster: Cluster, topic: str, value: bytes | None, **more: Any) -> int:
    """Produce one record to partition 0 and return the offset it got."""
    offsets: list[int] = []
    producer = Producer({**cluster.client_properties(), "log_level": "0", "linger.ms": 0})

    def delivered(error: object, message: Any) -> None:
        assert error is None, error
        offsets.append(message.offset())

    producer.produce(topic, value, partition=0, on_delivery=delivered, **more)
    assert producer.flush(20) == 0
    return offsets[0]

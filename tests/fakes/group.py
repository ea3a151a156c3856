"""Members of a real group, and the liaison beside them: what a supervisor would have, without a supervisor."""

import json
import pickle
import queue
import selectors
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from kherd.supervisor.children.spec import LiaisonSpec
from kherd.testing.topics import Cluster
from kherd.worker import channel
from kherd.worker.spec import DeadLetterSpec, KafkaSpec

SCRIPT = Path(__file__).parent / "member.py"
SERVICE = Path(__file__).parent / "service.py"
PATIENCE = 30.0


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


class Member:
    """A consumer process; `partitions` is what it owns just now."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen([sys.executable, SCRIPT, json.dumps(properties)], stdout=subprocess.PIPE)
        self._lines: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.events: list[dict[str, Any]] = []
        self.partitions: set[int] = set()
        self.member_id: str | None = None
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(json.loads(line))

    def look(self) -> None:
        """Take in what it has said."""
        while not self._lines.empty():
            event = self._lines.get()
            self.events.append(event)
            self.member_id = event.get("member_id") or self.member_id
            if event["event"] == "assigned":
                self.partitions |= set(event["partitions"])
            elif event["event"] in {"revoked", "lost"}:
                self.partitions -= set(event["partitions"])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def members(
    kafka: Cluster, group: str, topic: str, user: str | None = None, **properties: Any
) -> Iterator[Callable[..., Member]]:
    """Give a function that starts a member (its own properties by keyword, dots as underscores); all are killed."""
    started: list[Member] = []

    def start(**own: Any) -> Member:
        named = {name.replace("_", "."): value for name, value in (properties | own).items()}
        started.append(Member({**kafka.client_properties(user), "group.id": group, "topics": [topic], **named}))
        return started[-1]

    try:
        yield start
    finally:
        for member in started:
            member.kill()


def until(condition: Callable[[], bool], *watched: Member, seconds: float = PATIENCE) -> float:
    """Wait until `condition` holds, return how long that took."""
    began = time.monotonic()
    while True:
        for member in watched:
            member.look()
        if condition():
            return time.monotonic() - began
        assert time.monotonic() - began < seconds, [member.events for member in watched]
        time.sleep(0.005)


def share(topic_partitions: int, *group: Member) -> Callable[[], bool]:
    """Whether `group` owns every partition, each member as many as the others: nothing is about to move any more."""
    everything = set(range(topic_partitions))
    each = topic_partitions // len(group)
    return lambda: (
        all(len(one.partitions) == each for one in group)
        and set().union(*(one.partitions for one in group)) == everything
    )


class Liaison:
    """A liaison process and the supervisor's end of its channel."""

    def __init__(self, spec: LiaisonSpec, stderr: Path) -> None:
        self.channel, theirs = channel.pair()
        self.messages: list[dict[str, Any]] = []
        self._ids = 0
        command = [sys.executable, "-W", "ignore", str(SERVICE), str(theirs.fileno()), pickle.dumps(spec).hex()]
        with stderr.open("w") as stream:
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stderr=stream)
        theirs.close()

    def until(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE) -> dict[str, Any]:
        """Return the first message from now on that is `wanted`."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.channel, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                selector.select(left)
                while (received := self.channel.receive()) is not None:
                    self.messages.append(received[0])
                    if wanted(received[0]):
                        return received[0]
        raise AssertionError(f"not said within {seconds} s; said was {self.messages[-20:]}")

    def tell(self, kind: str, *, member_id: str | None = None, instance_id: str | None = None) -> dict[str, Any]:
        """Have a notice delivered and return its answer."""
        self._ids += 1
        message = {"type": "notice", "id": self._ids, "child": "worker", "kind": kind, "member_id": member_id}
        if kind == "describe_release":
            message = {"type": kind, "id": self._ids, "child": "worker"}
        self.channel.send(message | {"instance_id": instance_id})
        return self.until(lambda said: said["type"] == "notice_done" and said["id"] == self._ids)

    def stop(self) -> int:
        self._process.terminate()
        code = self._process.wait(PATIENCE)
        self.channel.close()
        return code


def kafka_spec(kafka: Cluster, group: str, *topics: str, user: str | None = None, **settings: Any) -> KafkaSpec:
    client = kafka.client_properties(user)
    return KafkaSpec(client.pop("bootstrap.servers"), group, topics, client=client, **settings)


@contextmanager
def liaison(kafka: KafkaSpec, tmp: Path, dead_letter: DeadLetterSpec | None = None, **fields: Any) -> Iterator[Liaison]:
    spec = LiaisonSpec(
        app="test",
        kafka=kafka,
        worker_count=2,
        dead_letter=dead_letter or DeadLetterSpec(create=False),
        **{"lag_interval": 0.2, "topics_interval": 0.5} | fields,
    )
    process = Liaison(spec, tmp / "liaison.log")
    try:
        yield process
    finally:
        code = process.stop()
    assert code == 0, (tmp / "liaison.log").read_text()


def produce(kafka: Cluster, topic: str, partition: int, count: int) -> None:
    producer = Producer(dict(kafka.client_properties()))
    for index in range(count):
        producer.produce(topic, str(index), partition=partition)
    assert producer.flush(PATIENCE) == 0

"""Members of a real group, and the liaison beside them: what a supervisor would have, without a supervisor."""

import json
import os
import queue
import selectors
import signal
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
from confluent_kafka.admin import AdminClient, NewTopic

from kherd.supervisor.children.liaison.main import run
from kherd.supervisor.children.spec import LiaisonSpec
from kherd.worker import channel, log
from kherd.worker.spec import DeadLetterSpec, KafkaSpec, LogSpec

SCRIPT = Path(__file__).parent / "member.py"
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
def members(group: str, topic: str, bootstrap: str, **properties: Any) -> Iterator[Callable[..., Member]]:
    """Give a function that starts a member (its own properties by keyword, dots as underscores); all are killed."""
    started: list[Member] = []

    def start(**own: Any) -> Member:
        named = {name.replace("_", "."): value for name, value in (properties | own).items()}
        started.append(Member({"bootstrap.servers": bootstrap, "group.id": group, "topics": [topic]} | named))
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
        self.pid = os.fork()
        if self.pid == 0:
            self.channel.close()
            with stderr.open("w") as stream:
                log.configure(LogSpec(), log.Identity(spec.app, "liaison"), stream=stream)
                os._exit(run(spec, theirs))
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
        os.kill(self.pid, signal.SIGTERM)
        _, status = os.waitpid(self.pid, 0)
        self.channel.close()
        return os.waitstatus_to_exitcode(status)


@contextmanager
def liaison(
    bootstrap: str, group: str, *topics: str, tmp: Path, dead_letter: DeadLetterSpec | None = None, **kafka: Any
) -> Iterator[Liaison]:
    spec = LiaisonSpec(
        app="test",
        kafka=KafkaSpec(bootstrap=bootstrap, group=group, topics=topics, **kafka),
        worker_count=2,
        dead_letter=dead_letter or DeadLetterSpec(create=False),
        lag_interval=0.2,
        topics_interval=0.5,
    )
    process = Liaison(spec, tmp / "liaison.log")
    try:
        yield process
    finally:
        code = process.stop()
    assert code == 0, (tmp / "liaison.log").read_text()


def create(bootstrap: str, topic: str, partitions: int, properties: Mapping[str, Any] | None = None) -> AdminClient:
    admin = AdminClient({"bootstrap.servers": bootstrap} | dict(properties or {}))
    admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=1)])[topic].result(PATIENCE)
    return admin


def produce(bootstrap: str, topic: str, partition: int, count: int) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for index in range(count):
        producer.produce(topic, str(index), partition=partition)
    assert producer.flush(PATIENCE) == 0

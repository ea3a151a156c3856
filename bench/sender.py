"""One producer whose every delivery is counted; it sends as fast as it goes, or by a schedule. In a trial's process."""

import random
from array import array
from collections.abc import Callable
from typing import Any, Final

from confluent_kafka import KafkaError, Message, Producer

from ..worker import clock
from .accounting import DELIVERED, FAILED, PENDING
from .jobs import ProduceJob, TrialError
from .matrix import NUMBER
from .payload import pool
from .schedule import SECOND, Schedule
from .statistics import Statistics

CHUNK: Final = 200
"""Records between two looks at the clock and at delivery reports."""
TICK: Final = 0.00025
"""Seconds a paced sender sleeps when nothing is due."""
ROOM: Final = 0.01
FLUSH: Final = 60.0
STATISTICS_MS: Final = "250"


class Sender:
    """Sends records numbered from 0; `limit` of them at most if their times are to be kept."""

    def __init__(self, job: ProduceJob, limit: int = 0) -> None:
        self.sent = 0
        self.delivered = 0
        self.failed = 0
        self.withdrawn = 0
        """Taken by the client, and taken back before it sent them."""
        self.error = ""
        self.waited = 0.0
        """Seconds spent waiting for room in the client's queue."""
        self.times = array("q", bytes(8 * limit))
        """When each record's delivery report came, in nanoseconds; negative: that it failed."""
        self.departures = array("q", bytes(8 * limit))
        self.statistics = Statistics(job.topic)
        self._topic, self._partitions, self._sticky = job.topic, job.partitions, job.sticky
        self._pool = pool(job.size, job.entropy, random.Random(job.seed))
        own: dict[str, Any] = {
            "statistics.interval.ms": STATISTICS_MS,
            "stats_cb": self.statistics.take,
            "on_delivery": self._on_timed if limit else self._on_counted,
        }
        self._producer = Producer({**job.properties, **own})

    def flood(self, seconds: float) -> None:
        """Send as fast as it goes."""
        end = clock.monotonic() + seconds
        while clock.monotonic() < end:
            self._send(CHUNK, lambda: clock.monotonic() < end)
            self._producer.poll(0)

    def follow(self, schedule: Schedule, count: int) -> None:
        """Send `count` records, each when it is due or as soon after as there is room."""
        while self.sent < count:
            due = min(count, schedule.due_by(clock.read_ns())) - self.sent
            if due <= 0:
                clock.sleep(TICK)
            else:
                self._send(min(due, CHUNK), lambda: True)
            self._producer.poll(0)

    def withdraw(self) -> None:
        """Take back what waits in the client's queue: nothing is learnt from sending it."""
        self._producer.purge(in_queue=True, in_flight=False, blocking=True)

    def flush(self) -> None:
        """Wait until every record is reported on."""
        self._producer.flush(FLUSH)

    def said(self) -> bytes:
        """Return what the client said of each record that was sent."""
        return bytes(PENDING if time == 0 else DELIVERED if time > 0 else FAILED for time in self.times[: self.sent])

    def _send(self, count: int, going: Callable[[], bool]) -> None:
        produce, topic, bodies = self._producer.produce, self._topic, self._pool
        partitions, size, timed = self._partitions, len(bodies), len(self.times)
        for number in range(self.sent, self.sent + count):
            value = number.to_bytes(NUMBER, "big") + bodies[number % size]
            partition = -1 if self._sticky else number % partitions
            while True:
                try:
                    produce(topic, value, partition=partition)
                    break
                except BufferError:
                    if not self._wait_for_room(going):
                        return
            if timed:
                self.departures[number] = clock.read_ns()
            self.sent = number + 1

    def _wait_for_room(self, going: Callable[[], bool]) -> bool:
        """Let deliveries be reported; return whether to try again."""
        began = clock.monotonic()
        self._producer.poll(ROOM)
        self.waited += clock.monotonic() - began
        return going()

    def _on_counted(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self.delivered += 1
        else:
            self._on_failure(error)

    def _on_timed(self, error: KafkaError | None, message: Message) -> None:
        number = int.from_bytes((message.value() or b"")[:NUMBER], "big")
        if error is None:
            self.delivered += 1
            self.times[number] = clock.read_ns()
        else:
            self.times[number] = -clock.read_ns()
            self._on_failure(error)

    def _on_failure(self, error: KafkaError) -> None:
        if error.code() == KafkaError._PURGE_QUEUE:  # noqa: SLF001 - librdkafka's own error codes are called so
            self.withdrawn += 1
            return
        self.failed += 1
        self.error = self.error or error.str()


def schedule_for(rate: int) -> Schedule:
    """Return a schedule that begins in a moment."""
    return Schedule(clock.read_ns() + SECOND // 100, rate)


def limit_of(job: ProduceJob) -> int:
    """Return how many records a paced trial sends.

    Raises:
        TrialError: none.
    """
    count = int((job.rate or 0) * (job.warmup + job.seconds))
    if count < 1:
        raise TrialError(f"{job.rate} records per second for {job.seconds:g} s are no record at all")
    return count

"""Who reads the topic: each is forked from a trial's process that has no librdkafka handle."""

import gc
import os
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from confluent_kafka import Consumer, Message, TopicPartition

from ..worker import kernel
from ..worker.board import Board
from ..worker.channel import pair
from ..worker.main import run_worker
from ..worker.properties import consumer_properties
from ..worker.spec import GroupProtocol, KafkaSpec, LogSpec, SlotIdentity, WorkerSpec
from . import handlers
from .arena import TIMEOUT, play
from .jobs import ConsumeJob, TrialError

BATCH: Final = 500
FETCH: Final = 0.1


@dataclass(frozen=True, slots=True)
class Course:
    """What every contender has to do: read `records` records of `topic` from its beginning."""

    bootstrap: str
    topic: str
    records: int
    embedded: bool
    protocol: GroupProtocol
    client: Mapping[str, str] = field(default_factory=dict, repr=False)

    def kafka(self) -> KafkaSpec:
        """Return the same settings for all, and a group that nobody had before."""
        group = f"kherd-bench-{uuid.uuid4().hex}"
        return KafkaSpec(
            self.bootstrap,
            group,
            (self.topic,),
            group_protocol=self.protocol,
            embedded=self.embedded,
            client=self.client,
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """How long one took, from its first record to its last."""

    seconds: float
    cpu: float


def compete(job: ConsumeJob) -> dict[str, Any]:
    """Return seconds and CPU seconds of one contender; raises TrialError."""
    protocol: GroupProtocol = "classic" if job.protocol == "classic" else "consumer"
    course = Course(job.bootstrap, job.topic, job.records, job.embedded, protocol, job.properties)
    trial = CONTENDERS[job.contender](course, Path(job.folder))
    return {"seconds": trial.seconds, "cpu_seconds": trial.cpu, "records": job.records}


def raw(call: Literal["poll", "consume"], course: Course, folder: Path) -> Trial:
    """Measure a loop written by hand, by poll() or by consume(500): one commit in flight, no handler call."""
    return _trial(play(course.records, folder, lambda: _consume_raw(course, call)))


def kherd(mode: Literal["record", "batch"], course: Course, folder: Path) -> Trial:
    """Measure kherd's worker, with its real board and channel."""
    spec = worker_spec(course.kafka(), mode, f"{handlers.__name__}:{mode}")
    return _trial(play_worker(spec, course.records, folder))


def worker_spec(kafka: KafkaSpec, mode: Literal["record", "batch"], handler: str, **more: Any) -> WorkerSpec:
    """Return what a worker is told, with `more` fields; all that is not said here is kherd's default."""
    return WorkerSpec(
        app="bench",
        instance=None,
        generation=1,
        handler=handler,
        kafka=kafka,
        mode=mode,
        batch_size=BATCH,
        handler_timeout=TIMEOUT,
        log=LogSpec("json", "warning"),
        **more,
    )


def play_worker(
    spec: WorkerSpec,
    records: int,
    folder: Path,
    prepare: Callable[[], None] = handlers.nothing,
    beside: AbstractContextManager[object] | None = None,
) -> str:
    """Run kherd's worker as `play` does; `prepare` is called in its process before the handler is loaded."""
    identity = SlotIdentity(1, 0, 1)
    board, board_fd = Board.create(folder / "board", identity, generation=1)
    ours, theirs = pair()
    with (folder / "stacks").open("wb") as stacks, closing(board), closing(ours):

        def work() -> None:
            ours.close()
            prepare()
            gc.freeze()  # as the mold does before it forks
            code = run_worker(spec, identity, Board(board_fd), theirs, stacks.fileno())
            os._exit(code)

        try:
            return play(records, folder, work, ours, beside)
        finally:
            theirs.close()
            os.close(board_fd)


def _trial(result: str) -> Trial:
    seconds, cpu = map(float, result.split())
    return Trial(seconds, cpu)


def _consume_raw(course: Course, call: Literal["poll", "consume"]) -> None:
    kernel.unblock_signals()
    properties = consumer_properties(course.kafka(), client_id="bench", instance_id=None, handler_timeout=TIMEOUT)
    del properties["statistics.interval.ms"]
    unanswered = False

    def on_commit(_error: object, _offsets: object) -> None:
        nonlocal unanswered
        unanswered = False

    consumer = Consumer({**properties, "on_commit": on_commit})
    consumer.subscribe([course.topic])
    fetch = partial(consumer.consume, BATCH, FETCH) if call == "consume" else _polling(consumer)
    done: dict[int, int] = {}
    size, left = 0, course.records
    while left:
        messages = fetch()
        if messages and left == course.records:
            handlers.begin()
        for message in messages:
            if message.error() is not None:
                raise TrialError(str(message.error()))
            size += len(message.value() or b"")
            done[message.partition()] = message.offset() + 1  # type: ignore[index, operator]  # a real record has both
        left -= len(messages)
        if done and not unanswered:
            unanswered = True
            offsets = [TopicPartition(course.topic, partition, offset) for partition, offset in done.items()]
            consumer.commit(offsets=offsets, asynchronous=True)
            done.clear()
    handlers.finish()
    consumer.close()
    os._exit(0)


def _polling(consumer: Consumer) -> Callable[[], list[Message]]:
    """Return a fetch of one record by poll(), as most examples have it."""

    def fetch() -> list[Message]:
        # Not "if message": a record without a value is false.
        return [] if (message := consumer.poll(FETCH)) is None else [message]

    return fetch


CONTENDERS: Final[dict[str, Callable[[Course, Path], Trial]]] = {
    "poll": partial(raw, "poll"),
    "consume": partial(raw, "consume"),
    "record": partial(kherd, "record"),
    "batch": partial(kherd, "batch"),
}

"""A whole worker session, in this process, on a fake group: the loop goes round when the test says so."""

from typing import Any

from kherd.worker import channel, loop
from kherd.worker.board import Board
from kherd.worker.boardwriter import BoardWriter
from kherd.worker.handler import Handler, Loop
from kherd.worker.pulse import Pulse
from kherd.worker.session import Session, Tools
from kherd.worker.spec import KafkaSpec, SlotIdentity, WorkerSpec

from .consumer import TOPIC, FakeConsumer, FakeGroup
from .producer import Producers


class Rig:
    """A session on a fake group; the handler appends what it is given to `seen`."""

    def __init__(self, board: Board, partitions: int = 2, start: Any = "earliest", **fields: Any) -> None:
        self.group = FakeGroup(partitions)
        self.seen: list[tuple[int, int]] = []
        self.ours, self.theirs = channel.pair()
        kafka = KafkaSpec(bootstrap="none", group="g", topics=(TOPIC,), start=start)
        spec = WorkerSpec(app="app", instance=None, generation=1, handler="m:h", kafka=kafka, **fields)
        handler = Handler("m:h", spec.mode, self._handle, None, Loop())
        self.pulse = Pulse()
        tools = Tools(spec, SlotIdentity(1, 0, 1), handler, self.theirs, self.pulse, BoardWriter(board))
        self.producers = Producers()
        self.session = Session(tools, consumer=self._consumer, producer=self.producers)
        self.session.join()

    def _consumer(self, properties: dict[str, Any], **_: object) -> FakeConsumer:
        self.consumer = FakeConsumer(self.group, properties)
        return self.consumer

    def _handle(self, given: Any) -> None:
        messages = given if isinstance(given, list) else [given]
        self.seen += [(message.partition(), message.offset()) for message in messages]

    def go(self, rounds: int = 10) -> None:
        for _ in range(rounds):
            loop.step(self.session)

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()

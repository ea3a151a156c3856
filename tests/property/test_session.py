"""A worker under any sequence of records, failures, refusals and rebalances: no commit passes unfinished work.

And once the faults are over, everything is finished and committed. The whole worker runs; only the consumer, the
producer and the handler are the test's.
"""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, Message
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kherd import ProcessingError, Record, Results, Skip
from kherd.worker import channel, clock, heritage, loop
from kherd.worker.board import Board
from kherd.worker.boardview import partitions_of
from kherd.worker.boardwriter import BoardWriter
from kherd.worker.decide.halted import Halted
from kherd.worker.decide.handover import Identity
from kherd.worker.handler import Handler, Loop
from kherd.worker.pulse import Pulse
from kherd.worker.session import Session, Tools
from kherd.worker.spec import ErrorSpec, KafkaSpec, SlotIdentity, WorkerSpec

from ..fakes.consumer import TOPIC, FakeConsumer, FakeGroup
from ..fakes.producer import Producers, Sent

PARTITIONS = 3
PATIENCE = 10.0
KINDS = [b"ok", b"ok", b"ok", b"poison", b"skip", b"fail-1", b"fail-3", b"fail-9", b"echo", b"echo"]
FAULTS = ["commits refused", "commits unanswered", "outputs refused", "outputs unanswered", "handler broken", "quiet"]
HALTS = [
    Halted(True),
    Halted(topics=frozenset([TOPIC])),
    *(Halted(partitions=frozenset([(TOPIC, n)])) for n in range(2)),
]
numbers = st.integers(0, PARTITIONS - 1)
some = st.sets(numbers, min_size=1).map(sorted)
Place = tuple[int, int]


class Work:
    """The handler, and what of its work is finished for good: the truth that commits are held against."""

    def __init__(self) -> None:
        self.finished: set[Place] = set()
        self.calls: Counter[Place] = Counter()
        self.halted = Halted()
        self.begun_although_paused: list[Place] = []
        self.broken = False

    def handle(self, message: Message) -> Record | None:
        place = _place(message)
        self.calls[place] += 1
        if self.halted.covers((TOPIC, place[0])):
            self.begun_although_paused.append(place)
        kind = message.value() or b""
        if kind == b"poison":
            raise ProcessingError("poison")
        if kind == b"skip":
            self.finished.add(place)
            raise Skip
        if self.broken or (kind.startswith(b"fail") and self.calls[place] <= int(kind[5:])):
            raise RuntimeError("down")
        if kind == b"echo":
            return Record("out", b"%d %d" % place)
        self.finished.add(place)
        return None

    def handle_batch(self, messages: list[Message]) -> Any:
        return [record for record in map(self.handle, messages) if record is not None]

    def handle_results(self, messages: list[Message]) -> Results:
        results = Results()
        for message in messages:
            try:
                results.append(self.handle(message))
            except (ProcessingError, Skip, RuntimeError) as error:
                results.append(error)
        return results

    def acknowledged(self, sent: Sent) -> None:
        headers = dict(sent.headers)
        if sent.topic == "out":
            partition, offset = (sent.value or b"").split()
        else:
            partition, offset = (headers[f"__dlq.errors.{name}"] or b"" for name in ("partition", "offset"))
        self.finished.add((int(partition), int(offset)))


def _place(message: Message) -> Place:
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    return partition, offset


class Consuming(RuleBasedStateMachine):
    @initialize(
        mode=st.sampled_from(["record", "batch", "results"]),
        pauses_last=st.booleans(),
        on_exhausted=st.sampled_from(["hold", "dead_letter"]),
        batch_size=st.sampled_from([1, 3, 500]),
        commit_interval=st.sampled_from([0.0, 0.0001]),
        named=st.sampled_from([True, True, False]),
    )
    def start(  # noqa: PLR0917 - one per dimension
        self, mode: str, pauses_last: bool, on_exhausted: Any, batch_size: int, commit_interval: float, named: bool
    ) -> None:
        self.work = Work()
        self.group = FakeGroup(PARTITIONS)
        self.group.pauses_last = pauses_last
        self.refusing_outputs = False
        self.producers = Producers(answer=self._answer)
        self.folder = tempfile.TemporaryDirectory()
        self.board, self.fd = Board.create(Path(self.folder.name) / "board", SlotIdentity(1, 0, 1), 1)
        self.ours, self.theirs = channel.pair()
        functions: dict[str, Callable[[Any], Any]] = {
            "record": self.work.handle,
            "batch": self.work.handle_batch,
            "results": self.work.handle_results,
        }
        kind: Any = "record" if mode == "record" else "batch"
        spec = WorkerSpec(
            app="app",
            instance=None,
            generation=1,
            handler="m:h",
            mode=kind,
            batch_size=batch_size,
            max_in_flight=20,
            commit_interval=commit_interval,
            kafka=KafkaSpec(bootstrap="none", group="g", topics=(TOPIC,)),
            errors=ErrorSpec(max_attempts=4, backoff_initial=1e-6, backoff_max=1e-6, on_exhausted=on_exhausted),
        )
        handler = Handler("m:h", kind, functions[mode], None, Loop())
        tools = Tools(spec, SlotIdentity(1, 0, 1), handler, self.theirs, Pulse(), BoardWriter(self.board))
        self.session = Session(
            tools, consumer=lambda properties, **_: self._consumer(properties), producer=self.producers
        )
        self.session.join()
        if named:  # then there are notes on its commits
            for message in heritage.identities({TOPIC: Identity(1, 2, 3)}, clock.monotonic() + 1e6):
                self.ours.send(message)
        self.rebalance("on_assign", list(range(PARTITIONS)))

    def _consumer(self, properties: dict[str, Any]) -> FakeConsumer:
        self.consumer = FakeConsumer(self.group, properties)
        return self.consumer

    def _answer(self, sent: Sent) -> KafkaError | None:
        if self.refusing_outputs:
            return KafkaError(KafkaError._MSG_TIMED_OUT)
        self.work.acknowledged(sent)
        return None

    @rule(
        partition=numbers,
        kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=12),
        gap=st.integers(0, 2),
        rounds=st.integers(0, 12),
    )
    def write(self, partition: int, kinds: list[bytes], gap: int, rounds: int) -> None:
        for kind in kinds:
            self.group.write(partition, kind, gap)
        self.go_round(rounds)

    @rule(kind=st.sampled_from(["on_assign", "on_assign", "on_revoke", "on_lost"]), which=some)
    def rebalance(self, kind: str, which: list[int]) -> None:
        self.group.news.append((kind, which))

    @rule(rounds=st.integers(1, 12))
    def go_round(self, rounds: int) -> None:
        for _ in range(rounds):
            loop.step(self.session)
            self.no_commit_passes_unfinished_work()

    @rule(fault=st.sampled_from(FAULTS), on=st.sampled_from([True, True, False]))
    def fault(self, fault: str, on: bool) -> None:
        if fault == "commits refused":
            self.group.refusing = on
        elif fault == "commits unanswered":
            self.group.silent = on
        elif fault == "outputs refused":
            self.refusing_outputs = on
        elif fault == "outputs unanswered":
            self.producers.options["silent"] = on
            for producer in self.producers.made:
                producer.silent = on
        elif fault == "handler broken":
            self.work.broken = on
        else:
            self.session.pulse.quiet = on

    @rule(kind=st.sampled_from(["put_aside", "put_aside", "hold", "probe"]), outage=st.booleans())
    def judge(self, kind: str, outage: bool) -> None:
        """Say of every record that has failed lately what a supervisor may say, right or wrong."""
        rulings, told = self.session.pulse.rulings, []
        while (received := self.ours.receive()) is not None:
            told.append(received[0])
        for message in told:
            if message["type"] in {"failing", "exhausted"}:
                place = {name: message[name] for name in ("topic", "partition", "offset")}
                rulings.take({"type": kind, **place, "reason": "so"})
        kinds = {message["fingerprint"] for message in told if "fingerprint" in message}
        rulings.take({"type": "outages", "open": sorted(kinds) if outage else []})
        self.session.outcomes.appeals.look()

    @rule(halted=st.sampled_from(HALTS), rounds=st.integers(0, 3))
    def pause(self, halted: Halted, rounds: int) -> None:
        self.session.pulse.halted = halted
        self.session.pauses.obey()
        self.work.halted = halted
        self.go_round(rounds)

    @rule()
    def resume(self) -> None:
        self.pause(Halted(), 0)

    @invariant()
    def no_commit_passes_unfinished_work(self) -> None:
        for number, offset in self.group.committed.items():
            lowest = self._lowest_unfinished(number)
            assert lowest is None or offset <= lowest, f"{number}: committed {offset}, {lowest} is unfinished"

    @invariant()
    def nothing_paused_is_begun(self) -> None:
        assert not self.work.begun_although_paused

    @invariant()
    def the_board_tells_the_truth(self) -> None:
        for view in partitions_of(self.board):
            done, lowest = view.done or 0, self._lowest_unfinished(view.partition)
            assert lowest is None or done <= lowest, f"{view} but {lowest} is unfinished"
            assert (view.committed or 0) <= max(done, self.group.committed[view.partition])

    def _lowest_unfinished(self, number: int) -> int | None:
        offsets = (message.offset() or 0 for message in self.group.log[number])
        return next((offset for offset in offsets if (number, offset) not in self.work.finished), None)

    def teardown(self) -> None:
        if hasattr(self, "session"):
            try:
                self.end_well()
            finally:
                self.ours.close()
                self.theirs.close()
                self.board.close()
                os.close(self.fd)
                self.folder.cleanup()

    def end_well(self) -> None:
        """Without faults, everything is finished and committed."""
        for fault in FAULTS:
            self.fault(fault, on=False)
        self.resume()
        self.judge("hold", outage=False)
        self.rebalance("on_assign", list(range(PARTITIONS)))
        deadline = time.monotonic() + PATIENCE
        while any(self.group.committed[number] != self._end(number) for number in range(PARTITIONS)):
            loop.step(self.session)
            state = f"{self.group.committed}, ends {self.group.ends}, paused {self.consumer.paused}"
            assert time.monotonic() < deadline, f"never done: {state}"
        self.no_commit_passes_unfinished_work()

    def _end(self, number: int) -> int:
        """One past the last record."""
        log = self.group.log[number]
        return (log[-1].offset() or 0) + 1 if log else 0


Consuming.TestCase.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestConsuming = Consuming.TestCase

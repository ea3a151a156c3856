"""The liaison process: the main thread serves the channel, what may wait for Kafka has threads of its own."""

import selectors
import signal
import threading
from collections.abc import Callable
from typing import Any, Final

from ....worker import clock, events, log
from ....worker.channel import Channel, Message
from ....worker.errors import HandlerError
from ..spec import LiaisonSpec
from .client import cluster_properties, messenger_config
from .cluster import Cluster, ClusterError, isolation_of
from .desk import Desk
from .errands import Answer
from .lag import DEAD_LETTER_GROUP, DeadLetterCount, Reader, Rounds, Sweeper
from .mailbox import Mailbox
from .mapping import UnmappableError
from .notices import Messenger
from .reach import PROBE, Reach
from .topics import TopicWatch

FINISH: Final = 1.0
"""Seconds that notices under way get at a stop."""
TICK: Final = 0.5
"""Seconds between looks at overdue notices, while there are any."""
CRASHED: Final = 1


def run(spec: LiaisonSpec, channel: Channel) -> int:
    """Serve `channel` until TERM or its end of file; return the exit code."""
    return Liaison(spec, channel).serve()


class Liaison:
    """The main thread: channel, signals, and the list of open notices."""

    def __init__(self, spec: LiaisonSpec, channel: Channel) -> None:
        self._spec = spec
        self._channel = channel
        self._mailbox = Mailbox()
        self._desk = Desk()
        self._messenger: Messenger | None = None
        self._rounds: Rounds | None = None
        self._stop_at: float | None = None
        self._crashed = False
        self._disabled = ""

    def serve(self) -> int:
        """Start everything, forward messages both ways, return the exit code."""
        signal.signal(signal.SIGTERM, self._on_term)
        threading.excepthook = self._on_crash
        self._messenger = self._make_messenger()
        self._start_watching()
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ)
            selector.register(self._mailbox, selectors.EVENT_READ)
            while not self._over():
                writable = selectors.EVENT_WRITE if self._channel.outbox else 0
                selector.modify(self._channel, selectors.EVENT_READ | writable)
                selector.select(TICK if len(self._desk) or self._stop_at is not None else None)
                self._turn()
        return CRASHED if self._crashed else 0

    def _over(self) -> bool:
        if self._channel.closed or self._crashed:
            return True
        if self._stop_at is None:
            return False
        idle = not len(self._desk) and not self._channel.outbox
        return idle or clock.monotonic() >= self._stop_at

    def _turn(self) -> None:
        self._channel.flush()
        while not self._channel.closed and (received := self._channel.receive()) is not None:
            self._on_message(received[0])
        for message in self._mailbox.take():
            if message["type"] == "answer":
                self._settle(message["answer"])
            elif message["type"] != "wake":
                self._channel.send(message)
        for answer in self._desk.overdue(clock.monotonic()):
            self._settle(answer)

    def _on_message(self, message: Message) -> None:
        if message["type"] == "sweep":
            if self._rounds is not None:
                self._rounds.poke()
        elif message["type"] == "identify":
            if self._messenger is not None:
                self._messenger.identify(message["topics"], message["at"], self._mailbox.put)
        elif message["type"] in {"notice", "describe_release"}:
            errand = self._desk.accept(message, clock.monotonic())
            if self._messenger is not None:
                self._messenger.submit(errand)
            else:
                embedded = self._spec.kafka.embedded
                self._settle(Answer(errand.id, ok=embedded, ms=0.0, error=None if embedded else self._disabled))

    def _settle(self, answer: Answer) -> None:
        if self._desk.settle(answer) is not None:
            done = {"type": "notice_done", "id": answer.id, "ok": answer.ok, "ms": answer.ms, "error": answer.error}
            self._channel.send(done)

    def _make_messenger(self) -> Messenger | None:
        """Return None on the embedded broker, which has no use for notices, and where kafka-python cannot connect."""
        kafka = self._spec.kafka
        if kafka.embedded:
            return None
        try:
            config = messenger_config(kafka, f"{self._spec.client_id}-notices", self._spec.pythonpath)
        except (UnmappableError, HandlerError) as error:
            self._disabled = f"death notices are off: {error}"
            log.emit(events.NOTICES_DISABLED, reason=str(error))
            return None
        messenger = Messenger(kafka.group, kafka.group_protocol, config, self._on_answer)
        messenger.start()
        if self._spec.count_members:
            messenger.count_members(self._spec.lag_interval, self._mailbox.put)
        return messenger

    def _start_watching(self) -> None:
        kafka, mailbox = self._spec.kafka, self._mailbox
        properties = cluster_properties(kafka, self._spec.client_id, self._spec.pythonpath)
        # One cluster per thread: its handles are not for several.
        watched = Cluster(properties, kafka.group, isolation_of(kafka))
        read = Cluster(properties, kafka.group, isolation_of(kafka))
        topics = TopicWatch(self._spec, watched, mailbox)
        sweeper = Sweeper(Reader(read, kafka.group), mailbox, lambda: topics.topics)
        letters = Reader(read, DEAD_LETTER_GROUP.format(group=kafka.group))
        count = DeadLetterCount(letters, mailbox, lambda: topics.dead_letters)
        rounds = self._rounds = Rounds(sweeper, count, self._spec.lag_interval)
        reach = Reach(watched, mailbox)
        # A sweep without topics says nothing: begin when the first look at them is over.
        _thread(lambda: _watch(watched, reach, topics, lambda: _thread(rounds.run, "lag")), "watch")

    def _on_answer(self, answer: Answer) -> None:
        self._mailbox.put({"type": "answer", "answer": answer})

    def _on_term(self, _number: int, _frame: object) -> None:
        if self._stop_at is None:
            self._stop_at = clock.monotonic() + FINISH
        self._mailbox.wake()

    def _on_crash(self, crash: Any) -> None:
        """End the process when a thread of it ends by an exception: started anew it does everything it should."""
        log.emit(events.INTERNAL_ERROR, error=crash.exc_value, reason=f"thread {crash.thread.name} crashed")
        self._crashed = True
        self._mailbox.wake()


def _watch(cluster: Cluster, reach: Reach, topics: TopicWatch, begin: Callable[[], None]) -> None:
    """Know whether brokers answer and what topics there are, for ever; call `begin` after the first look at them."""
    cluster.serve(0)  # an oauth token is fetched here
    due = 0.0
    begun = False
    while True:
        started = clock.monotonic()
        if reach.look() and started >= due:
            try:
                due = started + topics.look()
            except ClusterError:
                due = 0.0  # the next probe tells whether that was an outage
            else:
                if not begun:
                    begun = True
                    begin()
        pause = min(PROBE, max(0.0, due - clock.monotonic())) if due else PROBE
        until = clock.monotonic() + pause
        while (left := until - clock.monotonic()) > 0:
            cluster.serve(left)


def _thread(target: Callable[[], object], name: str) -> None:
    threading.Thread(target=target, name=name, daemon=True).start()

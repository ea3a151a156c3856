"""Poison or outage: all failures that nobody has classified come together here, and who failed so is told what to do.

Workers say `failing` (a record's first failure of a kind), `exhausted` (it has used its attempts up: may it be put
aside?) and `settled`; they are told what `worker.rulings` says. Evidence is `decide.spread`, the outage's states are
`decide.outage`, what may be put aside is `worker.decide.diversion`.
"""

from collections.abc import Callable
from typing import Any, Final

from ..worker import clock
from ..worker.board import Board
from ..worker.channel import Message
from ..worker.decide import diversion
from .decide import outage, spread
from .decide.outage import State
from .failures import OTHERS, Failures, Kind, Place, Record
from .passage import Passage

ONE_BY_ONE: Final = 1.0
"""Seconds between two diversions of a kind that may be an outage: what follows the first one tells more."""
PATIENCE: Final = 3.0
"""Seconds for which such a record has failed at the least: attempts may be over before anybody else is heard."""
DESERTED: Final = 30.0
"""Seconds without a record that waits, after which an outage is over: a roll has everybody fail anew."""
MARGIN: Final = 5.0
"""Of a probe's time, beside that of its call."""
_NUMBERS: Final = ("partition", "offset")


class Outages:
    """All kinds of failures there are. `say` gets a slot's index and a message, `say_all` one for all workers.

    `now` tells monotonic seconds.
    """

    def __init__(
        self,
        passage: Passage,
        say: Callable[[int, Message], None],
        say_all: Callable[[Message], None],
        now: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._passage, self._say, self._say_all, self._now = passage, say, say_all, now
        self._failures = Failures()
        self._spread = spread.Policy()
        self._diversion = diversion.Policy()
        self._bucket = diversion.fresh(self._diversion)
        self._earned_to = 0
        self.adopt(1.0, 60.0, 20.0)

    def adopt(self, first: float, longest: float, call: float) -> None:
        """Have probes `first` to `longest` seconds apart; a call of the handler may take `call`."""
        self._policy = outage.Policy(first, max(first, longest))
        self._call_seconds = call

    def hear(self, slot: int, message: Message) -> bool:
        """Act on what a worker says; return whether it was about a failure."""
        now = self._now()
        if not _is_whole(message):
            return False
        match message["type"]:
            case "failing":
                self._failing(slot, message, now)
            case "exhausted":
                self._exhausted(slot, message, now)
            case "settled":
                self._settled(_place(message), str(message.get("how")), now)
            case _:
                return False
        return True

    def greet(self) -> list[Message]:
        """Return what a new worker has to know."""
        return [self._open()]

    def gone(self, slot: int, board: Board) -> None:
        """The process of `slot` has ended: what failed in it fails anew elsewhere, or does not."""
        self._passage.carry(board)
        for record in self._failures.of_slot(slot):
            self._forget(record.place, self._now())

    def tick(self, now: float, handled: int, *, idle: bool) -> None:
        """Once a second: what was earned (`handled`: by all workers so far), what is due, and who is to be tried.

        `idle`: workers begin nothing, so nobody is tried.
        """
        self._bucket = diversion.earn(self._diversion, self._bucket, max(0, handled - self._earned_to))
        self._earned_to = handled
        self._prune(now)
        for kind in self._failures.kinds():
            self._weigh(kind, now)
        for kind, record in self._failures.asking():
            self._divert(kind, record, now)
        for kind in self._failures.kinds():
            self._go_on(kind, now, idle=idle)

    def _failing(self, slot: int, message: Message, now: float) -> None:
        place, kind = _place(message), self._failures.kind(message["fingerprint"], message["error"])
        if self._failures.of_place(place) not in {None, kind}:  # a probe that failed in another way, too
            self._forget(place, now)
        again = place in kind.records
        self._failures.add(kind, Record(place, slot, message["error"], now))
        if not again:
            key = message.get("key")
            self._weigh(kind, now, (place[0], key) if key is not None else place)
        elif kind.probing == place:
            kind.probing = None
            self._feed(kind, outage.FailedAlike(), now)

    def _weigh(self, kind: Kind, now: float, subject: spread.Subject | None = None) -> None:
        """Count what was handled since the last look, and then a failure of `subject`."""
        if subject is None and kind.evidence.score == 0.0:
            return
        totals = self._passage.totals()
        if not kind.evidence.records:
            kind.marks = dict(totals)
        for topic in kind.topics() if subject is None else {str(subject[0])}:
            since = max(0, totals.get(topic, 0) - kind.marks.get(topic, 0))
            kind.evidence = spread.passed(self._spread, kind.evidence, since)
            kind.marks[topic] = totals.get(topic, 0)
        if subject is not None and kind.fingerprint != OTHERS:
            kind.evidence = spread.failed(self._spread, kind.evidence, subject)
        if spread.is_spread(self._spread, kind.evidence):
            self._feed(kind, outage.Spread(), now)
        elif spread.is_outweighed(kind.evidence):
            self._feed(kind, outage.Doubted(), now)

    def _exhausted(self, slot: int, message: Message, now: float) -> None:
        self._failing(slot, message, now)
        kind = self._failures.kind(message["fingerprint"], message["error"])
        record = kind.records[_place(message)]
        record.asking = True
        self._divert(kind, record, now)

    def _divert(self, kind: Kind, record: Record, now: float) -> None:
        """Have `record` put aside if that is no outage and was earned, or else at a later tick."""
        early = now - kind.diverted_at < ONE_BY_ONE or now - record.since < PATIENCE
        if kind.outage.state is not State.WATCHED or (early and spread.is_doubtful(kind.evidence)):
            return
        left = diversion.spend(self._diversion, self._bucket)
        if left is not None:
            self._bucket, kind.diverted_at = left, now
            record.asking, record.held = False, ""
            self._tell(record, "put_aside")
        elif not record.held:
            record.held = f"too few are handled: {self._diversion.cost} pay for one that is put aside"
            self._tell(record, "hold", reason=record.held)

    def _settled(self, place: Place, how: str, now: float) -> None:
        kind = self._failures.of_place(place)
        if kind is None:
            return
        if how == "not_now":
            self._unanswered(kind, place, now)
            return
        self._forget(place, now)
        if how == "handled":
            self._feed(kind, outage.Recovered(), now)

    def _forget(self, place: Place, now: float) -> None:
        kind = self._failures.remove(place)
        if kind is not None:
            self._unanswered(kind, place, now)
            kind.deserted_at = now

    def _unanswered(self, kind: Kind, place: Place, now: float) -> None:
        if kind.probing == place:
            kind.probing = None
            self._feed(kind, outage.Unanswered(), now)

    def _go_on(self, kind: Kind, now: float, *, idle: bool) -> None:
        if kind.probing is not None and now >= kind.probe_until:
            self._unanswered(kind, kind.probing, now)
        if kind.outage.state is State.ASSUMED and not kind.records and now - kind.deserted_at >= DESERTED:
            self._feed(kind, outage.Deserted(), now)
        if kind.outage.state is State.ASSUMED and kind.records and now >= kind.outage.due and not idle:
            self._feed(kind, outage.Due(), now)

    def _feed(self, kind: Kind, event: outage.Event, now: float) -> None:
        before = kind.outage
        kind.outage, actions = outage.step(self._policy, before, event, now)
        for action in actions:
            match action:
                case outage.Action.ASSUME:
                    kind.begin_anew()
                    kind.tell_assumed()
                    self._say_all(self._open())
                case outage.Action.PROBE:
                    record = kind.next_to_try(now)
                    kind.probing, kind.probe_until = record.place, now + self._call_seconds + MARGIN
                    self._tell(record, "probe")
                case outage.Action.FORGET:
                    kind.evidence = spread.Evidence()
                case outage.Action.RELEASE:
                    kind.begin_anew()
                    kind.tell_released(event, now - before.since)
                    self._say_all(self._open())

    def _prune(self, now: float) -> None:
        """Forget records of partitions that have left their worker: whoever has them tells of them anew."""
        for index in self._failures.slots():
            there = self._passage.has(index)
            for record in self._failures.of_slot(index):
                if there is not None and record.place[:2] not in there:
                    self._forget(record.place, now)

    def _tell(self, record: Record, kind: str, **more: Any) -> None:
        topic, partition, offset = record.place
        self._say(record.slot, {"type": kind, "topic": topic, "partition": partition, "offset": offset, **more})

    def _open(self) -> Message:
        kinds = self._failures.kinds()
        return {
            "type": "outages",
            "open": [kind.fingerprint for kind in kinds if kind.outage.state is not State.WATCHED],
        }

    def document(self) -> dict[str, Any]:
        """Return the `failures` part of the status document."""
        return self._failures.document(self._now())

    def counts(self) -> dict[str, int]:
        """Return the numbers of outages, of records that wait for the end of one, and of those that are held."""
        return self._failures.counts()

    def problems(self) -> list[str]:
        """Return a sentence per outage that is assumed, and one for the records that are held."""
        return self._failures.problems(self._now())


def _is_whole(message: Message) -> bool:
    """Whether a record is named, and if it failed, how: a handler may write to any descriptor of its process."""
    named = isinstance(message.get("topic"), str) and all(type(message.get(name)) is int for name in _NUMBERS)
    told = all(isinstance(message.get(name), str) for name in ("fingerprint", "error"))
    return named and (told or message["type"] == "settled")


def _place(message: Message) -> Place:
    return str(message["topic"]), int(message["partition"]), int(message["offset"])

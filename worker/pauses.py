"""Keeps the client's pauses as `decide.pressure` wants them; never inside a rebalance callback, where one can stick."""

from collections.abc import Set as AbstractSet
from typing import Final, Protocol

from confluent_kafka import KafkaException

from . import events, log
from .boardwriter import BoardWriter
from .counters import Counter
from .decide.pressure import Key, Policy, pressed, reconcile, spares
from .inbox import Inbox, Run
from .kafka import Client
from .outputs import Outputs
from .partitions import Partitions
from .pulse import Pulse
from .seldom import Seldom
from .spec import WorkerSpec

_BUFFERED: Final = int(Counter.BUFFERED)
_BUFFERED_BYTES: Final = int(Counter.BUFFERED_BYTES)
_HELD: Final = int(Counter.HELD)


class Stock(Protocol):
    """What is in flight beside the inbox, where calls run beside each other."""

    @property
    def records(self) -> int: ...  # noqa: D102 - see above
    @property
    def bytes(self) -> int: ...  # noqa: D102
    @property
    def full(self) -> AbstractSet[Key]: ...  # noqa: D102 - the partitions of which nothing more may be begun for now
    def empty(self) -> AbstractSet[Key]: ...  # noqa: D102 - the partitions that have nothing in flight


Beside = tuple[AbstractSet[Key], AbstractSet[Key]]
_NONE: Final[AbstractSet[Key]] = frozenset()


class Pauses:
    """The set of paused partitions."""

    def __init__(
        self,
        *,
        spec: WorkerSpec,
        client: Client,
        partitions: Partitions,
        inbox: Inbox,
        outputs: Outputs,
        pulse: Pulse,
        board: BoardWriter,
    ) -> None:
        self._policy = Policy(spec.max_in_flight, spec.max_in_flight_bytes)
        self._client = client
        self._partitions = partitions
        self._inbox = inbox
        self._outputs = outputs
        self._pulse = pulse
        self._board = board
        self._applied: set[Key] = set()
        self._pressed = False
        self._beside = (_NONE, _NONE)
        """Where calls run beside each other: what goes on though all is paused, what is paused though not all."""
        self._last: tuple[int, bool, Beside] = (-1, False, self._beside)
        self.stock: Stock | None = None
        self._seldom = Seldom()

    @property
    def everything(self) -> bool:
        """Whether nothing is to be received."""
        return self._pressed or self._pulse.quiet or self._pulse.stopping

    def follow(self) -> None:
        """Apply what has changed with the partitions: one that is blocked must not receive any longer."""
        if self._partitions.version != self._last[0] or (self.stock is not None and self._turns()):
            self.apply()

    def _turns(self) -> bool:
        """Return whether a bound was passed since the last look, in either direction."""
        return self._judge(*self._in_flight()) != (self._pressed, self._beside)

    def obey(self) -> None:
        """Leave what the operator has paused, go on with what he has resumed."""
        self._inbox.put_back(Run(*one) for one in self._partitions.halt(self._pulse.halted))

    def apply(self) -> None:
        """Pause and resume what is to be, after a look at what is in flight."""
        self.obey()
        records, size = self._in_flight()
        self._pressed, self._beside = self._judge(records, size)
        # What an operator has paused may stay for days: it must not keep the others from being received.
        idle, idle_size = self._partitions.retained(halted=True)
        words = self._board.words
        words[_BUFFERED], words[_BUFFERED_BYTES] = records + idle, size + idle_size
        words[_HELD] = sum(one.held for one in self._partitions)
        now = (self._partitions.version, self.everything, self._beside)
        if now != self._last and self._change():
            self._last = now

    def _in_flight(self) -> tuple[int, int]:
        records, size = self._partitions.retained(halted=False)
        records += self._inbox.records + self._outputs.pending
        size += self._inbox.bytes
        if self.stock is not None:
            records, size = records + self.stock.records, size + self.stock.bytes
        return records, size

    def _judge(self, records: int, size: int) -> tuple[bool, Beside]:
        """Return whether too much is in flight, and the exceptions from what follows from that."""
        now = pressed(self._policy, self._pressed, records=records, size=size)
        if self.stock is None:
            return now, (_NONE, _NONE)
        spared = self.stock.empty() if now and spares(self._policy, records=records, size=size) else _NONE
        return now, (spared, self.stock.full)

    def _wanted(self, owned: AbstractSet[Key]) -> AbstractSet[Key]:
        if self._pulse.quiet or self._pulse.stopping:
            return owned
        spared, full = self._beside
        return (owned - spared if self._pressed else _NONE) | self._partitions.blocked.keys() | full

    def _change(self) -> bool:
        owned = self._partitions.keys()
        wanted = self._wanted(owned)
        change = reconcile(owned=owned, wanted=wanted, applied=self._applied, fresh=self._partitions.fresh)
        try:
            if change.pause:
                self._client.pause(change.pause)
            self._applied |= change.pause
            if change.resume:
                self._client.resume(change.resume)
            self._applied -= change.resume
        except KafkaException as error:
            if self._seldom("pause"):
                log.emit(events.CLIENT_ERROR, code="pause", text=str(error))
            return False
        self._partitions.fresh.clear()
        self._board.put(Counter.PAUSED, len(self._applied & owned))
        return True

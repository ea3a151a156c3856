"""Runs records alone that a process has died with, and has the proven killers put aside; all else is left to `work`."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from confluent_kafka import Message

from . import clock
from .caller import Caller
from .channel import Message as Said
from .clock import read
from .decide.suspects import Suspect, Verdict, find, first_of
from .desk import Desk
from .inbox import Inbox, Run
from .obituary import obituary
from .outcomes import Outcomes
from .partition import Partition, offset_of
from .partitions import Partitions
from .pulse import Pulse
from .spec import WorkerSpec
from .suspects import acquitted
from .task import Task
from .trouble import Trouble


class Work(Protocol):
    """Whatever handles the inbox."""

    def step(self) -> None: ...  # noqa: D102 - see above


@dataclass(frozen=True, slots=True, eq=False)
class Hold:
    """A record that is to be put aside as soon as that may be."""

    partition: Partition
    case: Trouble
    suspect: Suspect


class Quarantine:
    """Handles the inbox as `work` does, but for suspects. `say` sends the supervisor a message.

    `keep` has nothing begun that comes after a record until that is settled. Without `work` there is nothing to `step`:
    whoever calls the handler asks `set_aside` before it begins a record, runs those alone that `must_run_alone` names,
    and says by `ended` when that is over.
    """

    def __init__(
        self,
        *,
        work: Work | None,
        spec: WorkerSpec,
        caller: Caller,
        outcomes: Outcomes,
        partitions: Partitions,
        inbox: Inbox,
        desk: Desk,
        pulse: Pulse,
        say: Callable[[Said], None],
        keep: Callable[[Partition, Trouble], None],
    ) -> None:
        self._work = work
        self._spec = spec
        self._caller = caller
        self._outcomes = outcomes
        self._partitions = partitions
        self._inbox = inbox
        self._desk = desk
        self._pulse = pulse
        self._say = say
        self._keep = keep
        self._holds: list[Hold] = []
        self._seen = 0

    @property
    def open(self) -> bool:
        """Whether `look` has anything to do: something was told while records are held."""
        return bool(self._holds) and self._seen != self._pulse.suspects.version

    def look(self) -> None:
        """Put aside what was held and may be put aside, and try again what is no killer after all."""
        self._seen = self._pulse.suspects.version
        holds, self._holds = self._holds, []
        for hold in holds:
            partition, case = hold.partition, hold.case
            if not partition.owned:
                continue
            known = [
                one for one in self._of(partition) if (one.first, one.last) == (hold.suspect.first, hold.suspect.last)
            ]
            verdict = known[0].verdict if known else Verdict.PENDING
            if verdict is Verdict.HELD:
                self._holds.append(hold)
            elif verdict is Verdict.CONDEMNED:
                self._put_aside(partition, case, known[0])
            else:
                case.state = replace(case.state, held=False)
                case.due = clock.monotonic()

    def step(self) -> None:
        """Handle what is first at hand."""
        assert self._work is not None
        if self._inbox.begun or not (self._pulse.suspects.by_key and self._stepped()):
            self._work.step()

    def set_aside(self, task: Task) -> bool:
        """Return whether no call is to be made for a record that is to be begun: then it waits or is put aside."""
        suspect = self._known(task)
        if suspect is None:
            return False
        case = task.trouble()
        case.state = replace(case.state, crashes=max(case.state.crashes, suspect.crashes))
        if suspect.verdict is Verdict.PENDING:
            return False
        self._refuse(task.place, case, suspect)
        return True

    def must_run_alone(self, task: Task) -> bool:
        """Return whether a record is a suspect: no other call may be under way with its own."""
        return self._known(task) is not None

    def ended(self, task: Task) -> None:
        """Note that the call for a record has ended: it has not killed."""
        suspect = self._known(task)
        if suspect is not None:
            self._acquit(suspect)
            self._forget()

    def _known(self, task: Task) -> Suspect | None:
        return self._find(task.place, task.offset) if self._pulse.suspects.by_key else None

    def _stepped(self) -> bool:
        """Handle the suspects that are first at hand; return whether there were any."""
        self._forget()
        for run in self._inbox:
            # A run of its own: no list is made of it together with others.
            run.singly = run.singly or self._index(run) is not None
        run = self._inbox.take()
        if run.partition.offsets.reached is None:  # it begins here: what is below has been done, by somebody
            self._pass_by(run.partition, offset_of(run.messages[0]))
        index = self._index(run)
        if index is None:
            self._inbox.put_back([run])
            return False
        if index:
            before, behind = run.messages[:index], run.messages[index:]
            self._inbox.put_back([Run(run.partition, before), Run(run.partition, behind, singly=True)])
            return False
        self._each(run.partition, run.messages)
        return True

    def _forget(self) -> None:
        """Let go of suspects whose partition has gone on past them."""
        for partition in self._partitions:
            done = partition.offsets.committable
            if done is not None:
                self._pass_by(partition, done)

    def _pass_by(self, partition: Partition, done: int) -> None:
        for suspect in self._of(partition):
            if suspect.last < done:
                self._pulse.suspects.drop(suspect)
                if suspect.verdict is Verdict.PENDING:
                    self._say(acquitted(suspect))

    def _each(self, partition: Partition, messages: Sequence[Message]) -> None:
        """Handle suspects one after the other, and keep the rest."""
        going_on = partition.owned and not partition.blocked and self._desk.may_begin()
        at = 0
        while going_on and at < len(messages):
            suspect = self._find(partition, offset_of(messages[at]))
            if suspect is None:
                break
            self._one(partition, messages[at], suspect)
            at += 1
            if read() >= self._pulse.due:
                self._desk.look_up()
            going_on = self._desk.may_go_on(partition)
        self._forget()
        if partition.owned and partition.blocked:
            partition.keep(messages[at:])
        elif partition.owned:
            self._inbox.put_back([Run(partition, messages[at:])])

    def _one(self, partition: Partition, message: Message, suspect: Suspect) -> None:
        offset = offset_of(message)
        if partition.start is None:
            partition.begin(offset)
        case = partition.trouble(message)
        case.state = replace(case.state, crashes=max(case.state.crashes, suspect.crashes))
        if suspect.verdict is Verdict.PENDING:
            self._call(partition, case, suspect)
        else:
            self._refuse(partition, case, suspect)

    def _refuse(self, partition: Partition, case: Trouble, suspect: Suspect) -> None:
        # Nothing is begun behind it: who died before the dead letter is acknowledged would do that again.
        partition.offsets.open(case.offset)
        self._keep(partition, case)
        if suspect.verdict is Verdict.CONDEMNED:
            self._put_aside(partition, case, suspect)
        else:
            case.state = replace(case.state, held=True)
            self._holds.append(Hold(partition, case, suspect))

    def _call(self, partition: Partition, case: Trouble, suspect: Suspect) -> None:
        if case.state.crashes:
            partition.tried(case.offset, case.state)
        try:
            records = self._caller.call(partition, case.message, case.state.attempts + 1)
        except BaseException as error:  # noqa: BLE001 - the user's code ran: whatever it raised is the record's failure
            self._acquit(suspect)
            self._outcomes.raised(partition, case.message, error, case)
        else:
            self._acquit(suspect)
            self._outcomes.returned(partition, case.message, records, case)

    def _acquit(self, suspect: Suspect) -> None:
        """Its call has ended; of a range that is told when the last has."""
        if suspect.alone and suspect.verdict is Verdict.PENDING:
            self._pulse.suspects.drop(suspect)
            self._say(acquitted(suspect))

    def _put_aside(self, partition: Partition, case: Trouble, suspect: Suspect) -> None:
        case.letter = obituary(self._spec, case.message, suspect, attempts=case.state.attempts)
        self._outcomes.publish(partition, case)

    def _index(self, run: Run) -> int | None:
        """Return where the first suspect in `run` is; None if there is none."""
        suspects = self._of(run.partition)
        if min((one.first for one in suspects), default=math.inf) > offset_of(run.messages[-1]):
            return None
        return first_of(suspects, [offset_of(message) for message in run.messages], _position(run))

    def _find(self, partition: Partition, offset: int) -> Suspect | None:
        return find(self._of(partition), offset, partition.offsets.reached)

    def _of(self, partition: Partition) -> list[Suspect]:
        identity = self._pulse.heritage.identities.get(partition.topic)
        return [one for one in self._pulse.suspects.by_key.get(partition.key, ()) if one.is_of(identity)]


def _position(run: Run) -> int | None:
    """Return where its partition is, if `run` is what comes next of it."""
    reached = run.partition.offsets.reached
    return reached if reached is not None and reached <= offset_of(run.messages[0]) else None

"""The worker's loop: retries that are due, then the records at hand, then the next ones.

Everything else is looked up to between them (`desk`).
"""

from . import clock
from .board import Phase
from .desk import BRIEF
from .session import Session


def run(session: Session) -> None:
    """Consume until the worker is stopping.

    Raises:
        ConsumerFaultError: the consumer has ended for good.
        CallbackError: a fault of ours.
    """
    while not session.pulse.stopping:
        step(session)


def step(session: Session) -> None:
    """Go round once; raises as `run` does."""
    pulse, desk = session.pulse, session.desk
    if clock.read() >= pulse.due:
        desk.look_up()
        session.follow_topics()
    session.turn()
    if not session.inbox or not _ready(session):
        _receive(session)
        session.pauses.follow()
    for part in (session.handover, session.starts, session.quarantine):
        if part.open:
            part.look()
    if session.retrier.waiting and not pulse.quiet:
        session.retrier.next()
    if _ready(session):
        if session.board.current_phase is not Phase.HANDLING:
            session.board.phase(Phase.HANDLING)
        session.work.step()
        session.pauses.follow()
    session.committer.tick(clock.read())


def _ready(session: Session) -> bool:
    """Return whether there are records at hand to be handled."""
    return session.desk.is_ripe() and session.desk.may_begin() and not session.starts.holding


def _receive(session: Session) -> None:
    """Wait for records; for the producer first if it can take no more, for what is received would only be kept."""
    if session.outputs.full and not session.pauses.everything:
        session.board.phase(Phase.HANDLING)
        session.flush(session.desk.patience())
        session.outcomes.take_answers()
        return
    if not session.fetcher.again():
        phase = _phase(session)
        session.board.phase(phase)
        if phase is Phase.JOINING:
            session.joining.look(clock.read())
        session.fetcher.fetch(_patience(session))
    if session.outputs.pending:
        session.outcomes.take_answers()


def _patience(session: Session) -> float:
    waiting = session.starts.holding or session.handover.holding
    return BRIEF if waiting else session.desk.patience()


def _phase(session: Session) -> Phase:
    if not session.membership.ready:
        return Phase.JOINING
    if session.busy:
        return Phase.HANDLING
    owned = len(session.partitions)
    waiting = session.pauses.everything or (owned and len(session.partitions.blocked) == owned)
    return Phase.PAUSED if waiting else Phase.POLLING

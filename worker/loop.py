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
    if clock.read_ns() >= pulse.due:
        desk.look_up()
        session.follow_topics()
    if session.handover.open:
        session.handover.look()
    if session.starts.open:
        session.starts.look()
    if session.partitions.blocked and not pulse.quiet:
        session.retrier.next()
    if desk.is_ripe() and desk.may_begin() and not session.starts.holding:
        session.board.phase(Phase.HANDLING)
        session.work.step()
    else:
        _receive(session)
    session.pauses.follow()
    session.committer.tick(clock.monotonic())


def _receive(session: Session) -> None:
    """Wait for records; for the producer first if it can take no more, for what is received would only be kept."""
    if session.outputs.full and not session.pauses.everything:
        session.board.phase(Phase.HANDLING)
        session.outputs.flush(session.desk.patience())
        session.outcomes.take_answers()
        return
    session.board.phase(_phase(session))
    session.fetcher.fetch(BRIEF if session.starts.holding or session.handover.holding else session.desk.patience())
    if session.outputs.pending:
        session.outcomes.take_answers()


def _phase(session: Session) -> Phase:
    if not session.membership.ready:
        return Phase.JOINING
    owned = len(session.partitions)
    waiting = session.pauses.everything or (owned and len(session.partitions.blocked) == owned)
    return Phase.PAUSED if waiting else Phase.POLLING

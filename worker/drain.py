"""The end of a session: outputs and commits are answered or the deadline comes, then the group is left."""

from typing import Final

from . import clock, events, log
from .board import Phase
from .counters import Counter
from .desk import hear
from .fetch import ConsumerFaultError
from .session import Session

MARGIN: Final = 2.0
MARGIN_SHARE: Final = 0.2
"""Kept of the stop's time for leaving the group and closing the handler: seconds, and at most this part of it."""
STEP: Final = 0.005
"""Seconds of one poll: answers come in milliseconds, and a poll does not end with one."""
STAY_STEP: Final = 0.02
"""The same while nothing is expected but the word to leave."""


def drain(session: Session) -> None:
    """Settle what is in flight until the deadline of the stop; commits are asynchronous, so nothing here can block."""
    tools, committer = session.tools, session.committer
    timeout = tools.spec.stop_timeout
    deadline = session.pulse.stopped_at + timeout - min(MARGIN, MARGIN_SHARE * timeout)
    session.board.phase(Phase.DRAINING)
    try:
        while session.busy or clock.monotonic() < deadline:  # who does not return is the supervisor's to end
            session.turn()
            if session.outputs.pending:
                session.flush(STEP)
                session.outcomes.take_answers()
            committer.tick(clock.monotonic(), at_once=True)
            if not (session.busy or session.outputs.pending or committer.unanswered or session.partitions.dirty):
                _stay(session, deadline)
                break
            _poll(session, STEP)
    except ConsumerFaultError:
        pass  # nothing can be committed any more; the next owner starts from the last commit

    uncommitted = session.committer.uncommitted()
    log.emit(events.DRAINED, handled=session.board.words[int(Counter.HANDLED)], uncommitted=uncommitted)


def _stay(session: Session, deadline: float) -> None:
    """Remain a member until the whole herd is done, if it is stopping as a whole.

    A static member that is gone and does not leave keeps a classic rebalance from ending, and until then nobody who
    has joined again gets another answer: a broker answers the requests of a connection one after the other.
    """
    hear(session.tools.channel, session.pulse)
    if session.pulse.together:
        session.tools.channel.send({"type": "drained"})
    while session.pulse.together and not session.pulse.leave and clock.monotonic() < deadline:
        _poll(session, STAY_STEP)


def _poll(session: Session, seconds: float) -> None:
    """Let answers, rebalances and the supervisor's word come in; a record that still comes is the next owner's."""
    session.pauses.apply()
    session.client.poll(seconds)
    session.board.beat()
    hear(session.tools.channel, session.pulse)


def close(session: Session) -> None:
    """Close everything of `session`; without a word to the group if a commit is unanswered: it would be waited for."""
    session.rebalancer.closing = True
    session.stop()
    session.outputs.close(0.0)
    if not session.committer.unanswered:
        session.client.close()
    session.leave()

"""The end of a session: outputs and commits are answered or the deadline comes, then the group is left."""

from typing import Final

from . import clock, events, log
from .board import Counter, Phase
from .desk import hear
from .fetch import ConsumerFaultError
from .session import Session

MARGIN: Final = 2.0
MARGIN_SHARE: Final = 0.2
"""Kept of the stop's time for leaving the group and closing the handler: seconds, and at most this part of it."""
STEP: Final = 0.005
"""Seconds of one poll: answers come in milliseconds, and a poll does not end with one."""


def drain(session: Session) -> None:
    """Settle what is in flight until the deadline of the stop; commits are asynchronous, so nothing here can block."""
    tools, committer = session.tools, session.committer
    timeout = tools.spec.stop_timeout
    deadline = session.pulse.stopped_at + timeout - min(MARGIN, MARGIN_SHARE * timeout)
    session.board.phase(Phase.DRAINING)
    try:
        while clock.monotonic() < deadline:
            if session.outputs.pending:
                session.outputs.flush(STEP)
                session.outcomes.take_answers()
            committer.tick(clock.monotonic(), at_once=True)
            if not (session.outputs.pending or committer.unanswered or session.partitions.dirty):
                break
            session.pauses.apply()
            session.client.poll(STEP)  # a record that still comes is left to the next owner
            session.board.beat()
            hear(tools.channel, session.pulse)
    except ConsumerFaultError:
        pass  # nothing can be committed any more; the next owner starts from the last commit

    uncommitted = session.committer.uncommitted()
    log.emit(events.DRAINED, handled=session.board.words[int(Counter.HANDLED)], uncommitted=uncommitted)


def close(session: Session) -> None:
    """Close everything of `session`; without a word to the group if a commit is unanswered: it would be waited for."""
    session.rebalancer.closing = True
    session.outputs.close(0.0)
    if not session.committer.unanswered:
        session.client.close()

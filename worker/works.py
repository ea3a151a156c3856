"""What handles the records of a session, put together from its parts."""

from typing import TYPE_CHECKING

from .batch import BatchWork
from .caller import Caller
from .failedlists import FailedLists
from .quarantine import Quarantine, Work
from .record import RecordWork
from .revisit import policy_of

if TYPE_CHECKING:
    from .session import Session


def quarantine_of(session: "Session", caller: Caller) -> Quarantine:
    """Return what deals with suspects; with the work below it, unless an engine does that."""
    return Quarantine(
        work=_work(session, caller) if session.engine is None else None,
        spec=session.tools.spec,
        caller=caller,
        outcomes=session.outcomes,
        partitions=session.partitions,
        inbox=session.inbox,
        desk=session.desk,
        pulse=session.pulse,
        say=session.tools.channel.send,
        keep=session.keeper.keep,
    )


def _work(session: "Session", caller: Caller) -> Work:
    tools = session.tools
    if tools.handler.mode == "record":
        return RecordWork(
            handler=tools.handler,
            inbox=session.inbox,
            outcomes=session.outcomes,
            committer=session.committer,
            desk=session.desk,
            pulse=session.pulse,
            board=session.board,
        )
    return BatchWork(
        handler=tools.handler,
        caller=caller,
        inbox=session.inbox,
        outcomes=session.outcomes,
        committer=session.committer,
        desk=session.desk,
        pulse=session.pulse,
        board=session.board,
        batch_size=tools.spec.batch_size,
        failed_lists=_failed_lists(session) if tools.spec.bisect else None,
    )


def _failed_lists(session: "Session") -> FailedLists:
    return FailedLists(
        policy=policy_of(session.tools.spec),
        inbox=session.inbox,
        partitions=session.partitions,
        outcomes=session.outcomes,
        board=session.board,
    )

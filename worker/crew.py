"""Handler calls beside each other: the parts of it that a session has, put together."""

from typing import TYPE_CHECKING, Final

from .coroutines import Coroutines
from .engine import Engine
from .gate import Gate
from .retries import LaneOnly, Retries
from .threads import Threads

if TYPE_CHECKING:
    from .session import Session

MARGIN: Final = 1.0
"""Seconds over handler_timeout for which a revocation waits: the supervisor has dealt with a hang by then."""


class Crew:
    """What `workers.concurrency` above 1 adds; made by the thread that is to be the main one, which has the gate."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.keeper = LaneOnly()
        self._left = False
        self.gate.lock.acquire()

    def assemble(self, session: "Session") -> Engine:
        """Make the engine of a session whose other parts are there."""
        tools, spec = session.tools, session.tools.spec
        self.engine = engine = Engine(
            gate=self.gate,
            order=spec.order,
            inbox=session.inbox,
            partitions=session.partitions,
            outcomes=session.outcomes,
            committer=session.committer,
            desk=session.desk,
            board=session.board,
        )
        self.keeper.engine = engine
        assert isinstance(session.retrier, Retries)
        session.retrier.engine = engine
        engine.entrance.resume = session.retrier.resume
        session.pauses.stock = engine
        session.rebalancer.finish = lambda partitions: engine.finish(partitions, spec.handler_timeout + MARGIN)
        if tools.handler.asynchronous:
            kind: type[Threads | Coroutines] = Coroutines
        else:
            kind = Threads
        tools.handler.loop.share()
        engine.runners = kind(engine, tools.handler, session.board, count=spec.concurrency, leave=tools.leave)
        return engine

    def leave(self) -> None:
        """Let go of the gate for good."""
        if not self._left:
            self._left = True
            self.engine.stop()
            self.gate.lock.release()

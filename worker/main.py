"""A worker process from its first instruction to its exit code. Where it comes from is `mold`'s business."""

import os
import select
import signal
from typing import Final

from confluent_kafka import KafkaException

from . import breakertable, drain, events, handler, loop, session
from . import log as _log
from .board import Board, Phase, StateWord
from .boardwriter import BoardWriter
from .breakers import BREAKERS
from .channel import Channel
from .context import context
from .desk import hear
from .errors import HandlerError
from .exits import WorkerExit
from .fetch import ConsumerFaultError, Fault
from .guard import Copy, Guard
from .handler import Handler
from .kafka import CallbackError
from .pulse import Pulse
from .refusals import REFUSALS
from .spec import SlotIdentity, WorkerSpec

BARRIER_MS: Final = 100
"""Longest wait for the supervisor's word between two looks at the signals."""


class Stopped(Exception):  # noqa: N818 - an ending, not an error
    """The worker was told to stop before it consumed anything."""


class Failed(Exception):  # noqa: N818 - an ending, and its reason
    """The worker cannot go on."""

    def __init__(self, code: WorkerExit, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def run_worker(  # noqa: PLR0917 - what a process is made of
    spec: WorkerSpec,
    identity: SlotIdentity,
    board: Board,
    channel: Channel,
    stacks_fd: int,
    breakers_fd: int | None = None,
) -> int:
    """Consume until told to stop; return the exit code (`exits.WorkerExit`) for the caller's `os._exit`.

    Signals are blocked when this is called, and the log is configured. End of file on `channel` ends the process.
    Without `breakers_fd` (see `breakertable`) its circuit breakers are its own.
    """
    writer, pulse = BoardWriter(board), Pulse()
    guard, copy = Guard(pulse, stacks_fd), Copy(board, channel)
    context().slot = identity.slot
    BREAKERS.attach(breakertable.mapped(breakers_fd), spec.handler_timeout, spec.breakers)
    REFUSALS.told = pulse.glance_now
    _set_up(writer, guard)
    try:
        loaded = _load(spec)
        guard.take()  # again: what was loaded may have taken something for itself
        pulse.guard = guard.look
        try:
            tools = session.Tools(spec, identity, loaded, channel, pulse, writer, copy.leave)
            _consume(tools)
        except ValueError:
            copy.leave()
            raise
        finally:
            writer.phase(Phase.CLOSING)
            loaded.close()
    except Stopped:
        return WorkerExit.DRAINED
    except Failed as failure:
        channel.send({"type": "failed", "reason": failure.reason})
        return failure.code
    finally:
        _log.flush(1.0)
    return WorkerExit.DRAINED


def _set_up(writer: BoardWriter, guard: Guard) -> None:
    guard.take()
    writer.words[StateWord.PID] = os.getpid()
    writer.phase(Phase.BOOTING)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _load(spec: WorkerSpec) -> Handler:
    try:
        return handler.load(spec)
    except HandlerError as error:
        _log.emit(events.HANDLER_FAILED, handler=spec.handler, reason=error.reason)
        raise Failed(_code(error), error.reason) from error


def _code(error: HandlerError) -> WorkerExit:
    return WorkerExit.PERMANENT if error.permanent else WorkerExit.TEMPORARY


def _consume(tools: session.Tools) -> None:
    """Join and consume; again with a new consumer where that can help."""
    tools.channel.send({"type": "booted"})
    _log.emit(events.WORKER_BOOTED, handler=tools.spec.handler)
    _wait_for_go(tools)
    while True:
        current = _open(tools)
        try:
            loop.run(current)
        except ConsumerFaultError as error:
            drain.close(current)
            _judge(error)
            current.settle()
            _try_again(tools, error)
        except CallbackError as error:
            _log.emit(events.INTERNAL_ERROR, error=error, reason=str(error))
            current.leave()
            raise Failed(WorkerExit.TEMPORARY, str(error)) from error
        else:
            drain.drain(current)
            drain.close(current)
            return


def _try_again(tools: session.Tools, error: ConsumerFaultError) -> None:
    """Return when a new consumer may join: at once, or when the group has been told that the instance id is free."""
    if error.fault is Fault.DEAF:
        _log.emit(events.CONSUMER_REPLACED, reason=error.reason)
        return
    _log.emit(events.UNRELEASED, reason=error.reason)
    tools.channel.send({"type": "unreleased", "reason": error.reason})
    _wait_for_go(tools)


def _open(tools: session.Tools) -> session.Session:
    try:
        current = session.Session(tools)
        current.join()
    except HandlerError as error:
        raise Failed(_code(error), error.reason) from error
    except KafkaException as error:
        raise Failed(WorkerExit.PERMANENT, f"the consumer cannot be created: {error.args[0]}") from error
    return current


def _wait_for_go(tools: session.Tools) -> None:
    tools.board.phase(Phase.BARRIER)
    waiting = select.poll()
    waiting.register(tools.channel, select.POLLIN)
    while not tools.pulse.stopping:
        waiting.poll(BARRIER_MS)
        tools.board.beat()
        if "go" in hear(tools.channel, tools.pulse):
            tools.board.phase(Phase.JOINING)
            return
    raise Stopped


def _judge(error: ConsumerFaultError) -> None:
    """Return for a fault that a new consumer can overcome; raise what the others come to."""
    if error.fault in {Fault.UNRELEASED, Fault.DEAF}:
        return
    if error.fault is Fault.FENCED:
        _log.emit(events.FENCED, reason=error.reason)
    code = WorkerExit.PERMANENT if error.fault is Fault.NO_START else WorkerExit.TEMPORARY
    raise Failed(code, error.reason) from error

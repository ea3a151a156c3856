"""The mold: one process per generation that has the code loaded and forks workers from it.

A worker is forked twice, so that it becomes the supervisor's child (the supervisor is the nearest subreaper). The
process in between announces the worker's pid and stays, as its parent, until the supervisor holds the worker's pidfd:
an announced pid cannot have been recycled. Whoever dies on the way, the slot's channel reads end of file.
"""

import gc
import os
import select
import signal
import socket
import sys
from typing import Any, Final, NoReturn

from . import events, handler, kernel, log, main, title
from .board import Board
from .channel import Channel
from .exits import WorkerExit
from .hazards import name_hazard
from .spec import SlotIdentity, WorkerSpec

LAST_WORDS_SECONDS: Final = 1.0
ANNOUNCED: Final = 0
ABANDONED: Final = 1


MoldSpec = tuple[WorkerSpec, int]
"""What its workers are told, and the pid of the supervisor: they must end up under it."""


def run(spec: MoldSpec, channel: Channel) -> int:
    """Load the code, then fork a worker for each request, until the supervisor hangs up."""
    preloaded, reason = _preload(spec[0])
    # The module may have taken TERM for itself; a worker gets what else it has set, and sets TERM anew.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    kernel.unblock_signals()
    hazard = name_hazard(frozenset({0, 1, 2, channel.fileno()}))
    if hazard is not None:
        channel.send({"type": "unpreloadable", "reason": hazard})
        return WorkerExit.DRAINED
    gc.collect()
    gc.freeze()
    channel.send({"type": "ready", "preloaded": preloaded, "reason": reason})
    Mold(*spec, channel).serve()
    return WorkerExit.DRAINED


def _preload(spec: WorkerSpec) -> tuple[bool, str | None]:
    """Import the handler's module and check it; what is wrong is told, and judged anew in each worker."""
    if not spec.preload:
        return False, None
    try:
        handler.verify(spec)
    except handler.HandlerError as error:
        return False, error.reason
    except BaseException as error:  # noqa: BLE001 - user code at import may raise anything, SystemExit included
        return False, f"{type(error).__name__}: {error}"
    return True, None


class Mold:
    """Serves spawn requests, one at a time."""

    def __init__(self, spec: WorkerSpec, supervisor: int, channel: Channel) -> None:
        self._spec = spec
        self._supervisor = supervisor
        self._channel = channel
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._between: dict[int, tuple[int, dict[str, Any]]] = {}

    def serve(self) -> None:
        """Fork on request and reap the processes in between; return when the supervisor has hung up."""
        while not self._channel.closed:
            # An answer that the full socket did not take keeps its slot waiting: it goes as soon as there is room.
            self._poll.modify(self._channel, select.POLLIN | (select.POLLOUT if self._channel.outbox else 0))
            for fd, _ in self._poll.poll():
                if fd in self._between:
                    self._reap(fd)
            self._channel.flush()
            while (received := self._channel.receive()) is not None:
                self._spawn(*received)

    def _spawn(self, request: dict[str, Any], fds: list[int]) -> None:
        kernel.block_signals()
        try:
            pid = os.fork()
        except OSError as error:
            self._channel.send({**request, "type": "fork_failed", "reason": str(error)})
        else:
            if pid == 0:
                self._be_between(request, fds)
            pidfd = os.pidfd_open(pid)
            self._between[pidfd] = (pid, request)
            self._poll.register(pidfd, select.POLLIN)
        finally:
            kernel.unblock_signals()
            for fd in fds:
                os.close(fd)

    def _reap(self, pidfd: int) -> None:
        pid, request = self._between.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(pid, 0)
        self._channel.send({**request, "type": "forked", "status": os.waitstatus_to_exitcode(status)})

    def _be_between(self, request: dict[str, Any], fds: list[int]) -> NoReturn:
        """The process in between: fork the worker, announce it, wait until its pidfd is held."""
        code = ABANDONED
        try:
            between = os.getpid()
            for fd in (self._channel.fileno(), *self._between):  # ours only: what the user's module opened stays open
                os.close(fd)
            slot_channel = Channel(socket.socket(fileno=fds[0]))
            cleared, clear = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(clear)
                self._be_worker(between, cleared, request, slot_channel, fds[1:])
            os.close(cleared)
            slot_channel.send({"type": "announced", "pid": pid})
            held = select.poll()
            held.register(slot_channel, select.POLLIN)
            held.poll()
            if slot_channel.receive() is not None:
                os.write(clear, b"held")
                code = ANNOUNCED
        finally:
            os._exit(code)

    def _be_worker(
        self, between: int, cleared: int, request: dict[str, Any], channel: Channel, fds: list[int]
    ) -> NoReturn:
        """The worker: wait until its pidfd is held and the supervisor is its parent, tie life to it, run."""
        code: int = WorkerExit.TEMPORARY
        try:
            os.setpgid(0, 0)
            # End of file: the process in between was killed, so nobody may know of us, and the slot waits for our end.
            announced = os.read(cleared, 16)
            os.close(cleared)
            _wait_for_end(between)
            if not announced or not kernel.die_with_parent(self._supervisor):
                os._exit(WorkerExit.TEMPORARY)
            identity = SlotIdentity(request["life"], request["slot"], request["incarnation"])
            spec = self._spec
            log.configure(spec.log, log.Identity(spec.app, "worker", identity.slot, spec.generation))
            title.show(spec.app, f"worker {identity.slot}", spec.generation)
            board_fd, stacks_fd, *rest = fds
            code = main.run_worker(spec, identity, Board(board_fd), channel, stacks_fd, *rest)
        except BaseException as error:  # noqa: BLE001 - the last frame of the process: nothing may run on in the mold's
            log.emit(events.INTERNAL_ERROR, error=error, reason=f"the worker raised {type(error).__name__}: {error}")
        finally:
            log.flush(LAST_WORDS_SECONDS)
            _flush_standard_streams()
            os._exit(code)


def _wait_for_end(pid: int) -> None:
    """Wait until `pid`, our parent, has ended: its children are reparented before its pidfd becomes readable."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    if os.getppid() == pid:
        ended = select.poll()
        ended.register(pidfd, select.POLLIN)
        ended.poll()
    os.close(pidfd)


def _flush_standard_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue

"""A worker process without its supervisor: forked here, told to go, watched through its board and its channel."""

import gc
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kherd.worker import boardview, channel, log, main
from kherd.worker.board import Board
from kherd.worker.spec import SlotIdentity, WorkerSpec

PATIENCE = 20.0


class Worker:
    """One process; `counters`, `partitions` and `lines` tell how far it is."""

    def __init__(self, spec: WorkerSpec, folder: Path, slot: int = 0, incarnation: int = 1) -> None:
        identity = SlotIdentity(1, slot, incarnation)
        self.board, board_fd = Board.create(folder / f"board-{slot}-{incarnation}", identity, spec.generation)
        self.channel, theirs = channel.pair()
        self.log = folder / f"worker-{slot}-{incarnation}.log"
        self.messages: list[dict[str, Any]] = []
        self.code: int | None = None
        stacks_fd = os.memfd_create("stacks")
        signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
        try:
            self.pid = os.fork()
            if self.pid == 0:
                self._be_worker(spec, identity, board_fd, theirs, stacks_fd)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
        theirs.close()
        os.close(board_fd)
        os.close(stacks_fd)

    def _be_worker(
        self, spec: WorkerSpec, identity: SlotIdentity, board_fd: int, theirs: channel.Channel, stacks_fd: int
    ) -> None:
        code = 70
        try:
            gc.freeze()  # the test's own clients must not be collected here: their threads are not
            self.channel.close()
            with self.log.open("w") as stream:
                log.configure(spec.log, log.Identity(spec.app, "worker", identity.slot, 1), stream=stream)
                code = main.run_worker(spec, identity, Board(board_fd), theirs, stacks_fd)
        finally:
            os._exit(code)

    def said(self, kind: str) -> bool:
        """Whether it has sent a message of this type."""
        while not self.channel.closed and (received := self.channel.receive()) is not None:
            self.messages.append(received[0])
        return any(message["type"] == kind for message in self.messages)

    def expect(self, kind: str) -> None:
        self.until(lambda: self.said(kind), kind)

    def go(self) -> None:
        """Let it pass the barrier once it has booted, and wait until it is ready."""
        self.expect("booted")
        self.channel.send({"type": "go"})
        self.expect("ready")

    @property
    def counters(self) -> dict[str, int]:
        return boardview.counters_of(self.board)

    @property
    def partitions(self) -> dict[tuple[str, int], tuple[int | None, int | None]]:
        """Done and committed of each assigned partition."""
        return {(one.topic, one.partition): (one.done, one.committed) for one in boardview.partitions_of(self.board)}

    @property
    def lines(self) -> str:
        return self.log.read_text()

    def logged(self, event: str) -> int:
        """How often it has logged `event`."""
        return self.lines.count(f'"event": "{event}"')

    def until(self, condition: Callable[[], bool], what: str = "", seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.channel, selectors.EVENT_READ)
            while not condition():
                assert time.monotonic() < deadline, f"{what} not within {seconds} s:\n{self.counters}\n{self.lines}"
                selector.select(0.005)
                self.said("")
                if self.channel.closed:
                    assert condition(), f"{what}, but it has ended:\n{self.lines}"
                    return

    def stop(self) -> int:
        """Send TERM and return the exit code."""
        if self.code is None:
            os.kill(self.pid, signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; return the exit code, negative for a signal."""
        deadline = time.monotonic() + PATIENCE
        while self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            else:
                assert time.monotonic() < deadline, f"did not end:\n{self.lines}"
                time.sleep(0.005)
        return self.code

    def kill(self) -> None:
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()


@contextmanager
def workers(folder: Path) -> Iterator[Callable[..., Worker]]:
    """Give a function that starts a worker; those that still run at the end are killed."""
    started: list[Worker] = []

    def start(spec: WorkerSpec, slot: int = 0, incarnation: int = 1) -> Worker:
        started.append(Worker(spec, folder, slot, incarnation))
        return started[-1]

    try:
        yield start
    finally:
        for worker in started:
            worker.kill()
            worker.channel.close()
            worker.board.close()

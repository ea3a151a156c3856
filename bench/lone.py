"""`python -m kherd.bench.lone TOLD BOARD`: one worker started as a program of its own, as a unit per consumer would.

TOLD is a file of JSON, `Told`; BOARD, where its board is to be, by which it is watched. There is no supervisor.
"""

import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from ..worker import kernel, log
from ..worker.board import Board
from ..worker.channel import pair
from ..worker.main import run_worker
from ..worker.spec import KafkaSpec, LogSpec, SlotIdentity, WorkerSpec


@dataclass(frozen=True, slots=True)
class Told:
    """What such a worker consumes, and with which handler, found on `pythonpath`."""

    handler: str
    pythonpath: str
    bootstrap: str
    topic: str
    group: str
    client: dict[str, str]

    def write(self, path: Path) -> None:
        """Write it down for a process to read."""
        path.touch(mode=0o600)  # client properties may hold a password
        path.write_text(json.dumps(asdict(self)))


def main(arguments: list[str]) -> int:
    """Consume until TERM; return a worker's exit code."""
    told, board_path = map(Path, arguments)
    one = Told(**json.loads(told.read_text()))
    kafka = KafkaSpec(one.bootstrap, one.group, (one.topic,), client=one.client)
    spec = WorkerSpec("bench", None, 1, one.handler, kafka, (one.pythonpath,), log=LogSpec("json", "warning"))
    identity = SlotIdentity(1, os.getpid(), 1)
    kernel.block_signals()
    log.configure(spec.log, log.Identity(spec.app, "worker", identity.slot, 1))
    board, board_fd = Board.create(board_path, identity, generation=1)
    ours, theirs = pair()
    ours.send({"type": "go"})
    code = run_worker(spec, identity, Board(board_fd), theirs, sys.stderr.fileno())
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    board.close()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

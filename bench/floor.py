"""`python -m kherd.bench.floor N`: a parent that keeps N children, and does nothing else: a respawn at its cheapest."""

import os
import select
import signal
import sys
from typing import NoReturn

from ..worker import kernel


def main(count: int) -> NoReturn:
    """Fork `count` children, and another for each that ends."""
    me = os.getpid()
    ended = select.epoll()
    pids: dict[int, int] = {}

    def fork() -> None:
        pid = os.fork()
        if pid == 0:
            if kernel.die_with_parent(me):
                signal.pause()
            os._exit(1)
        pidfd = os.pidfd_open(pid)
        pids[pidfd] = pid
        ended.register(pidfd, select.EPOLLIN)

    for _ in range(count):
        fork()
    while True:
        for pidfd, _ in ended.poll():
            os.waitpid(pids.pop(pidfd), 0)
            ended.unregister(pidfd)
            os.close(pidfd)
            fork()


if __name__ == "__main__":
    main(int(sys.argv[1]))

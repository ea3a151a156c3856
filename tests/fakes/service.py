"""A liaison as a process of its own, not a fork: a test has librdkafka clients, and those do not survive one.

Arguments: the descriptor of its channel, its pickled spec in hex.
"""

import os
import pickle
import socket
import sys

from kherd.supervisor.children.liaison.main import run
from kherd.supervisor.children.spec import LiaisonSpec
from kherd.worker import log
from kherd.worker.channel import Channel
from kherd.worker.spec import LogSpec


def main() -> None:
    spec = pickle.loads(bytes.fromhex(sys.argv[2]))
    assert isinstance(spec, LiaisonSpec)
    log.configure(LogSpec(), log.Identity(spec.app, "liaison"))
    os._exit(run(spec, Channel(socket.socket(fileno=int(sys.argv[1])))))


if __name__ == "__main__":
    main()

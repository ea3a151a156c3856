"""What a worker process gets before it exists."""

import os
from contextlib import ExitStack

from ..worker.channel import Channel, pair
from ..worker.spec import SlotIdentity
from .breakers import Breakers
from .process.boards import Boards
from .slot import Papers, Slot, stacks_file


def prepare(
    slot: Slot, identity: SlotIdentity, boards: Boards, breakers: Breakers | None, undo: ExitStack
) -> tuple[Papers, Channel, tuple[int, ...]]:
    """Return the papers of a new process, our end of its channel, and the descriptors it is to get.

    Raises:
        OSError: no descriptor left, no room for the board; `undo` gives back what is there.
    """
    board, board_fd, path = boards.create(identity, slot.generation)
    undo.callback(path.unlink, missing_ok=True)
    undo.callback(board.close)
    undo.callback(os.close, board_fd)
    stacks = stacks_file(slot.index)
    undo.callback(os.close, stacks)
    its_stacks = os.dup(stacks)
    undo.callback(os.close, its_stacks)
    shared = breakers.descriptor() if breakers is not None else ()
    for fd in shared:
        undo.callback(os.close, fd)
    ours, theirs = pair()
    papers = Papers(identity, slot.generation, board, path, stacks)
    return papers, ours, (theirs.socket.detach(), board_fd, its_stacks, *shared)

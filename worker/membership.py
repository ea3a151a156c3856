"""Who we are in the group, and when the supervisor may know that we are in it."""

from . import clock
from .board import Phase, StateWord
from .boardwriter import BoardWriter
from .channel import Channel
from .kafka import Client


class Membership:
    """Keeps the member id on the board, for whoever must tell the group of our death, and says READY once."""

    def __init__(self, client: Client, channel: Channel, board: BoardWriter) -> None:
        self._client = client
        self._channel = channel
        self._board = board
        self._member_id: str | None = None
        self.ready = False

    def identify(self) -> None:
        """Write the member id if it is known and new: KIP-848 has it before the first poll, classic after a join."""
        member_id = self._client.member_id()
        if member_id is not None and member_id != self._member_id:
            self._member_id = member_id
            self._board.member(member_id)

    def joined(self) -> None:
        """Note that the group has taken us in."""
        self.identify()
        if not self.ready:
            self.ready = True
            self._board.words[StateWord.READY] = clock.monotonic_ns()
            self._board.phase(Phase.POLLING)
            self._channel.send({"type": "ready"})

    def look(self) -> None:
        """Note a join that no on_assign tells of: a KIP-848 member without partitions never gets one."""
        if not self.ready and self._client.steady:
            self.joined()

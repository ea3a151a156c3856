"""Where a record that failed waits, and what waits with it, if handler calls do not run beside each other."""

from typing import Protocol

from .inbox import Inbox, Run
from .partition import Partition
from .partitions import Partitions
from .trouble import Trouble


class Keeper(Protocol):
    """What `Outcomes` asks for."""

    def keep(self, partition: Partition, case: Trouble) -> None:
        """Begin nothing that has to come after the record before it is settled."""

    def leads(self, partition: Partition, case: Trouble) -> bool:
        """Return whether no other record that failed has to be settled before this one may be tried."""

    def settled(self, partition: Partition, case: Trouble) -> None:
        """Go on behind a record that is settled; its trouble, if it was one, is not the partition's any more."""


class WholePartition:
    """The partition waits: it is paused, and what was received of it already is kept in order."""

    def __init__(self, partitions: Partitions, inbox: Inbox) -> None:
        self._partitions = partitions
        self._inbox = inbox

    def keep(self, partition: Partition, case: Trouble) -> None:
        """Begin nothing of the partition."""
        self._partitions.block(partition, case)

    def leads(self, partition: Partition, case: Trouble) -> bool:
        """Return whether it is the first of its partition."""
        return partition.troubles[:1] == [case]

    def settled(self, partition: Partition, case: Trouble) -> None:
        """Go on with it, if the record was what it waited for."""
        del case
        if partition.key in self._partitions.blocked and not partition.blocked:
            self._inbox.put_back([Run(partition, self._partitions.unblock(partition))])

"""Growing a herd and shrinking it again under a stream, whatever the way to ask for it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .generations import generation
from .herd import Document, Herd
from .ledger import Handled, read
from .producing import Feeder
from .scenes import group, standings, wait_handled, wait_settled
from .topics import Cluster
from .wait import until

FEW, MANY, PARTITIONS, RATE = 2, 4, 8, 400
COMMAND: Final = 60.0


@dataclass(frozen=True, slots=True)
class Rescaled:
    """The herd when it was small, grown and small again, and the ledger when all was handled.

    `grown_rounds` is how many generations the group's coordinator counted for the growth.
    """

    before: Document
    grown: Document
    shrunk: Document
    grown_rounds: int
    handled: Handled
    produced: int

    def kept(self) -> bool:
        """Whether the workers that were there all the time are the same processes, and kept what they need not give."""
        small, grown, again = (standings(document) for document in (self.before, self.grown, self.shrunk))
        same = all(small[slot][0] == grown[slot][0] == again[slot][0] for slot in range(FEW))
        return same and all(small[slot][3] > grown[slot][3] < again[slot][3] for slot in range(FEW))

    def interruptions(self) -> list[int]:
        """Return by how much the growth has raised the number of rebalances of each worker that was there before."""
        before, grown = standings(self.before), standings(self.grown)
        return [grown[slot][2] - before[slot][2] for slot in range(FEW)]


def rescale(
    herd: Herd, cluster: Cluster, topic: str, grow: Callable[[], object], shrink: Callable[[], object]
) -> Rescaled:
    """Have the herd of FEW workers `grow` to MANY and `shrink` again while records arrive.

    Raises:
        AssertionError: the herd did not settle, or a record that was acknowledged was not handled.
    """
    before = wait_settled(herd, FEW, PARTITIONS)
    rounds = generation(cluster, group(herd))
    with Feeder(cluster.client_properties(), topic, RATE, partitions=PARTITIONS) as feeder:
        until(lambda: len(read(herd.ledger)) > RATE, COMMAND, "a steady stream")
        grow()
        grown = wait_settled(herd, MANY, PARTITIONS)
        rounds = generation(cluster, group(herd)) - rounds
        shrink()
        shrunk = wait_settled(herd, FEW, PARTITIONS)
    handled = wait_handled(herd, topic, feeder.acknowledged)
    return Rescaled(before, grown, shrunk, rounds, handled, feeder.count)


def kherd(herd: Herd, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `kherd` with `words` beside a herd's configuration, as its operator would; return how it ended."""
    command = [sys.executable, "-m", "kherd", *words]
    return subprocess.run(
        command, cwd=herd.folder, env=herd.env, timeout=COMMAND, capture_output=True, text=True, check=False
    )

"""Killing workers of a herd under a steady stream, one after another, and what the ledger says of each kill."""

import os
import signal
from dataclasses import dataclass
from typing import Final

from ..worker import clock
from .gaps import longest_pause, pauses, takeovers
from .generations import generation
from .herd import Document, Herd
from .ledger import Handled, read
from .producing import Feeder
from .results import percentile, spread
from .scenes import Standing, group, shares, standings, wait_handled, wait_settled
from .topics import Cluster
from .wait import until

WINDOW: Final = 1.0
"""Seconds watched without a fault before each kill, and from it on: who lives that long counts as well again."""
BACK: Final = 60.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill -9: whom, when (monotonic seconds), and how the others stood before and after."""

    slot: int
    pid: int
    partitions: frozenset[int]
    control: float
    at: float
    others_before: dict[int, Standing]
    others_after: dict[int, Standing]


@dataclass(frozen=True, slots=True)
class Toll:
    """What a kill cost, in seconds: the longest gap of its own partitions, and the longest pause of the others.

    `control` is the longest pause of the others without a fault; `again`, how many records were handled twice, `beyond`
    how many of them the dead worker had finished. `others_p99` and `control_p99` are of all pauses of the others.
    """

    gap: float
    others: float
    control: float
    again: int
    beyond: int
    others_p99: float
    control_p99: float


def kill_worker(herd: Herd, slot: int, window: float = WINDOW, back: float = BACK) -> Kill:
    """Watch for `window`, kill the worker in `slot`, watch for `window`, and wait until its successor has worked.

    The herd must be settled. Nothing is asked of the supervisor while the successor is on its way.
    """
    control = clock.monotonic()
    clock.sleep(window)
    before = herd.status()
    victim = next(one for one in before["slots"] if one["slot"] == slot)
    at = clock.monotonic()
    os.kill(victim["pid"], signal.SIGKILL)
    clock.sleep(window)
    owned = frozenset(shares(before)[slot])

    def worked_on(document: Document) -> bool:
        heirs = [one for one in document["slots"] if one["pid"] != victim["pid"]]
        return owned <= {part["partition"] for one in heirs for part in one["partitions"] if part["done"] is not None}

    after = herd.wait_status(worked_on, back, f"the partitions {sorted(owned)} of slot {slot} to be worked on again")
    return Kill(slot, victim["pid"], owned, control, at, _without(slot, before), _without(slot, after))


def toll(kill: Kill, handled: Handled, topic: str, window: float = WINDOW) -> Toll:
    """Return what `kill` cost by the ledger."""
    own = takeovers(handled, topic, kill.pid, kill.partitions)
    others = {partition for standing in kill.others_before.values() for partition in standing[3]}
    fault, calm = (kill.at, kill.at + window), (kill.control, kill.control + window)
    return Toll(
        gap=max(one.seconds for one in own),
        others=longest_pause(handled, topic, others, *fault),
        control=longest_pause(handled, topic, others, *calm),
        again=sum(one.again for one in own),
        beyond=sum(one.beyond for one in own),
        others_p99=percentile(pauses(handled, topic, others, *fault) or [0.0], 99),
        control_p99=percentile(pauses(handled, topic, others, *calm) or [0.0], 99),
    )


@dataclass(frozen=True, slots=True)
class Losses:
    """What many kills in a row have done."""

    kills: list[Kill]
    tolls: list[Toll]
    rebalances: int
    """How often the group has rebalanced, by its coordinator's own account."""

    def numbers(self) -> dict[str, object]:
        """Return what was measured, for `results.report`."""
        return {
            "seconds_to_go_on": spread([one.gap for one in self.tolls]),
            "longest_pause_of_others": spread([one.others for one in self.tolls]),
            "longest_pause_of_others_without_a_fault": spread([one.control for one in self.tolls]),
            "records_handled_again": spread([one.again for one in self.tolls]),
            "records_handled_again_though_finished": spread([one.beyond for one in self.tolls]),
            "rebalances": self.rebalances,
        }

    def disturbed(self) -> list[Kill]:
        """Return the kills after which another worker's pid, partitions or number of rebalances had changed."""
        return [kill for kill in self.kills if kill.others_after != kill.others_before]


def kill_many(
    herd: Herd, cluster: Cluster, topic: str, *, partitions: int, rate: float, number: int, window: float = WINDOW
) -> Losses:
    """Kill `number` workers of a settled herd in turn under a stream of `rate` records per second.

    `window` is the time in seconds that is watched before and after each.

    Raises:
        AssertionError: a record that was acknowledged was not handled.
    """
    slots = sorted(shares(herd.status()))
    before = generation(cluster, group(herd))
    with Feeder(cluster.client_properties(), topic, rate, partitions=partitions) as feeder:
        until(lambda: len(read(herd.ledger)) > rate, BACK, "a steady stream")
        kills = []
        for index in range(number):
            # Without static membership the group shares anew after a kill.
            wait_settled(herd, len(slots), partitions)
            kills.append(kill_worker(herd, slots[index % len(slots)], window))
    handled = wait_handled(herd, topic, feeder.acknowledged)
    rebalances = generation(cluster, group(herd)) - before
    return Losses(kills, [toll(kill, handled, topic, window) for kill in kills], rebalances)


def _without(slot: int, document: Document) -> dict[int, Standing]:
    return {index: standing for index, standing in standings(document).items() if index != slot}

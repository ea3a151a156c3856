"""What a kill -9 of a worker costs under dynamic membership, where a death notice has its partitions shared out."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from ...worker.spec import GroupProtocol
from .killing import Scene, Tolls, kill_all, minding, portions
from .promise import Found, Promise, judge_each
from .stage import Extent, Stage, Step

NAME: Final = "dynamic"
FULL, QUICK = 20, 3
WORKERS, PARTITIONS = 4, 8
RATE: Final = 400.0
PROTOCOLS: Final[dict[str, GroupProtocol]] = {"classic": "classic", "kip848": "consumer"}
HEARTBEATS: Final = {"classic": 3.0, "kip848": 5.0}
"""Seconds: heartbeat.interval.ms by librdkafka's default, group.consumer.heartbeat.interval.ms by the broker's."""
ONE_KILL: Final = {"classic": 5.0, "kip848": 3.0}
WHOSE: Final = {"classic": "heartbeat interval", "kip848": "the broker's group heartbeat interval"}
PROMISES: Final = tuple(
    Promise(
        f"takeover-dynamic-{name}",
        "dynamic membership: from the last record before a kill -9 to the first after it on each partition of the dead"
        f" at most 2 x {WHOSE[name]} + 1 s ({protocol})",
        "none: a bound of its own; without kherd the session timeout, 45 s",
        2 * HEARTBEATS[name] + 1,
        "s",
    )
    for name, protocol in PROTOCOLS.items()
)


def steps(extent: Extent, rng: random.Random) -> list[Step]:
    """Kill `rounds` workers under each protocol."""
    del rng  # slot after slot
    return [
        step
        for name, protocol in PROTOCOLS.items()
        for step in portions(f"{NAME}: {protocol}", name, extent.rounds, ONE_KILL[name])
    ]


def measure(stage: Stage, steps: Sequence[Step]) -> list[Found]:
    """Kill."""
    return judged(
        {
            name: kill_all(
                stage, Scene(protocol, False, WORKERS, PARTITIONS, RATE), [one for one in steps if one.part == name]
            )
            for name, protocol in PROTOCOLS.items()
        }
    )


def judged(tolls: Mapping[str, Tolls]) -> list[Found]:
    """Judge every single kill."""
    return [
        minding(
            judge_each(promise, [one.gap for one in tolls[name].each], rebalances=tolls[name].rebalances), tolls[name]
        )
        for promise, name in zip(PROMISES, PROTOCOLS, strict=True)
    ]

"""What a kill -9 of a worker costs, static membership: how long its partitions stand still, the others, the repeats."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ...testing.results import percentile
from ...worker.spec import GroupProtocol
from .killing import Scene, Tolls, kill_all, minding, portions
from .promise import Found, Promise, judge, judge_each
from .stage import Extent, Stage, Step

NAME: Final = "takeover"
FULL, QUICK = 200, 20
WORKERS, PARTITIONS = 8, 16
RATE: Final = 1600.0
PROTOCOLS: Final[dict[str, GroupProtocol]] = {"classic": "classic", "kip848": "consumer"}
BATCHES: Final = "batches"
BATCH_SHARE: Final = 5
"""Of so many kills one is in batch mode as well."""
BATCH_SOURCE: Final = """
import time
from kherd.testing.ledger import Ledger

LEDGER = Ledger(LEDGER_PATH)

def handle(messages):
    LEDGER.write(*messages)
    time.sleep(0.02)
"""
"""Lists of several records, most of them killed in the middle of a call."""
NOISE: Final = 0.01
"""Seconds that the fork and the start of a process may cost others on few cores."""
GAPS: Final = {
    name: Promise(
        f"takeover-{name}",
        "static membership, 8 workers: from the last record before a kill -9 to the first after it on the partitions of"
        f" the dead, p99 ({protocol})",
        "none: a bound of its own; without kherd the session timeout, 45 s",
        0.1,
        "s",
    )
    for name, protocol in PROTOCOLS.items()
}
OTHERS: Final = {
    name: Promise(
        f"bystanders-{name}",
        "static membership: a kill -9 makes no rebalance, and the p99 of the time between two records of other workers'"
        f" partitions is as in a window without a fault, to 10 ms ({protocol})",
        "the same partitions in a window without a fault, just before",
        NOISE,
        "s",
    )
    for name, protocol in PROTOCOLS.items()
}
AGAIN: Final = {
    mode: Promise(
        f"repeats-{mode}",
        f"after a kill -9 no record is handled again that the dead worker was not just handling ({mode} mode)",
        "none: a bound of its own",
        0,
        "records",
    )
    for mode in ("record", "batch")
}
PROMISES: Final = (*GAPS.values(), *OTHERS.values(), *AGAIN.values())


def steps(extent: Extent, rng: random.Random) -> list[Step]:
    """Kill `rounds` workers under each protocol, and some more in batch mode."""
    del rng  # slot after slot: each has lived for a while when its turn comes
    made = [
        step
        for name, protocol in PROTOCOLS.items()
        for step in portions(f"{NAME}: {protocol}, static", name, extent.rounds)
    ]
    return made + portions(f"{NAME}: batch mode", BATCHES, -(-extent.rounds // BATCH_SHARE))


def measure(stage: Stage, steps: Sequence[Step]) -> list[Found]:
    """Kill."""
    scenes = {name: Scene(protocol, True, WORKERS, PARTITIONS, RATE) for name, protocol in PROTOCOLS.items()}
    scenes[BATCHES] = replace(scenes["classic"], source=BATCH_SOURCE, mode="batch")
    tolls = {
        name: kill_all(stage, scene, [step for step in steps if step.part == name]) for name, scene in scenes.items()
    }
    return judged(tolls, stage.rng)


def judged(tolls: Mapping[str, Tolls], rng: random.Random) -> list[Found]:
    """Judge what the kills of each scene came to."""
    static = {name: tolls[name] for name in PROTOCOLS}
    return [
        *(minding(_gaps(GAPS[name], found, rng), found) for name, found in static.items()),
        *(minding(_others(OTHERS[name], found, rng), found) for name, found in static.items()),
        _again(AGAIN["record"], *static.values()),
        _again(AGAIN["batch"], tolls[BATCHES]),
    ]


def _gaps(promise: Promise, found: Tolls, rng: random.Random) -> Found:
    gaps = [one.gap for one in found.each]
    return judge(promise, gaps, "p99", rng, worst=max(gaps, default=None))


def _others(promise: Promise, found: Tolls, rng: random.Random) -> Found:
    details: dict[str, Any] = {"rebalances": found.rebalances, "kills_that_disturbed": found.disturbed}
    if found.each:
        details |= {
            "p99_after_a_kill": percentile([one.others_p99 for one in found.each], 50),
            "p99_without_a_fault": percentile([one.control_p99 for one in found.each], 50),
            "longest_after_a_kill": max(one.others for one in found.each),
            "longest_without_a_fault": max(one.control for one in found.each),
        }
    judged = judge(promise, [one.others_p99 - one.control_p99 for one in found.each], "median", rng, **details)
    # However short the pauses: a rebalance is what was promised not to happen.
    return replace(judged, verdict="missed") if found.rebalances or found.disturbed else judged


def _again(promise: Promise, *scenes: Tolls) -> Found:
    tolls = [one for found in scenes for one in found.each]
    judged = judge_each(
        promise,
        [one.beyond for one in tolls],
        handled_again=sum(one.again for one in tolls),
        most_handled_again=max((one.again for one in tolls), default=0),
        kills=len(tolls),
    )
    return minding(judged, *scenes)

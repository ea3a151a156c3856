"""A backlog beyond lag_above: 5 workers become 10 while it lasts and 5 again after calm; every record is handled.

The full count is 2,000,000 records that 5 workers would need 120 s for, with the threshold at its default.
"""

import os
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from kherd.testing.herd import Document
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.results import FULL, count, report
from kherd.testing.scenes import Standing, config, standings, wait_settled
from kherd.testing.topics import Cluster
from kherd.worker import clock

FEW, MANY, PARTITIONS = 5, 10, 20
RECORDS: Final = count(2_000_000, 60_000)
SECONDS_FOR_FEW: Final = count(120, 20)
LAG_ABOVE: Final = count(1_000_000, 20_000)
PACE: Final = SECONDS_FOR_FEW * FEW / RECORDS
CALM: Final = 5.0
HANDLER = f"""
import os
import time
from itertools import groupby

def handle(messages):
    time.sleep({PACE!r} * len(messages))
    lines = []
    for partition, records in groupby(messages, key=lambda message: message.partition()):
        offsets = [record.offset() for record in records]
        assert len(offsets) == offsets[-1] - offsets[0] + 1
        lines.append(f"{{partition}} {{offsets[0]}} {{offsets[-1]}}\\n")
    with open(LEDGER_PATH, "ab", buffering=0) as ledger:
        ledger.write("".join(lines).encode())
"""


def test_a_backlog_grows_the_herd_and_calm_shrinks_it(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    # Given five workers with nothing to do, and then a backlog far above the threshold
    name = topic(PARTITIONS)
    settings: dict[str, Any] = {
        "workers": {"mode": "batch", "batch_size": 100 if FULL else 20},
        "autoscale": {"max": MANY, "lag_above": LAG_ABOVE, "calm": CALM},
        "lag": {"interval": 5.0 if FULL else 0.5},
    }
    one = herd(config(kafka, name, FEW, **settings), HANDLER)
    before = wait_settled(one, FEW, PARTITIONS)
    fill(kafka.client_properties(), name, RECORDS, partitions=PARTITIONS)
    began = clock.monotonic()

    # When the lag has been read twice, then there are ten, before the backlog is gone
    grown = one.wait_status(lambda document: document["workers"]["ready"] == MANY, what="ten ready workers")
    grown_after = clock.monotonic() - began
    lag_when_grown = grown["lag"]["total"]
    assert lag_when_grown > 0
    shared = wait_settled(one, MANY, PARTITIONS)

    # And when it is done and calm has passed, there are five
    shrunk = wait_settled(one, FEW, PARTITIONS, SECONDS_FOR_FEW + 60.0)
    assert shrunk["lag"]["total"] == 0
    assert (shrunk["workers"]["wanted"], shrunk["workers"]["pinned"]) == (FEW, False)

    # Then nothing is lost or done twice, and who was not concerned was left alone
    lost, twice = account(one.ledger, kafka.ends(name))
    assert (lost, twice) == (0, 0)
    assert set(survivors(before, shared)) == set(range(FEW))
    assert len(survivors(shared, shrunk)) == FEW
    changes = [(event["before"], event["after"]) for event in one.events("autoscaled")]
    assert changes == [(FEW, MANY), (MANY, FEW)]
    assert not one.events("child_died")
    report(
        "backlog_grows_the_herd",
        {
            "records": RECORDS,
            "lag_above": LAG_ABOVE,
            "ten_ready_after_seconds": round(grown_after, 1),
            "lag_then": lag_when_grown,
            "seconds_of_work_for_five": SECONDS_FOR_FEW,
            "five_again_after_seconds": round(clock.monotonic() - began, 1),
            "lost": lost,
            "twice": twice,
            "decisions": shrunk["autoscale"]["decisions"],
        },
    )
    one.stop()


def survivors(before: Document, after: Document) -> dict[int, Standing]:
    """Return the slots whose process is the same, having checked that each kept all it could of its partitions."""
    then, now = standings(before), standings(after)
    same = {slot: now[slot] for slot in then.keys() & now.keys() if then[slot][:2] == now[slot][:2]}
    for slot, standing in same.items():
        smaller, larger = sorted((then[slot][3], standing[3]), key=len)
        assert smaller <= larger
    return same


def account(ledger: Path, ends: dict[int, int]) -> tuple[int, int]:
    """Return how many records were never handled, and how many handlings were a second one."""
    seen: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for line in ledger.read_text().split(os.linesep)[:-1]:
        partition, first, last = map(int, line.split())
        seen[partition].append((first, last))
    handled = lost = 0
    for partition, end in ends.items():
        reached = 0
        for first, last in sorted(seen[partition]):
            handled += last - first + 1
            lost += max(0, first - reached)
            reached = max(reached, last + 1)
        lost += end - reached
    return lost, handled - (sum(ends.values()) - lost)

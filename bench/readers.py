"""What the readers of a topic come to, and whether kherd keeps its promise beside a loop written by hand. Pure."""

import random
from dataclasses import dataclass
from statistics import median
from typing import Final

from .promises.consume import BATCH, RECORD
from .result import Result
from .spread import LEAST_ROUNDS, Ratio, Spread, ratio, spread

PROMISES: Final = {"record": RECORD.limit, "batch": BATCH.limit}
"""Of the speed of consume(500), at least."""
BASE: Final = "consume"


@dataclass(frozen=True, slots=True)
class ConsumeRow:
    """A contender: records per second, CPU microseconds per record."""

    contender: str
    speed: Spread
    cpu: float
    to_base: Ratio | None
    verdict: str


def consume_rows(result: Result) -> list[ConsumeRow]:
    """Return a row per contender, with its ratio to consume(500) and what that says about kherd's promise."""
    rng = random.Random(0)
    base = {one.round: one.records / one.seconds for one in result.consume if one.contender == BASE}
    rows = []
    for name in dict.fromkeys(result.matrix.consume.contenders):
        trials = [one for one in result.consume if one.contender == name]
        paired = [one for one in trials if one.round in base]
        if not trials:
            continue
        theirs = [base[one.round] for one in paired]
        found = ratio([one.records / one.seconds for one in paired], theirs, rng) if paired and name != BASE else None
        rows.append(
            ConsumeRow(
                contender=name,
                speed=spread([one.records / one.seconds for one in trials], rng),
                cpu=median(one.cpu_seconds / one.records * 1e6 for one in trials),
                to_base=found,
                verdict=_kept(found, PROMISES.get(name), len(paired)),
            )
        )
    return rows


def _kept(found: Ratio | None, promise: float | None, rounds: int) -> str:
    if found is None or promise is None:
        return ""
    return found.verdict(promise) if rounds >= LEAST_ROUNDS else "inconclusive"

"""`python -m kherd.bench.breaker_calls`: what a call through a closed circuit breaker costs beyond the call itself."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import click

from ..worker.breaker import CircuitBreaker
from ..worker.breakers import BREAKERS
from ..worker.breakertable import FILE, Table

CALLS: Final = 100_000
"""Of each kind, in a round."""
HANDLER_TIMEOUT: Final = 20.0


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), default=20, show_default=True)
def main(rounds: int) -> None:
    """Call a function with one argument, bare and through a breaker that is shared, by turns; one line of JSON.

    `extra` are the seconds of CPU that a call cost more in each round, `decorated` those of a decorated function.
    """
    with tempfile.TemporaryDirectory() as folder:
        table = Table.create(Path(folder) / FILE)
        BREAKERS.attach(table, HANDLER_TIMEOUT, {})
        breaker = CircuitBreaker("kherd-bench")
        through = breaker(nothing)
        through(None)
        measured = [(bare(), called(breaker.call), decorated(through)) for _ in range(rounds)]
        shared = table.find("kherd-bench") is not None
        BREAKERS.detach()
        table.close()
    if not shared:
        raise click.ClickException("the breaker was not in the table")
    facts = {"rounds": rounds, "calls": CALLS, "bare": median(alone for alone, _, _ in measured)}
    extra = [call - alone for alone, call, _ in measured]
    print(json.dumps({**facts, "extra": extra, "decorated": [call - alone for alone, _, call in measured]}))


def nothing(argument: object) -> object:
    """Return the argument."""
    return argument


def bare() -> float:
    """Return the seconds of CPU per call, the loop round it included."""
    began = time.thread_time()
    for _ in range(CALLS):
        nothing(None)
    return (time.thread_time() - began) / CALLS


def called(call: Callable[..., Any]) -> float:
    """Return the same through `CircuitBreaker.call`."""
    began = time.thread_time()
    for _ in range(CALLS):
        call(nothing, None)
    return (time.thread_time() - began) / CALLS


def decorated(through: Callable[[object], object]) -> float:
    """Return the same of the decorated function."""
    began = time.thread_time()
    for _ in range(CALLS):
        through(None)
    return (time.thread_time() - began) / CALLS


if __name__ == "__main__":
    main()

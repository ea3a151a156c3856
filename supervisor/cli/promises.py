"""`kherd bench promises`: measure what kherd promises, and say which promises are kept."""

import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from ...worker.exits import Exit
from . import benchoptions
from .benchoptions import LARGEST_SEED, SIGNALLED, command_line, module
from .words import duration, plain

if TYPE_CHECKING:  # the bench is imported when it is needed: it brings Kafka clients
    from ...bench.promises.report import Line
    from ...bench.promises.run import Order, Outcome


@click.command("promises")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--quick", is_flag=True, help="Fewer and shorter rounds: done within 4 minutes.")
@click.option("--rounds", type=click.IntRange(1, 10_000), help="Pairs, kills or seconds, whatever is counted.")
@click.option("--brokers", type=click.IntRange(1, 9), help="Brokers of the harness: a real Kafka of this machine [1].")
@click.option("--bootstrap", callback=benchoptions.bootstrap, metavar="HOST:PORT,…",
              help="Your own Kafka: topics kherd-bench-… are made and deleted.")  # fmt: skip
@click.option("-X", "client", multiple=True, callback=benchoptions.properties, metavar="PROPERTY=VALUE",
              help="With --bootstrap: a librdkafka property of every client; may be given again.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="Of the order, and of the bootstrap intervals.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file for the whole result, as JSON.")
@click.option("--list", "listing", is_flag=True, help="Show the promises and the time they take; measure nothing.")
def command(names: tuple[str, ...], out: Path | None, *, listing: bool, **options: Any) -> None:
    """Measure what kherd promises: all of it, or what belongs to each NAME.

    Standard output gets a line of JSON per promise, standard error the progress and a table.
    Exit code 0: none was missed, 1: one was, or could not be measured.
    """
    order = _order(names, options)
    if listing:
        _list(order)
        return
    if out is not None and not out.parent.is_dir():
        raise click.ClickException(f"{out.parent}: no such folder")
    outcome: Outcome = module("promises.run").perform(order, _tell)
    _keep(outcome, out)
    sys.exit(_code(outcome))


def _order(names: tuple[str, ...], options: Mapping[str, Any]) -> "Order":
    bootstrap, brokers = options["bootstrap"], options["brokers"]
    if bootstrap == "embedded":
        raise click.UsageError("promises are measured on a real Kafka: leave --bootstrap out, or give its address")
    if bootstrap is not None and brokers is not None:
        raise click.UsageError("give --bootstrap or --brokers, not both")
    if options["client"] and bootstrap is None:
        raise click.UsageError("-X is for --bootstrap: brokers of our own need nothing")
    catalogue = module("promises.catalogue")
    try:
        measurements = catalogue.chosen(names)
    except catalogue.UnknownNameError as error:
        raise click.UsageError(str(plain(error))) from None
    seed = random.SystemRandom().randrange(2**16) if options["seed"] is None else options["seed"]
    order: Order = module("promises.run").Order(
        measurements=measurements,
        quick=options["quick"],
        rounds=options["rounds"],
        bootstrap=bootstrap,
        brokers=brokers or 1,
        client=options["client"],
        seed=seed,
        command=command_line(sys.argv, seed, "promises"),
    )
    return order


def _list(order: "Order") -> None:
    plan = order.plan()
    for one, steps in plan:
        click.echo(f"{one.NAME}: {order.extent(one).rounds} rounds, about {duration(_seconds(steps))}")
        for promise in one.PROMISES:
            click.echo(f"    {promise.name}: {promise.statement}")
    total = sum(_seconds(steps) for _, steps in plan)
    click.echo(f"seed {order.seed}; about {duration(total)}, and the start of the brokers")


def _seconds(steps: Any) -> float:
    return float(sum(step.seconds for step in steps))


def _tell(line: "Line", environment: Mapping[str, Any]) -> None:
    click.echo(line.text(environment))


def _keep(outcome: "Outcome", out: Path | None) -> None:
    """Show what came of it, and write it down if that is wanted."""
    report = module("promises.report")
    shown = Console(stderr=True, highlight=False, emoji=False)
    shown.width = max(shown.width, report.WIDEST)
    shown.print(report.terminal(outcome.report))
    if out is None:
        return
    try:
        report.write(outcome.report, out)
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror}; what was measured is on standard output") from error
    click.echo(f"{out}", err=True)


def _code(outcome: "Outcome") -> int:
    if outcome.ended_by is not None:
        click.echo(f"Interrupted by {outcome.ended_by}.", err=True)
        return SIGNALLED + int(outcome.ended_by.number)
    if outcome.unmeasured:
        click.echo(f"Error: could not be measured: {', '.join(outcome.unmeasured)}", err=True)
    if outcome.missed:
        click.echo(f"Error: missed: {', '.join(outcome.missed)}", err=True)
    return Exit.FAILED if outcome.missed or outcome.unmeasured else Exit.DONE

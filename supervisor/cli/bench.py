"""`kherd bench`: measure producer settings and consumers, and show what was measured."""

import json
import random
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from ...worker import clock
from ...worker.exits import Exit
from ..config.errors import ConfigError
from . import promises
from .benchoptions import LARGEST_SEED, SIGNALLED, command_line, module, properties
from .benchoptions import bootstrap as bootstrap_option
from .words import console, duration, plain, table

if TYPE_CHECKING:  # the bench is imported when it is needed: it brings Kafka clients
    from ...bench.result import Result
    from ...bench.run import Order, Outcome

PARTS: Final = ("produce", "fault", "consume")


@click.group("bench")
def command() -> None:
    """Measure producer settings (acks, batching, compression), consumers, and what kherd promises."""


command.add_command(promises.command)


@command.command("run")
@click.argument("matrix", type=click.Path(path_type=Path), required=False, metavar="[MATRIX.toml]")
@click.option("--quick", is_flag=True, help="Short, on the embedded broker: no Kafka needed, done within 2 minutes.")
@click.option("--bootstrap", callback=bootstrap_option, metavar="HOST:PORT,…|embedded",
              help="Your own Kafka (topics kherd-bench-… are made and deleted), or the embedded broker.")  # fmt: skip
@click.option("--brokers", type=click.IntRange(1, 9), help="Brokers of the harness: a real Kafka of this machine [3].")
@click.option("-X", "client", multiple=True, callback=properties, metavar="PROPERTY=VALUE",
              help="A librdkafka property of every client; may be given again.")  # fmt: skip
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="This part alone; may be given again.")
@click.option("--fault/--no-fault", default=None, help="Kill the leading broker [with 3 brokers or more of our own].")
@click.option("--rounds", type=click.IntRange(1, 1000), help="Trials per cell and per contender.")
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="Of the order, the values and the kills.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("bench-results"),
              show_default=True, help="Where RESULT.json and RESULT.html go.")  # fmt: skip
@click.option("--html/--no-html", default=True, help="Write the report with plots too (needs kherd[bench]).")
@click.option("--dry-run", is_flag=True, help="Show the cells and the time they take; measure nothing.")
def run(matrix: Path | None, out: Path, *, html: bool, dry_run: bool, **options: Any) -> None:
    """Measure. Without --quick or --bootstrap a real Kafka of 3 brokers is started here (JDK and Maven).

    Exit code 0: all of it was measured; 1: not all; 78: the matrix file cannot be used.
    """
    order = _order(matrix, options)
    if dry_run:
        _show_plan(order)
        return
    errors = module("place").BenchError
    try:
        if html:
            module("plots").library()
        out.mkdir(parents=True, exist_ok=True)
    except (errors, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"seed {order.seed}, about {duration(_estimate(order))}", err=True)
    outcome: Outcome = module("run").perform(order)
    if outcome.result is not None:
        _keep(outcome.result, out, html=html)
    sys.exit(_code(outcome))


def _order(path: Path | None, options: Mapping[str, Any]) -> "Order":
    """Return what the options ask for; a bad file ends the command with 78."""
    quick, bootstrap, brokers = options["quick"], options["bootstrap"], options["brokers"]
    if bootstrap is not None and brokers is not None:
        raise click.UsageError("give --bootstrap or --brokers, not both")
    if quick and bootstrap is None and brokers is None:
        bootstrap = "embedded"
    try:
        matrix = module("matrixfile").load(path, options["client"], quick=quick)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"Error: {problem}", err=True)
        sys.exit(Exit.CONFIG if path is not None else Exit.USAGE)
    matrix = module("matrixfile").with_rounds(matrix, options["rounds"])
    if bootstrap == "embedded" and matrix.consume.protocol == "classic":
        raise click.UsageError("the embedded broker has no classic groups: leave consume.protocol out, or --brokers 1")
    if bootstrap == "embedded" and (matrix.load.replication or 1) > 1:
        raise click.UsageError("the embedded broker has one copy of everything: leave load.replication out")
    seed = random.SystemRandom().randrange(2**16) if options["seed"] is None else options["seed"]
    able = bootstrap is None and (brokers or 3) >= 3  # noqa: PLR2004 - copies, of which one may die
    order: Order = module("run").Order(
        matrix=matrix,
        parts=_parts(options["only"], options["fault"], able=able),
        bootstrap=bootstrap,
        brokers=brokers or 3,
        seed=seed,
        command=command_line(sys.argv, seed),
    )
    return order


def _parts(only: tuple[str, ...], fault: bool | None, *, able: bool) -> tuple[str, ...]:
    wanted = only or PARTS
    if not able and (fault or "fault" in only):
        raise click.UsageError("only brokers of our own may be killed: --fault needs --brokers 3")
    if fault is False or not able:
        wanted = tuple(part for part in wanted if part != "fault")
    if fault and "fault" not in wanted:
        wanted = (*wanted, "fault")
    if not wanted:
        raise click.UsageError("nothing is left to measure")
    return wanted


def _estimate(order: "Order") -> float:
    return float(module("plan").estimate(order.steps()))


def _show_plan(order: "Order") -> None:
    cells = module("matrix").cells_of(order.matrix)
    steps = order.steps()
    for part in ("rate", "paced", "fault", "consume"):
        own = [step for step in steps if step.kind == part]
        if own:
            click.echo(f"{part}: {len(own)} trials, about {duration(module('plan').estimate(own))}")
    shown = table("acks", "linger.ms", "batch.size", "compression", right=frozenset({"linger.ms", "batch.size"}))
    for cell in cells if "produce" in order.parts else ():
        shown.add_row(cell.acks, f"{cell.linger_ms:g}", str(cell.batch_size), cell.compression)
    console().print(shown)
    click.echo(
        f"seed {order.seed}; {len(cells)} cells; about {duration(_estimate(order))}, and the start of the brokers"
    )


def _show(result: "Result") -> None:
    report, shown = module("report"), console()
    shown.width = max(shown.width, report.WIDEST)
    shown.print(report.terminal(result))


def _keep(result: "Result", out: Path, *, html: bool) -> None:
    """Show the result and write it down; JSON first, as all else can be made again from it."""
    stamp = datetime.fromtimestamp(clock.wall(), UTC).strftime("%Y%m%d-%H%M%S")
    path = out / f"kherd-bench-{stamp}.json"
    results = module("result")
    try:
        results.write(result, path)
        _show(result)
        click.echo(f"\n{path}")
        if html:
            results.write_text(path.with_suffix(".html"), module("page").page(result))
            click.echo(str(path.with_suffix(".html")))
    except OSError as error:
        # What took minutes to measure is not lost with the disk.
        click.echo(json.dumps(result.model_dump()))
        raise click.ClickException(f"{path}: {error.strerror}; the result is on standard output") from error


def _code(outcome: "Outcome") -> int:
    ended = outcome.ended_by
    if ended is not None and hasattr(ended, "number"):
        click.echo(f"Interrupted by {ended}.", err=True)
        return SIGNALLED + int(ended.number)
    if ended is not None:
        click.echo(f"Error: {ended}", err=True)
        return Exit.FAILED
    failed = len(outcome.result.problems) if outcome.result is not None else 0
    if failed:
        click.echo(f"Error: {failed} trials failed; see the last table", err=True)
    return Exit.FAILED if failed else Exit.DONE


@command.command("report")
@click.argument("result", type=click.Path(path_type=Path), metavar="RESULT.json")
@click.option("--format", "shape", type=click.Choice(["table", "markdown", "html"]), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file, instead of standard output.")
def report(result: Path, shape: str, out: Path | None) -> None:
    """Show a result again."""
    results = module("result")
    try:
        found = results.read(result)
        if shape == "table" and out is None:
            _show(found)
            return
        text = module("page").page(found) if shape == "html" else module("report").markdown(found)
        if out is None:
            click.echo(text, nl=False)
        else:
            results.write_text(out, text)
    except (results.ResultError, module("place").BenchError) as error:
        raise click.ClickException(str(plain(error))) from error
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror}") from error

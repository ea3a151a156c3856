"""BENCHMARKS.md, from the results that are kept in the repository: of one full bench, and of all promises."""

from pathlib import Path
from typing import Final

from kherd.bench.markdown import escaped
from kherd.bench.promises import report
from kherd.bench.report import markdown
from kherd.bench.result import read
from kherd.supervisor.cli.words import duration

RESULT: Final = "bench/results/full.json"
PROMISES: Final = "bench/results/promises.json"
HEAD: Final = """\
# Benchmarks

What acks, linger, batch size and compression cost and give, what each acks setting loses when a broker dies, and
kherd's consumers beside loops written by hand. Client and brokers share one machine: ratios carry over, absolute
figures do not. How it is measured and how to read it: [bench/README.md](bench/README.md).

Made by `{command}` on {date}, {cores} cores, all of it on one host. `make benchmarks` makes this page
again; `kherd bench report {result} --format html` makes one with plots.

"""


KEPT: Final = """
## Promises

What kherd promises, measured beside its rivals by `{command}` on {date}, {seconds},
on {machine}.
An interval is a 95 % bootstrap, or from the least to the most where each single value has to be kept; *met* and
*missed* need all of it on one side of the limit. `make promises` measures it again; what is measured how:
[bench/README.md](bench/README.md).

"""


def pages(root: Path) -> dict[str, str]:
    """Return the document by its path, none if there is no result."""
    path, promises = root / RESULT, root / PROMISES
    if not path.exists():
        return {}
    result = read(path)
    cores = escaped(str(result.environment["cores"]))
    head = HEAD.format(command=result.command, result=RESULT, date=result.began[:10], cores=cores)
    return {"BENCHMARKS.md": head + markdown(result) + (kept(promises) if promises.exists() else "")}


def kept(path: Path) -> str:
    """Return the section about promises."""
    found = report.read(path)
    of = found.environment
    broker = of.get("broker", {})
    machine = (
        f"{of.get('cores')} cores ({of.get('cpu')}) with {broker.get('brokers')} broker(s) of Apache Kafka"
        f" {broker.get('version') or ''} beside, load {of.get('load_before')} before, {of.get('load_after')} after"
    )
    head = KEPT.format(
        command=found.command, date=found.began[:10], seconds=duration(found.seconds), machine=escaped(machine)
    )
    return head + report.markdown(found)

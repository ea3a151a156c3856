"""BENCHMARKS.md, from the result of one full run that is kept in the repository."""

from pathlib import Path
from typing import Final

from kherd.bench.markdown import escaped
from kherd.bench.report import markdown
from kherd.bench.result import read

RESULT: Final = "bench/results/full.json"
HEAD: Final = """\
# Benchmarks

What acks, linger, batch size and compression cost and give, what each acks setting loses when a broker dies, and
kherd's consumers beside loops written by hand. Client and brokers share one machine: ratios carry over, absolute
figures do not. How it is measured and how to read it: [bench/README.md](bench/README.md).

Made by `{command}` on {date}, {cores} cores, all of it on one host. `make benchmarks` makes this page
again; `kherd bench report {result} --format html` makes one with plots.

"""


def pages(root: Path) -> dict[str, str]:
    """Return the document by its path, none if there is no result."""
    path = root / RESULT
    if not path.exists():
        return {}
    result = read(path)
    cores = escaped(str(result.environment["cores"]))
    head = HEAD.format(command=result.command, result=RESULT, date=result.began[:10], cores=cores)
    return {"BENCHMARKS.md": head + markdown(result)}

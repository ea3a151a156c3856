"""METRICS.md and EVENTS.md, from the closed tables in the code."""

from collections.abc import Iterable, Sequence

from kherd.supervisor.metrics import Metric
from kherd.worker.events import Event

MADE = "<!-- Made by docs/generate.py; changes here are lost. -->\n"
METRICS_HEAD = f"""# Metrics

{MADE}
Nothing else is exported. To statsd a metric goes as `PREFIX.APP.` and its path: `metrics.prefix`, then `app.name`; what
stands in braces is the value of a label. A gauge is a state now; a counter is sent as what was added since the last
time. Prometheus (`/metrics` of `metrics.http`) reads each under the name below, with the labels in braces; a counter is
the total since the supervisor started, whatever became of its exporter; a histogram, too, is read as `_bucket`, `_sum`
and `_count`. What is not known is in neither.

"""
EVENTS_HEAD = f"""# Events

{MADE}
Every log line is one of these (`event` in JSON), or a line of the handler's own logger. What stands in braces is also
a field of the JSON line, beside `time`, `level`, `message`, `app`, `role`, `pid`, and a worker's `slot`, `generation`.

"""


def metrics(rows: Iterable[Metric]) -> str:
    """Return METRICS.md."""
    lines = [
        [f"`{one.name}`", one.kind, one.unit, f"`{one.path or one.name}`", f"`{_series(one)}`", one.doc] for one in rows
    ]
    return METRICS_HEAD + table(("metric", "kind", "unit", "statsd path", "Prometheus", "meaning"), lines)


def _series(one: Metric) -> str:
    return f"{one.exported}{{{','.join(('app', *one.labels))}}}"


def events(rows: Iterable[Event]) -> str:
    """Return EVENTS.md."""
    lines = [[f"`{one.name}`", one.level, one.says, one.meaning] for one in rows]
    return EVENTS_HEAD + table(("event", "level", "sentence", "meaning"), lines)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    body = "".join(_row(row) for row in rows)
    return _row(head) + _row(["---"] * len(head)) + body


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"

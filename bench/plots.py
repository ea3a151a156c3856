"""The plots of a result as inline SVG, by pygal: nothing in them is loaded from elsewhere."""

import importlib
import sys
from collections.abc import Sequence
from typing import Any, Final

from .place import BenchError
from .readers import ConsumeRow, consume_rows
from .result import Result
from .summary import PacedRow, RateRow, paced_rows, rate_rows

COLORS: Final = ("#2f6f9f", "#d98e2b", "#b3413a", "#5b8c5a")
ROW: Final = 26
"""Pixels a bar is high, about."""
WIDTH: Final = 1000
SHARES: Final = {"p50": "p50", "p99": "p99", "p99.9": "p999"}
LEAST_MS: Final = 0.001
TICKS: Final = tuple(step * 10.0**power for power in range(-3, 6) for step in (1, 3))


def library() -> Any:
    """Return pygal.

    Raises:
        BenchError: it is not installed; says how to get it.
    """
    try:
        return importlib.import_module("pygal")
    except ImportError as error:
        raise BenchError(f"the HTML report needs pygal ({error}): pip install 'kherd[bench]', or --no-html") from error
    finally:
        # pygal adds a finder of an old kind, for plugins nobody uses here: every import that fails warns of it first.
        sys.meta_path[:] = [one for one in sys.meta_path if type(one).__module__ != "pygal"]


def plots(result: Result) -> list[tuple[str, str]]:
    """Return (caption, SVG) of every plot there are figures for. Raises BenchError without pygal."""
    made: list[tuple[str, str]] = []
    if rates := [row for row in rate_rows(result) if row.speed is not None]:
        made.append(("Records per second by cell, with the interval", _rates(rates)))
    if paced := [row for row in paced_rows(result) if row.quantiles]:
        sizes = dict.fromkeys(row.cell.batch_size for row in paced)
        made += [_latencies(size, [row for row in paced if row.cell.batch_size == size]) for size in sizes]
    if readers := consume_rows(result):
        made.append(("Records per second by contender, with the interval", _readers(readers)))
    return made


def _rates(rows: list[RateRow]) -> str:
    chart = _bars(rows)
    chart.x_labels = [row.cell.label for row in reversed(rows)]
    chart.add("records/s", [_bar(row.speed) for row in reversed(rows)])
    return _svg(chart)


def _readers(rows: list[ConsumeRow]) -> str:
    chart = _bars(rows)
    chart.x_labels = [row.contender for row in reversed(rows)]
    chart.add("records/s", [_bar(row.speed) for row in reversed(rows)])
    return _svg(chart)


def _latencies(batch: int, rows: list[PacedRow]) -> tuple[str, str]:
    """Return a plot over acks, linger and codec for one batch size: points, for on a log scale bars have no base."""
    figures = [max(LEAST_MS, row.quantiles[key].median * 1000) for row in rows for key in SHARES.values()]
    low, high = min(figures) / 1.5, max(figures) * 1.5
    ticks = [tick for tick in TICKS if low <= tick <= high]
    options = {"logarithmic": True, "show_legend": True, "range": (low, high), "y_labels": ticks or [low, high]}
    chart = _chart(
        "Line", 14, stroke=False, dots_size=5, show_x_guides=True, x_label_rotation=30, truncate_label=-1, **options
    )
    chart.x_labels = [_short(row) for row in rows]
    for name, key in SHARES.items():
        chart.add(name, [max(LEAST_MS, row.quantiles[key].median * 1000) for row in rows])
    return f"Latency in ms (log scale) by acks and linger.ms; batch.size {batch}", _svg(chart)


def _short(row: PacedRow) -> str:
    codec = "" if row.cell.compression == "none" else f", {row.cell.compression}"
    return f"acks={row.cell.acks}, {row.cell.linger_ms:g} ms{codec}"


def _bars(rows: Sequence[RateRow] | Sequence[ConsumeRow]) -> Any:
    highest = max(row.speed.high for row in rows if row.speed is not None)
    return _chart("HorizontalBar", len(rows), range=(0, highest * 1.02))


def _bar(speed: Any) -> dict[str, Any]:
    return {"value": speed.median, "ci": {"low": speed.low, "high": speed.high}}


def _chart(kind: str, rows: int, **more: Any) -> Any:
    pygal = library()
    style = importlib.import_module("pygal.style").Style(
        background="transparent",
        plot_background="transparent",
        colors=COLORS,
        font_family="sans-serif",
        label_font_size=12,
        major_label_font_size=12,
        legend_font_size=13,
        value_font_size=11,
        ci_colors=("#222222",),
        guide_stroke_color="#c8c8c8",
        major_guide_stroke_color="#c8c8c8",
    )
    options: dict[str, Any] = {
        "js": [],
        "style": style,
        "width": WIDTH,
        "height": 90 + ROW * rows,
        "show_legend": False,
        "explicit_size": False,
        "disable_xml_declaration": True,
        "value_formatter": _number,
        "margin": 10,
        **more,
    }
    return getattr(pygal, kind)(**options)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def _svg(chart: Any) -> str:
    chart.add_xml_filter(_without_scripts)
    text: str = chart.render(is_unicode=True)
    return text


def _without_scripts(root: Any) -> Any:
    """Drop pygal's inline script: it serves one that would be loaded from elsewhere."""
    for parent in list(root.iter()):
        for child in [one for one in parent if str(one.tag).endswith("script")]:
            parent.remove(child)
    return root

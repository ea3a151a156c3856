"""A result as one page of HTML that needs nothing else: no script, no font, no address outside it."""

from html import escape
from typing import Final

from .notes import labels
from .plots import plots
from .result import Result
from .sheets import Sheet, sheets

STYLE: Final = """
:root { color-scheme: light }
body { font: 15px/1.5 sans-serif; color: #1c1c1c; background: #fff; max-width: 90em; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.6em } h2 { font-size: 1.2em; margin-top: 2em }
ul.labels { padding-left: 1.2em; color: #333 }
p.note { color: #555; font-size: .9em; max-width: 75em }
p.incomplete { background: #fff3cd; border: 1px solid #d9b84a; padding: .5em 1em }
div.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .86em }
th, td { padding: .25em .7em; border-bottom: 1px solid #ddd; text-align: left; white-space: nowrap }
th { border-bottom: 2px solid #888 }
.number { text-align: right; font-variant-numeric: tabular-nums }
figure { margin: 1.5em 0 } figcaption { font-weight: bold }
figure svg { width: 100%; height: auto }
"""


def page(result: Result) -> str:
    """Return the page. Raises BenchError without pygal."""
    marks = "".join(f"<li>{escape(label)}</li>" for label in labels(result))
    warning = "" if result.complete else '<p class="incomplete">This run is incomplete.</p>'
    figures = "".join(
        f"<figure><figcaption>{escape(caption)}</figcaption>{svg}</figure>" for caption, svg in plots(result)
    )
    tables = "".join(map(_table, sheets(result)))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>kherd bench</title>'
        f"<style>{STYLE}</style></head><body><h1>kherd bench</h1>{warning}"
        f'<ul class="labels">{marks}</ul>{tables}<h2>Plots</h2>{figures}</body></html>\n'
    )


def _table(sheet: Sheet) -> str:
    kinds = ['class="number"' if number >= sheet.left and name != "note" else "" for number, name in
             enumerate(sheet.columns)]  # fmt: skip
    head = "".join(f"<th {kind}>{escape(name)}</th>" for kind, name in zip(kinds, sheet.columns, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td {kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in sheet.rows
    )
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in sheet.notes)
    return (
        f"<h2>{escape(sheet.title)}</h2>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{notes}'
    )

"""What the demo shows, on standard error: a sentence for each act and, on a terminal, the herd below them."""

from collections.abc import Mapping
from typing import Any, Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

INDENT: Final = 3


class Show:
    """Sentences stay, the picture of the herd is redrawn below them."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, emoji=False)
        # Redrawn by `refresh` alone: a thread of rich's could hold a lock while processes are forked.
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        if self.on_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    @property
    def on_terminal(self) -> bool:
        """Whether a person looks."""
        return self._console.is_terminal

    def act(self, number: int, title: str) -> None:
        """Announce an act."""
        self._print(Text.assemble("\n", (f"{number}. {title}", "bold cyan")))

    def say(self, sentence: str, style: str = "") -> None:
        """Say one sentence."""
        self._print(Padding(Text(sentence, style=style), (0, 0, 0, INDENT)) if self.on_terminal else Text(sentence))

    def plain(self, text: str) -> None:
        """Show text of others, such as a log, as it is."""
        self._print(Text(text, style="dim"))

    def _print(self, what: RenderableType) -> None:
        # Lines of a log are not broken where a terminal would end.
        self._console.print(what, soft_wrap=not self.on_terminal)

    def refresh(self, status: Mapping[str, Any], handled: int, dead: int) -> None:
        """Draw the herd anew."""
        if self._live.is_started and status:
            self._live.update(_picture(status, handled, dead), refresh=True)


def _picture(status: Mapping[str, Any], handled: int, dead: int) -> RenderableType:
    made = Table("slot", "pid", "state", "partitions", "handled", box=None, padding=(0, 2, 0, 0))
    for slot in status["slots"]:
        made.add_row(
            str(slot["slot"]),
            str(slot["pid"] or "-"),
            Text(slot["state"], style="green" if slot["state"] == "ready" else "yellow"),
            " ".join(str(one["partition"]) for one in slot["partitions"]) or "-",
            f"{slot['counters'].get('handled', 0):,}",
        )
    rate = status["rates"]["processing_rate"]
    totals = Text(f"{handled:,} handled ({rate:,.0f}/s)   {dead:,} dead letters", style="bold")
    return Group(Text(), made, Text(), totals)

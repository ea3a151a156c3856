"""A herd's log as it is being written: JSON lines become events, everything else is kept as text."""

import json
from pathlib import Path
from typing import Any, Final

Event = dict[str, Any]
LONGEST: Final = 400
"""Characters of a line that are shown to a person."""


class EventLog:
    """Follows the file at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.other: list[str] = []
        """Lines that are no events: nothing a well-behaved herd writes."""
        self._events: list[Event] = []
        self._lines: list[Event | str] = []
        self._read = 0

    def find(self, name: str | None = None, **fields: Any) -> list[Event]:
        """Return the events of that name (all: None) whose fields have those values."""
        self._follow()
        return [event for event in self._events if _matches(event, name, fields)]

    def tail(self, lines: int = 40) -> str:
        """Return the last lines as a person reads them: who, how bad, what; a traceback's last words."""
        self._follow()
        shown = [_short(line) for line in self._lines[-lines:]]
        return "\n".join(shown) or "(nothing was logged)"

    def _follow(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            self._take(line)

    def _take(self, line: str) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if isinstance(event, dict) and "event" in event:
            self._events.append(event)
            self._lines.append(event)
        else:
            self.other.append(line)
            self._lines.append(line)


def _matches(event: Event, name: str | None, fields: Event) -> bool:
    return name in {None, event["event"]} and all(event.get(key) == value for key, value in fields.items())


def _short(line: Event | str) -> str:
    if isinstance(line, str):
        return line[:LONGEST]
    who = line.get("role", "?") if line.get("slot") is None else f"{line['role']} {line['slot']}"
    words = f"{line.get('time', '')[11:23]} {line.get('level', '')} {who}: {line['event']}: {line.get('message')}"
    last = str(line.get("traceback", "")).splitlines()[-3:]
    return "\n    ".join([words[:LONGEST], *last])

"""A herd's log as it is being written: JSON lines become events, everything else is kept as text."""

import json
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class EventLog:
    """Follows the file at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.other: list[str] = []
        """Lines that are no events: nothing a well-behaved herd writes."""
        self._events: list[Event] = []
        self._read = 0

    def find(self, name: str | None = None, **fields: Any) -> list[Event]:
        """Return the events of that name (all: None) whose fields have those values."""
        self._follow()
        return [event for event in self._events if _matches(event, name, fields)]

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
        else:
            self.other.append(line)


def _matches(event: Event, name: str | None, fields: Event) -> bool:
    return name in {None, event["event"]} and all(event.get(key) == value for key, value in fields.items())

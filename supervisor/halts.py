"""What operators have paused, in force: kept in the state folder, told to the workers, shown in the status.

The file outlives the supervisor, not the folder: under systemd that is what RuntimeDirectoryPreserve says.
"""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from ..worker import clock, events, log
from ..worker.channel import Message
from ..worker.decide.halted import encode
from .control.protocol import Answer, done, refused
from .decide import halts as decide
from .decide.halts import DocumentError, InsideError, Place
from .statefile import StateFile

FILE: Final = "paused.json"
LARGEST: Final = 16 * 1024
"""Bytes of what a worker is told: 60 topics with the longest names, or some thousand single partitions."""


class Halts:
    """All pauses. `tell` gets a message for the workers whenever there is another one."""

    def __init__(self, folder: Path, app: str, tell: Callable[[Message], None]) -> None:
        """Put in force what the folder says; a file that cannot be trusted is told of and left alone."""
        self._file, self._app, self._tell = StateFile(folder / FILE), app, tell
        self._halts: decide.Halts = {}
        self.halted = decide.halted(self._halts)
        kept = self._read()
        if kept:
            self._adopt(kept)
            log.emit(events.PAUSED, places=decide.sentence(kept), reason="kept from before this start")

    def pause(self, place: Place, topics: Mapping[str, int], configured: Collection[str]) -> Answer:
        """Pause `place`, unless it is none of `topics` (name -> partitions; empty: not known) and `configured`."""
        problem = decide.unknown(place, topics, configured)
        if problem is not None:
            return refused(problem)
        wanted = decide.pause(self._halts, place, clock.wall())
        if wanted is self._halts:
            return self._answer(changed=False)
        if _too_much(wanted):
            return refused(f"{place} is not paused: too much is paused one by one; pause whole topics, or everything")
        return self._change(wanted) or self._say(events.PAUSED, places=str(place), reason="kherd pause")

    def resume(self, place: Place) -> Answer:
        """Undo the pauses of `place` and of its parts."""
        try:
            wanted = decide.resume(self._halts, place)
        except InsideError as error:
            return refused(str(error))
        if len(wanted) == len(self._halts):
            return self._answer(changed=False)
        left = decide.sentence(wanted) or "nothing"
        return self._change(wanted) or self._say(events.RESUMED, places=str(place), left=left)

    def document(self) -> list[dict[str, Any]]:
        """Return the `paused` part of the status document."""
        return [
            {"topic": place.topic, "partition": place.partition, "since": clock.iso(since)}
            for place, since in self._halts.items()
        ]

    def problems(self) -> list[str]:
        """Return one sentence while anything is paused."""
        if not self._halts:
            return []
        since = clock.iso(min(self._halts.values()))
        return [f"paused by an operator: {decide.sentence(self._halts)} since {since}; `kherd resume` ends it"]

    def _say(self, event: events.Event, **fields: str) -> Answer:
        log.emit(event, **fields)
        return self._answer(changed=True)

    def _answer(self, *, changed: bool) -> Answer:
        return done({"changed": changed, "paused": self.document()})

    def _change(self, wanted: decide.Halts) -> Answer | None:
        """Keep and adopt `wanted`, or return a refusal: what the next supervisor would not know is not promised."""
        try:
            self._write(wanted)
        except OSError as error:
            return refused(
                f"nothing has changed: {self._file.path} cannot be written: {error.strerror}; mend that, then again"
            )
        self._adopt(wanted)
        return None

    def _adopt(self, wanted: decide.Halts) -> None:
        self._halts, self.halted = wanted, decide.halted(wanted)
        self._tell(encode(self.halted))

    def _write(self, wanted: decide.Halts) -> None:
        if wanted:
            self._file.write(decide.to_document(wanted, self._app))
        else:
            self._file.delete()

    def _read(self) -> decide.Halts:
        try:
            kept = self._file.read(lambda document: decide.from_document(document, self._app))
            if kept is None or not _too_much(kept):
                return kept or {}
            reason = "it holds more than kherd writes"
        except DocumentError as error:
            reason = str(error)
        log.emit(events.PAUSES_IGNORED, path=str(self._file.path), reason=reason)
        return {}


def _too_much(halts: decide.Halts) -> bool:
    return len(json.dumps(encode(decide.halted(halts)))) > LARGEST

"""What the supervisor tells a worker of suspects: messages, and the newest of what was told.

Messages: `suspects` (`first`: forget what was told before, as soon as the one with `last` has come; `suspects`: rows
of `decide.suspects.encode`). A worker answers with `acquitted` (`topic`, `partition`, `first`, `last`) when the call
for a suspect has ended, or its partition has gone on past it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from .channel import Message
from .decide.pressure import Key
from .decide.suspects import Suspect, Verdict, decode, encode

LARGEST: Final = 100 * 1024
"""Bytes of the rows of one message; a row takes up to 30 KiB, with the longest stack."""


@dataclass(slots=True)
class Suspects:
    """The newest of what was told."""

    by_key: dict[Key, list[Suspect]] = field(default_factory=dict)
    version: int = 0
    """Changes with each telling."""
    _coming: dict[Key, list[Suspect]] = field(default_factory=dict)

    def take(self, message: Message) -> None:
        """Take a `suspects` message in; nothing follows from it before the last one of its telling."""
        if message["first"]:
            self._coming = {}
        for suspect in map(decode, message["suspects"]):
            self._coming.setdefault(suspect.key, []).append(suspect)
        if message["last"]:
            self.by_key, self._coming = self._coming, {}
            self.version += 1

    def drop(self, suspect: Suspect) -> None:
        """Forget one: its call has ended."""
        left = [one for one in self.by_key.get(suspect.key, ()) if one is not suspect]
        if left:
            self.by_key[suspect.key] = left
        else:
            self.by_key.pop(suspect.key, None)


def messages(suspects: Iterable[Suspect]) -> Iterator[Message]:
    """Yield the messages that tell `suspects` and nothing else."""
    parts: list[list[dict[str, Any]]] = [[]]
    size = 0
    for suspect in suspects:
        row = encode(suspect, report=suspect.verdict is Verdict.CONDEMNED)
        length = len(json.dumps(row))
        if parts[-1] and size + length > LARGEST:
            parts.append([])
            size = 0
        parts[-1].append(row)
        size += length
    for index, part in enumerate(parts):
        yield {"type": "suspects", "first": index == 0, "last": index == len(parts) - 1, "suspects": part}


def acquitted(suspect: Suspect) -> Message:
    """Return what a worker says when `suspect` is none any more."""
    return {
        "type": "acquitted",
        "topic": suspect.topic,
        "partition": suspect.partition,
        "first": suspect.first,
        "last": suspect.last,
    }


def heard(message: Message) -> Suspect | None:
    """Return whom an `acquitted` message is about; None if it says nothing that makes sense."""
    numbers = [message.get(name) for name in ("partition", "first", "last")]
    if not isinstance(message.get("topic"), str) or any(type(number) is not int for number in numbers):
        return None
    return Suspect(message["topic"], message["partition"], message["first"], message["last"])

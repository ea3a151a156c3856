"""A nursery that has no processes: it steps the machines, and remembers what was said and done."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kherd.supervisor.decide import child as machine
from kherd.supervisor.decide.child import Action
from kherd.supervisor.kind import Kind
from kherd.supervisor.process.handle import Handle, Process
from kherd.worker.channel import Message, pair


@dataclass
class FakeNursery:
    """Stands in for `Nursery` where only its interface matters."""

    now: float = 0.0
    handles: dict[str, Handle] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    said: list[tuple[str, Message, tuple[int, ...]]] = field(default_factory=list)
    done: list[tuple[str, Action]] = field(default_factory=list)

    def add(self, handle: Handle, kind: Kind) -> None:
        self.handles[handle.name], self.kinds[handle.name] = handle, kind

    def remove(self, handle: Handle) -> None:
        del self.handles[handle.name], self.kinds[handle.name]

    def feed(self, handle: Handle, event: machine.Event) -> None:
        handle.child, actions = machine.step(handle.child, event, self.now)
        self.done += [(handle.name, action) for action in actions]

    def say(self, handle: Handle, message: Message, fds: Iterable[int] = ()) -> None:
        self.said.append((handle.name, message, tuple(fds)))

    def to(self, name: str) -> list[Any]:
        """Return what was said to a child."""
        return [message for told, message, _ in self.said if told == name]


def process() -> Process:
    """Return a process that nothing is behind; close its channel."""
    ours, theirs = pair()
    theirs.close()
    return Process(ours, 1)

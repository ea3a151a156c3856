"""What differs between one kind of child and another: the nursery asks, a `Kind` answers."""

from typing import Protocol

from ..worker.channel import Message
from .decide.cause import Cause
from .decide.restart import Plan, RestartPolicy
from .process.handle import Handle, Process


class Kind(Protocol):
    """What is particular to one kind of child."""

    policy: RestartPolicy
    recent: tuple[float, ...]
    """Times of the kind's failed starts within the policy's period."""

    def spawn(self, handle: Handle) -> None:
        """Ask for a process: leads to `Nursery.adopt` or `Nursery.fail`, now or later."""

    def open_gate(self, handle: Handle) -> None:
        """Let it pass the barrier."""

    def stop(self, handle: Handle) -> None:
        """Tell it to finish what it does, and to end."""

    def message(self, handle: Handle, message: Message) -> None:
        """Act on what it says."""

    def hung_up(self, handle: Handle) -> None:
        """We have hung up on a process that was never announced: drop what else could keep its channel open."""

    def dump(self, handle: Handle, process: Process) -> None:
        """Have it write its stacks."""

    def blames(self, handle: Handle, process: Process, cause: Cause) -> bool:
        """Blame its end on what it was doing; return whether it was that, and no failed start. `gone` follows."""

    def gone(self, handle: Handle, process: Process, cause: Cause, plan: Plan) -> None:
        """Take note of its end and of what will follow; its channel is read to the end."""

    def degraded(self, handle: Handle) -> None:
        """The restart intensity is exceeded."""

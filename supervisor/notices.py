"""Death notices on their way: asked for at a death, sent by the liaison, awaited at the barrier."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..worker import clock, events, log
from ..worker.channel import Message
from ..worker.spec import KafkaSpec, instance_id
from .decide.notice import Death, plan_notice
from .nursery import Nursery
from .process.handle import Handle

STARTING_SECONDS: Final = 4.0
"""Time that a liaison may take until it can be told."""


@dataclass(frozen=True, slots=True)
class Pending:
    """One notice that is not answered yet; `strict` if the successor must wait for the answer, however long."""

    slot: int
    since: float
    message: Message
    strict: bool


class Notices:
    """All notices that are not answered yet. They survive the liaison: a new one is told again."""

    def __init__(self, nursery: Nursery, liaison: Handle, kafka: KafkaSpec, app: str, instance: str | None) -> None:
        self._nursery = nursery
        self._kafka = kafka
        self._app, self._instance = app, instance
        self._pending: dict[int, Pending] = {}
        self._liaison = liaison
        self._told = False
        self._last = 0

    def instance_id(self, slot: int) -> str | None:
        """Return the group.instance.id of a slot, None for dynamic members."""
        if not self._kafka.static_membership or self._instance is None:
            return None
        return instance_id(self._app, self._instance, slot)

    def died(
        self,
        slot: int,
        member_id: str | None,
        *,
        coming_back: bool,
        clean: bool,
        partitions: Sequence[tuple[str, int]] = (),
    ) -> None:
        """A worker is gone: tell the coordinator what it would learn only after the session timeout.

        `partitions` are those that its board showed.
        """
        notice = plan_notice(
            Death(
                protocol=self._kafka.group_protocol,
                static=self._kafka.static_membership,
                coming_back=coming_back,
                clean_exit=clean,
                member_id=member_id,
                instance_id=self.instance_id(slot),
                holding=bool(partitions),
            )
        )
        if notice is None or self._kafka.embedded:
            return
        if notice.kind == "describe_release":
            self.unreleased(slot)
            return
        ids: Message = {"member_id": notice.member_id, "instance_id": notice.instance_id}
        if notice.kind == "take_over":
            ids["partitions"] = list(partitions)
        self._send(slot, {"type": "notice", "kind": notice.kind, **ids}, strict=notice.can_evict_successor)

    def unreleased(self, slot: int) -> None:
        """The slot's instance id is held by somebody: have it released."""
        self._send(slot, {"type": "describe_release", "instance_id": self.instance_id(slot)}, strict=True)

    def liaison_gone(self) -> list[Pending]:
        """Its connections are closed: what could still hit a successor is dropped, the rest is told to the next one.

        Return what was dropped: a worker that waits for one of them has to ask again.
        """
        dropped = [one for one in self._pending.values() if one.strict]
        self._pending = {key: one for key, one in self._pending.items() if not one.strict}
        self._told = False
        return dropped

    def liaison_ready(self) -> None:
        """Tell a new liaison everything that is not answered; what waits at the barrier waits from now on."""
        self._told, now = True, clock.monotonic()
        self._pending = {key: replace(one, since=now) for key, one in self._pending.items()}
        for pending in self._pending.values():
            self._nursery.say(self._liaison, pending.message)

    def answered(self, message: Message) -> Pending | None:
        """Take an answer of the liaison; return the notice it belongs to."""
        pending = self._pending.pop(message["id"], None)
        if pending is not None:
            child = pending.message["child"]
            if message["ok"]:
                kind = pending.message.get("kind", "describe and release")
                log.emit(events.NOTICE_SENT, child=child, kind=kind, ms=message["ms"])
            else:
                log.emit(events.NOTICE_FAILED, child=child, reason=message["error"])
        return pending

    def of(self, slot: int) -> Pending | None:
        """Return the notice that a slot's next process has to wait for: a strict one before others, then the oldest."""
        waiting = [one for one in self._pending.values() if one.slot == slot]
        return next((one for one in waiting if one.strict), waiting[0] if waiting else None)

    def __len__(self) -> int:
        return len(self._pending)

    def _send(self, slot: int, message: Message, *, strict: bool) -> None:
        self._last += 1
        message = {**message, "id": self._last, "child": f"worker {slot}"}
        # A liaison that is only starting gets the time for it: a member that joins before its notice is turned away.
        since = clock.monotonic() + (0.0 if self._told else STARTING_SECONDS)
        self._pending[self._last] = Pending(slot, since, message, strict)
        if self._told:
            self._nursery.say(self._liaison, message)

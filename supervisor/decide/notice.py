"""What the group's coordinator has to be told about a dead worker, if anything.

Kafka learns of a killed member only when its session times out (45 s); the supervisor knows at once. What helps
depends on how the member had joined and on whether a successor takes its place.
"""

from dataclasses import dataclass
from typing import Literal

from ...worker.spec import GroupProtocol

Kind = Literal["release", "leave", "describe_release", "take_over"]


@dataclass(frozen=True, slots=True)
class Death:
    """A worker process that is gone.

    `coming_back`: its slot is filled again at once; `clean_exit`: its consumer was closed. `member_id`
    is None when the process died before its board held one; `instance_id` is None for a dynamic member.
    """

    protocol: GroupProtocol
    static: bool
    coming_back: bool
    clean_exit: bool
    member_id: str | None
    instance_id: str | None
    holding: bool = False
    """Whether its board showed partitions when it died."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell the coordinator.

    `release`: the static member will be back, its instance id is free (KIP-848: member epoch -2, the assignment
    stays). `leave`: the member is gone for good. `describe_release`: release whoever holds the instance id.
    `take_over`: a classic successor takes the id over by itself; but if the group was just about to move partitions
    away from the dead member, nobody would rejoin to have them assigned anew, so that it has to leave.
    """

    kind: Kind
    member_id: str | None
    instance_id: str | None

    @property
    def can_evict_successor(self) -> bool:
        """Whether a late arrival could hit the slot's next process: hold that one at the barrier until the answer."""
        return self.member_id is None


def plan_notice(death: Death) -> Notice | None:
    """Return what the coordinator must hear about `death`; None if nothing, or nothing that could be said."""
    if death.static and death.instance_id:
        return _of_static(death, death.instance_id)
    if death.clean_exit or not death.member_id:
        # A dynamic member's close() has left by itself; one without a member id never was in the group.
        return None
    return Notice("leave", death.member_id, None)


def _of_static(death: Death, instance_id: str) -> Notice | None:
    member_id = death.member_id or None
    if not death.coming_back:
        # close() of a static member does not leave, under neither protocol.
        return Notice("leave", member_id, instance_id)
    if death.clean_exit:
        # Classic: nothing is wrong with taking the id over. KIP-848: close() has sent epoch -2 itself.
        return None
    if death.protocol == "classic":
        return Notice("take_over", member_id, instance_id) if member_id and death.holding else None
    if member_id is None:
        return Notice("describe_release", None, instance_id)
    return Notice("release", member_id, instance_id)

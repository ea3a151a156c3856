"""What the messenger asks a group's coordinator, as kafka-python messages.

kafka-python knows the keys of KIP-848's two group APIs (68, 69) but ships no schema for them; the JSON files beside
this module are their fields, and carry TLS, SASL and framing along with kafka-python's connections.
"""

from typing import Any, Final

from kafka.errors import BrokerResponseError, for_code
from kafka.protocol.admin import DescribeGroupsRequest
from kafka.protocol.api_message import ApiMessage
from kafka.protocol.consumer import LeaveGroupRequest
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment
from kafka.protocol.metadata import CoordinatorType, FindCoordinatorRequest

RELEASE_EPOCH: Final = -2
"""KIP-848: the static member leaves for now, its instance id is free and its target assignment stays."""
NONE: Final = 0
STABLE: Final = "Stable"
DEAD: Final = "Dead"
GONE: Final = frozenset({25, 69, 82})
"""UNKNOWN_MEMBER_ID, GROUP_ID_NOT_FOUND, and FENCED_INSTANCE_ID: another member holds the id by now."""
GROUP_ID_NOT_FOUND: Final = 69
REASON: Final = "kherd: the process is dead"


class ConsumerGroupHeartbeatRequest(ApiMessage, load_json=__package__):
    """API 68."""


class ConsumerGroupHeartbeatResponse(ApiMessage, load_json=__package__):
    """API 68."""


class ConsumerGroupDescribeRequest(ApiMessage, load_json=__package__):
    """API 69."""


class ConsumerGroupDescribeResponse(ApiMessage, load_json=__package__):
    """API 69."""


def find_coordinator(group: str, version: int) -> Any:
    """Ask any broker who coordinates `group`; from version 4 on the request takes several."""
    kind = int(CoordinatorType.GROUP)
    if version >= 4:  # noqa: PLR2004 - KIP-699
        return FindCoordinatorRequest(key_type=kind, coordinator_keys=[group], min_version=4)
    return FindCoordinatorRequest(key_type=kind, key=group, max_version=3)


def found(response: Any, version: int) -> Any:
    """Return the row of the answer that names the coordinator."""
    return response.coordinators[0] if version >= 4 else response  # noqa: PLR2004 - KIP-699


def release(group: str, member_id: str, instance_id: str) -> Any:
    """Say that static member `member_id` is down but its instance will be back."""
    make: Any = ConsumerGroupHeartbeatRequest
    return make(group_id=group, member_id=member_id, member_epoch=RELEASE_EPOCH, instance_id=instance_id)


def leave(group: str, member_id: str | None, instance_id: str | None) -> Any:
    """Take a member out. By instance id alone (no `member_id`) it takes out whoever holds the id on arrival."""
    member = LeaveGroupRequest.MemberIdentity(member_id=member_id or "", group_instance_id=instance_id, reason=REASON)
    return LeaveGroupRequest(group_id=group, members=[member], min_version=3)


def describe(group: str, *, classic: bool) -> Any:
    """Ask for the members of `group`."""
    if classic:
        return DescribeGroupsRequest(groups=[group], min_version=4)
    make: Any = ConsumerGroupDescribeRequest
    return make(group_ids=[group], include_authorized_operations=False)


def holder(response: Any, instance_id: str, *, classic: bool) -> str | None:
    """Return the id of the member that holds `instance_id` according to a description, or None if nobody does.

    Raises:
        BrokerResponseError: the group could not be described.
    """
    group = response.groups[0]
    if group.error_code == GROUP_ID_NOT_FOUND:
        return None
    check(group.error_code)
    for member in group.members:
        if (member.group_instance_id if classic else member.instance_id) == instance_id:
            return str(member.member_id)
    return None


def member_ids(response: Any, *, classic: bool) -> frozenset[str] | None:
    """Return the ids of the group's members according to a description; None: no group of this protocol has its name.

    Raises:
        BrokerResponseError: the group could not be described.
    """
    group = response.groups[0]
    # Up to version 5, a classic description calls a group dead that is none, or is of the other protocol.
    if group.error_code == GROUP_ID_NOT_FOUND or (classic and group.error_code == NONE and group.group_state == DEAD):
        return None
    check(group.error_code)
    return frozenset(str(member.member_id) for member in group.members)


def taken_away(response: Any, member_id: str, partitions: frozenset[tuple[str, int]]) -> bool:
    """Return whether a classic group has taken some of `partitions` from a member that still had them.

    In a cooperative rebalance a member first learns what it loses, gives it up and joins again; only that assigns it to
    somebody else. While the group is not stable its next assignment is still to come.

    Raises:
        BrokerResponseError: the group could not be described.
    """
    group = response.groups[0]
    if group.error_code == GROUP_ID_NOT_FOUND:
        return False
    check(group.error_code)
    assigned = [member.member_assignment for member in group.members if member.member_id == member_id]
    if group.group_state != STABLE or not assigned or not assigned[0]:
        return False
    kept = ConsumerProtocolAssignment.decode(assigned[0]).partitions()
    return not partitions <= {(one.topic, one.partition) for one in kept}


def check(code: int) -> None:
    """Raise what `code` means; a member that is no longer there is what was wanted.

    Raises:
        BrokerResponseError: the coordinator refused.
    """
    if code != NONE and code not in GONE:
        error: BrokerResponseError = for_code(code)()
        raise error


def check_leave(response: Any) -> None:
    """Raise what a LeaveGroup answer complains about, for the group or its one member.

    Raises:
        BrokerResponseError: the coordinator refused.
    """
    check(response.error_code)
    for member in response.members:
        check(member.error_code)

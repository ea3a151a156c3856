import asyncio
import struct
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import KafkaConnectionError, SaslAuthenticationFailedError

from kherd.supervisor.children.liaison import requests
from kherd.supervisor.children.liaison.errands import LIMIT, Answer, Delivery, Errand
from kherd.worker import clock
from kherd.worker.spec import GroupProtocol

NOT_COORDINATOR, UNKNOWN_MEMBER, NOT_AUTHORIZED, FENCED, LOADING, NO_GROUP = 16, 25, 30, 82, 14, 69


class FakeCoordinator:
    """Answers by request name with error codes (or raises), in order; the last answer of a name is repeated."""

    def __init__(self, **answers: list[int | Exception]) -> None:
        self.answers = answers
        self.asked: list[Any] = []
        self.forgotten = 0
        self.holders: dict[str, str] = {}

    async def ask(self, request: Any, deadline: float) -> Any:
        self.asked.append(request)
        queue = self.answers.get(request.name, [0])
        code = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(code, Exception):
            raise code
        rows = [
            SimpleNamespace(member_id=member, instance_id=instance, group_instance_id=instance)
            for instance, member in self.holders.items()
        ]
        group = SimpleNamespace(error_code=code, members=rows)
        member = SimpleNamespace(error_code=code)
        return SimpleNamespace(error_code=code, groups=[group], members=[member])

    def forget(self) -> None:
        self.forgotten += 1

    @property
    def names(self) -> list[str]:
        return [request.name for request in self.asked]


async def no_wait(seconds: float) -> None:
    pass


Deliver = Callable[..., Answer]


def deliver(
    coordinator: FakeCoordinator,
    kind: Any,
    member_id: str | None,
    instance_id: str | None,
    protocol: GroupProtocol = "consumer",
) -> Answer:
    delivery = Delivery(coordinator, "g", protocol, no_wait)
    errand = Errand(1, "worker 0", kind, member_id, instance_id)
    return asyncio.run(delivery.deliver(errand, clock.monotonic()))


def test_a_release_is_a_heartbeat_of_epoch_minus_two_with_both_ids() -> None:
    coordinator = FakeCoordinator()
    assert deliver(coordinator, "release", "m", "i").ok
    (request,) = coordinator.asked
    assert (request.name, request.member_epoch) == ("ConsumerGroupHeartbeatRequest", -2)
    assert (request.group_id, request.member_id, request.instance_id) == ("g", "m", "i")


def test_a_leave_names_the_dead_member_and_its_instance() -> None:
    coordinator = FakeCoordinator()
    assert deliver(coordinator, "leave", "m", "i").ok
    (request,) = coordinator.asked
    (member,) = request.members
    assert (request.name, member.member_id, member.group_instance_id) == ("LeaveGroupRequest", "m", "i")


@pytest.mark.parametrize("code", [UNKNOWN_MEMBER, FENCED, NO_GROUP])
@pytest.mark.parametrize("kind", ["leave", "release"])
def test_a_member_that_is_already_gone_or_succeeded_is_what_was_wanted(kind: str, code: int) -> None:
    coordinator = FakeCoordinator(LeaveGroupRequest=[code], ConsumerGroupHeartbeatRequest=[code])
    assert deliver(coordinator, kind, "m", "i").ok


@pytest.mark.parametrize("trouble", [NOT_COORDINATOR, LOADING, KafkaConnectionError("reset")])
def test_what_may_pass_is_tried_again(trouble: int | Exception) -> None:
    coordinator = FakeCoordinator(LeaveGroupRequest=[trouble, trouble, 0])
    assert deliver(coordinator, "leave", "m", None).ok
    assert len(coordinator.asked) == 3
    assert coordinator.forgotten == (2 if trouble == NOT_COORDINATOR else 0)


@pytest.mark.parametrize("trouble", [NOT_AUTHORIZED, SaslAuthenticationFailedError("no"), OSError("tls")])
def test_what_will_not_pass_is_not_tried_again(trouble: int | Exception) -> None:
    coordinator = FakeCoordinator(LeaveGroupRequest=[trouble])
    answer = deliver(coordinator, "leave", "m", None)
    assert not answer.ok
    assert answer.error
    assert len(coordinator.asked) == 1


def test_nothing_is_tried_beyond_the_limit() -> None:
    coordinator = FakeCoordinator(LeaveGroupRequest=[LOADING])
    delivery = Delivery(coordinator, "g", "consumer", no_wait)
    errand = Errand(1, "worker 0", "leave", "m", None)
    answer = asyncio.run(delivery.deliver(errand, clock.monotonic() - LIMIT))
    assert not answer.ok
    assert len(coordinator.asked) == 1


def test_describe_release_releases_whoever_holds_the_instance_id() -> None:
    coordinator = FakeCoordinator()
    coordinator.holders = {"other": "x", "i": "m7"}
    assert deliver(coordinator, "describe_release", None, "i").ok
    assert coordinator.names == ["ConsumerGroupDescribeRequest", "ConsumerGroupHeartbeatRequest"]
    assert coordinator.asked[1].member_id == "m7"


def test_an_instance_id_that_nobody_holds_needs_no_release() -> None:
    coordinator = FakeCoordinator()
    assert deliver(coordinator, "describe_release", None, "i").ok
    assert coordinator.names == ["ConsumerGroupDescribeRequest"]


@pytest.mark.parametrize(("protocol", "describe"), [("classic", "DescribeGroupsRequest"), ("consumer", None)])
def test_a_leave_without_a_member_id_looks_the_member_up_first(protocol: GroupProtocol, describe: str | None) -> None:
    coordinator = FakeCoordinator()
    coordinator.holders = {"i": "m7"}
    assert deliver(coordinator, "leave", None, "i", protocol).ok
    assert coordinator.names == [describe or "ConsumerGroupDescribeRequest", "LeaveGroupRequest"]
    assert coordinator.asked[1].members[0].member_id == "m7"


def test_a_leave_of_an_instance_that_nobody_holds_asks_nothing_more() -> None:
    coordinator = FakeCoordinator()
    assert deliver(coordinator, "leave", None, "i").ok
    assert coordinator.names == ["ConsumerGroupDescribeRequest"]


def test_where_the_group_may_not_be_described_the_instance_id_alone_must_do() -> None:
    coordinator = FakeCoordinator(ConsumerGroupDescribeRequest=[NOT_AUTHORIZED])
    assert deliver(coordinator, "leave", None, "i").ok
    (member,) = coordinator.asked[1].members
    assert (member.member_id, member.group_instance_id) == ("", "i")


ORDERS = struct.pack(">hih6sii", 0, 1, 6, b"orders", 1, 1) + struct.pack(">i", -1)
"""What a classic coordinator says of a member that has orders[1] alone."""


@pytest.mark.parametrize(
    ("state", "assignment", "taken"),
    [
        ("Stable", ORDERS, True),  # orders[0] was taken away, and only the dead member could have rejoined for it
        ("PreparingRebalance", ORDERS, False),  # the successor takes part in what is still to be decided
        ("Stable", b"", False),
    ],
)
def test_a_member_that_was_losing_partitions_has_to_leave(state: str, assignment: bytes, taken: bool) -> None:
    row = SimpleNamespace(member_id="m1", member_assignment=assignment)
    group = SimpleNamespace(error_code=0, group_state=state, members=[row])
    answer = SimpleNamespace(groups=[group])
    assert requests.taken_away(answer, "m1", frozenset({("orders", 0), ("orders", 1)})) is taken
    assert not requests.taken_away(answer, "m1", frozenset({("orders", 1)}))
    assert not requests.taken_away(answer, "somebody else", frozenset({("orders", 0)}))

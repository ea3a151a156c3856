"""Who is in the group: both protocols are asked, failures are unknown, and every message can be sent."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import IncompatibleBrokerVersion, KafkaConnectionError

from kherd.supervisor.children.liaison.census import Census, messages
from kherd.supervisor.observed import Observed
from kherd.worker.channel import MAX_MESSAGE
from kherd.worker.spec import GroupProtocol

CLASSIC, KIP848 = "DescribeGroupsRequest", "ConsumerGroupDescribeRequest"
NO_GROUP, NOT_COORDINATOR, NOT_AUTHORIZED = 69, 16, 30


def described(*ids: str, state: str = "Stable", code: int = 0) -> Any:
    members = [SimpleNamespace(member_id=one) for one in ids]
    return SimpleNamespace(groups=[SimpleNamespace(error_code=code, group_state=state, members=members)])


class FakeCoordinator:
    """Answers by request name; an exception is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.forgotten = 0

    async def ask(self, request: Any, deadline: float) -> Any:
        self.asked.append(request.name)
        answer = self.answers[request.name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def forget(self) -> None:
        self.forgotten += 1


def take(coordinator: FakeCoordinator, protocol: GroupProtocol = "consumer") -> dict[str, Any]:
    said: list[dict[str, Any]] = []
    asyncio.run(Census(coordinator, "g", protocol, said.append).take(1.0))
    (message,) = said
    return message


def test_the_members_are_those_that_the_groups_own_protocol_names() -> None:
    coordinator = FakeCoordinator(**{KIP848: described("b", "a")})
    assert take(coordinator) == {"type": "members", "census": 1, "last": True, "ids": ["a", "b"], "reason": None}
    assert coordinator.asked == [KIP848]


@pytest.mark.parametrize(
    ("protocol", "first", "answer", "second"),
    [
        ("classic", CLASSIC, described(state="Dead"), KIP848),
        ("classic", CLASSIC, described(code=NO_GROUP), KIP848),
        ("consumer", KIP848, described(code=NO_GROUP), CLASSIC),
        ("consumer", KIP848, IncompatibleBrokerVersion("old"), CLASSIC),
    ],
)
def test_a_group_of_the_other_protocol_is_found_too(
    protocol: GroupProtocol, first: str, answer: Any, second: str
) -> None:
    coordinator = FakeCoordinator(**{first: answer, second: described("m")})
    assert take(coordinator, protocol)["ids"] == ["m"]
    assert coordinator.asked == [first, second]


@pytest.mark.parametrize("second", [described(code=NO_GROUP), IncompatibleBrokerVersion("old")])
def test_a_group_that_neither_protocol_knows_has_no_members(second: Any) -> None:
    coordinator = FakeCoordinator(**{CLASSIC: described(state="Dead"), KIP848: second})
    assert take(coordinator, "classic")["ids"] == []


def test_an_empty_group_has_no_members() -> None:
    assert take(FakeCoordinator(**{CLASSIC: described(state="Empty")}), "classic")["ids"] == []


@pytest.mark.parametrize(
    "answer",
    [KafkaConnectionError("reset"), OSError("tls"), described(code=NOT_AUTHORIZED), SimpleNamespace(groups=[])],
)
def test_a_failure_is_unknown_and_never_nobody(answer: Any) -> None:
    message = take(FakeCoordinator(**{KIP848: answer}))
    assert message["ids"] is None
    assert message["reason"]


def test_a_group_that_has_moved_is_looked_for_at_the_next_census() -> None:
    coordinator = FakeCoordinator(**{KIP848: described(code=NOT_COORDINATOR)})
    assert take(coordinator)["ids"] is None
    assert coordinator.forgotten == 1


@given(st.frozensets(st.text(max_size=40), max_size=60), st.integers(1, 9), st.integers(1, 3000))
def test_a_census_of_any_size_arrives_whole_in_messages_that_can_be_sent(
    ids: frozenset[str], number: int, longer: int
) -> None:
    wanted = frozenset(one + "\x00" * longer for one in ids)
    seen = Observed("earliest")
    for message in messages(number, wanted, None):
        assert len(json.dumps(message)) <= MAX_MESSAGE
        seen.hear(json.loads(json.dumps(message)))
    assert seen.members == wanted


def test_a_member_id_that_no_message_holds_makes_the_census_unknown() -> None:
    (message,) = messages(1, frozenset({"x" * MAX_MESSAGE, "y"}), None)
    assert (message["ids"], message["last"]) == (None, True)
    assert message["reason"]

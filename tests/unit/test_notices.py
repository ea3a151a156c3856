"""Death notices: each answered once, told again to a new liaison unless it could hit a successor, then asked anew."""

from typing import Any

import pytest

from kherd.supervisor.notices import Notices
from kherd.supervisor.process.handle import Handle
from kherd.worker import clock
from kherd.worker.spec import KafkaSpec

from ..fakes.nursery import FakeNursery


def _notices(**kafka: Any) -> tuple[Notices, FakeNursery]:
    fields = {"group_protocol": "consumer", "static_membership": True, **kafka}
    spec = KafkaSpec(bootstrap="b:1", group="billing", topics=("orders",), **fields)
    nursery = FakeNursery()
    notices = Notices(nursery, Handle("liaison", 30.0), spec, "orders", "host")  # type: ignore[arg-type] # the fake has its interface
    return notices, nursery


def _answer(message: dict[str, Any], *, ok: bool = True) -> dict[str, Any]:
    return {"type": "notice_done", "id": message["id"], "ok": ok, "ms": 5.0, "error": None if ok else "timed out"}


def test_a_notice_waits_for_the_liaison_and_for_its_answer() -> None:
    notices, nursery = _notices()
    notices.died(2, "m-1", coming_back=True, clean=False)
    assert nursery.said == []
    assert len(notices) == 1
    pending = notices.of(2)
    assert pending is not None
    assert not pending.strict
    assert notices.of(1) is None
    assert pending.since > clock.monotonic()
    notices.liaison_ready()
    told = notices.of(2)
    assert told is not None
    assert told.since <= clock.monotonic()
    (message,) = nursery.to("liaison")
    assert (message["kind"], message["member_id"], message["instance_id"]) == ("release", "m-1", "orders-host-2")
    assert message["child"] == "worker 2"
    assert notices.answered(_answer(message)) == told
    assert len(notices) == 0
    assert notices.answered(_answer(message)) is None


def test_a_ready_liaison_is_told_at_once_and_ids_are_never_used_twice() -> None:
    notices, nursery = _notices()
    notices.liaison_ready()
    for slot in range(5):
        notices.died(slot, f"m-{slot}", coming_back=True, clean=False)
    ids = [message["id"] for message in nursery.to("liaison")]
    assert len(set(ids)) == 5


def test_a_notice_that_could_hit_the_successor_is_not_hidden_behind_an_older_one() -> None:
    notices, nursery = _notices()
    notices.liaison_ready()
    notices.died(0, "m-0", coming_back=True, clean=False)
    notices.died(0, None, coming_back=True, clean=False)  # the next process died before it had a member id
    pending = notices.of(0)
    assert pending is not None
    assert pending.strict
    notices.answered(_answer(nursery.to("liaison")[1]))
    pending = notices.of(0)
    assert pending is not None
    assert not pending.strict


def test_a_failed_notice_is_answered_too() -> None:
    notices, nursery = _notices()
    notices.liaison_ready()
    notices.died(0, "m-0", coming_back=False, clean=False)
    (message,) = nursery.to("liaison")
    assert message["kind"] == "leave"
    assert notices.answered(_answer(message, ok=False)) is not None
    assert len(notices) == 0


def test_a_notice_without_a_member_id_holds_the_successor_until_the_answer() -> None:
    notices, _ = _notices()
    notices.died(0, None, coming_back=True, clean=False)
    pending = notices.of(0)
    assert pending is not None
    assert pending.strict
    assert pending.message["type"] == "describe_release"


def test_a_new_liaison_is_told_again_but_not_what_could_hit_a_successor() -> None:
    notices, nursery = _notices()
    notices.liaison_ready()
    notices.died(0, "m-0", coming_back=True, clean=False)
    notices.unreleased(1)
    dropped = notices.liaison_gone()
    assert [(one.slot, one.message["type"]) for one in dropped] == [(1, "describe_release")]
    assert notices.of(1) is None
    before = len(nursery.said)
    notices.died(2, "m-2", coming_back=True, clean=False)
    assert len(nursery.said) == before  # nobody to tell
    notices.liaison_ready()
    assert [message["child"] for message in nursery.to("liaison")[before:]] == ["worker 0", "worker 2"]


@pytest.mark.parametrize(
    "kafka",
    [{"embedded": True}, {"group_protocol": "classic"}],
    ids=["the embedded broker knows no notices", "classic: the successor takes the id over"],
)
def test_where_nothing_has_to_be_said_nothing_is_waited_for(kafka: dict[str, Any]) -> None:
    notices, _ = _notices(**kafka)
    notices.died(0, "m-0", coming_back=True, clean=False)
    assert len(notices) == 0
    assert notices.of(0) is None


def test_a_dynamic_member_has_no_instance_id() -> None:
    notices, nursery = _notices(static_membership=False)
    notices.liaison_ready()
    notices.died(0, "m-0", coming_back=True, clean=False)
    (message,) = nursery.to("liaison")
    assert (message["kind"], message["member_id"], message["instance_id"]) == ("leave", "m-0", None)

"""How members join, stay, are replaced and are put out: what death notices and READY are built on."""

import pytest
from confluent_kafka import KafkaError

from kherd.supervisor.children.broker import limits
from kherd.worker import clock

from .conftest import NewGroup


@pytest.mark.protocol("consumer")
def test_a_kip848_member_knows_its_id_before_it_asks_anyone(group: NewGroup) -> None:
    member = group().join()
    known = member.consumer.memberid()
    assert known
    member.until(lambda: member.partitions, "the assignment")
    assert member.consumer.memberid() == known


@pytest.mark.protocol("classic")
def test_a_classic_member_gets_its_id_from_the_group(group: NewGroup) -> None:
    member = group().join("slot-0")
    assert not member.consumer.memberid()
    member.until(lambda: member.partitions, "the assignment")
    assert (member.consumer.memberid() or "").startswith("slot-0-")


@pytest.mark.protocol("consumer")
def test_a_kip848_member_without_partitions_never_hears_of_an_assignment(group: NewGroup) -> None:
    one = group(1)
    first = one.join()
    first.until(lambda: first.partitions, "the only partition")
    second = one.join()
    second.watch(2.0, first)
    assert [happened for happened in second.happened if happened[1]] == []
    assert first.partitions == {0}


@pytest.mark.protocol("classic")
def test_a_classic_member_without_partitions_is_assigned_nothing(group: NewGroup) -> None:
    one = group(1)
    first = one.join()
    first.until(lambda: first.partitions, "the only partition")
    second = one.join()
    second.until(lambda: second.happened, "an assignment", first)
    assert second.happened == [("assigned", ())]


def test_a_restarted_static_member_gets_its_partitions_back_and_nobody_else_notices(group: NewGroup) -> None:
    one = group(4)
    first, second = one.join("slot-0"), one.join("slot-1")
    first.until(lambda: len(first.partitions) == len(second.partitions) == 2, "two partitions each", second)
    owned, before = set(second.partitions), list(first.happened)
    second.close()
    again = one.join("slot-1")
    again.until(lambda: len(again.partitions) == 2, "its partitions", first)
    assert again.partitions == owned
    assert first.happened == before


def test_a_static_member_that_closes_keeps_its_partitions_for_its_successor(group: NewGroup) -> None:
    one = group(2)
    first, second = one.join("slot-0"), one.join("slot-1")
    first.until(lambda: len(first.partitions) == len(second.partitions) == 1, "a partition each", second)
    before = list(first.happened)
    second.close()
    first.watch(1.0)
    assert first.happened == before


def test_unsubscribing_first_does_not_take_a_static_member_out_either(group: NewGroup) -> None:
    one = group(2)
    first, second = one.join("slot-0"), one.join("slot-1")
    first.until(lambda: len(first.partitions) == len(second.partitions) == 1, "a partition each", second)
    before = list(first.happened)
    second.consumer.unsubscribe()
    second.close()
    first.watch(1.5)
    assert first.happened == before


def test_a_dynamic_member_that_closes_is_replaced_at_the_next_heartbeat(group: NewGroup) -> None:
    one = group(2)
    first, second = one.join(), one.join()
    first.until(lambda: len(first.partitions) == len(second.partitions) == 1, "a partition each", second)
    second.close()
    first.until(lambda: len(first.partitions) == 2, "both partitions", seconds=5)


@pytest.mark.protocol("classic")
def test_a_second_holder_of_a_classic_instance_id_puts_the_first_out_for_good(group: NewGroup) -> None:
    one = group(1)
    first = one.join("slot-0")
    first.until(lambda: first.partitions, "the partition")
    second = one.join("slot-0")
    first.until(lambda: first.errors, "the first to be told", second)
    assert first.codes[0] == KafkaError._FATAL
    assert not first.errors[0].fatal(), "librdkafka marks it by its code alone"
    second.until(lambda: second.partitions, "the partition to be the second's")


@pytest.mark.protocol("consumer")
@pytest.mark.differs(limits.STATIC_MEMBERSHIP)
def test_a_second_holder_of_a_kip848_instance_id_is_put_out_itself(group: NewGroup) -> None:
    one = group(1)
    first = one.join("slot-0")
    first.until(lambda: first.partitions, "the partition")
    second = one.join("slot-0")
    second.until(lambda: second.errors, "the second to be told", first, seconds=5)
    assert second.codes[0] == KafkaError._FATAL
    assert "instance" in str(second.errors[0]).lower()
    assert first.partitions == {0}


def test_a_member_that_polls_too_late_loses_its_partitions_and_comes_back(group: NewGroup) -> None:
    one = group(1)
    # A classic session may not be longer than the poll interval; under KIP-848 it is the broker's.
    session = {"session_timeout_ms": 3000} if one.protocol == "classic" else {}
    late = one.join(None, max_poll_interval_ms=3000, **session)
    late.until(lambda: late.partitions, "the partition")
    clock.sleep(4.0)
    late.until(lambda: late.errors, "the error")
    assert late.codes[0] == KafkaError._MAX_POLL_EXCEEDED
    late.until(lambda: ("lost", (0,)) in late.happened, "the loss")
    late.until(lambda: late.partitions == {0}, "the partition again")

"""Where a member reads: pause, resume, seek, and offsets that are no longer there."""

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from .conftest import NewGroup


def test_a_paused_partition_delivers_nothing_and_all_of_it_after_resume(group: NewGroup) -> None:
    one = group()
    one.fill(500)
    member = one.join()
    member.until(lambda: member.messages, "the first record")
    place = [TopicPartition(one.topic, 0)]
    member.consumer.pause(place)
    before = len(member.messages)
    member.watch(0.5)
    assert len(member.messages) == before
    member.consumer.resume(place)
    member.until(lambda: len(member.messages) == 500, "the rest")
    assert [message.offset() for message in member.messages] == list(range(500))


def test_other_partitions_go_on_beside_a_paused_one(group: NewGroup) -> None:
    one = group(2)
    one.fill(10)
    paused: list[bool] = []

    def pause_first(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign([TopicPartition(p.topic, p.partition, 0) for p in partitions])
        consumer.pause([TopicPartition(one.topic, 0)])
        paused.append(True)

    member = one.join(on_assign=pause_first)
    member.until(lambda: len(member.messages) == 5, "the other partition's records")
    one.fill(10, start=10)
    member.until(lambda: len(member.messages) == 10, "more of them")
    assert paused
    assert {message.partition() for message in member.messages} == {1}


def test_pause_survives_a_rebalance_until_resume(group: NewGroup) -> None:
    one = group(2)
    first = one.join()
    first.until(lambda: len(first.partitions) == 2, "both partitions")
    both = [TopicPartition(one.topic, 0), TopicPartition(one.topic, 1)]
    first.consumer.pause(both)
    second = one.join()
    second.until(lambda: len(second.partitions) == 1, "one partition for the second", first)
    second.close()
    first.until(lambda: len(first.partitions) == 2, "both partitions again")
    one.fill(10)
    first.watch(1.0)
    assert first.messages == []
    first.consumer.resume(both)
    first.until(lambda: len(first.messages) == 10, "all records")


def test_a_seek_back_delivers_again_from_there(group: NewGroup) -> None:
    one = group()
    one.fill(10)
    member = one.join()
    member.until(lambda: len(member.messages) == 10, "ten records")
    member.consumer.seek(TopicPartition(one.topic, 0, 6))
    member.until(lambda: len(member.messages) == 14, "four of them again")
    assert [message.offset() for message in member.messages[10:]] == [6, 7, 8, 9]


def test_an_offset_beyond_the_log_is_an_error_where_no_reset_is_allowed(group: NewGroup) -> None:
    one = group()
    one.fill(3)
    first = one.join()
    first.until(lambda: len(first.messages) == 3, "three records")
    first.consumer.commit(offsets=[TopicPartition(one.topic, 0, 1000)], asynchronous=False)
    first.close()
    second = one.join(auto_offset_reset="error")
    second.until(lambda: second.errors, "the error")
    assert second.codes == [KafkaError._AUTO_OFFSET_RESET]
    assert second.messages == []


def test_an_offset_beyond_the_log_is_reset_where_it_is_allowed(group: NewGroup) -> None:
    one = group()
    one.fill(3)

    def start_beyond(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign([TopicPartition(p.topic, p.partition, 1000) for p in partitions])

    member = one.join(on_assign=start_beyond)
    member.until(lambda: len(member.messages) == 3, "all records from the first one on")


@pytest.mark.parametrize(("start", "least"), [("latest", 3), ("earliest", 0)])
def test_a_group_without_commits_starts_where_it_is_told(group: NewGroup, start: str, least: int) -> None:
    one = group()
    one.fill(3)
    member = one.join(auto_offset_reset=start)
    member.until(lambda: member.partitions, "the assignment")

    def feed() -> bool:
        # Where "latest" is gets looked up some time after the assignment: only a stream is sure to meet it.
        one.fill(1)
        return bool(member.messages)

    member.until(feed, "a record")
    first = member.messages[0].offset() or 0
    assert first >= least
    assert start == "latest" or first == 0

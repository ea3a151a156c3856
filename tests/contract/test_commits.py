"""What is committed can be read back, and a member may commit in every callback kherd commits in."""

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition

from .conftest import Group, NewGroup


def at(group: Group, partition: int, offset: int, metadata: str = "") -> TopicPartition:
    return TopicPartition(group.topic, partition, offset, metadata)


def test_metadata_beside_an_offset_comes_back(group: NewGroup) -> None:
    one = group()
    one.fill(3)
    member = one.join()
    member.until(lambda: len(member.messages) == 3, "three records")
    text = "v1 \u00e9 " + "x" * 3000
    member.consumer.commit(offsets=[at(one, 0, 2, text)], asynchronous=False)
    (found,) = member.consumer.committed([at(one, 0, -1001)], timeout=10)
    assert (found.offset, found.metadata) == (2, text)


@pytest.mark.differs("the embedded broker takes commit metadata of any length")
def test_metadata_over_4096_bytes_is_refused_for_its_partition(group: NewGroup) -> None:
    one = group()
    one.fill(1)
    member = one.join()
    member.until(lambda: member.messages, "a record")
    with pytest.raises(KafkaException) as refused:
        member.consumer.commit(offsets=[at(one, 0, 1, "x" * 4097)], asynchronous=False)
    assert refused.value.args[0].code() == KafkaError.OFFSET_METADATA_TOO_LARGE


def test_committed_answers_inside_on_assign_and_an_explicit_offset_wins_over_it(group: NewGroup) -> None:
    one = group(2)
    one.fill(20)
    seen: dict[int, tuple[int, str | None]] = {}

    def start_elsewhere(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for found in consumer.committed(partitions, timeout=10):
            seen[found.partition] = (found.offset, found.metadata)
        consumer.incremental_assign([at(one, 0, 7), at(one, 1, 3)])

    first = one.join()
    first.until(lambda: len(first.messages) == 20, "all records")
    first.consumer.commit(offsets=[at(one, 0, 4, "four")], asynchronous=False)
    first.close()

    second = one.join(on_assign=start_elsewhere)
    second.until(lambda: len(second.messages) == 3 + 7, "the records from the explicit offsets on")
    assert seen[0] == (4, "four")
    assert seen[1][0] < 0
    found = {(message.partition(), message.offset()) for message in second.messages}
    assert found == {(0, n) for n in range(7, 10)} | {(1, n) for n in range(3, 10)}


def test_the_answer_to_an_asynchronous_commit_comes_with_a_poll_and_never_before(group: NewGroup) -> None:
    one = group(2)
    one.fill(4)
    member = one.join()
    member.until(lambda: len(member.messages) == 4, "four records")
    member.consumer.commit(offsets=[at(one, 0, 2), at(one, 1, 1)], asynchronous=True)
    one.cluster.ends(one.topic)
    assert member.commits == []
    member.until(lambda: member.commits, "the answer")
    ((error, partitions),) = member.commits
    assert error is None
    assert {(one.partition, one.offset, one.error) for one in partitions} == {(0, 2, None), (1, 1, None)}


def test_an_older_offset_committed_later_wins(group: NewGroup) -> None:
    one = group()
    one.fill(5)
    member = one.join()
    member.until(lambda: len(member.messages) == 5, "five records")
    for offset in (5, 2):
        member.consumer.commit(offsets=[at(one, 0, offset)], asynchronous=False)
    assert one.cluster.committed(one.name, one.topic) == {0: 2}


def test_nothing_to_commit_is_an_error_of_its_own(group: NewGroup) -> None:
    one = group()
    member = one.join()
    member.until(lambda: member.partitions, "the assignment")
    with pytest.raises(KafkaException) as nothing:
        member.consumer.commit(asynchronous=False)
    assert nothing.value.args[0].code() == KafkaError._NO_OFFSET


def test_a_commit_inside_on_revoke_is_taken(group: NewGroup) -> None:
    one = group(2)
    one.fill(10)
    failures: list[KafkaException] = []

    def commit(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            consumer.commit(offsets=[at(one, p.partition, 3 + p.partition) for p in partitions], asynchronous=False)
        except KafkaException as error:
            failures.append(error)

    first = one.join(on_revoke=commit)
    first.until(lambda: len(first.messages) == 10, "all records")
    second = one.join()
    second.until(lambda: second.partitions, "a partition for the second", first)
    moved = next(iter(second.partitions))
    assert failures == []
    assert one.cluster.committed(one.name, one.topic)[moved] == 3 + moved
    second.until(lambda: second.messages, "records from the commit on", first)
    assert min(message.offset() or 0 for message in second.messages) == 3 + moved


def test_a_member_may_commit_a_partition_it_does_not_own(group: NewGroup) -> None:
    """Whoever commits must know what it owns: the broker only checks the member."""
    one = group(2)
    one.fill(4)
    first, second = one.join(), one.join()
    first.until(lambda: len(first.partitions) == len(second.partitions) == 1, "a partition each", second)
    foreign = next(iter(second.partitions))
    first.consumer.commit(offsets=[at(one, foreign, 1)], asynchronous=False)
    assert one.cluster.committed(one.name, one.topic) == {foreign: 1}


@pytest.mark.differs("on the embedded broker a group that ever had a member is never empty again")
def test_the_offsets_of_a_group_can_be_set_from_outside_once_it_is_empty(group: NewGroup) -> None:
    one = group()
    one.fill(5)
    member = one.join()
    member.until(lambda: len(member.messages) == 5, "five records")
    member.consumer.commit(offsets=[at(one, 0, 5)], asynchronous=False)
    assert set_from_outside(one, 2) == KafkaError.UNKNOWN_MEMBER_ID
    member.close()
    assert set_from_outside(one, 2) is None
    assert one.cluster.committed(one.name, one.topic) == {0: 2}


def set_from_outside(group: Group, offset: int) -> int | None:
    """Return the code of what was wrong, for it is not raised."""
    admin = group.cluster.admin()
    asked = ConsumerGroupTopicPartitions(group.name, [at(group, 0, offset)])
    (answer,) = admin.alter_consumer_group_offsets([asked])[group.name].result(10).topic_partitions
    return answer.error.code() if answer.error else None


def test_the_leader_epoch_of_a_commit_comes_back(group: NewGroup) -> None:
    one = group()
    one.fill(1)
    member = one.join()
    member.until(lambda: member.messages, "a record")
    epoch = member.messages[0].leader_epoch()
    offset = TopicPartition(one.topic, 0, 1, leader_epoch=epoch)
    member.consumer.commit(offsets=[offset], asynchronous=False)
    (found,) = member.consumer.committed([at(one, 0, -1001)], timeout=10)
    assert epoch is not None
    assert found.leader_epoch == epoch

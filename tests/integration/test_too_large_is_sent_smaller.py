"""Where a topic takes less than the client sends, only the record at fault fails, and a dead letter shrinks to fit."""

from typing import Any

import pytest
from confluent_kafka import Message

from kherd import ProcessingError, Record
from kherd.worker.deadletter import Letter, letter
from kherd.worker.decide.headers import size
from kherd.worker.outputs import Delivery, Outputs

from ..fakes.brokers import producers, read
from ..fakes.group import unique
from ..fakes.specs import worker_spec

LIMIT = 4_000
"""max.message.bytes of the topic: what Kafka takes in one batch."""


def dead(topic: str, partition: int, value: bytes) -> Letter:
    source = Message(
        topic=topic, partition=partition, offset=7, key=b"k", value=value, headers=[("h", None)], timestamp=(1, 5)
    )
    try:
        raise ProcessingError("no" * 200)  # noqa: TRY301 - to have a traceback
    except ProcessingError as error:
        return letter(
            worker_spec(), source, error, attempts=1, first_failure=1, last_failure=1, stage="HANDLE", worker="w"
        )


@pytest.mark.kafka
def test_records_refused_for_their_company_are_delivered_and_the_large_one_is_reported(kafka: Any) -> None:
    topic = kafka.create_topic(unique("out"), 1, max_message_bytes=str(LIMIT))
    out = Outputs(worker_spec(), "orders-0", producer_factory=producers(kafka.bootstrap))
    for number in range(10):  # one batch of them is more than the topic takes
        out.submit(number, [Record(topic, b"x" * 900)])
    out.submit("large", [Record(topic, b"x" * 900), Record(topic, b"y" * 2 * LIMIT)])
    assert out.flush(20)
    found = {delivery.token: delivery for delivery in out.poll()}
    assert [found[number] for number in range(10)] == [Delivery(number) for number in range(10)]
    assert "MSG_SIZE_TOO_LARGE" in (found["large"].error or "")
    assert found["large"].permanent
    out.close(1)
    assert len(read(kafka.bootstrap, topic, 11, partitions=1)) == 11


@pytest.mark.kafka
def test_a_dead_letter_loses_its_stack_then_its_value_and_says_so(kafka: Any) -> None:
    # Given a dead-letter topic with fewer partitions and a lower limit than its source's records need
    source = unique("orders")
    kafka.create_topic(f"dlq.{source}", 2, max_message_bytes=str(LIMIT))
    out = Outputs(worker_spec(), "orders-0", producer_factory=producers(kafka.bootstrap))

    # When letters of three sizes are sent, the last from a partition that the dead-letter topic does not have
    whole, stub = dead(source, 0, b"w"), dead(source, 5, b"s" * LIMIT)
    lean = dead(source, 1, b"l" * (LIMIT - size(whole.headers)))  # fits but for the batch's own bytes
    for token, sent in (("whole", whole), ("lean", lean), ("stub", stub)):
        out.submit_dead_letter(token, sent)
    assert out.flush(20)
    assert {delivery.token for delivery in out.poll() if delivery.error is None} == {"whole", "lean", "stub"}
    out.close(1)

    # Then each kept as much as fits
    cuts: dict[Any, Any] = {}
    for message in read(kafka.bootstrap, f"dlq.{source}", 3, partitions=2):
        headers: Any = message.headers()
        cuts[dict(headers).get("kherd.truncated")] = (message.partition(), message.value())
        assert headers[0] == ("h", None)
    assert cuts == {None: (0, b"w"), b"stacktrace": (1, lean.value), b"stacktrace,value": (1, None)}

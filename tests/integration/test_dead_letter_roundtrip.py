"""A dead letter is acknowledged before it is reported, and read back with key, value and headers byte for byte."""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Message

from kherd import ProcessingError
from kherd.worker.deadletter import letter
from kherd.worker.outputs import Delivery, Outputs

from ..fakes.brokers import mock_brokers, producers, read
from ..fakes.specs import worker_spec

KEY, VALUE = b"\x00key\xff", bytes(range(256))
HEADERS: list[tuple[str, str | bytes | None]] = [("trace", b"\xfe\xff"), ("none", None), ("trace", b"")]


@pytest.fixture
def bootstrap() -> Iterator[str]:
    with mock_brokers() as servers:
        yield servers


def test_a_dead_letter_comes_back_byte_for_byte_from_the_partition_of_its_source(bootstrap: str) -> None:
    # Given a record that a handler refused
    source = Message(topic="orders", partition=2, offset=9, key=KEY, value=VALUE, headers=HEADERS, timestamp=(1, 5))
    spec = worker_spec(bootstrap=bootstrap)
    out = Outputs(spec, "orders-0", producer_factory=producers(bootstrap))

    # When its letter is sent
    error = ProcessingError("not JSON")
    out.submit_dead_letter(
        "token", letter(spec, source, error, attempts=1, first_failure=1, last_failure=2, stage="HANDLE", worker="w")
    )
    assert out.flush(10)
    assert out.poll() == [Delivery("token")]
    out.close(1)

    # Then it is there as soon as it is reported
    [found] = read(bootstrap, "dlq.orders", 1)
    assert (found.partition(), found.key(), found.value()) == (2, KEY, VALUE)
    headers: Any = found.headers()
    assert headers[: len(HEADERS)] == HEADERS
    assert dict(headers)["__dlq.errors.offset"] == b"9"


def test_a_tombstone_stays_one(bootstrap: str) -> None:
    spec = worker_spec(bootstrap=bootstrap)
    out = Outputs(spec, "orders-0", producer_factory=producers(bootstrap))
    source = Message(topic="orders", partition=0, offset=9, key=KEY, value=None, timestamp=(1, 5))
    error = ProcessingError("no")
    out.submit_dead_letter(
        "token", letter(spec, source, error, attempts=1, first_failure=1, last_failure=2, stage="HANDLE", worker="w")
    )
    assert out.flush(10)
    assert out.poll() == [Delivery("token")]
    out.close(1)
    [found] = read(bootstrap, "dlq.orders", 1)
    assert (found.key(), found.value()) == (KEY, None)

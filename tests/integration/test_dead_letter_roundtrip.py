"""A dead letter is acknowledged before it is reported, and read back with key, value and headers byte for byte."""

from collections.abc import Iterator, Mapping

import pytest
from confluent_kafka import Message, Producer

from kherd import ProcessingError, Record
from kherd.worker.deadletter import letter
from kherd.worker.lane import ProducerLike
from kherd.worker.outputs import Delivery, Outputs

from ..fakes.brokers import mock_brokers, read
from ..fakes.specs import worker_spec

KEY, VALUE = b"\x00key\xff", bytes(range(256))
HEADERS = [("trace", b"\xfe\xff"), ("none", None), ("trace", b"")]


@pytest.fixture
def bootstrap() -> Iterator[str]:
    with mock_brokers() as servers:
        yield servers


def test_a_dead_letter_comes_back_byte_for_byte_from_the_partition_of_its_source(bootstrap: str) -> None:
    # Given a record that a handler refused
    source = Message(topic="orders", partition=2, offset=9, key=KEY, value=VALUE, headers=HEADERS, timestamp=(1, 5))
    spec = worker_spec(bootstrap=bootstrap)
    out = Outputs(spec, "orders-0", producer_factory=factory(bootstrap))

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
    headers = list(found.headers() or [])
    assert headers[: len(HEADERS)] == HEADERS
    assert dict(headers)["__dlq.errors.offset"] == b"9"


def test_a_tombstone_stays_one(bootstrap: str) -> None:
    spec = worker_spec(bootstrap=bootstrap)
    out = Outputs(spec, "orders-0", producer_factory=factory(bootstrap))
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


def test_returned_records_are_sent_with_text_as_utf8_and_counted_per_token(bootstrap: str) -> None:
    out = Outputs(worker_spec(bootstrap=bootstrap), "orders-0", producer_factory=factory(bootstrap))
    for number in range(100):
        out.submit(number, [Record("out", f"é{number}", f"k{number}", [("h", "ü")]), Record("out", None, b"k")])
    assert out.flush(10)
    deliveries = out.poll()
    assert sorted(int(str(delivery.token)) for delivery in deliveries) == list(range(100))
    assert all(delivery.error is None for delivery in deliveries)
    out.close(1)
    found = read(bootstrap, "out", 200)
    assert {message.value() for message in found} == {None, *(f"é{number}".encode() for number in range(100))}
    assert [("h", "ü".encode())] in [message.headers() for message in found]


def test_what_cannot_be_encoded_fails_its_own_token_only(bootstrap: str) -> None:
    out = Outputs(worker_spec(bootstrap=bootstrap), "orders-0", producer_factory=factory(bootstrap))
    out.submit("bad", [Record("out", "\ud800"), Record("out", b"x", 5), Record("out", b"x", None, [("h", 5)])])  # type: ignore[arg-type, list-item]  # the mistakes under test
    out.submit("large", [Record("out", b"x" * 2_000_000)])
    out.submit("good", [Record("out", b"x")])
    assert out.flush(10)
    found = {delivery.token: delivery for delivery in out.poll()}
    assert "cannot be sent" in (found["bad"].error or "")
    assert found["bad"].permanent
    assert "MSG_SIZE_TOO_LARGE" in (found["large"].error or "")
    assert found["large"].permanent
    assert found["good"].error is None
    out.close(1)


def factory(bootstrap: str) -> "Factory":
    return Factory(bootstrap)


class Factory:
    """Makes producers as a worker does, for the mock cluster."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def __call__(self, overrides: Mapping[str, str | int]) -> ProducerLike:
        return Producer({"bootstrap.servers": self.bootstrap, "enable.idempotence": True, "log_level": 0, **overrides})

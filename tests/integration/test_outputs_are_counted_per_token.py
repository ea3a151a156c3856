"""A token is reported once its records are acknowledged; a record that cannot be sent fails its own token only."""

from collections.abc import Iterator

import pytest

from kherd import Record
from kherd.worker.outputs import Outputs

from ..fakes.brokers import mock_brokers, producers, read
from ..fakes.specs import worker_spec


@pytest.fixture
def bootstrap() -> Iterator[str]:
    with mock_brokers() as servers:
        yield servers


@pytest.fixture
def out(bootstrap: str) -> Iterator[Outputs]:
    outputs = Outputs(worker_spec(bootstrap=bootstrap), "orders-0", producer_factory=producers(bootstrap))
    yield outputs
    outputs.close(1)


def test_returned_records_are_sent_with_text_as_utf8_and_counted_per_token(out: Outputs, bootstrap: str) -> None:
    for number in range(100):
        out.submit(number, [Record("out", f"é{number}", f"k{number}", [("h", "ü")]), Record("out", None, b"k")])
    assert out.flush(10)
    deliveries = out.poll()
    assert sorted(int(str(delivery.token)) for delivery in deliveries) == list(range(100))
    assert all(delivery.error is None for delivery in deliveries)
    found = read(bootstrap, "out", 200)
    assert {message.value() for message in found} == {None, *(f"é{number}".encode() for number in range(100))}
    assert [("h", "ü".encode())] in [message.headers() for message in found]


def test_what_cannot_be_encoded_fails_its_own_token_only(out: Outputs) -> None:
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

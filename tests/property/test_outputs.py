from confluent_kafka import KafkaError, Message
from hypothesis import given
from hypothesis import strategies as st

from kherd import Record
from kherd.worker.deadletter import letter
from kherd.worker.outputs import Delivery, Outputs

from ..fakes.producer import Producers, Sent
from ..fakes.specs import worker_spec

CODES = [
    None,
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError._INVALID_DIFFERENT_RECORD,
    KafkaError._MSG_TIMED_OUT,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._FATAL,
]
answers = st.lists(st.sampled_from(CODES), min_size=1, max_size=12)
submits = st.lists(st.none() | st.lists(st.sampled_from([b"a", "b", None]), max_size=4), min_size=1, max_size=12)
LETTER = letter(
    worker_spec(),
    Message(topic="orders", partition=5, offset=7, key=b"k", value=b"v", timestamp=(1, 5)),
    ValueError("no"),
    attempts=1,
    first_failure=1,
    last_failure=1,
    stage="HANDLE",
    worker="w",
)


def submit(out: Outputs, token: int, values: list[bytes | str | None] | None) -> None:
    if values is None:
        out.submit_dead_letter(token, LETTER)
    else:
        out.submit(token, [Record("out", value) for value in values])


@given(answers, submits, st.sampled_from([1, 3, 100]), st.sampled_from([0, 2]), st.booleans())
def test_every_submit_ends_in_exactly_one_delivery_whatever_the_brokers_answer(
    codes: list[int | None],
    given_submits: list[list[bytes | str | None] | None],
    room: int,
    partitions: int,
    polled: bool,
) -> None:
    asked = 0

    def answer(_: Sent) -> KafkaError | None:
        nonlocal asked
        asked += 1
        code = codes[asked % len(codes)]
        return None if code is None else KafkaError(code)

    producers = Producers(answer=answer, room=room, partitions=partitions)
    out = Outputs(worker_spec(), "orders-0", producer_factory=producers)
    deliveries: list[Delivery] = []
    for token, values in enumerate(given_submits):
        submit(out, token, values)
        if polled:
            deliveries += out.poll()
    assert out.flush(5)
    deliveries += out.poll()
    assert sorted(int(str(delivery.token)) for delivery in deliveries) == list(range(len(given_submits)))
    assert (out.pending, out._records, out._bytes, out.full) == (0, 0, 0, False)


@given(submits, st.sampled_from([1, 3, 100]))
def test_every_submit_ends_in_exactly_one_delivery_when_closed_on_silent_brokers(
    given_submits: list[list[bytes | str | None] | None], room: int
) -> None:
    out = Outputs(worker_spec(), "orders-0", producer_factory=Producers(silent=True, room=room))
    for token, values in enumerate(given_submits):
        submit(out, token, values)
    out.close(0)
    deliveries = out.poll()
    found = {delivery.token: delivery.error for delivery in deliveries}
    assert len(deliveries) == len(found) == len(given_submits)
    assert all((found[token] is None) == (values == []) for token, values in enumerate(given_submits))
    assert (out.pending, out._records, out._bytes) == (0, 0, 0)

"""With no broker answering nothing blocks, close keeps its deadline, and every token is reported."""

import time

from confluent_kafka import Message

from kherd import ProcessingError, Record
from kherd.worker.deadletter import letter
from kherd.worker.outputs import Outputs

from ..fakes.brokers import producers
from ..fakes.specs import worker_spec

UNREACHABLE = "127.0.0.1:1"
PROMPT = 2.0
"""Seconds: far below any timeout of librdkafka's (300 s for a record), far above a busy machine's delay."""


def test_close_purges_within_its_deadline_and_every_token_is_reported_as_failed() -> None:
    factory = producers(UNREACHABLE, **{"queue.buffering.max.messages": 10})
    spec = worker_spec(bootstrap=UNREACHABLE)
    out = Outputs(spec, "orders-0", producer_factory=factory)
    source = Message(topic="orders", partition=0, offset=9, key=b"k", value=b"v", timestamp=(1, 5))
    error = ProcessingError("no")
    poison = letter(spec, source, error, attempts=1, first_failure=1, last_failure=2, stage="HANDLE", worker="w")

    begun = time.monotonic()
    for number in range(20):  # twice what librdkafka's queue takes
        out.submit(number, [Record("out", b"x")])
    out.submit_dead_letter("poison", poison)
    assert out.poll() == []
    assert out.full
    assert not out.flush(0.1)
    out.close(0.2)
    assert time.monotonic() - begun < PROMPT

    deliveries = out.poll()
    assert {delivery.token for delivery in deliveries} == {*range(20), "poison"}
    assert len(deliveries) == 21
    assert all(delivery.error and not delivery.permanent for delivery in deliveries)
    assert out.pending == 0

"""Whoever is not in the group yet asks now and then whether brokers answer, and takes another consumer if none does."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from kherd.worker import clock
from kherd.worker.fetch import ConsumerFaultError, Fault
from kherd.worker.joining import PATIENCE_SECONDS, Joining
from kherd.worker.kafka import Client

from ..fakes.specs import worker_spec


class Asked:
    """A consumer that is asked for topics only."""

    def __init__(self, _properties: object, **_: object) -> None:
        self.deaf = False
        self.questions = 0

    def list_topics(self, timeout: float) -> None:
        assert timeout <= 1.0
        self.questions += 1
        if self.deaf:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))


def client() -> tuple[Client, Asked]:
    made: list[Asked] = []

    def make(*args: Any, **kwargs: Any) -> Asked:
        made.append(Asked(*args, **kwargs))
        return made[-1]

    return Client(worker_spec(), client_id="orders-0", instance_id=None, factory=make), made[0]


def test_nobody_is_asked_before_a_join_has_had_its_time() -> None:
    whole, consumer = client()
    Joining(whole).look(clock.monotonic() + PATIENCE_SECONDS - 1)
    assert consumer.questions == 0


def test_a_consumer_that_is_answered_is_kept_and_asks_again_later() -> None:
    whole, consumer = client()
    joining, now = Joining(whole), clock.monotonic() + PATIENCE_SECONDS + 1
    for seconds in (0.0, 1.0, PATIENCE_SECONDS - 1, PATIENCE_SECONDS):
        joining.look(now + seconds)
    assert consumer.questions == 2


def test_a_consumer_that_nobody_answers_is_given_up() -> None:
    whole, consumer = client()
    consumer.deaf = True
    with pytest.raises(ConsumerFaultError) as caught:
        Joining(whole).look(clock.monotonic() + PATIENCE_SECONDS + 1)
    assert caught.value.fault is Fault.DEAF

"""A client of the liaison that has become deaf is replaced by a new one; one that is answered is kept."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from kherd.supervisor.children.liaison.handle import RENEW_SECONDS, AskError, Handle


@dataclass
class Client:
    """Answers questions for topics unless it is deaf."""

    deaf: bool
    closed: bool = False

    def poll(self, _seconds: float) -> None:
        return None

    def list_topics(self, _topic: str | None, timeout: float) -> SimpleNamespace:
        assert timeout
        if self.deaf:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return SimpleNamespace(topics={})

    def close(self) -> None:
        self.closed = True


@dataclass
class Maker:
    """Makes clients, all deaf while `deaf`, at the time `now`."""

    deaf: bool
    now: float = 100.0
    made: list[Client] = field(default_factory=list)

    def make(self, _properties: dict[str, Any]) -> Client:
        self.made.append(Client(self.deaf))
        return self.made[-1]

    def handle(self) -> Handle:
        return Handle({}, "group", "read_committed", factory=self.make, now=lambda: self.now)


def test_a_client_without_an_answer_for_long_is_closed_and_a_new_one_is_asked() -> None:
    maker = Maker(deaf=True)
    handle = maker.handle()
    maker.deaf = False
    maker.now += RENEW_SECONDS + 1
    with pytest.raises(AskError):
        handle.topics(1.0)
    assert handle.topics(1.0) == []
    assert [client.closed for client in maker.made] == [True, False]


def test_a_client_is_not_replaced_before_that_nor_after_an_answer() -> None:
    maker = Maker(deaf=False)
    handle = maker.handle()
    maker.now += RENEW_SECONDS + 1
    handle.topics(1.0)
    maker.made[0].deaf = True
    maker.now += RENEW_SECONDS
    with pytest.raises(AskError):
        handle.topics(1.0)
    assert len(maker.made) == 1


def test_while_no_broker_answers_clients_are_replaced_no_faster_than_that() -> None:
    maker = Maker(deaf=True)
    handle = maker.handle()
    for _ in range(int(4 * RENEW_SECONDS)):
        maker.now += 1.0
        with pytest.raises(AskError):
            handle.topics(1.0)
    assert len(maker.made) <= 5

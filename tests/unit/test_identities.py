"""Which topics names mean: what a broker says for certain, and nothing when none answers."""

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

from kafka.errors import KafkaConnectionError, UnsupportedVersionError

from kherd.supervisor.children.liaison.identities import identify


class Broker:
    """Answers a metadata request with `rows`, or raises."""

    def __init__(self, *rows: Any, error: Exception | None = None) -> None:
        self.rows, self.error = rows, error
        self.asked: list[Any] = []

    async def ask(self, request: Any, deadline: float) -> Any:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        return SimpleNamespace(cluster_id="c", topics=self.rows)

    def forget(self) -> None: ...


def _row(name: str, code: int = 0, topic_id: uuid.UUID | None = None) -> Any:
    return SimpleNamespace(name=name, error_code=code, topic_id=topic_id)


def test_ids_that_are_certain_are_told_and_a_topic_that_is_gone_is() -> None:
    one = uuid.UUID(int=7)
    broker = Broker(_row("a", topic_id=one), _row("gone", 3), _row("electing", 5, one), _row("without"))
    message = asyncio.run(identify(broker, ["a", "gone", "electing", "without"], 12.5))
    assert message == {"type": "identified", "cluster": "c", "topics": {"a": one.hex, "gone": None}, "at": 12.5}
    (request,) = broker.asked
    assert [row.name for row in request.topics] == ["a", "gone", "electing", "without"]
    assert not request.allow_auto_topic_creation


def test_no_answer_is_no_message() -> None:
    for error in (KafkaConnectionError(), UnsupportedVersionError(), OSError(), ValueError()):
        assert asyncio.run(identify(Broker(error=error), ["a"], 0.0)) is None

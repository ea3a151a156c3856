"""Which topics names mean just now: the ids that brokers give to topics, and never twice."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kafka.errors import KafkaError
from kafka.protocol.metadata import MetadataRequest

from ....worker import clock
from ....worker.channel import Message
from .errands import Asked

SECONDS: Final = 2.0
UNKNOWN_TOPIC: Final = 3
FIRST_WITH_IDS: Final = 10
"""The version of the request from which on brokers (2.8) tell the ids."""


async def identify(coordinator: Asked, topics: Sequence[str], at: float) -> Message | None:
    """Return the `identified` message for `topics`, asked for at `at` (monotonic); None if nobody answers."""
    rows = [MetadataRequest.MetadataRequestTopic(name=name) for name in topics]
    make: Any = MetadataRequest
    request = make(topics=rows, allow_auto_topic_creation=False, min_version=FIRST_WITH_IDS)
    try:
        answer = await coordinator.ask(request, clock.monotonic() + SECONDS)
    except (KafkaError, OSError, ValueError):  # the worker that needs it asks again
        return None
    return {"type": "identified", "cluster": answer.cluster_id, "topics": _ids(answer), "at": at}


def _ids(answer: Any) -> Mapping[str, str | None]:
    """Return the ids of what is known for certain; None: there is no such topic."""
    known = {row.name: row.topic_id.hex for row in answer.topics if row.error_code == 0 and row.topic_id is not None}
    return known | {row.name: None for row in answer.topics if row.error_code == UNKNOWN_TOPIC}

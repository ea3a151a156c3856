import math

import pytest

from kherd.supervisor.children.liaison.topics import refresh_interval
from kherd.worker.spec import KafkaSpec

NAME = "topic.metadata.refresh.interval.ms"


CASES = [
    ({}, {}, math.inf),
    ({NAME: "9000"}, {}, 9),
    ({NAME: "9000"}, {NAME: "5000"}, 5),
    ({}, {NAME: "100"}, 2),
    ({}, {NAME: "-1"}, math.inf),
]


@pytest.mark.parametrize(("client", "consumer", "seconds"), CASES)
def test_topics_are_looked_at_as_often_as_workers_do_but_not_in_a_hurry(
    client: dict[str, str], consumer: dict[str, str], seconds: float
) -> None:
    assert refresh_interval(KafkaSpec("b:1", "g", ("t",), client=client, consumer=consumer)) == seconds

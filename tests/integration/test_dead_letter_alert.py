"""More dead letters waiting than are borne raise an alert everywhere; when an operator has dealt with them, it clears.

That takes a minute of calm, which is waited for in a full run.
"""

from confluent_kafka import Consumer, TopicPartition

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.results import FULL
from kherd.testing.story import PRELUDE, put, tables
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

from ..fakes.receiver import receiver

HANDLER = f"""{PRELUDE}
def handle(message):
    if message.value() == b"bad":
        raise ProcessingError("bad")
"""
CALM = 60.0


def test_dead_letter_alert(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd that bears ten dead letters, and has ten
    name = topic(1)
    put(kafka, name, *[b"good", b"bad"] * 10)
    with receiver() as server:
        config = tables(
            kafka,
            name,
            workers={"count": 1},
            lag={"interval": 0.2},
            dead_letter={"alert_above": 10},
            alerts={"webhook": server.url(), "error_rate_above": 1.0},
        )
        one = herd(config, HANDLER)
        assert one.wait_status(lambda status: status["dead_letters"] == 10)["alerts"] == []

        # When there is one more, then it is told everywhere
        put(kafka, name, b"bad")
        event = one.wait_event("alert_raised")
        assert (event["level"], event["alert"], event["value"], event["threshold"]) == ("error", "dead_letters", 11, 10)
        [row] = one.wait_status(lambda status: status["alerts"])["alerts"]
        assert (row["name"], row["summary"]) == ("dead_letters", "waiting dead letters: 11, raised above 10")
        until(lambda: [one["alert"] for one in server.accepted] == ["dead_letters"], 20, "the webhook")

        # When the group of those who look at dead letters has passed them, then after a minute it is over
        passed(kafka, f"{one.settings['app']['name']}.dlq", f"dlq.{name}", 11)
        one.wait_status(lambda status: status["dead_letters"] == 0)
        if FULL:
            one.wait_event("alert_cleared", CALM + 30)
            until(lambda: [one["state"] for one in server.accepted] == ["raised", "cleared"], 20, "the all-clear")
        one.stop()
    assert [event["alert"] for event in one.events("alert_raised")] == ["dead_letters"]


def passed(kafka: Cluster, group: str, topic: str, offset: int) -> None:
    """Have `group` commit `offset`."""
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
    try:
        consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    finally:
        consumer.close()

"""A consumer as its own process, to be killed: one JSON line per event on stdout. Argument: its properties as JSON.

Run as a script; `properties` beside librdkafka's: `topics`, a list.
"""

import json
import sys
import time

from confluent_kafka import Consumer, TopicPartition


def say(event: str, consumer: Consumer, partitions: list[TopicPartition]) -> None:
    rows = sorted(partition.partition for partition in partitions)
    line = {"event": event, "partitions": rows, "member_id": consumer.memberid(), "at": time.monotonic()}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    properties = json.loads(sys.argv[1])
    topics = properties.pop("topics")
    consumer = Consumer(
        {"enable.auto.commit": False, "auto.offset.reset": "earliest", "reconnect.backoff.ms": 1} | properties
    )
    consumer.subscribe(
        topics,
        on_assign=lambda member, partitions: say("assigned", member, partitions),
        on_revoke=lambda member, partitions: say("revoked", member, partitions),
        on_lost=lambda member, partitions: say("lost", member, partitions),
    )
    while True:
        message = consumer.poll(0.5)
        error = None if message is None else message.error()
        if error is not None:
            sys.stdout.write(json.dumps({"event": "error", "code": error.name()}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

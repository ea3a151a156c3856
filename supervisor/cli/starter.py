"""What `kherd init` writes: a herd that works at once, with the places to change marked."""

from typing import Final

TOPIC: Final = "orders"
CONFIG: Final = """\
# A herd on an embedded broker: nothing else is needed to try it.
#
#   kherd run                              this herd, in the foreground; Ctrl-C stops it
#   python feed.py '{"id": 1}' 'not JSON'  in a second terminal: two records, of which one is poison
#   kherd status                           what became of them
#
# `kherd check` shows this file with every key and its default. Durations are "30s", "5m" or seconds. In any text
# ${NAME} is an environment variable, and "file:PATH" is the content of a file: secrets need not stand here.

[app]
name = "@NAME@"                # group, ids and state folder are named after it
handler = "app:handle"         # "module:attribute"; a class or a coroutine function will do too

[kafka]
bootstrap = "embedded"         # a broker of this herd's own, without memory; in earnest: "kafka1:9092,kafka2:9092"
topics = ["@TOPIC@"]           # names, or regular expressions that begin with ^
# start = "earliest"           # where to begin without a committed offset: "earliest", "latest" or "error"

# [kafka.client]               # any librdkafka property of all clients; [kafka.consumer] and [kafka.producer] likewise
# security.protocol = "SASL_SSL"
# sasl.mechanism = "SCRAM-SHA-512"
# sasl.username = "@NAME@"
# sasl.password = "${KAFKA_PASSWORD}"

[workers]
count = 2                      # processes; `kherd scale +1`, or change it and `kherd reload`
# mode = "batch"               # the handler then takes a list of up to batch_size records
# handler_timeout = "20s"      # a call that takes longer is killed and made again; must be below stop.timeout

# [autoscale]                  # more workers when the lag asks for it
# max = 8
# lag_above = 1000000          # total lag; `kherd lag` shows it

[errors]                       # of the handler, other than ProcessingError: the record is tried again in its place
# max_attempts = 10
# on_exhausted = "dead_letter" # then: "dead_letter" the record, or "hold" its partition and keep trying

[stop]
# timeout = "25s"              # the one deadline of a stop

# [metrics]
# statsd = "localhost:8125"
# http = ":9100"               # /metrics for Prometheus, /healthz, /readyz
"""
HANDLER: Final = '''\
"""The handler: kherd calls `handle` with every record, in several processes."""

import json

import kherd
from confluent_kafka import Message


def handle(message: Message) -> None:
    """Do the work for one record; its offset is committed when this returns."""
    try:
        order = json.loads(message.value())
    except ValueError as error:
        # Poison: it goes to the dead-letter topic, and the next record is handled.
        raise kherd.ProcessingError("not JSON") from error
    # Any other exception: the record is tried again, its partition waits, the others go on.
    kherd.context().logger.info("order %s", order)
'''
FEEDER: Final = '''\
"""Feed the herd: `python feed.py RECORD...`, or without arguments one example and one that is poison."""

import sys
from pathlib import Path

from confluent_kafka import Producer
from kherd import embedded

EXAMPLES = ['{"id": 1, "item": "hay"}', "not JSON"]


def main() -> None:
    """Send the records and wait until the broker has them."""
    config = Path(__file__).with_name("kherd.toml")
    try:
        bootstrap = embedded.bootstrap(config)
    except embedded.NotRunningError as error:
        sys.exit(str(error))
    producer = Producer({"bootstrap.servers": bootstrap, "message.timeout.ms": 10_000})
    failed = []
    records = sys.argv[1:] or EXAMPLES
    for record in records:
        producer.produce("@TOPIC@", record, on_delivery=lambda error, _: error and failed.append(error))
    left = producer.flush(15)
    if failed or left:
        sys.exit(f"{len(failed) + left} of {len(records)} records were not delivered: {failed[:1] or 'no answer'}")
    print(f"{len(records)} records are in topic @TOPIC@")


if __name__ == "__main__":
    main()
'''
FILES: Final = {"kherd.toml": CONFIG, "app.py": HANDLER, "feed.py": FEEDER}


def files(name: str) -> dict[str, str]:
    """Return what to write, by file name, for a herd called `name`."""
    return {file: text.replace("@NAME@", name).replace("@TOPIC@", TOPIC) for file, text in FILES.items()}

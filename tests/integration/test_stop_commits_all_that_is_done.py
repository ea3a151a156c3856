"""A graceful stop in the middle of a backlog commits all that is done: the next run is delivered none of it again."""

import pytest

from kherd.testing.ledger import read
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.scenes import LEDGER, config, group, wait_handled, wait_settled
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

WORKERS, PARTITIONS, RATE = 3, 6, 4000
SLOW = LEDGER + "    time.sleep(0.002)\n"
"""Too slow for the stream, so that the stop finds fetched records that wait, and a call under way."""


@pytest.mark.parametrize(("mode", "protocol"), [("record", "classic"), ("batch", "consumer")])
def test_a_rerun_handles_nothing_again(
    kafka: Cluster, herd: NewHerd, topic: NewTopic, mode: str, protocol: str
) -> None:
    name = topic(PARTITIONS)
    one = herd(
        config(kafka, name, WORKERS, protocol=protocol, workers={"mode": mode, "batch_size": 5}),
        _for(mode, f"import time\n{SLOW}"),
    )
    wait_settled(one, WORKERS, PARTITIONS)
    with Feeder(kafka.client_properties(), name, RATE, partitions=PARTITIONS) as feeder:
        until(lambda: len(read(one.ledger)) > RATE // 4, 20, "work to be under way")
        one.stop()
        first = read(one.ledger)
    assert kafka.committed(group(one), name) == first.counts(name)
    assert len(first) < feeder.count
    one.write_handler(_for(mode, LEDGER))
    one.start()
    handled = wait_handled(one, name, feeder.acknowledged)
    assert handled.duplicates() == {}
    assert handled.disorder() == []
    one.stop()


def _for(mode: str, source: str) -> str:
    return source if mode == "record" else source.replace("LEDGER.write(message)", "LEDGER.write(*message)")

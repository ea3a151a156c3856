"""`kherd scale N` holds against a high lag, `scale auto` hands back to it, a reload with a new count begins anew."""

from typing import Any

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import fill
from kherd.testing.rescale import kherd
from kherd.testing.scenes import config
from kherd.testing.topics import Cluster
from kherd.worker import clock

PARTITIONS, RECORDS = 8, 4000
INTERVAL = 0.2
READINGS = 10
HANDLER = """
import time

def handle(message):
    time.sleep(0.05)
"""


def test_a_pin_outranks_the_lag(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    # Given a lag that is high all the time, and so the most workers
    name = topic(PARTITIONS)
    fill(kafka.client_properties(), name, RECORDS, partitions=PARTITIONS)
    tables: dict[str, Any] = {
        "autoscale": {"max": 4, "lag_above": 100},
        "lag": {"interval": INTERVAL},
        "workers": {"max_in_flight": 10},
    }
    one = herd(config(kafka, name, 2, **tables), HANDLER)
    one.wait_ready(4)

    # When an operator pins a number, then the lag changes nothing
    assert kherd(one, "scale", "1").stdout == "workers: 4 -> 1\n"
    one.wait_ready(1)
    clock.sleep(READINGS * INTERVAL)
    assert one.status()["workers"]["wanted"] == 1
    assert "autoscaling pinned by an operator: 2 to 4" in kherd(one, "status").stdout

    # When it is handed back, then the lag decides, from the least there may be
    assert kherd(one, "scale", "auto").stdout == "workers: 1 -> 2 (follows the lag)\n"
    one.wait_ready(4)
    assert "wants 4 since" in kherd(one, "status").stdout

    # When the count in the file changes, then it begins there, and the lag decides from there on
    one.ask("scale", to=1)
    one.configure({**one.settings, "workers": {**one.settings["workers"], "count": 3}})
    assert "workers.count: 2 -> 3" in kherd(one, "reload").stdout
    assert not one.status()["workers"]["pinned"]
    one.wait_ready(4)
    changes = [(event["before"], event["after"]) for event in one.events("autoscaled")]
    assert changes == [(2, 4), (2, 4), (3, 4)]
    one.stop()

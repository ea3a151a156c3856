"""2 to 4 to 2 workers by editing the file and HUP, classic static: one rebalance up, nothing lost or done twice."""

import signal

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.rescale import FEW, MANY, PARTITIONS, rescale
from kherd.testing.scenes import LEDGER, config
from kherd.testing.topics import Cluster


def test_a_changed_count_in_the_file_touches_only_the_difference(
    kafka: Cluster, herd: NewHerd, topic: NewTopic
) -> None:
    name = topic(PARTITIONS)
    one = herd(config(kafka, name, FEW), LEDGER)

    def count(workers: int) -> None:
        one.configure(config(kafka, name, workers, app={"name": one.settings["app"]["name"]}))
        one.signal(signal.SIGHUP)

    done = rescale(one, kafka, name, lambda: count(MANY), lambda: count(FEW))
    assert done.kept()
    assert done.interruptions() == [1] * FEW
    assert done.grown_rounds == 2
    assert done.handled.duplicates() == {}
    assert one.status()["totals"]["handled"] == len(done.handled) == done.produced
    one.stop()

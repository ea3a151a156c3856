"""2 to 4 to 2 workers by TTIN and TTOU, classic dynamic: a worker per signal, nothing lost or done twice."""

import signal

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.rescale import FEW, MANY, PARTITIONS, rescale
from kherd.testing.scenes import LEDGER, config
from kherd.testing.topics import Cluster


def test_each_signal_is_one_worker(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    name = topic(PARTITIONS)
    one = herd(config(kafka, name, FEW, static=False), LEDGER)

    def send(number: signal.Signals) -> None:
        for nth in range(1, MANY - FEW + 1):
            # Each after the one before was acted on: two of one number that wait together are one to the kernel.
            one.signal(number)
            one.wait_event("scaled", reason=number.name, count=nth)

    done = rescale(one, kafka, name, lambda: send(signal.SIGTTIN), lambda: send(signal.SIGTTOU))
    assert done.kept()
    # A signal is a rescale of its own: the second need not arrive in time for the first one's rebalance.
    assert max(done.interruptions()) <= MANY - FEW
    assert done.handled.duplicates() == {}
    assert one.status()["totals"]["handled"] == len(done.handled) == done.produced
    one.stop()

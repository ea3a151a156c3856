"""2 to 4 to 2 workers by `kherd scale`, KIP-848 static: one rebalance up, nothing lost or done twice."""

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.rescale import FEW, MANY, PARTITIONS, kherd, rescale
from kherd.testing.scenes import LEDGER, config
from kherd.testing.topics import Cluster


def test_kherd_scale_touches_only_the_difference(kafka: Cluster, herd: NewHerd, topic: NewTopic) -> None:
    name = topic(PARTITIONS)
    one = herd(config(kafka, name, FEW, protocol="consumer"), LEDGER)

    def scale(word: str, answer: str) -> None:
        asked = kherd(one, "scale", word)
        assert (asked.returncode, asked.stdout.strip()) == (0, answer), asked

    up, down = f"workers: {FEW} -> {MANY}", f"workers: {MANY} -> {FEW}"
    done = rescale(one, kafka, name, lambda: scale(str(MANY), up), lambda: scale(f"-{MANY - FEW}", down))
    assert done.kept()
    assert done.interruptions() == [1] * FEW
    assert done.grown_rounds == 2
    assert done.handled.duplicates() == {}
    assert one.status()["totals"]["handled"] == len(done.handled) == done.produced
    one.stop()

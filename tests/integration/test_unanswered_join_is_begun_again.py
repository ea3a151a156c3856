"""A worker that no broker answers while it joins takes another consumer, in the same process, and loses nothing."""

from pathlib import Path

from kherd.supervisor.children.broker.mock import MockCluster

from ..fakes.scene import scene


def test_a_join_without_an_answer_is_begun_again_with_another_consumer(tmp_path: Path) -> None:
    with MockCluster() as cluster, scene(tmp_path, cluster, "orders") as made:  # type: ignore[arg-type]
        made.topic(1)
        made.feed(10)
        made.handler("def handle(message): note(message)")

        # Given a broker whose answers take for ever
        cluster.set_delay(600.0)
        worker = made.boot()
        worker.expect("booted")
        worker.channel.send({"type": "go"})
        worker.until(lambda: worker.logged("consumer_replaced") == 1, "a new consumer")
        assert worker.logged("worker_booted") == 1

        # When answers are as quick as ever, then the worker is in the group and handles everything once
        cluster.set_delay(0.0)
        worker.expect("ready")
        worker.until(lambda: set(worker.partitions.values()) == {(10, 10)}, "all done")
        assert len(made.did()) == len(set(made.did())) == 10
        assert worker.stop() == 0

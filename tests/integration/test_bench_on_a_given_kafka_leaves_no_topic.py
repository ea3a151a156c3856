"""On somebody's Kafka a bench deletes every topic that it made, also when it is interrupted."""

import signal
from pathlib import Path

import pytest

from kherd.bench.place import PREFIX
from kherd.bench.result import read
from kherd.testing.process import tail
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

from ..fakes.room import Room

MATRIX = """
[load]
warmup = 0.3
seconds = 1.0
rounds = 1
[[cells]]
acks = [1]
linger_ms = [0]
batch_size = ["16KiB"]
[consume]
records = 5000
rounds = 1
contenders = ["consume", "batch"]
"""


def ours(cluster: Cluster) -> list[str]:
    return [name for name in cluster.admin().list_topics(timeout=10).topics if name.startswith(PREFIX)]


@pytest.mark.parametrize("moment", ["", "fill 5000"])
def test_no_topic_is_left(kafka: Cluster, tmp_path: Path, moment: str) -> None:
    (tmp_path / "matrix.toml").write_text(MATRIX)
    room, out = Room(tmp_path), tmp_path / "out"
    arguments = (str(tmp_path / "matrix.toml"), "--bootstrap", kafka.bootstrap, "--out", str(out))
    bench = room.start("bench", "run", *arguments)
    try:
        if moment:
            room.wait_for(moment, 60)
            bench.send(signal.SIGINT)
        assert bench.ended(90), tail(room.log)
    finally:
        code = bench.kill()
    assert code == (128 + signal.SIGINT if moment else 0), tail(room.log)
    until(lambda: not ours(kafka), 10, f"the topics to be deleted: {ours(kafka)}")
    (path,) = out.glob("*.json")
    result = read(path)
    assert result.complete is not bool(moment)
    assert (result.broker.kind, result.broker.replication) == ("given", 1)
    assert all(one.account.produced == one.account.written for one in result.rate)

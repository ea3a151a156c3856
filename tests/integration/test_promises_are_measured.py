"""`kherd bench promises` measures on a real broker, prints a line of JSON per promise and leaves nothing there."""

import json
from pathlib import Path

import pytest

from kherd.bench.promises.report import read
from kherd.testing.process import tail
from kherd.testing.topics import ANSWER, Cluster

from ..fakes.room import Room

pytestmark = pytest.mark.alone

NAMES = ["idle-cpu", "idle-wakeups", "respawn"]
FIELDS = {
    "promise", "version", "statement", "rival", "sense", "limit", "unit", "measured", "verdict", "problem", "details",
    "environment", "seconds",
}  # fmt: skip


def bench_topics(cluster: Cluster) -> set[str]:
    return {name for name in cluster.admin().list_topics(timeout=ANSWER).topics if name.startswith("kherd-bench-")}


def test_idle_and_respawn_are_measured(kafka: Cluster, tmp_path: Path) -> None:
    room = Room(tmp_path)
    before = bench_topics(kafka)
    out = tmp_path / "promises.json"
    where = ("--bootstrap", kafka.bootstrap, "--out", str(out))
    bench = room.start("bench", "promises", "idle", "respawn", "--rounds", "3", *where)
    try:
        assert bench.ended(60), tail(room.log)
    finally:
        code = bench.kill()
    lines = [json.loads(line) for line in room.log.read_text().splitlines() if line.startswith("{")]
    assert [line["promise"] for line in lines] == NAMES, tail(room.log)
    for line in lines:
        assert set(line) == FIELDS
        assert line["measured"]["low"] <= line["measured"]["value"] <= line["measured"]["high"]
        assert (line["measured"]["n"], line["problem"], line["version"]) == (3, None, 1)
        assert line["environment"]["broker"]["kind"] == "given"
    idle, wakeups, respawn = (line["measured"]["value"] for line in lines)
    assert 0 < idle < 1
    assert wakeups > 0
    assert 0 < respawn < 10
    assert code == int("missed" in {line["verdict"] for line in lines})
    assert [one.promise for one in read(out).promises] == NAMES
    assert read(out).complete
    assert room.empty(), (room.processes(), list(room.path.iterdir()))
    assert bench_topics(kafka) <= before

"""A broken configuration ends `kherd run` with 78 before anything is started, and every problem in it is named."""

from pathlib import Path

import pytest

from kherd.testing.plugin import NewHerd
from kherd.testing.rescale import kherd

BROKEN = """
[app]
name = "orders"
[kafka]
bootstrap = "127.0.0.1:9"
topics = []
group_protocol = "newest"
[workers]
count = -3
handler_timeout = "1m"
batch_sice = 5
[kafka.consumer]
"enable.auto.commit" = "true"
[surprise]
"""
NAMED = (
    "app.handler",
    "kafka.topics",
    "kafka.group_protocol",
    "workers.count",
    "workers.batch_size",
    "kafka.consumer",
    "surprise",
)


@pytest.mark.parametrize("command", ["run", "check"])
def test_every_problem_is_named(herd: NewHerd, tmp_path: Path, command: str) -> None:
    one = herd({"kafka": {"bootstrap": "embedded", "topics": ["orders"]}})
    one.cleanup()
    one.config.write_text(BROKEN)
    ended = kherd(one, command)
    assert ended.returncode == 78, ended
    for path in NAMED:
        assert path in ended.stdout + ended.stderr
    assert not one.processes()

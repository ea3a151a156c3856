"""A coroutine class is built in each worker after the fork, and may use a user's own `worker` and `supervisor`."""

import json
from pathlib import Path
from typing import Any

import pytest

from kherd.testing import ledger
from kherd.testing.herd import Herd
from kherd.testing.plugin import NewTopic
from kherd.testing.story import PRELUDE, handled, put, shared, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
import asyncio, json
import supervisor, worker, worker.tasks
from supervisor.rules import LIMIT

IMPORTED_IN = os.getpid()

class Handler:
    def __init__(self):
        self.built_in = os.getpid()
        self.loop = asyncio.get_running_loop()

    async def handle(self, message):
        await asyncio.sleep(0)
        assert asyncio.get_running_loop() is self.loop
        said = dict(
            imported_in=IMPORTED_IN, built_in=self.built_in, doubled=worker.tasks.double(LIMIT),
            files=[supervisor.__file__, worker.__file__], slot=context().slot,
        )
        LEDGER.write(message, note=json.dumps(said))

    async def close(self):
        open(f"{{LEDGER_PATH}}.closed.{{os.getpid()}}", "w").close()
"""
PACKAGES = {
    "worker/__init__.py": "",
    "worker/tasks.py": "def double(n):\n    return 2 * n\n",
    "supervisor/__init__.py": "",
    "supervisor/rules.py": "from worker.tasks import double\nLIMIT = double(21)\n",
}


@pytest.mark.parametrize("preload", [True, False])
def test_class_and_packages(kafka: Cluster, topic: NewTopic, tmp_path: Path, *, preload: bool) -> None:
    # Given a class whose methods are coroutines, and packages that are named like kherd's own
    for path, source in PACKAGES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(source)
    name = topic(2)
    app = {"handler": "handlers:Handler", "preload": preload}
    one = Herd(tmp_path, tables(kafka, name, app=app, workers={"count": 2}), HANDLER)

    # When two workers consume
    with one:
        status = one.wait_status(shared)
        for partition in (0, 1):
            put(kafka, name, b"0", b"1", partition=partition)
        handled(one, 4)
        wait_committed(kafka, one, name, {0: 2, 1: 2})
        pids, mold = one.worker_pids(), status["services"]["mold"]["pid"]
        one.stop()

    # Then each has an instance of its own, built after the fork, from a module that was imported in the mold or in it
    entries = ledger.read(one.ledger).entries
    said: list[dict[str, Any]] = [json.loads(entry.note) for entry in entries]
    assert {entry.pid for entry in entries} == set(pids.values())
    assert [entry["built_in"] for entry in said] == [entry.pid for entry in entries]
    assert {entry["imported_in"] for entry in said} == ({mold} if preload else set(pids.values()))
    assert {entry["slot"]: entry["built_in"] for entry in said} == pids

    # and the packages are the user's own, and every instance was closed in order
    assert {tuple(entry["files"]) for entry in said} == {
        (str(tmp_path / "supervisor/__init__.py"), str(tmp_path / "worker/__init__.py"))
    }
    assert {entry["doubled"] for entry in said} == {84}
    closed = {int(path.suffix[1:]) for path in tmp_path.glob("ledger.closed.*")}
    assert closed == set(pids.values())
    assert one.events("handler_close_failed") == []
    assert one.events("internal_error") == []

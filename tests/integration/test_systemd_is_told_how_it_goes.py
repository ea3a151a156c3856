"""Through start, reloads good and refused, and a stop, systemd hears READY, RELOADING and STOPPING in order."""

import signal
from pathlib import Path
from typing import Any

from kherd.testing import toml
from kherd.testing.plugin import NewHerd
from kherd.worker import clock

from ..fakes.manager import Manager

RELOAD = ["RELOADING", "READY"]


def tables(count: int, **more: dict[str, Any]) -> dict[str, Any]:
    return {
        "app": {"name": "orders", "handler": "handlers:handle"},
        "kafka": {"bootstrap": "embedded", "topics": ["orders"]},
        "workers": {"count": count},
        "log": {"format": "json"},
        **more,
    }


def test_systemd_hears_the_truth_in_order(herd: NewHerd, tmp_path: Path) -> None:
    with Manager(tmp_path / "notify") as manager:
        one = herd(tables(2, systemd={"ready_quorum": 2}), env={"NOTIFY_SOCKET": manager.address})
        manager.wait(lambda it: it.words() == ["READY"], "READY=1")
        assert one.status()["workers"]["booted"] == 2
        before = manager.heard()[: manager.heard().index(manager.states()[0])]
        assert before[0]["STATUS"] == "starting: 0/2 workers booted, 2 needed"
        assert any("EXTEND_TIMEOUT_USEC" in datagram for datagram in before)
        one.wait_ready(2)
        manager.wait(lambda it: it.values("STATUS")[-1].startswith("2/2 ready, lag 0, gen 1"), "its standing")

        begun = clock.monotonic_ns() // 1_000
        one.configure(tables(3, systemd={"ready_quorum": 2}))
        one.signal(signal.SIGHUP)
        manager.wait(lambda it: it.words() == ["READY", *RELOAD], "the first reload")
        assert begun <= int(manager.states()[1]["MONOTONIC_USEC"]) <= clock.monotonic_ns() // 1_000
        assert manager.states()[1].keys() == {"RELOADING", "MONOTONIC_USEC"}
        assert "2/3 ready" in manager.states()[2]["STATUS"]
        one.wait_ready(3)

        one.config.write_text(toml.dumps(tables(-3)))
        one.signal(signal.SIGHUP)
        manager.wait(lambda it: it.words() == ["READY", *RELOAD * 2], "the refused reload")
        assert "the last reload was refused: workers.count" in manager.states()[4]["STATUS"]
        one.configure(tables(3, systemd={"ready_quorum": 1}))
        assert one.ask("reload")["changes"]
        assert manager.words() == ["READY", *RELOAD * 3]
        assert "refused" not in manager.states()[6]["STATUS"]

        manager.heard().clear()
        one.stop()
        assert manager.words() == ["STOPPING"]
        assert manager.states()[0]["STATUS"].startswith("stopping (SIGTERM): 3 workers left")
        after = manager.heard()[manager.heard().index(manager.states()[0]) + 1 :]
        assert 0 < int(next(iter(after))["EXTEND_TIMEOUT_USEC"]) <= 30_000_000
        assert after[-1]["STATUS"] == "stopped with exit code 0: SIGTERM"

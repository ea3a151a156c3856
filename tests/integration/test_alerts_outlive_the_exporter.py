"""What was not delivered when the exporter was killed, or started anew by a reload, is delivered after that."""

import os
import signal
from pathlib import Path
from typing import Any

from ..fakes.herd import standin
from ..fakes.processes import alive
from ..fakes.receiver import HANG, receiver


def test_kill_between_raise_and_delivery(tmp_path: Path) -> None:
    # Given an alert whose delivery is not answered
    with receiver(HANG) as server, raising(tmp_path, {"webhook": server.url()}) as herd:
        herd.until(lambda: len(server.got) == 1, what="the first attempt")

        # When the exporter is killed meanwhile
        killed = herd["services.exporter.pid"]
        os.kill(killed, signal.SIGKILL)

        # Then its successor delivers the alert
        herd.until(lambda: len(server.accepted) == 1, 20, "the delivery")
        assert server.accepted[0]["state"] == "raised"
        assert server.accepted[0] == server.got[0][2]
        assert herd["services.exporter.pid"] != killed
        herd.until(lambda: herd.events("alert_delivered"))
        assert herd.stop() == 0
        assert herd.events("alert_failed") == []


def test_a_command_under_way_dies_with_the_exporter(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with raising(tmp_path, {"command": ["sh", "-c", f"echo $$ >> {pids}; exec sleep 1000"]}) as herd:
        herd.until(lambda: len(numbers(pids)) == 1, what="the first attempt")
        os.kill(herd["services.exporter.pid"], signal.SIGKILL)
        herd.until(lambda: len(numbers(pids)) == 2, 20, "the second attempt")
        herd.until(lambda: not alive(numbers(pids)[0]), what="the end of the first command")
        assert herd.stop() == 0
        assert not alive(numbers(pids)[1])


def test_a_reload_sends_what_was_not_delivered_to_the_new_address(tmp_path: Path) -> None:
    with receiver(HANG) as dead, receiver() as living, raising(tmp_path, {"webhook": dead.url()}) as herd:
        herd.until(lambda: len(dead.got) == 1, what="the first attempt")
        herd.write(**tables({"webhook": living.url()}))
        assert "alerts.webhook" in str(herd.ask("reload"))
        herd.until(lambda: len(living.accepted) == 1, 20, "the delivery")
        assert living.accepted == [dead.got[0][2]]

        # and when nobody is to be told any more, there is no exporter, and the end is no problem
        herd.write(**tables({}))
        herd.ask("reload")
        herd.until(lambda: "exporter" not in herd["services"], what="the end of the exporter")
        assert herd.stop() == 0


def numbers(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def tables(alerts: dict[str, Any]) -> dict[str, Any]:
    return {"lag": {"alert_above": 100}, "alerts": alerts, "workers": {"count": 1}}


def raising(folder: Path, alerts: dict[str, Any]) -> Any:
    """A herd whose lag is too large."""
    (folder / "lag").write_text("500")
    return standin(folder, environment={"STANDIN_LAG": str(folder / "lag")}, **tables(alerts))

"""After a rollback the file's settings are in force but for the workers'; a restart keeps that, a reload mends it."""

from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.control.client import RefusedError

from ..fakes.herd import StandIn, standin

HANDLE = "def handle(message): ...\n"


def test_only_the_workers_keep_theirs(tmp_path: Path) -> None:
    quick: dict[str, Any] = {"reload": {"settle": 0.1}}
    with standin(tmp_path, HANDLE, workers={"count": 2}, **quick) as herd:
        herd.ready(2)

        # When a file with more workers and another topic is refused for its code
        (tmp_path / "orders.py").write_text("import no_such_thing\n")
        herd.write(workers={"count": 3}, kafka={"topics": ["orders", "more"]}, lag={"alert_above": 7}, **quick)
        herd.ask("reload")
        herd.until(lambda: ends(herd) == ["rolled_back"], what="the rollback")

        # Then there are more workers, of the old topic, and the liaison looks after that one too
        herd.ready(3)
        assert [slot["generation"] for slot in herd["slots"]] == [1, 1, 1]
        herd.until(lambda: len(herd.events("child_started", child="liaison")) == 3, what="the liaison to be told")
        with pytest.raises(RefusedError, match="no topic more is consumed here"):
            herd.ask("pause", topic="more")
        [problem] = herd["problems"]
        assert "generation 2 was rolled back: importing orders raised ModuleNotFoundError" in problem
        assert "the workers have the settings of generation 1, not the file's" in problem

        # When the code is mended, then a restart brings it to the workers with the settings they have
        (tmp_path / "orders.py").write_text(HANDLE)
        herd.ask("restart")
        herd.until(lambda: ends(herd) == ["rolled_back", "done"], what="the restart")
        assert ["the workers have the settings of generation 3" in problem for problem in herd["problems"]] == [True]

        # and a reload of the same file brings them the file's
        assert herd.ask("reload")["rolling"]
        herd.until(lambda: ends(herd)[2:] == ["done"], what="the reload")
        assert {slot["generation"] for slot in herd["slots"]} == {4}
        assert herd["problems"] == []
        assert herd.ask("pause", topic="more")["changed"]
        assert (herd["rollbacks"], herd["deaths"]) == (1, {})
        assert herd.stop() == 0


def ends(herd: StandIn) -> list[str]:
    """Return the state of every roll there was."""
    return [roll["state"] for roll in herd["rolls"]]

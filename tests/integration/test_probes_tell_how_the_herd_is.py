"""`/healthz` fails when the supervisor is silent, `/readyz` when the herd is not ready; both come back."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.decide.health import SILENT_SECONDS, SNAPSHOT_SECONDS
from kherd.testing.ports import Port

from ..fakes.herd import StandIn, standin
from ..fakes.page import get, tried

SOON = 2 * SNAPSHOT_SECONDS + 5.0


@pytest.fixture
def port() -> Iterator[int]:
    made = Port()
    yield made.number
    made.release()


def herd_on(port: int, folder: Path, handler: str = "def handle(message): ...\n", lag: str = "7", **tables: Any) -> Any:
    (folder / "lag").write_text(lag)
    environment = {"STANDIN_LAG": str(folder / "lag")}
    return standin(folder, handler, environment, metrics={"http": f"127.0.0.1:{port}"}, **tables)


def until_reasons(herd: StandIn, port: int, *reasons: str) -> None:
    """Wait until the herd is not ready for exactly these reasons, ready if there are none."""

    def look() -> bool:
        page = tried(port, "/readyz")
        if page is None:
            return False
        assert (page.status == 200) == page.json["ready"] == (not page.json["reasons"])
        return bool(page.json["reasons"] == list(reasons))

    herd.until(look, SOON, f"{reasons or 'ready'}")


def test_not_ready_while_too_few_workers_are(port: int, tmp_path: Path) -> None:
    workers, systemd = {"count": 2}, {"ready_quorum": 2}
    broken = "import os\nif os.path.exists(__file__ + '.broken'):\n    os._exit(1)\ndef handle(message): ...\n"
    more: dict[str, Any] = {"restart": {"backoff_max": 0.2}, "app": {"preload": False}}
    with herd_on(port, tmp_path, broken, workers=workers, systemd=systemd, **more) as herd:
        herd.ready(2)
        until_reasons(herd, port)

        # When a worker dies and cannot start again
        (tmp_path / "orders.py.broken").touch()
        os.kill(herd.pids()[0], signal.SIGKILL)
        until_reasons(herd, port, "ready workers: 1, needed: 2")
        assert get(port, "/healthz").status == 200

        # When it can again
        (tmp_path / "orders.py.broken").unlink()
        until_reasons(herd, port)
        assert herd.stop() == 0


def test_not_ready_while_it_is_quiet(port: int, tmp_path: Path) -> None:
    with herd_on(port, tmp_path, workers={"count": 1}) as herd:
        until_reasons(herd, port)
        herd.signal(signal.SIGUSR2)
        until_reasons(herd, port, "the herd is quiet: nothing new is taken until the next SIGUSR2")
        assert get(port, "/healthz").status == 200
        herd.signal(signal.SIGUSR2)
        until_reasons(herd, port)
        assert herd.stop() == 0


def test_not_ready_before_the_lag_was_ever_known(port: int, tmp_path: Path) -> None:
    with herd_on(port, tmp_path, lag="unknown", workers={"count": 1}) as herd:
        until_reasons(herd, port, "the lag is unknown (unknown), and no record was finished lately")
        assert "kherd_consumer_lag" not in get(port, "/metrics").series
        (tmp_path / "lag").write_text("7")
        until_reasons(herd, port)
        assert get(port, "/metrics").series["kherd_consumer_lag"] == 7
        assert herd.stop() == 0


def test_a_supervisor_that_does_not_run_is_told(port: int, tmp_path: Path) -> None:
    with herd_on(port, tmp_path, workers={"count": 1}) as herd:
        until_reasons(herd, port)
        herd.signal(signal.SIGSTOP)
        herd.until(lambda: get(port, "/healthz").status == 503, SILENT_SECONDS + 5, "the silence")
        assert get(port, "/healthz").body.startswith(b"the supervisor has been silent for 1")
        assert get(port, "/readyz").json["reasons"] == [get(port, "/healthz").body.decode().strip()]
        assert get(port, "/metrics").status == 503
        herd.signal(signal.SIGCONT)
        until_reasons(herd, port)
        assert get(port, "/healthz").body == b"ok\n"
        assert herd.stop() == 0

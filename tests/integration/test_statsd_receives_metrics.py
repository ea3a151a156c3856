"""The original statsd server receives the promised metrics, counts each record once, and may be away."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from kherd.testing.plugin import part_or_skip
from kherd.testing.statsd import StatsdServer
from kherd.testing.wait import until
from kherd.worker.channel import Channel, pair

from ..fakes.status import status

pytestmark = pytest.mark.statsd
EXPORTER = """
import os, socket, sys
from kherd.supervisor.children.exporter.main import run
from kherd.supervisor.children.exporter.spec import ExporterSpec
from kherd.worker.channel import Channel
from kherd.worker import log
from kherd.worker.spec import LogSpec
log.configure(LogSpec(), log.Identity("orders", "exporter"))
os._exit(run(ExporterSpec("orders", sys.argv[2], "team.kherd"), Channel(socket.socket(fileno=int(sys.argv[1])))))
"""


@pytest.fixture
def server() -> Iterator[StatsdServer]:
    made = part_or_skip(lambda: StatsdServer().open())
    yield made
    made.close()


def test_statsd_receives_metrics(server: StatsdServer) -> None:
    ours, theirs = pair()
    fd = theirs.fileno()
    with subprocess.Popen(
        [sys.executable, "-c", EXPORTER, str(fd), server.address], pass_fds=[fd], stderr=subprocess.PIPE, text=True
    ) as exporter:
        theirs.close()

        # Given a first snapshot, when nothing has been handled yet
        tell(ours, totals={}, deaths={}, restarts=0)
        until(lambda: server.gauges().get("team.kherd.orders.uptime"), 30, "the first snapshot")

        # When records are handled and a worker dies
        tell(ours, totals={"handled": 100, "failed": 2, "rebalances": 3}, deaths={"signal:KILL": 1}, restarts=1)
        tell(ours, totals={"handled": 250, "failed": 2, "rebalances": 3}, deaths={"signal:KILL": 1}, restarts=1)
        counters = until(lambda: having(server, "records_handled", 250), 30, "250 records")

        # Then each is counted once, and the gauges are there
        assert counters["team.kherd.orders.records_failed"] == 2
        assert counters["team.kherd.orders.rebalance_count"] == 3
        assert counters["team.kherd.orders.restarts"] == 1
        assert counters["team.kherd.orders.deaths.signal_KILL"] == 1
        assert counters["statsd.bad_lines_seen"] == 0
        gauges = server.gauges()
        assert gauges["team.kherd.orders.consumer_lag"] == 1234
        assert gauges["team.kherd.orders.topics.pay_ments.consumer_lag"] == 34
        assert gauges["team.kherd.orders.dlq_count"] == 3
        assert gauges["team.kherd.orders.processing_rate"] == 12.5
        assert gauges["team.kherd.orders.error_rate"] == 0.01
        assert gauges["team.kherd.orders.workers.ready"] == 1
        assert gauges["team.kherd.orders.workers.held"] == 0

        # When the lag is not known any more, it is said so and no number is sent
        unknown = {"valid": False, "reason": "x", "at": None, "total": None, "topics": {}, "partitions": []}
        tell(ours, lag=unknown, totals={"handled": 251})
        until(lambda: server.gauges()["team.kherd.orders.lag_known"] == 0, 30, "the lag to be unknown")
        assert server.gauges()["team.kherd.orders.consumer_lag"] == 1234

        # When the last snapshot comes with TERM, it still arrives
        tell(ours, totals={"handled": 300})
        exporter.terminate()
        assert exporter.wait(30) == 0
        until(lambda: having(server, "records_handled", 300), 30, "the last 49 records")
        ours.close()


def test_a_server_that_is_away_stops_nothing_and_is_told_once(server: StatsdServer) -> None:
    ours, theirs = pair()
    fd = theirs.fileno()
    server.close()
    with subprocess.Popen(
        [sys.executable, "-c", EXPORTER, str(fd), server.address], pass_fds=[fd], stderr=subprocess.PIPE, text=True
    ) as exporter:
        theirs.close()
        assert exporter.stderr is not None
        for handled in range(20):
            tell(ours, totals={"handled": handled})
        line = exporter.stderr.readline()
        assert "metrics_failed" in line
        assert server.address in line
        assert exporter.poll() is None
        exporter.terminate()
        assert exporter.wait(30) == 0
        assert exporter.stderr.read() == ""
        ours.close()


def tell(channel: Channel, **changes: Any) -> None:
    channel.send({"type": "snapshot", "status": status(**changes)})


def having(server: StatsdServer, name: str, total: float) -> dict[str, float] | None:
    counters = server.counters()
    return counters if counters.get(f"team.kherd.orders.{name}") == total else None

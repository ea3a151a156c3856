"""A webhook that never answers and a command that never ends delay neither metrics nor a stop, and are cut off."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.children.exporter.main import GRACE_SECONDS
from kherd.testing.wait import until
from kherd.worker import clock
from kherd.worker.channel import Channel, pair

from ..fakes.herd import standin
from ..fakes.processes import alive
from ..fakes.receiver import HANG, receiver
from ..fakes.status import status

pytestmark = pytest.mark.alone

EXPORTER = """
import os, socket, sys
from kherd.supervisor.children.exporter.main import run
from kherd.supervisor.children.exporter.spec import ExporterSpec
from kherd.worker.channel import Channel
from kherd.worker import log
from kherd.worker.spec import LogSpec
log.configure(LogSpec(), log.Identity("orders", "exporter"))
fd, statsd, webhook, *command = sys.argv[1:]
spec = ExporterSpec("orders", statsd, "kherd", webhook=webhook, command=tuple(command))
os._exit(run(spec, Channel(socket.socket(fileno=int(fd)))))
"""
DOCUMENT = {"version": 1, "alert": "lag", "state": "raised"}


def test_both_hang_while_metrics_flow_and_are_cut_off_with_all_that_they_started(tmp_path: Path) -> None:
    pids, errors = tmp_path / "pids", tmp_path / "log"
    script = f"sleep 1000 & echo $! >> {pids}; echo $$ >> {pids}; echo waiting for sleep; wait"
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd,
        receiver(*[HANG] * 9) as server,
        exporter(errors, statsd, server.url("/s3cr3t"), "sh", "-c", script) as (process, channel),
    ):
        # Given two deliveries that hang
        channel.send({"type": "alert", "id": 1, "to": ["command", "webhook"], "document": DOCUMENT})
        until(lambda: server.got and len(lines(pids)) == 2, 20, "both attempts")

        # Then every snapshot is sent at once, until both are cut off
        while "killed: waiting for sleep" not in errors.read_text() or "within 10 s, killed;" not in errors.read_text():
            channel.send({"type": "snapshot", "status": status()})
            statsd.settimeout(2.0)
            assert b"consumer_lag" in statsd.recv(65536)
            drain(statsd)
            clock.sleep(0.05)
        until(lambda: not any(alive(int(pid)) for pid in lines(pids)[:2]), 5, "the end of the command and its child")

        # and they are tried again, until the exporter is told to end, which ends them too
        until(lambda: len(server.got) == 2 and len(lines(pids)) == 4, 20, "both to be tried again")
        began = clock.monotonic()
        channel.send({"type": "ending", "deadline": began + 1.0})
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert clock.monotonic() - began < GRACE_SECONDS
        until(lambda: not any(alive(int(pid)) for pid in lines(pids)[2:]), 5, "the end of the second one and its child")
        assert "s3cr3t" not in errors.read_text()


def test_a_stop_takes_no_longer_than_services_may(tmp_path: Path) -> None:
    # Given a herd with an alert that cannot be delivered
    lag = tmp_path / "lag"
    lag.write_text("500")
    with receiver(HANG, HANG) as server:
        tables: dict[str, Any] = {"lag": {"alert_above": 100}, "alerts": {"webhook": server.url("/s3cr3t")}}
        with standin(tmp_path, environment={"STANDIN_LAG": str(lag)}, stop={"timeout": 25}, **tables) as herd:
            herd.ready(2)
            herd.until(lambda: server.got, what="the attempt")

            # When it is stopped, then it does not wait for the whole deadline, and says what was not delivered
            began = clock.monotonic()
            assert herd.stop() == 0
            assert clock.monotonic() - began < 6.0
            [line] = herd.events("alert_failed")
            assert (line["state"], line["target"], line["reason"]) == ("raised", "webhook", "kherd has stopped")
            assert herd.events("child_killed") == []


@contextmanager
def exporter(
    errors: Path, statsd: socket.socket, webhook: str, *command: str
) -> Iterator[tuple[subprocess.Popen[bytes], Channel]]:
    statsd.bind(("127.0.0.1", 0))
    ours, theirs = pair()
    fd = theirs.fileno()
    place = f"127.0.0.1:{statsd.getsockname()[1]}"
    arguments = [sys.executable, "-c", EXPORTER, str(fd), place, webhook, *command]
    with errors.open("wb") as log, subprocess.Popen(arguments, pass_fds=[fd], stderr=log) as process:
        theirs.close()
        try:
            yield process, ours
        finally:
            process.kill()
            ours.close()


def drain(udp: socket.socket) -> None:
    udp.settimeout(0.02)
    try:
        while udp.recv(65536):
            pass
    except TimeoutError:
        return


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []

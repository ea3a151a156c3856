import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.children.exporter import sender as module
from kherd.supervisor.children.exporter.main import Exporter
from kherd.supervisor.children.exporter.resolver import Address, Resolver, Unresolved, look_up, split
from kherd.supervisor.children.exporter.spec import ExporterSpec
from kherd.supervisor.children.exporter.statsd import PACKET, Statsd, prefix_of, written
from kherd.supervisor.decide.metrics import Sample
from kherd.supervisor.metrics import CONSUMER_LAG, ERROR_RATE, RECORDS_HANDLED, TOPIC_CONSUMER_LAG
from kherd.testing.wait import until
from kherd.worker import clock, log
from kherd.worker.channel import Channel, pair
from kherd.worker.spec import LogSpec

from ..fakes.status import status


class Server:
    """A UDP socket that collects what arrives."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.packets: list[bytes] = []

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.socket.getsockname()[1], ipv6=False)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.address.port}"

    def take(self, seconds: float = 0.0) -> list[str]:
        """Return the lines of all packets, waiting for a first one."""
        lines: list[str] = []
        while select.select([self.socket], [], [], 0.0 if lines else seconds)[0]:
            self.packets.append(self.socket.recv(65536))
            lines += self.packets[-1].decode("ascii").split("\n")
        return lines


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.socket.close()


@contextmanager
def client_of(server: Server, prefix: str = "kherd.orders") -> Iterator[Statsd]:
    client = Statsd(server.address, prefix)
    yield client
    client.close()


@contextmanager
def exporter_to(place: str, now: Callable[[], float] = clock.monotonic) -> Iterator[tuple[Exporter, Channel]]:
    ours, theirs = pair()
    exporter = Exporter(ExporterSpec("orders", place), theirs, now)
    try:
        yield exporter, ours
    finally:
        for one in (ours, theirs, exporter):
            one.close()


def snapshot(**changes: Any) -> dict[str, Any]:
    return {"type": "snapshot", "status": status(**changes)}


def resolver(exporter: Exporter) -> Resolver:
    assert exporter.sender is not None
    return exporter.sender.resolver


def until_resolved(exporter: Exporter) -> None:
    resolver(exporter).ask()
    assert select.select([exporter._wake], [], [], 30)[0]
    exporter.turn()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("graphite:8126", ("graphite", 8126)),
        ("graphite", ("graphite", 8125)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
        ("[::1]:9", ("::1", 9)),
        ("[::1]", ("::1", 8125)),
        ("::1", ("::1", 8125)),
    ],
)
def test_a_server_is_named_by_host_and_port(text: str, place: tuple[str, int]) -> None:
    assert split(text) == place


@pytest.mark.parametrize("text", ["", ":8125", "host:", "host:0", "host:65536", "host:x", "host:-1", "host:\u0661"])
def test_what_names_no_server_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        split(text)


def test_a_name_that_does_not_exist_is_a_reason_not_an_error() -> None:
    found = look_up("no-such-host.invalid", 1)
    assert isinstance(found, Unresolved)
    assert "no-such-host.invalid" in found.reason
    assert isinstance(look_up("x" * 70, 1), Unresolved)


def test_an_address_in_numbers_is_itself() -> None:
    assert look_up("127.0.0.1", 1) == (Address("127.0.0.1", 1, ipv6=False),)


def test_values_are_written_as_every_server_reads_them() -> None:
    assert [written(value) for value in (0, 10**15, 1.5, 1e-5, 1e-9, 2.0, 1e21)] == [
        "0", "1000000000000000", "1.5", "0.00001", "0", "2", "1000000000000000000000",
    ]  # fmt: skip


def test_a_prefix_is_safe_and_keeps_its_dots() -> None:
    assert prefix_of("my.team", "or.ders:x") == "my.team.or_ders_x"
    assert prefix_of("", "orders") == "orders"
    assert prefix_of("a..b", "c") == "a.b.c"


def test_samples_become_lines_of_the_protocol(server: Server) -> None:
    with client_of(server) as client:
        client.send([Sample(CONSUMER_LAG, 7), Sample(RECORDS_HANDLED, 3), Sample(ERROR_RATE, 0.25)])
        assert client.error is None
    assert server.take(5) == [
        "kherd.orders.consumer_lag:7|g",
        "kherd.orders.records_handled:3|c",
        "kherd.orders.error_rate:0.25|g",
    ]


def test_no_packet_is_longer_than_a_network_takes(server: Server) -> None:
    with client_of(server) as client:
        client.send([Sample(TOPIC_CONSUMER_LAG, number, (f"topic-{number}" * 20,)) for number in range(100)])
    assert len(server.take(5)) == 100
    assert len(server.packets) > 10
    assert max(map(len, server.packets)) <= PACKET


def test_a_name_too_long_for_a_packet_is_left_out_and_told(server: Server) -> None:
    with client_of(server) as client:
        client.send([Sample(TOPIC_CONSUMER_LAG, 1, ("t" * 600,)), Sample(CONSUMER_LAG, 1)])
        assert "too long" in (client.error or "")
    assert server.take(5) == ["kherd.orders.consumer_lag:1|g"]


def test_nobody_listening_is_told_not_raised(server: Server) -> None:
    with client_of(server) as client:
        server.socket.close()
        for _ in range(100):  # the kernel tells at the next send after the answer to an earlier one
            client.send([Sample(CONSUMER_LAG, 1)])
            if client.error is not None:
                break
        assert client.error == "Connection refused"


def test_a_snapshot_before_the_address_is_known_is_kept_and_its_counters_are_not_lost(server: Server) -> None:
    with exporter_to(server.place) as (exporter, channel):
        ask = resolver(exporter).ask
        resolver(exporter).ask = lambda: None  # type: ignore[method-assign]
        channel.send(snapshot(totals={"handled": 10}))
        exporter.turn()
        channel.send(snapshot(totals={"handled": 15}))
        exporter.turn()
        resolver(exporter).ask = ask  # type: ignore[method-assign]
        until_resolved(exporter)
        assert "kherd.orders.records_handled:0|c" in server.take(5)
        channel.send(snapshot(totals={"handled": 22}))
        exporter.turn()
        assert "kherd.orders.records_handled:12|c" in server.take(5)


def test_failures_are_told_once_a_minute() -> None:
    stream = StringIO()
    log.configure(LogSpec(), log.Identity(), stream=stream)
    time = [1000.0]
    with exporter_to("no-such-host.invalid:1", lambda: time[0]) as (exporter, channel):
        for _ in range(3):
            channel.send(snapshot())
            until_resolved(exporter)
        assert stream.getvalue().count("metrics_failed") == 1
        assert "no-such-host.invalid" in stream.getvalue()
        time[0] += module.COMPLAIN_EVERY
        until_resolved(exporter)
        assert stream.getvalue().count("metrics_failed") == 2


def test_of_several_addresses_the_one_that_listens_is_found(server: Server) -> None:
    with exporter_to(server.place) as (exporter, channel):
        resolver(exporter).ask = lambda: None  # type: ignore[method-assign]
        resolver(exporter)._results.put((Address("::1", server.address.port, ipv6=True), server.address))
        for _ in range(100):
            channel.send(snapshot())
            exporter.turn()
            if "kherd.orders.consumer_lag:1234|g" in server.take():
                return
        raise AssertionError("nothing has arrived")


def test_an_address_is_looked_up_anew_now_and_then(server: Server) -> None:
    time = [1000.0]
    asked = []
    with exporter_to(server.place, lambda: time[0]) as (exporter, channel):
        until_resolved(exporter)
        resolver(exporter).ask = lambda: asked.append(time[0])  # type: ignore[method-assign]
        for _ in range(25):
            channel.send(snapshot())
            exporter.turn()
            time[0] += 5.0
    assert asked[0] == 1060.0


SCRIPT = """
import os, socket, sys
from kherd.supervisor.children.exporter.main import run
from kherd.supervisor.children.exporter.spec import ExporterSpec
from kherd.worker.channel import Channel
os._exit(run(ExporterSpec("orders", sys.argv[2]), Channel(socket.socket(fileno=int(sys.argv[1])))))
"""


@contextmanager
def process_to(place: str) -> Iterator[tuple[subprocess.Popen[bytes], Channel]]:
    ours, theirs = pair()
    fd = theirs.fileno()
    with subprocess.Popen([sys.executable, "-c", SCRIPT, str(fd), place], pass_fds=[fd]) as process:
        theirs.close()
        try:
            yield process, ours
        finally:
            process.kill()
            ours.close()


def test_term_sends_what_the_channel_holds_and_exits_with_0(server: Server) -> None:
    with process_to(server.place) as (process, channel):
        channel.send(snapshot(totals={"handled": 1}))
        assert server.take(30)
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        channel.send(snapshot(totals={"handled": 6}))
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        assert process.wait(30) == 0
        assert "kherd.orders.records_handled:5|c" in server.take(5)


@pytest.mark.parametrize("place", ["no-such-host.invalid:1", "127.0.0.1:9"])
def test_an_exporter_that_reaches_nobody_lives_until_it_is_told_to_end(place: str) -> None:
    with process_to(place) as (process, channel):
        for _ in range(10):
            channel.send(snapshot())
        while_it_reads(channel)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def while_it_reads(channel: Channel) -> None:
    """Return when the other end has taken everything that was sent."""
    for _ in range(3000):
        if unread(channel) == 0:
            return
        clock.sleep(0.01)
    raise AssertionError("the exporter does not read")


def unread(channel: Channel) -> int:
    """The bytes that the other end has not read (unix(7), SIOCOUTQ)."""
    return int.from_bytes(fcntl.ioctl(channel.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def test_the_end_of_the_supervisor_is_the_end_of_the_exporter(server: Server) -> None:
    with process_to(server.place) as (process, channel):
        channel.close()
        assert process.wait(30) == 0


@contextmanager
def alerter(*command: str) -> Iterator[tuple[Exporter, Channel]]:
    """An exporter that has alerts to deliver and no metrics."""
    ours, theirs = pair()
    exporter = Exporter(ExporterSpec("orders", command=command), theirs)
    try:
        yield exporter, ours
    finally:
        for one in (ours, theirs, exporter):
            one.close()


def test_an_alert_is_acknowledged_for_the_target_that_got_it(tmp_path: Path) -> None:
    with alerter("sh", "-c", f"cat > {tmp_path}/got") as (exporter, channel):
        document = {"alert": "lag", "state": "raised"}
        channel.send(snapshot())  # nobody asked for metrics
        channel.send({"type": "alert", "id": 7, "to": ["command", "a later version's"], "document": document})

        def answer() -> Any:
            exporter.turn()
            return channel.receive()

        message, _ = until(answer, 30, "the acknowledgement")
        assert message == {"type": "alert_done", "id": 7, "target": "command"}
        assert json.loads((tmp_path / "got").read_text()) == document


def test_an_exporter_says_that_it_is_there(server: Server) -> None:
    with process_to(server.place) as (_, channel):
        message, _ = until(channel.receive, 30, "its first word")
        assert message == {"type": "ready"}

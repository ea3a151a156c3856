import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import StringIO

import pytest

from kherd.supervisor.children.exporter import front as module
from kherd.supervisor.children.exporter import server as server_module
from kherd.supervisor.children.exporter.front import Front, listen
from kherd.supervisor.children.exporter.server import Answer
from kherd.supervisor.decide.health import SILENT_SECONDS
from kherd.testing.ports import Port
from kherd.testing.wait import until
from kherd.worker import log
from kherd.worker.spec import LogSpec

from ..fakes.page import get, tried
from ..fakes.status import status


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def port() -> Iterator[int]:
    made = Port()
    yield made.number
    made.release()


@contextmanager
def door(place: str, now: Clock | None = None) -> Iterator[Front]:
    front = Front(place, now or Clock())
    front.start()
    try:
        yield front
    finally:
        front.close()
        front._thread.join(30)
        assert not front._thread.is_alive()


def until_open(port: int) -> None:
    until(lambda: tried(port, "/"), 30, "an answer")


def ready() -> dict[str, object]:
    return status(workers={"wanted": 1, "by_state": {"ready": 1}})


def test_before_the_first_snapshot_it_lives_and_is_not_ready_and_has_no_numbers(port: int) -> None:
    with door(f"127.0.0.1:{port}"):
        until_open(port)
        assert (get(port, "/healthz").status, get(port, "/healthz").body) == (200, b"ok\n")
        assert get(port, "/readyz").status == 503
        assert get(port, "/readyz").json == {"ready": False, "reasons": ["the supervisor has not been heard yet"]}
        assert get(port, "/metrics").status == 503


def test_a_snapshot_is_what_is_shown_until_silence_makes_it_old(port: int) -> None:
    now = Clock()
    with door(f"127.0.0.1:{port}", now) as front:
        until_open(port)
        front.take(ready())
        now.time += SILENT_SECONDS
        assert get(port, "/metrics").series["kherd_consumer_lag"] == 1234
        assert (get(port, "/readyz").status, get(port, "/readyz").json) == (200, {"ready": True, "reasons": []})
        assert get(port, "/readyz").headers["Content-Type"] == "application/json"
        now.time += 1
        silent = "the supervisor has been silent for 16 s"
        assert (get(port, "/healthz").status, get(port, "/healthz").body.decode()) == (503, silent + "\n")
        assert (get(port, "/readyz").status, get(port, "/readyz").json["reasons"]) == (503, [silent])
        assert get(port, "/metrics").status == 503
        front.take(ready())
        assert {get(port, path).status for path in ("/metrics", "/healthz", "/readyz")} == {200}


def test_other_paths_are_not_found_and_other_methods_not_allowed(port: int) -> None:
    with door(f"127.0.0.1:{port}") as front:
        until_open(port)
        front.take(ready())
        assert [get(port, path).status for path in ("/", "/metrics/", "/healthz2", "//[", "*")] == [404] * 5
        assert get(port, "/metrics?x=1").status == 200
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "NONSENSE"):
            answer = get(port, "/metrics", method)
            assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
        head = get(port, "/metrics", "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert int(head.headers["Content-Length"]) > 1000


def test_a_client_that_speaks_no_http_is_told_and_hung_up_on(port: int) -> None:
    with door(f"127.0.0.1:{port}"):
        until_open(port)
        for rubbish in (
            b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
            b"GET /healthz HTTP/9.9\r\n\r\n",
            b"x" * 70000 + b"\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", port), 30) as client:
                client.sendall(rubbish)
                client.shutdown(socket.SHUT_WR)
                with suppress(ConnectionResetError):  # it did not read all of it
                    assert b"ok" not in client.recv(65536)
        assert get(port, "/healthz").status == 200


def test_clients_that_say_nothing_leave_room_for_others_once_they_are_hung_up_on(port: int) -> None:
    with door(f"127.0.0.1:{port}"):
        until_open(port)
        silent = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(server_module.MOST_CLIENTS + 4)]
        until(lambda: threads() == server_module.MOST_CLIENTS, 30, "as many threads as there may be")
        # too many: the last ones are hung up on at once
        assert [client.recv(1) for client in silent[server_module.MOST_CLIENTS :]] == [b""] * 4
        # the others when they have been silent for too long, and then there is room and no thread is left
        assert [client.recv(1) for client in silent[: server_module.MOST_CLIENTS]] == [b""] * server_module.MOST_CLIENTS
        for client in silent:
            client.close()
        until(lambda: (page := tried(port, "/healthz")) is not None and page.status == 200, 30, "room")
        until(lambda: threads() == 0, 30, "no thread to be left")


def test_a_client_that_drips_is_cut_off(port: int) -> None:
    with door(f"127.0.0.1:{port}"):
        until_open(port)
        with socket.create_connection(("127.0.0.1", port), 30) as client:
            client.settimeout(1.0)

            def hung_up() -> bool:
                try:
                    client.sendall(b"G")
                    return client.recv(1) == b""
                except TimeoutError:
                    return False
                except OSError:
                    return True

            until(hung_up, 30, "the end of the drip")


def threads() -> int:
    """How many threads serve clients."""
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


def test_a_port_that_is_taken_is_said_once_a_minute_and_had_when_it_is_free(port: int) -> None:
    stream, now = StringIO(), Clock()
    log.configure(LogSpec(), log.Identity(), stream=stream)
    taken = socket.create_server(("127.0.0.1", port))
    front = Front(f"127.0.0.1:{port}", now)
    waits = iter([30.0, 40.0])

    def wait(seconds: float) -> bool:
        assert seconds == module.RETRY_SECONDS
        now.time += next(waits, 0.0)
        if now.time > 1060.0:
            taken.close()
        return False

    front._closing.wait = wait  # type: ignore[method-assign,assignment]
    front.start()
    try:
        until_open(port)
    finally:
        front.close()
        front._thread.join(30)
        taken.close()
    said = stream.getvalue()
    assert said.count('"http_failed"') == 1
    assert "Address already in use" in said
    assert "tried again every 5 s" in said
    assert said.count('"http_listens"') == 1


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("no-such-host.invalid:1", "not known|resolution"),
        ("192.0.2.1:65000", "annot assign"),
        ("x" * 70 + ":1", "too long|not known"),
    ],
)
def test_a_place_that_is_not_ours_is_a_reason(place: str, reason: str) -> None:
    with pytest.raises((OSError, UnicodeError), match=reason):
        listen(place, lambda *_: Answer(200, "", b""))  # type: ignore[arg-type]


def test_an_address_of_ipv6_stands_in_brackets(port: int) -> None:
    with door(f"[::1]:{port}"):
        until(lambda: _over_ipv6(port), 30, "an answer over IPv6")


def _over_ipv6(port: int) -> bool:
    try:
        return get(port, "/healthz", host="::1").status == 200
    except OSError:
        return False


def test_closing_before_it_listens_ends_it(port: int) -> None:
    front = Front(f"127.0.0.1:{port}")
    front.close()
    front.start()
    front._thread.join(30)
    assert not front._thread.is_alive()
    assert tried(port, "/") is None

"""The control server on real sockets, driven one round of the loop at a time, with a clock that the test moves."""

import io
import os
import resource
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.control import server as module
from kherd.supervisor.control.listener import AlreadyListeningError
from kherd.supervisor.control.protocol import (
    MAX_REQUEST,
    Answer,
    Request,
    decode_answer,
    done,
    encode_request,
)
from kherd.supervisor.control.server import MAX_CLIENTS, PATIENCE, REQUESTS_PER_WINDOW, ControlServer
from kherd.supervisor.poller import Poller
from kherd.worker import log, redact
from kherd.worker.spec import LogSpec


class Herd:
    """What a supervisor is to its control server: a loop, a clock and somebody who does what is asked."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.time = 1000.0
        self.poller = Poller()
        self.requests: list[Request] = []
        self.reply: Answer | None = done("yes")
        self.server = ControlServer(path, self.dispatch, self.poller, now=lambda: self.time, **options)

    def dispatch(self, request: Request) -> Answer | None:
        self.requests.append(request)
        return self.reply

    def round(self, times: int = 1) -> None:
        for _ in range(times):
            self.poller.wait(0)

    def later(self, seconds: float) -> None:
        self.time += seconds
        self.server.expire(self.time)

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(5)
        client.connect(str(self.path))
        return client

    def converse(self, client: socket.socket, rounds: int) -> list[Answer]:
        """Go round, with a client that reads as it goes."""
        heard = []
        for _ in range(rounds):
            self.round()
            heard += answers(client)
        return heard

    def clients(self) -> int:
        return len(self.server.fds()) - 1


@contextmanager
def herd_at(path: Path, **options: Any) -> Iterator[Herd]:
    herd = Herd(path, **options)
    try:
        yield herd
    finally:
        herd.server.close()
        herd.poller.close()


@pytest.fixture
def herd(tmp_path: Path) -> Iterator[Herd]:
    with herd_at(tmp_path / "control.sock") as one:
        yield one


def answers(client: socket.socket) -> list[Answer]:
    """All answers that have arrived, without waiting."""
    client.setblocking(False)
    data = b""
    try:
        while chunk := client.recv(1 << 20):
            data += chunk
    except (BlockingIOError, ConnectionResetError):
        pass
    return [decode_answer(line) for line in data.splitlines()]


def hung_up(client: socket.socket) -> bool:
    """Whether the server has closed the connection and nothing is left to read."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


STATUS = encode_request(Request("status"))


def test_a_request_gets_its_answer_and_the_connection_stays_usable(herd: Herd) -> None:
    with herd.connect() as client:
        for _ in range(3):
            client.sendall(STATUS)
            herd.round(2)
            assert answers(client) == [done("yes")]
    assert [request.command for request in herd.requests] == ["status"] * 3


def test_a_bad_line_gets_an_error_and_the_connection_stays_usable(herd: Herd) -> None:
    with herd.connect() as client:
        client.sendall(b"hello\n")
        herd.round(2)
        (answer,) = answers(client)
        assert not answer.ok
        client.sendall(STATUS)
        herd.round(2)
        assert answers(client) == [done("yes")]


def test_a_request_may_come_in_pieces(herd: Herd) -> None:
    with herd.connect() as client:
        for byte in STATUS:
            client.sendall(bytes([byte]))
            herd.round(2)
        assert answers(client) == [done("yes")]


def test_requests_sent_in_one_go_are_answered_in_order_one_per_round(herd: Herd) -> None:
    with herd.connect() as client:
        client.sendall(STATUS + encode_request(Request("lag")) + encode_request(Request("reload")))
        herd.round()
        herd.round()
        assert len(herd.requests) == 1
        herd.round(3)
        assert [request.command for request in herd.requests] == ["status", "lag", "reload"]
        assert len(answers(client)) == 3


def test_an_answer_may_come_later_and_what_follows_waits_for_it(herd: Herd) -> None:
    herd.reply = None
    with herd.connect() as client:
        client.sendall(encode_request(Request("reload")) + STATUS)
        herd.round(3)
        assert answers(client) == []
        assert herd.server.deadline(herd.time) is None
        herd.later(3600)
        herd.reply = done("status")
        herd.server.answer(herd.requests[0].client, done("reloaded"))
        herd.round(2)
        assert answers(client) == [done("reloaded"), done("status")]


def test_an_answer_to_a_client_that_has_gone_is_no_error(herd: Herd) -> None:
    herd.reply = None
    with herd.connect() as client:
        client.sendall(STATUS)
        herd.round(2)
    herd.round()
    assert herd.clients() == 0
    herd.server.answer(herd.requests[0].client, done())
    herd.server.answer(12345, done())


def test_dispatch_may_close_the_server(herd: Herd) -> None:
    def dispatch(_: Request) -> Answer:
        herd.server.close()
        return done()

    herd.server._dispatch = dispatch
    with herd.connect() as client:
        client.sendall(STATUS)
        herd.round(2)
        assert hung_up(client)


def test_dispatch_may_answer_before_it_returns(herd: Herd) -> None:
    def dispatch(request: Request) -> None:
        herd.server.answer(request.client, done("at once"))

    herd.server._dispatch = dispatch
    with herd.connect() as client:
        client.sendall(STATUS * 150)
        assert herd.converse(client, rounds=200) == [done("at once")] * 150


def test_who_connects_and_vanishes_leaves_nothing_behind(herd: Herd) -> None:
    for _ in range(100):
        herd.connect().close()
        herd.round(2)
    assert herd.clients() == 0
    assert herd.server.deadline(herd.time) is None


@pytest.mark.parametrize("said", [b"", b'{"v":1,"comm'], ids=["nothing", "half a line"])
def test_who_never_finishes_a_request_is_dropped_after_ten_seconds(herd: Herd, said: bytes) -> None:
    with herd.connect() as client:
        client.sendall(said)
        herd.round(2)
        assert herd.server.deadline(herd.time) == herd.time + PATIENCE
        herd.later(PATIENCE - 0.1)
        assert herd.clients() == 1
        herd.later(0.1)
        assert herd.clients() == 0
        assert hung_up(client)


def test_dribbling_bytes_buys_no_time(herd: Herd) -> None:
    with herd.connect() as client:
        for _ in range(20):
            herd.round(2)
            try:
                client.sendall(b" ")
            except BrokenPipeError:
                break
            herd.later(1.0)
        assert herd.clients() == 0


def test_who_never_reads_is_dropped_and_holds_one_answer_at_most(herd: Herd) -> None:
    herd.reply = done("x" * 1_000_000)
    with herd.connect() as client:
        client.sendall(STATUS * 50)
        herd.round(100)
        assert len(herd.requests) == 1
        herd.later(PATIENCE)
        assert herd.clients() == 0


def test_a_long_answer_is_read_whole(herd: Herd) -> None:
    herd.reply = done("x" * 3_000_000)
    with herd.connect() as client:
        client.sendall(STATUS)
        client.setblocking(False)
        data = b""
        for _ in range(1000):
            herd.round()
            try:
                data += client.recv(1 << 16)
            except BlockingIOError:
                continue
            if data.endswith(b"\n"):
                break
        assert decode_answer(data) == herd.reply


def test_too_long_a_line_is_refused_in_words_and_the_client_dropped(herd: Herd) -> None:
    with herd.connect() as client:
        client.setblocking(False)
        sent = 0
        while sent <= MAX_REQUEST:
            sent += client.send(b"x" * 65536)
            herd.round()
        herd.round(2)
        (answer,) = answers(client)
        assert not answer.ok
        assert str(MAX_REQUEST) in (answer.error or "")
        assert herd.clients() == 0


def test_a_line_of_the_greatest_length_is_a_request(herd: Herd) -> None:
    with herd.connect() as client:
        client.sendall(STATUS[:-1].ljust(MAX_REQUEST - 1) + b"\n")
        herd.round(4)
        assert answers(client) == [done("yes")]


def test_a_flood_during_a_long_command_is_cut_off(herd: Herd) -> None:
    herd.reply = None
    with herd.connect() as client:
        client.sendall(STATUS)
        herd.round(2)
        client.setblocking(False)
        for _ in range(10):
            try:
                client.send(b"\n" * 65536)
            except (BlockingIOError, BrokenPipeError):
                break
            herd.round()
        assert herd.clients() == 0


def test_asking_too_often_is_refused_in_words_and_the_client_dropped(herd: Herd) -> None:
    with herd.connect() as client:
        client.sendall(b"\n" * (REQUESTS_PER_WINDOW + 50))
        heard = herd.converse(client, rounds=REQUESTS_PER_WINDOW + 60)
        assert herd.clients() == 0
        assert "requests in" in (heard[-1].error or "")


def test_asking_now_and_then_is_never_refused(herd: Herd) -> None:
    with herd.connect() as client:
        for _ in range(REQUESTS_PER_WINDOW * 2):
            client.sendall(STATUS)
            assert herd.converse(client, rounds=2) == [done("yes")]
            herd.later(1.0)


def test_one_client_too_many_is_told_so_and_room_is_made_when_one_leaves(herd: Herd) -> None:
    crowd = [herd.connect() for _ in range(MAX_CLIENTS)]
    herd.round(4)
    assert herd.clients() == MAX_CLIENTS
    with herd.connect() as late:
        herd.round(2)
        assert "clients are connected" in (answers(late)[0].error or "")
    crowd.pop().close()
    herd.round(2)
    with herd.connect() as client:
        client.sendall(STATUS)
        herd.round(3)
        assert answers(client) == [done("yes")]
    for one in crowd:
        one.close()


def test_a_user_who_is_not_allowed_is_refused(tmp_path: Path) -> None:
    with herd_at(tmp_path / "s", peers_allowed={os.geteuid() + 1}) as herd, herd.connect() as client:
        client.sendall(STATUS)
        herd.round(3)
        (answer,) = answers(client)
        assert f"user id {os.geteuid()}" in (answer.error or "")
        assert herd.requests == []
        assert herd.clients() == 0


def test_the_socket_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with herd_at(tmp_path / "s"):
            assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_close_removes_the_socket(tmp_path: Path) -> None:
    with herd_at(tmp_path / "s"):
        pass
    assert not (tmp_path / "s").exists()


def test_close_leaves_a_successors_socket_alone(tmp_path: Path) -> None:
    with herd_at(tmp_path / "s"):
        (tmp_path / "s").unlink()
        successor = socket.socket(socket.AF_UNIX)
        successor.bind(str(tmp_path / "s"))
    assert (tmp_path / "s").exists()
    successor.close()


def test_a_dead_socket_is_replaced(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "s"))
    dead.close()
    with herd_at(tmp_path / "s") as herd, herd.connect() as client:
        client.sendall(STATUS)
        herd.round(2)
        assert answers(client) == [done("yes")]


def test_a_live_socket_is_never_replaced(herd: Herd) -> None:
    with pytest.raises(AlreadyListeningError, match="another supervisor"):
        Herd(herd.path)
    with herd.connect() as client:
        client.sendall(STATUS)
        herd.round(4)
        assert answers(client) == [done("yes")]


def test_a_file_in_the_sockets_place_is_an_error_and_stays(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("mine")
    with pytest.raises(FileExistsError, match="no socket"):
        Herd(tmp_path / "s")
    assert (tmp_path / "s").read_text() == "mine"


def test_a_path_longer_than_an_address_works(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    with herd_at(folder / "control.sock"):
        assert stat.S_ISSOCK((folder / "control.sock").stat().st_mode)
    assert not (folder / "control.sock").exists()


def test_a_name_longer_than_an_address_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the name of a socket may have"):
        Herd(tmp_path / ("s" * 200))


def test_without_descriptors_the_listener_rests_instead_of_spinning_the_loop(herd: Herd) -> None:
    client = herd.connect()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        herd.round()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert herd.clients() == 0
    assert herd.server.deadline(herd.time) == herd.time + module.REST
    client.sendall(STATUS)
    herd.round(3)
    assert answers(client) == []
    herd.later(module.REST)
    herd.round(3)
    assert answers(client) == [done("yes")]
    client.close()


def test_an_idle_server_has_no_deadline_and_no_descriptor_but_its_listener(herd: Herd) -> None:
    assert herd.server.deadline(herd.time) is None
    assert len(herd.server.fds()) == 1


@pytest.mark.parametrize("secret", ["hunter2", "1", "ok", 'a"b\\c'])
def test_no_answer_tells_a_secret(herd: Herd, secret: str) -> None:
    redact.hide([secret])
    try:
        herd.reply = done({"why": [f"cannot log in with {secret}!"], "n": 11})
        with herd.connect() as client:
            client.sendall(STATUS)
            (answer,) = herd.converse(client, rounds=3)
    finally:
        redact._secrets.clear()
    assert answer.data == {"why": ["cannot log in with [redacted]!"], "n": 11}


def test_refusals_are_logged_once_per_ten_seconds(tmp_path: Path) -> None:
    written = io.StringIO()
    log.configure(LogSpec(), log.Identity(), stream=written)
    with herd_at(tmp_path / "s", peers_allowed=()) as herd:
        for _ in range(20):
            herd.connect().close()
            herd.round()
        assert written.getvalue().count("control_refused") == 1
        herd.later(PATIENCE)
        herd.connect().close()
        herd.round()
        assert written.getvalue().count("control_refused") == 2

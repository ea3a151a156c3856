"""The harness' proxy delays, resets, swallows and heals what goes through it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from kherd.testing.ports import Port
from kherd.testing.proxy import Cut, Proxy
from kherd.testing.wait import until
from kherd.worker import clock


class Echo:
    """Answers every byte with itself, in threads."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with closing(connection):
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    echo, port = Echo(), Port()
    proxy = Proxy(port.number, echo.port)
    yield proxy
    proxy.close()
    port.release()
    echo.close()


@pytest.fixture
def nowhere() -> Iterator[Proxy]:
    entrance, gone = Port(), Port()
    proxy = Proxy(entrance.number, gone.number)
    yield proxy
    proxy.close()
    entrance.release()
    gone.release()


def connect(proxy: Proxy, timeout: float = 5.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout)


def echoed(sock: socket.socket, data: bytes) -> bytes:
    sock.sendall(data)
    got = b""
    while len(got) < len(data):
        got += sock.recv(65536)
    return got


def test_bytes_arrive_whole_through_several_connections(proxy: Proxy) -> None:
    data = bytes(range(256)) * 4000
    for _ in range(3):
        with connect(proxy) as one, connect(proxy) as two:
            sender = threading.Thread(target=one.sendall, args=(data,))
            sender.start()
            assert echoed(two, b"beside it") == b"beside it"
            got = b""
            while len(got) < len(data):
                got += one.recv(65536)
            sender.join()
            assert got == data
    until(lambda: proxy.connections == 0, 5, "closed connections to be forgotten")


def test_a_delay_counts_each_way_and_ends_with_heal(proxy: Proxy) -> None:
    with connect(proxy) as sock:
        proxy.delay(0.15, 0.1)
        before = clock.monotonic()
        echoed(sock, b"x")
        assert clock.monotonic() - before >= 0.25
        proxy.heal()
        assert echoed(sock, b"y") == b"y"


def test_a_reset_ends_connections_and_refuses_new_ones_until_healed(proxy: Proxy) -> None:
    with connect(proxy) as sock:
        echoed(sock, b"x")
        proxy.cut(Cut.RESET)
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.heal()
    with connect(proxy) as sock:
        assert echoed(sock, b"y") == b"y"


def test_a_black_hole_swallows_silently_and_gives_back_when_healed(proxy: Proxy) -> None:
    with connect(proxy) as sock:
        echoed(sock, b"x")
        proxy.cut(Cut.BLACKHOLE)
        sock.sendall(b"held")
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(4)
        with connect(proxy) as late:
            late.sendall(b"late")
            proxy.heal()
            sock.settimeout(5)
            assert sock.recv(4) == b"held"
            assert late.recv(4) == b"late"


def test_a_server_that_is_gone_is_a_reset_not_a_hang(nowhere: Proxy) -> None:
    with pytest.raises(ConnectionResetError), connect(nowhere) as sock:
        sock.recv(1)

"""A TCP proxy of our own: delay, cut and heal what goes through one port, while both ends believe in each other.

All proxies of a run are served by one thread with one asyncio loop; the methods are called from any other thread.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from enum import Enum
from typing import Any, Final

CHUNK: Final = 64 * 1024
IN_FLIGHT: Final = 64
"""Chunks that may be on their way in one direction of a connection: a delay must not become an endless buffer."""
LINGER_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER on, 0 seconds: close() sends RST instead of FIN."""
PATIENCE: Final = 10.0


class Cut(Enum):
    """How a proxy fails."""

    RESET = "reset"
    """Connections are reset and new ones refused: a process is gone, its host is not."""
    BLACKHOLE = "blackhole"
    """Connections stay and nothing passes: a host or a wire is gone. After `heal`, what was held back arrives."""


class Proxy:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`upstream`."""

    def __init__(self, port: int, upstream: int) -> None:
        self.port = port
        self.upstream = upstream
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._loop = _loop()
        self._flow = asyncio.Event()
        self._delays = (0.0, 0.0)
        self._do(self._open())
        self.heal()

    def delay(self, there: float, back: float | None = None) -> None:
        """Hold everything for `there` seconds on the way to the broker and `back` (the same) on the way from it."""
        self._delays = (there, there if back is None else back)

    def cut(self, how: Cut = Cut.RESET) -> None:
        """Fail from now on, in the given way."""
        self._do(self._cut(how))

    def heal(self) -> None:
        """Work again, without delay."""
        self._delays = (0.0, 0.0)
        self._do(self._heal())

    def close(self) -> None:
        """Reset what is open and listen no more."""
        self._do(self._cut(Cut.RESET))

    @property
    def connections(self) -> int:
        """How many connections go through it now."""
        return len(self._links)

    def _do(self, action: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result(PATIENCE)

    async def _open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def _cut(self, how: Cut) -> None:
        if how is Cut.BLACKHOLE:
            self._flow.clear()
            return
        if self._server is not None:
            self._server.close()
            self._server = None
        self._flow.set()
        ending = [link.reset() for link in tuple(self._links)]
        await asyncio.gather(*ending)

    async def _heal(self) -> None:
        self._flow.set()
        await self._open()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(self._flow, writer)
        self._links.add(link)
        try:
            await link.run(reader, self.upstream, self)
        finally:
            self._links.discard(link)

    def delay_of(self, direction: int) -> float:
        """Return the seconds a chunk is held: direction 0 is to the broker, 1 is back."""
        return self._delays[direction]


class _Link:
    """One client's connection and the one to the broker that belongs to it."""

    def __init__(self, flow: asyncio.Event, client: asyncio.StreamWriter) -> None:
        self._flow = flow
        self._writers = [client]
        self._task = asyncio.current_task()

    async def run(self, reader: asyncio.StreamReader, upstream: int, proxy: Proxy) -> None:
        """Carry bytes both ways until either side ends; then reset both."""
        try:
            await self._flow.wait()
            broker_reader, broker = await asyncio.open_connection("127.0.0.1", upstream)
            self._writers.append(broker)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, broker, proxy, 0))
                both.create_task(self._carry(broker_reader, self._writers[0], proxy, 1))
        except* (OSError, asyncio.CancelledError):
            pass  # an end of a connection, whoever caused it
        finally:
            for writer in self._writers:
                _reset(writer)

    async def reset(self) -> None:
        """End it from outside."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: Proxy, direction: int
    ) -> None:
        moving: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)
        async with asyncio.TaskGroup() as ends:
            ends.create_task(self._receive(reader, moving, proxy, direction))
            ends.create_task(self._deliver(writer, moving))

    async def _receive(
        self, reader: asyncio.StreamReader, moving: "asyncio.Queue[tuple[float, bytes]]", proxy: Proxy, direction: int
    ) -> None:
        now = asyncio.get_running_loop().time
        while data := await reader.read(CHUNK):
            await moving.put((now() + proxy.delay_of(direction), data))
        await moving.put((now() + proxy.delay_of(direction), b""))

    async def _deliver(self, writer: asyncio.StreamWriter, moving: "asyncio.Queue[tuple[float, bytes]]") -> None:
        now = asyncio.get_running_loop().time
        while True:
            due, data = await moving.get()
            if (wait := due - now()) > 0:
                await asyncio.sleep(wait)
            await self._flow.wait()
            if not data:
                raise ConnectionResetError("the other end is gone")
            writer.write(data)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    writer.transport.abort()


_started: list[asyncio.AbstractEventLoop] = []
_starting = threading.Lock()


def _loop() -> asyncio.AbstractEventLoop:
    with _starting:
        if not _started:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="proxies", daemon=True).start()
            _started.append(loop)
        return _started[0]

"""A warm connection to a group's coordinator, over kafka-python's own event loop (one thread, coroutines).

Everything here runs on that loop's thread.
"""

from collections.abc import Mapping
from typing import Any, Final

from kafka.errors import KafkaConnectionError, KafkaError
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.protocol.metadata import CoordinatorType, FindCoordinatorRequest

from ....worker import clock
from . import requests

CHECK: Final = 1.0
"""Seconds after which a lost connection is noticed and made again, with nobody waiting for it."""
PING: Final = 20.0
"""Seconds between questions on an idle connection: it is known to work, and the coordinator is known to be the one."""
MINIMUM_MS: Final = 1


class Coordinator:
    """Finds the coordinator of `group`, keeps a connection to it, asks it. `config` is kafka-python's."""

    def __init__(self, net: NetworkSelector, group: str, config: Mapping[str, Any]) -> None:
        self._net = net
        self._group = group
        self._manager = KafkaConnectionManager(net, **config)
        self._node: str | None = None
        self._asked_at = 0.0

    def forget(self) -> None:
        """Find the coordinator anew before the next question."""
        self._node = None

    async def ask(self, request: Any, deadline: float) -> Any:
        """Return the coordinator's answer to `request`; after `deadline` (monotonic) the connection is given up.

        Raises:
            KafkaError: there is no answer; `retriable` says whether asking again may help.
        """
        try:
            node = await self._find(deadline)
            return await self._send(node, request, deadline)
        except KafkaError:
            self.forget()
            raise

    async def keep_warm(self) -> None:
        """Have a working connection before it is needed; never returns."""
        while True:
            try:
                await self._touch()
            except KafkaError:
                self.forget()
            await self._net.sleep(CHECK)

    async def _touch(self) -> None:
        now = clock.monotonic()
        deadline = now + PING
        node = await self._find(deadline)
        if now - self._asked_at >= PING or not self._manager.get_connection(node).connected:
            await self._locate(node, deadline)
            self._asked_at = clock.monotonic()

    async def _find(self, deadline: float) -> str:
        if not self._manager.bootstrapped:
            await self._manager.wait_for(self._manager.bootstrap_async(), _left(deadline))
        if self._node is None:
            await self._locate(self._manager.least_loaded_node(), deadline)
        if self._node is None:
            raise KafkaConnectionError("the coordinator has just been lost")
        return self._node

    async def _locate(self, node: Any, deadline: float) -> None:
        versions = self._manager.broker_version_data
        if versions is None:
            raise KafkaConnectionError("no broker has told its versions yet")
        version = versions.api_version(FindCoordinatorRequest)
        request = requests.find_coordinator(self._group, version)
        row = requests.found(await self._send(node, request, deadline), version)
        self._node = self._manager.cluster.add_coordinator(row, CoordinatorType.GROUP, self._group)

    async def _send(self, node: Any, request: Any, deadline: float) -> Any:
        connection = self._manager.get_connection(node)
        # Requests buffered by a connection that is still being made have no timer of their own.
        await self._manager.wait_for(connection.init_future, _left(deadline))
        return await connection.send_request(request, request_timeout_ms=_left(deadline))


def _left(deadline: float) -> float:
    return max(MINIMUM_MS, (deadline - clock.monotonic()) * 1000)

"""Death notices: telling the group's coordinator at once what it would learn from a session timeout only.

Each errand is a coroutine on kafka-python's loop, which is a thread of its own with connections of its own: no errand
waits for another, for a lag sweep, or for a broker beyond its deadline.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from kafka.net.selector import NetworkSelector

from ....worker import clock
from ....worker.channel import Message
from ....worker.spec import GroupProtocol
from . import census
from .census import Census
from .coordinator import Coordinator
from .errands import LIMIT, PAUSE, Answer, Delivery, Errand
from .identities import identify

STOP_MS: Final = 500


class Messenger:
    """Delivers errands to the coordinator of `group`; `config` is kafka-python's. `report` is called on its thread."""

    def __init__(
        self, group: str, protocol: GroupProtocol, config: Mapping[str, Any], report: Callable[[Answer], None]
    ) -> None:
        self._net = NetworkSelector(client_id=config["client_id"])
        self._coordinator = Coordinator(self._net, group, config)
        self._delivery = Delivery(self._coordinator, group, protocol, self._sleep)
        self._group, self._protocol = group, protocol
        self._report = report
        self._open = 0
        """Errands under way; of the loop's thread alone."""

    def start(self) -> None:
        """Start the thread and connect."""
        self._net.start()
        self._net.call_soon_threadsafe(self._coordinator.keep_warm)

    def submit(self, errand: Errand) -> None:
        """Deliver `errand`; its answer is reported later, from the messenger's thread."""
        started = clock.monotonic()

        async def run() -> None:
            self._open += 1
            try:
                self._report(await self._delivery.deliver(errand, started))
            finally:
                self._open -= 1

        # Not the coroutine itself: one that is never started would warn at the exit.
        self._net.call_soon_threadsafe(run)

    def identify(self, topics: Sequence[str], at: float, report: Callable[[Message], None]) -> None:
        """Report which topics these are, if a broker answers, on the messenger's thread; asked for at `at`."""

        async def run() -> None:
            message = await identify(self._coordinator, topics, at)
            if message is not None:
                report(message)

        self._net.call_soon_threadsafe(run)

    def count_members(self, interval: float, report: Callable[[Message], None]) -> None:
        """Report who is in the group every `interval` seconds, on the messenger's thread; errands go first."""
        taker = Census(self._coordinator, self._group, self._protocol, report)

        async def run() -> None:
            while True:
                patience = clock.monotonic() + LIMIT
                while self._open and clock.monotonic() < patience:
                    await self._sleep(PAUSE)
                await taker.take(clock.monotonic() + census.SECONDS)
                await self._sleep(interval)

        self._net.call_soon_threadsafe(run)

    def stop(self) -> None:
        """End the thread; errands under way are dropped."""
        self._net.stop(STOP_MS)

    async def _sleep(self, seconds: float) -> None:
        await self._net.sleep(seconds)

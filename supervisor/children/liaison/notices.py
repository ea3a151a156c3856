"""Death notices: telling the group's coordinator at once what it would learn from a session timeout only.

Each errand is a coroutine on kafka-python's loop, which is a thread of its own with connections of its own: no errand
waits for another, for a lag sweep, or for a broker beyond its deadline.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kafka.errors import BrokerResponseError, KafkaError, NotCoordinatorError
from kafka.net.selector import NetworkSelector

from ....worker import clock
from ....worker.spec import GroupProtocol
from ...decide.notice import Kind
from . import requests
from .coordinator import Coordinator

LIMIT: Final = 2.0
"""Seconds for one errand, retries included; the supervisor's barrier waits for one of them."""
PAUSE: Final = 0.05
"""Seconds between two tries: a moving coordinator is back within tens of milliseconds or not within the limit."""
STOP_MS: Final = 500


@dataclass(frozen=True, slots=True)
class Errand:
    """One notice to deliver; `child` is whose death it is about."""

    id: int
    child: str
    kind: Kind
    member_id: str | None
    instance_id: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """How an errand ended, after `ms` milliseconds; `error` says why it is not `ok`."""

    id: int
    ok: bool
    ms: float
    error: str | None = None


class Messenger:
    """Delivers errands to the coordinator of `group`; `config` is kafka-python's. `report` is called on its thread."""

    def __init__(
        self, group: str, protocol: GroupProtocol, config: Mapping[str, Any], report: Callable[[Answer], None]
    ) -> None:
        self._group = group
        self._classic = protocol == "classic"
        self._net = NetworkSelector(client_id=config["client_id"])
        self._coordinator = Coordinator(self._net, group, config)
        self._report = report

    def start(self) -> None:
        """Start the thread and connect."""
        self._net.start()
        self._net.call_soon_threadsafe(self._coordinator.keep_warm)

    def submit(self, errand: Errand) -> None:
        """Deliver `errand`; its answer is reported later, from the messenger's thread."""
        started = clock.monotonic()
        # Not the coroutine itself: one that is never started would warn at the exit.
        self._net.call_soon_threadsafe(lambda: self._deliver(errand, started))

    def stop(self) -> None:
        """End the thread; errands under way are dropped."""
        self._net.stop(STOP_MS)

    async def _deliver(self, errand: Errand, started: float) -> None:
        deadline = started + LIMIT
        error = await self._attempt(errand, deadline)
        while error is not None and getattr(error, "retriable", False) and clock.monotonic() + PAUSE < deadline:
            await self._net.sleep(PAUSE)
            error = await self._attempt(errand, deadline)
        ms = (clock.monotonic() - started) * 1000
        self._report(Answer(errand.id, error is None, ms, None if error is None else _sentence(error)))

    async def _attempt(self, errand: Errand, deadline: float) -> Exception | None:
        try:
            await self._tell(errand, deadline)
        except NotCoordinatorError as error:
            self._coordinator.forget()
            return error
        except (KafkaError, OSError, ValueError) as error:  # SASL and TLS failures are of the latter two
            return error
        return None

    async def _tell(self, errand: Errand, deadline: float) -> None:
        member_id, instance_id = errand.member_id, errand.instance_id
        if errand.kind == "leave":
            await self._leave(member_id, instance_id, deadline)
            return
        if instance_id is None:
            raise ValueError("only a static member can be released")
        if errand.kind == "describe_release" or member_id is None:
            member_id = await self._holder(instance_id, deadline)
        if member_id is not None:
            answer = await self._coordinator.ask(requests.release(self._group, member_id, instance_id), deadline)
            requests.check(answer.error_code)

    async def _leave(self, member_id: str | None, instance_id: str | None, deadline: float) -> None:
        if member_id is None and instance_id is not None:
            known, member_id = await self._try_holder(instance_id, deadline)
            if known and member_id is None:
                return
        answer = await self._coordinator.ask(requests.leave(self._group, member_id, instance_id), deadline)
        requests.check_leave(answer)

    async def _try_holder(self, instance_id: str, deadline: float) -> tuple[bool, str | None]:
        """Whether the group could be described, and who holds `instance_id`. If not, the instance id alone must do."""
        try:
            return True, await self._holder(instance_id, deadline)
        except BrokerResponseError as error:
            if error.retriable:
                raise
            return False, None

    async def _holder(self, instance_id: str, deadline: float) -> str | None:
        answer = await self._coordinator.ask(requests.describe(self._group, classic=self._classic), deadline)
        return requests.holder(answer, instance_id, classic=self._classic)


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

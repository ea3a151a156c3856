"""What delivering one death notice means: which questions, which answers are good, what is worth another try."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from kafka.errors import BrokerResponseError, KafkaError, NotCoordinatorError

from ....worker import clock
from ....worker.spec import GroupProtocol
from ...decide.notice import Kind
from . import requests

LIMIT: Final = 2.0
"""Seconds for one errand, retries included; the supervisor's barrier waits for one of them."""
PAUSE: Final = 0.05
"""Seconds between two tries: a moving coordinator is back within tens of milliseconds or not within the limit."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One notice to deliver; `child` is whose death it is about."""

    id: int
    child: str
    kind: Kind
    member_id: str | None
    instance_id: str | None
    partitions: frozenset[tuple[str, int]] = frozenset()
    """What a member to be taken over had when it died."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How an errand ended, after `ms` milliseconds; `error` says why it is not `ok`."""

    id: int
    ok: bool
    ms: float
    error: str | None = None


class Asked(Protocol):
    """What of a Coordinator is needed here."""

    async def ask(self, request: Any, deadline: float) -> Any:
        """Return its answer."""

    def forget(self) -> None:
        """Find it anew."""


class Delivery:
    """Delivers errands about members of `group`, however many at a time."""

    def __init__(
        self, coordinator: Asked, group: str, protocol: GroupProtocol, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._coordinator = coordinator
        self._group = group
        self._classic = protocol == "classic"
        self._sleep = sleep

    async def deliver(self, errand: Errand, started: float) -> Answer:
        """Return how `errand` ended, at the latest LIMIT seconds after `started` (monotonic)."""
        deadline = started + LIMIT
        error = await self._attempt(errand, deadline)
        while error is not None and getattr(error, "retriable", False) and clock.monotonic() + PAUSE < deadline:
            await self._sleep(PAUSE)
            error = await self._attempt(errand, deadline)
        ms = (clock.monotonic() - started) * 1000
        return Answer(errand.id, error is None, ms, None if error is None else _sentence(error))

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
        if errand.kind == "take_over":
            await self._take_over(errand, deadline)
            return
        if instance_id is None:
            raise ValueError("only a static member can be released")
        if errand.kind == "describe_release" or member_id is None:
            member_id = await self._holder(instance_id, deadline)
        if member_id is not None:
            answer = await self._coordinator.ask(requests.release(self._group, member_id, instance_id), deadline)
            requests.check(answer.error_code)

    async def _take_over(self, errand: Errand, deadline: float) -> None:
        """Let the successor take the id over, unless partitions would then be nobody's."""
        answer = await self._coordinator.ask(requests.describe(self._group, classic=True), deadline)
        if errand.member_id is not None and requests.taken_away(answer, errand.member_id, errand.partitions):
            await self._leave(errand.member_id, errand.instance_id, deadline)

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
    name, text = type(error).__name__, str(error)
    return text if name in text else f"{name}: {text}".removesuffix(": ")

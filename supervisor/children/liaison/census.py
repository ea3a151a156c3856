"""Who is in the group, other hosts' members and strangers included; what cannot be found out is unknown, not nobody."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from kafka.errors import NotCoordinatorError, UnsupportedVersionError

from ....worker import events, log
from ....worker.channel import MAX_MESSAGE, Message
from ....worker.seldom import Seldom
from ....worker.spec import GroupProtocol
from . import requests
from .errands import Asked

SECONDS: Final = 5.0
"""For one census. A connection whose answer is late is closed, with the notices on it: no sooner than they give up."""
ROOM: Final = MAX_MESSAGE * 3 // 4
"""Bytes of the ids in one message."""

Count = tuple[frozenset[str] | None, str | None]
"""The member ids, and if they are unknown why."""


class Census:
    """Counts the members of `group`, whichever protocol its members speak; reports messages of type `members`."""

    def __init__(
        self, coordinator: Asked, group: str, protocol: GroupProtocol, report: Callable[[Message], None]
    ) -> None:
        self._coordinator = coordinator
        self._group = group
        self._classic = protocol == "classic"
        self._report = report
        self._number = 0
        self._failures = 0
        self._seldom = Seldom()

    async def take(self, deadline: float) -> None:
        """Count once, until `deadline` (monotonic), and report."""
        ids, reason = await self._count(deadline)
        self._number += 1
        for message in messages(self._number, ids, reason):
            self._report(message)
        # A group may be moving to another coordinator: that is told if it lasts.
        self._failures = 0 if ids is not None else self._failures + 1
        if self._failures > 1 and self._seldom("failed"):
            log.emit(events.MEMBERS_UNKNOWN, reason=reason)

    async def _count(self, deadline: float) -> Count:
        try:
            return await self._ask(deadline), None
        except NotCoordinatorError as error:
            self._coordinator.forget()
            return None, str(error)
        except Exception as error:  # noqa: BLE001 - whatever it was, the last count must not pass for the present one
            return None, f"{type(error).__name__}: {error}"

    async def _ask(self, deadline: float) -> frozenset[str]:
        """Return the members. Each protocol's question knows no group of the other, so that both are asked."""
        for classic in (self._classic, not self._classic):
            try:
                answer = await self._coordinator.ask(requests.describe(self._group, classic=classic), deadline)
            except UnsupportedVersionError:
                continue  # these brokers have no groups of that protocol
            found = requests.member_ids(answer, classic=classic)
            if found is not None:
                return found
        return frozenset()


def messages(number: int, ids: frozenset[str] | None, reason: str | None) -> Iterator[dict[str, Any]]:
    """Yield the `members` messages of one census: as many as it takes, each of a size that can be sent."""
    head = {"type": "members", "census": number}
    if ids is not None and any(len(json.dumps(one)) > ROOM for one in ids):
        ids, reason = None, "a member id is too long"
    if ids is None:
        yield {**head, "last": True, "ids": None, "reason": reason}
        return
    part: list[str] = []
    room = ROOM
    for one in sorted(ids):
        size = len(json.dumps(one)) + 1
        if size > room:
            yield {**head, "last": False, "ids": part, "reason": None}
            part, room = [], ROOM
        part.append(one)
        room -= size
    yield {**head, "last": True, "ids": part, "reason": None}

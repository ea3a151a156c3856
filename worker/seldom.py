"""A limit on what would be said over and over: during an outage a client repeats itself twenty times a second."""

from typing import Final

from . import clock

QUIET_FOR: Final = 60.0


class Seldom:
    """Says yes once per `seconds` and key."""

    def __init__(self, seconds: float = QUIET_FOR) -> None:
        self._seconds = seconds
        self._said: dict[object, float] = {}

    def __call__(self, key: object) -> bool:
        """Return whether to say `key` again."""
        now = clock.monotonic()
        if now - self._said.get(key, -self._seconds) < self._seconds:
            return False
        self._said[key] = now
        return True

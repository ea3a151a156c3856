"""The alerts of a herd: readings come in, `decide.alerts` judges them, and what follows is told to everybody."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..worker import clock, events, log
from .config.schema import Settings
from .decide.alerts import RULES, Cleared, Raised, Rule, State, step, summary

VERSION: Final = 1
"""Of the document that receivers of alerts get: docs/alerts.md."""
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Active:
    """An alert that lasts: since when (seconds since the epoch), by which rule, and its last known value."""

    since: float
    rule: Rule
    value: float

    @property
    def summary(self) -> str:
        """What a person is told of it."""
        return summary(self.rule, self.value, "active")


class Alarms:
    """`settings` are those in force, `deliver` gets the document of each alert that is raised or cleared."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        instance: str | None,
        deliver: Callable[[Document], None],
        rules: Mapping[str, Callable[[Settings], Rule]] = RULES,
    ) -> None:
        self._settings, self._instance, self._deliver, self._rules = settings, instance, deliver, rules
        self._host = socket.gethostname()
        self._states = dict.fromkeys(rules, State())
        self.active: dict[str, Active] = {}

    def read(self, name: str, value: float | None) -> None:
        """Take a reading for the alert `name` in; None is unknown."""
        rule = self._rules[name](self._settings())
        self._states[name], change = step(rule, self._states[name], value, clock.monotonic())
        match change:
            case Raised():
                self._raise(rule, change.value)
            case Cleared():
                self._clear(rule, change.value)
            case None if value is not None and name in self.active:
                self.active[name] = Active(self.active[name].since, rule, value)

    def document(self) -> list[Document]:
        """Return the `alerts` part of the status document; `value` is the last that is known."""
        return [
            {
                "name": name,
                "since": clock.iso(one.since),
                "value": one.value,
                "threshold": one.rule.threshold,
                "summary": one.summary,
            }
            for name, one in self.active.items()
        ]

    def problems(self) -> list[str]:
        """Return a sentence for each alert that lasts."""
        return [f"alert {name} since {clock.iso(one.since)}: {one.summary}" for name, one in self.active.items()]

    def _raise(self, rule: Rule, value: float) -> None:
        now, said = clock.wall(), summary(rule, value, "raised")
        self.active[rule.name] = Active(now, rule, value)
        log.emit(events.ALERT_RAISED, alert=rule.name, summary=said, value=value, threshold=rule.threshold)
        self._tell(rule, value, "raised", said, since=now, at=now)

    def _clear(self, rule: Rule, value: float) -> None:
        since, said = self.active.pop(rule.name).since, summary(rule, value, "cleared")
        log.emit(events.ALERT_CLEARED, alert=rule.name, summary=said, value=value, threshold=rule.threshold)
        self._tell(rule, value, "cleared", said, since=since, at=clock.wall())

    def _tell(self, rule: Rule, value: float, state: str, said: str, *, since: float, at: float) -> None:
        self._deliver(
            {
                "version": VERSION,
                "alert": rule.name,
                "state": state,
                "app": self._settings().app.name,
                "instance": self._instance,
                "host": self._host,
                "at": clock.iso(at),
                "since": clock.iso(since),
                "value": value,
                "threshold": rule.threshold,
                "summary": said,
            }
        )

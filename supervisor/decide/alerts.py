"""Alerts: readings in a row above a threshold raise one, calm well below it clears it. Each is one rule of RULES.

A reading that is unknown is evidence of nothing: it is not counted, it does not undo what has been counted, and the
time up to the next known reading is no calm. What was counted under another rule (a reload) counts no more.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from ..config.schema import Settings
from .calm import Calm

READINGS: Final = 2
CALM_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert: raised by `readings` in a row above `threshold`, cleared by `calm` seconds at `clear_at` at most.

    `what` and `form` are how a person is told of a value: "lag", "{:,} records".
    """

    name: str
    threshold: float
    clear_at: float
    what: str
    form: str
    readings: int = READINGS
    calm: float = CALM_SECONDS


def lag(settings: Settings) -> Rule:
    """Return the rule of the total lag."""
    above = settings.lag.alert_above
    return Rule("lag", threshold=above, clear_at=above // 2, what="lag", form="{:,} records")


def dead_letters(settings: Settings) -> Rule:
    """Return the rule of the dead letters that nobody has looked at yet."""
    above = settings.dead_letter.alert_above
    return Rule("dead_letters", threshold=above, clear_at=above // 2, what="waiting dead letters:", form="{:,}")


def error_rate(settings: Settings) -> Rule:
    """Return the rule of the share of handler calls that failed, in five minutes (`decide.errorrate`)."""
    above = settings.alerts.error_rate_above
    return Rule("error_rate", threshold=above, clear_at=above / 2, what="failed handler calls:", form="{:.2%}")


RULES: Final[Mapping[str, Callable[[Settings], Rule]]] = {
    "lag": lag,
    "dead_letters": dead_letters,
    "error_rate": error_rate,
}
"""Every alert there is, by name; a rule is made anew from the settings in force for each reading."""


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of one alert: readings `above` in a row while it is not active, `calm` while it is."""

    active: bool = False
    above: int = 0
    calm: Calm = field(default_factory=Calm)
    judged_by: Rule | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """The alert begins, at this value."""

    value: float


@dataclass(frozen=True, slots=True)
class Cleared:
    """The alert is over, at this value."""

    value: float


Step = tuple[State, Raised | Cleared | None]


def step(rule: Rule, state: State, value: float | None, now: float) -> Step:
    """Return the state after a reading at `now` (monotonic seconds), and what follows from it; None is unknown."""
    if state.judged_by != rule:
        state = State(active=state.active, judged_by=rule)
    if value is None or math.isnan(value):
        return replace(state, calm=state.calm.interrupt()), None
    return _active(rule, state, value, now) if state.active else _inactive(rule, state, value)


def _inactive(rule: Rule, state: State, value: float) -> Step:
    above = state.above + 1 if value > rule.threshold else 0
    if above < rule.readings:
        return replace(state, above=above), None
    return State(active=True, judged_by=rule), Raised(value)


def _active(rule: Rule, state: State, value: float, now: float) -> Step:
    if value > rule.clear_at:
        return State(active=True, judged_by=rule), None
    calm = state.calm.read(now)
    if calm.seconds < rule.calm:
        return replace(state, calm=calm), None
    return State(judged_by=rule), Cleared(value)


def summary(rule: Rule, value: float, state: Literal["raised", "active", "cleared"]) -> str:
    """Return what a person is told when the alert is raised, while it lasts, and when it is cleared."""
    told = f"{rule.what} {rule.form.format(value)}"
    if state == "cleared":
        return f"{told}, at most {rule.form.format(rule.clear_at)} for {rule.calm:g} s"
    return f"{told}, {'above' if state == 'raised' else 'raised above'} {rule.form.format(rule.threshold)}"

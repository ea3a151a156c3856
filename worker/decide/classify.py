"""What a handler's exception asks for. Total: every exception has exactly one answer, and it is never a lost record."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ..errors import BreakerOpen, ProcessingError, Retry, Skip, blamed_breaker, counted_for_breaker


class Verdict(Enum):
    """What becomes of a record whose handler raised."""

    POISON = "poison"
    """It can never be handled: dead-letter it now."""
    RETRY = "retry"
    """Try it again in place."""
    SKIP = "skip"
    """Move past it."""
    OUTAGE = "outage"
    """It is not the record's fault: wait, count nothing, put nothing aside."""


@dataclass(frozen=True, slots=True)
class Disposition:
    """A verdict; `after` is the wait in seconds that a `Retry` asked for, None for the configured backoff.

    `breakers` are the names of the open circuit breakers that an outage is said to be behind; `tried` says that a call
    went through one and failed, instead of being refused.
    """

    verdict: Verdict
    after: float | None = None
    breakers: frozenset[str] = frozenset()
    tried: bool = False


LONGEST_WAIT: Final = 86_400
"""Seconds that a `Retry` may ask for: a day, as the configuration may."""
POISON: Final = Disposition(Verdict.POISON)
RETRY: Final = Disposition(Verdict.RETRY)
SKIP: Final = Disposition(Verdict.SKIP)


def classify(
    error: BaseException, poison: tuple[type[BaseException], ...], outage: tuple[type[BaseException], ...] = ()
) -> Disposition:
    """Return what `error` asks for; `poison` and `outage` hold the classes listed under those keys of `errors`.

    An exception group (a coroutine handler's TaskGroup raises one) is poison or skipped only if all its members are.
    An outage anywhere in a chain or group outranks everything: what came after it may have come of it. A failure that
    opened a circuit breaker, or keeps it open, is an outage like a call that it refuses.
    """
    chain = list(_chain(error))
    blamed = frozenset(name for one in chain if (name := blamed_breaker(one)) is not None)
    refusals = [one for one in chain if isinstance(one, BreakerOpen) and (one is error or not one.fallback_ok)]
    if blamed or refusals or any(isinstance(one, outage) for one in chain):
        refused = frozenset(str(one.name) for one in refusals)
        return Disposition(Verdict.OUTAGE, breakers=blamed | refused, tried=bool(blamed))
    answers = [_judge(member, poison) for member in _members(error)]
    verdicts = {answer.verdict for answer in answers}
    if len(verdicts) == 1 and Verdict.RETRY not in verdicts:
        return answers[0]
    waits = [answer.after for answer in answers if answer.after is not None]
    counted = any(map(counted_for_breaker, chain))
    return Disposition(Verdict.RETRY, max(waits, default=None), tried=counted)


def _judge(error: BaseException, poison: tuple[type[BaseException], ...]) -> Disposition:
    if isinstance(error, Skip):
        return SKIP
    if isinstance(error, Retry):  # said explicitly, so it wins over a listed class
        return Disposition(Verdict.RETRY, _seconds(error.after))
    if isinstance(error, (ProcessingError, *poison)):
        return POISON
    return RETRY


def _seconds(after: object) -> float | None:
    if isinstance(after, (int, float)) and 0 <= after < math.inf:
        return float(min(after, LONGEST_WAIT))
    return None


def _members(error: BaseException) -> Iterator[BaseException]:
    waiting = [error]
    while waiting:
        member = waiting.pop()
        if isinstance(member, BaseExceptionGroup):
            waiting.extend(member.exceptions)
        else:
            yield member


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and everything that it came of, hidden by `from None` or not, each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()

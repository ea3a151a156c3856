"""Which part of a list that failed as a whole is to be called next: halves of halves, always the one before the other.

So the order of the list is kept. If the half before has succeeded, what follows it holds the failure, and is cut in two
without a call. One record among n that fails alone is found in at most 2 * log2(n) + 2 calls, those for all others
included; every other record is in exactly one call that succeeds, however many fail.
"""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Part:
    """The records from `first` up to, and without, `end`. `before`: it is a half that the other half follows."""

    first: int
    end: int
    before: bool = False

    @property
    def alone(self) -> bool:
        """Whether it is one record."""
        return self.end - self.first == 1

    def halves(self) -> tuple[Self, Self]:
        """Return both halves, of which neither is empty."""
        middle = (self.first + self.end) // 2
        return type(self)(self.first, middle, before=True), type(self)(middle, self.end)


@dataclass(frozen=True, slots=True)
class State:
    """What is left to be called, in this order."""

    parts: tuple[Part, ...]


def begin(count: int) -> State:
    """Return the state after a list of `count` records, at least two, has failed."""
    return State(Part(0, count).halves())


def succeeded(state: State) -> State:
    """Return the state after the first part was called and succeeded."""
    part, *rest = state.parts
    if part.before and not rest[0].alone:
        return State((*rest[0].halves(), *rest[1:]))
    return State(tuple(rest))


def failed(state: State) -> State:
    """Return the state after the first part was called and failed: it is cut in two, or is what is looked for."""
    part, *rest = state.parts
    return State((*part.halves(), *rest) if not part.alone else tuple(rest))


def passed(state: State) -> State:
    """Return the state if the first part is not to be called: nothing is known of it."""
    return State(state.parts[1:])

"""Poison or outage? What failures of one kind and the records that were handled between them say about it.

A sequential test (Wald 1945) of two shares of a topic's records: a bug that spoils `rare` of them at most, and
something that `common` of them need at least and that is away. A record that failed weighs log(common / rare), one that
was handled log((1 - common) / (1 - rare)); the sum is kept from falling below 0 (Page 1954), or a good year would have
to be outweighed first. Only counts come in: of all partitions of the topic together, so that how many there are and how
fast they are does not matter, nor that a record that fails keeps its partition from bringing more.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

RECENT: Final = 64
"""Records that are remembered: one that fails again, or another one with the same key, is no further evidence."""

Subject = tuple[object, ...]
"""What a record is told from others by: topic and key, or where it has no key, where it stands."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Which shares are told apart, and how much evidence (in nats) is proof: four failures and nothing between them."""

    rare: float = 0.02
    common: float = 0.25
    proof: float = 9.0

    @property
    def failed(self) -> float:
        """What a record that failed weighs."""
        return math.log(self.common / self.rare)

    @property
    def handled(self) -> float:
        """What a record that was handled weighs: less than nothing."""
        return math.log((1 - self.common) / (1 - self.rare))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one kind of failure since it was first seen or last outweighed: all but `recent`."""

    score: float = 0.0
    records: int = 0
    """How many records failed so."""
    handled: int = 0
    """How many records were handled between them."""
    recent: tuple[Subject, ...] = ()
    known: bool = False
    """Whether it has been outweighed before: it is of the kind that single records meet."""


def passed(policy: Policy, evidence: Evidence, records: int) -> Evidence:
    """Return the evidence after `records` more were handled of a topic in which it fails."""
    score = evidence.score + records * policy.handled
    if score <= 0.0:
        return Evidence(recent=evidence.recent, known=evidence.known or evidence.records > 0)
    return replace(evidence, score=score, handled=evidence.handled + records)


def failed(policy: Policy, evidence: Evidence, subject: Subject) -> Evidence:
    """Return the evidence after `subject` failed; what was handled before it must have been told before.

    Twice the proof is the most that is gathered: a belief that no evidence can shake would be of no use.
    """
    if subject in evidence.recent:
        return evidence
    score = min(evidence.score + policy.failed, 2 * policy.proof)
    recent = (*evidence.recent[1 - RECENT :], subject)
    return replace(evidence, score=score, records=evidence.records + 1, recent=recent)


def is_spread(policy: Policy, evidence: Evidence) -> bool:
    """Return whether it is rather an outage."""
    return evidence.score >= policy.proof


def is_doubtful(evidence: Evidence) -> bool:
    """Return whether it may be an outage that has just begun: one more failure of a known kind is not."""
    return evidence.score > 0.0 and not (evidence.known and evidence.records == 1)


def is_outweighed(evidence: Evidence) -> bool:
    """Return whether nothing is left that speaks for an outage."""
    return evidence.score <= 0.0

"""Whom a death makes a suspect, and what becomes of suspects. What one is, and what a worker does: `worker.decide`.

A death with one record in flight is that record's, and counts; with several, all of them are to run alone, and nothing
is counted. Suspects of one partition never overlap. The newest come last.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ...worker.decide.pressure import Key
from ...worker.decide.suspects import Report, Suspect, Verdict, decode, encode
from .halts import DocumentError

VERSION: Final = 1
"""Of the document in the state folder."""
MOST: Final = 1000
"""Suspects that are remembered; beyond that, those with the fewest deaths are forgotten, the oldest first."""

Suspects = tuple[Suspect, ...]


def accuse(suspects: Suspects, calls: Sequence[Suspect], report: Report) -> tuple[Suspects, Suspects]:
    """Return the suspects after a death with `calls` in flight, and which of them are new or worse than before.

    `calls` say where, no more; what `report` says of times is the time of this death.
    """
    identities = {call.topic: call.identity for call in calls}
    kept = tuple(one for one in suspects if one.is_of(identities.get(one.topic)))
    if len(calls) == 1 and calls[0].alone:
        kept, guilty = _count(kept, calls[0], report)
        return _bounded((*kept, guilty)), (guilty,)
    after = suspect(kept, calls)
    return after, tuple(one for one in after if one not in kept)


def suspect(suspects: Suspects, calls: Iterable[Suspect]) -> Suspects:
    """Return the suspects when `calls` are to be run alone, although no death is counted."""
    added: list[Suspect] = []
    for call in calls:
        added += _without([call], [one for one in (*suspects, *added) if one.key == call.key])
    return _bounded((*suspects, *added))


def _count(suspects: Suspects, call: Suspect, report: Report) -> tuple[Suspects, Suspect]:
    """Return the other suspects, and the one that `call` is, with one more death."""
    known = [one for one in suspects if one.key == call.key and _same(one, call)]
    worst = max(known, key=lambda one: one.crashes, default=call)
    began = report.first if worst.report is None else worst.report.first
    guilty = replace(call, crashes=worst.crashes + 1, report=replace(report, first=began))
    others = tuple(one for one in suspects if one not in known)
    return (*others, *_without([one for one in known if not one.alone], [call])), guilty


def is_known(suspects: Suspects, calls: Iterable[Suspect]) -> bool:
    """Return whether any of `calls` was for a suspect."""
    return any(one.key == call.key and _same(one, call) for call in calls for one in suspects)


def _same(one: Suspect, call: Suspect) -> bool:
    """Whether the record in flight is, or is in, a suspect: those before it in its partition have had their calls."""
    if one.loose and one.verdict is Verdict.PENDING:
        return one.first <= call.first
    return one.first <= call.first <= one.last


def judge(suspects: Suspects, most: int, quota: int) -> Suspects:
    """Return `suspects` with those condemned that have killed `most` processes; beyond `quota` new ones, they wait."""
    judged = []
    for one in suspects:
        verdict = one.verdict
        if verdict is not Verdict.CONDEMNED:
            verdict = Verdict.PENDING if one.crashes < most else Verdict.HELD
        if verdict is Verdict.HELD and quota > 0:
            verdict, quota = Verdict.CONDEMNED, quota - 1
        judged.append(one if verdict is one.verdict else replace(one, verdict=verdict))
    return tuple(judged)


def acquit(suspects: Suspects, call: Suspect) -> Suspects:
    """Return `suspects` after the calls for the records of `call` have ended without killing."""
    return tuple(
        left
        for one in suspects
        for left in (_left(one, call) if one.key == call.key and one.verdict is Verdict.PENDING else (one,))
    )


def _left(one: Suspect, call: Suspect) -> Sequence[Suspect]:
    if one.loose:
        return () if one.first == call.first else (one,)
    return _without([one], [call])


def pass_by(suspects: Suspects, done: Mapping[Key, int]) -> Suspects:
    """Return what is left when partitions are `done` so far: who has been passed has ended without killing.

    Of a loose one only its own worker knows which record it is, and says when that is done.
    """
    left = []
    for one in suspects:
        first = max(one.first, done.get(one.key, 0))
        if one.loose or one.verdict is not Verdict.PENDING or first == one.first:
            left.append(one)
        elif first <= one.last:
            left.append(replace(one, first=first))
    return tuple(left)


def commit_by(suspects: Suspects, committed: Mapping[Key, int | None]) -> Suspects:
    """Return what is left when the group has `committed` so far: what is below is not delivered again."""
    return tuple(one for one in suspects if (committed.get(one.key) or 0) <= one.last)


def forgive(suspects: Suspects, blamed: Iterable[Suspect]) -> Suspects:
    """Return `suspects` with one death less for each time that one is in `blamed`: it was not theirs."""
    times = Counter((one.key, one.first) for one in blamed)
    return tuple(
        replace(one, crashes=max(0, one.crashes - times[one.key, one.first]), verdict=Verdict.PENDING)
        if (one.key, one.first) in times
        else one
        for one in suspects
    )


def newly(before: Suspects, after: Suspects, verdict: Verdict) -> list[Suspect]:
    """Return those of `after` with a `verdict` that they had not `before`."""
    known = {(one.key, one.first) for one in before if one.verdict is verdict}
    return [one for one in after if one.verdict is verdict and (one.key, one.first) not in known]


def gone(before: Suspects, after: Suspects) -> list[Suspect]:
    """Return those of `before`, not condemned ones, of which nothing is left in `after`."""
    left = {(one.key, one.last) for one in after}
    return [one for one in before if one.verdict is Verdict.PENDING and (one.key, one.last) not in left]


def _without(ranges: Sequence[Suspect], taken: Iterable[Suspect]) -> list[Suspect]:
    """Return what of `ranges` is in none of `taken`, all of one partition."""
    left = list(ranges)
    for other in taken:
        pieces = []
        for one in left:
            if other.last < one.first or one.last < other.first:
                pieces.append(one)
                continue
            if one.first < other.first:
                pieces.append(replace(one, last=other.first - 1))
            if other.last < one.last:
                pieces.append(replace(one, first=other.last + 1))
        left = pieces
    return left


def _bounded(suspects: Suspects) -> Suspects:
    if len(suspects) <= MOST:
        return suspects
    worst = sorted(range(len(suspects)), key=lambda index: (suspects[index].crashes, index))[-MOST:]
    return tuple(suspects[index] for index in sorted(worst))


def to_document(suspects: Suspects, app: str) -> dict[str, Any]:
    """Return `suspects` for the file in the state folder."""
    return {"version": VERSION, "app": app, "suspects": [encode(one) for one in suspects]}


def from_document(document: object, app: str) -> Suspects:
    """Return what `to_document` was given.

    Raises:
        DocumentError: it is no such document, or another version's or application's.
    """
    if not isinstance(document, dict) or not isinstance(document.get("suspects"), list):
        raise DocumentError("it is no list of suspects")
    if type(document.get("version")) is not int or document["version"] != VERSION:
        raise DocumentError(f"it is of version {document.get('version')!r:.60}, not {VERSION}")
    if document.get("app") != app:
        raise DocumentError(f"it is of application {document.get('app')!r:.120}, not {app!r}")
    if len(document["suspects"]) > MOST:
        raise DocumentError(f"it has {len(document['suspects'])} suspects, more than kherd writes")
    try:
        return tuple(map(decode, document["suspects"]))
    except ValueError as error:
        raise DocumentError(str(error)) from None

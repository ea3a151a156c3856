import math

from hypothesis import given
from hypothesis import strategies as st

from kherd import BreakerOpen, ProcessingError, Retry, Skip
from kherd.worker.decide.classify import POISON, RETRY, SKIP, Disposition, Verdict, classify
from kherd.worker.errors import blame_breaker, count_for_breaker


class OwnPoisonError(ProcessingError):
    pass


class LaterError(Retry):
    pass


KINDS = [
    ProcessingError,
    OwnPoisonError,
    Retry,
    LaterError,
    Skip,
    ValueError,
    UnicodeError,
    KeyError,
    SystemExit,
    KeyboardInterrupt,
    GeneratorExit,
    BaseException,
    MemoryError,
]
leaves = st.sampled_from(KINDS).map(lambda kind: kind("x")) | st.builds(
    Retry, after=st.none() | st.floats() | st.integers()
)
errors = st.recursive(
    leaves, lambda inner: st.lists(inner, min_size=1, max_size=4).map(lambda members: BaseExceptionGroup("g", members))
)
poison = st.lists(st.sampled_from([ValueError, KeyError, Exception, BaseException, SystemExit]), max_size=3).map(tuple)


@given(errors, poison)
def test_every_exception_has_an_answer_and_only_a_retry_has_a_wait(
    error: BaseException, classes: tuple[type[BaseException], ...]
) -> None:
    answer = classify(error, classes)
    assert isinstance(answer, Disposition)
    assert answer.after is None or (answer.verdict is Verdict.RETRY and 0 <= answer.after < math.inf)


@given(errors)
def test_nothing_is_poison_or_skipped_that_does_not_say_so(error: BaseException) -> None:
    answer = classify(error, ())
    members = [error]
    while any(isinstance(member, BaseExceptionGroup) for member in members):
        members = [
            inner
            for member in members
            for inner in (member.exceptions if isinstance(member, BaseExceptionGroup) else (member,))
        ]
    if answer.verdict is Verdict.POISON:
        assert all(isinstance(member, ProcessingError) for member in members)
    if answer.verdict is Verdict.SKIP:
        assert all(isinstance(member, Skip) for member in members)


@given(poison)
def test_instructions_win_over_listed_classes(classes: tuple[type[BaseException], ...]) -> None:
    assert classify(Skip(), classes) == SKIP
    assert classify(Retry(after=2), classes) == Disposition(Verdict.RETRY, 2.0)


@given(errors, errors, st.booleans(), st.sampled_from(["cause", "context", "member"]))
def test_an_outage_anywhere_in_a_chain_outranks_everything(
    error: BaseException, between: BaseException, listed: bool, where: str
) -> None:
    root = ConnectionRefusedError("down") if listed else BreakerOpen("db")
    if where == "member":
        error = BaseExceptionGroup("g", [error, between, root])
    else:
        between.__cause__ = root
        setattr(error, f"__{where}__", between)
    answer = classify(error, (Exception,), (ConnectionError,))
    assert answer == Disposition(Verdict.OUTAGE, breakers=frozenset() if listed else frozenset({"db"}))


def test_what_a_breaker_has_counted_is_tried_again_and_known_to_be_guarded() -> None:
    inner, outer = ConnectionError("x"), RuntimeError("y")
    outer.__cause__ = inner
    count_for_breaker(inner)
    assert classify(outer, ()) == Disposition(Verdict.RETRY, tried=True)


def test_a_chain_that_is_a_ring_has_an_answer() -> None:
    one, other = ValueError("1"), KeyError("2")
    one.__cause__, other.__context__ = other, one
    assert classify(one, ()) == RETRY


def test_the_table_of_handlers() -> None:
    assert classify(ProcessingError("x"), ()) == POISON
    assert classify(UnicodeError("x"), (ValueError,)) == POISON
    assert classify(UnicodeError("x"), ()) == RETRY
    assert classify(SystemExit(1), ()) == RETRY
    assert classify(Retry(), ()) == RETRY
    assert classify(Retry(after=-1), ()) == RETRY
    assert classify(Retry(after=math.nan), ()) == RETRY
    assert classify(Retry(after=math.inf), ()) == RETRY
    for other in ("5", None, [5], 5j):
        assert classify(Retry(after=other), ()) == RETRY  # type: ignore[arg-type]
    for huge in (86_401, 1e300, 10**400):
        assert classify(Retry(after=huge), ()).after == 86_400.0
    assert classify(ExceptionGroup("g", [ProcessingError("x"), ProcessingError("y")]), ()) == POISON
    assert classify(ExceptionGroup("g", [ProcessingError("x"), Retry(after=3), Retry(after=5)]), ()).after == 5


@given(st.booleans(), st.booleans())
def test_a_refusal_that_the_handler_can_do_without_is_only_itself_an_outage(fallback_ok: bool, raised: bool) -> None:
    refusal = BreakerOpen("cache", fallback_ok=fallback_ok)
    error: BaseException = refusal
    if not raised:
        error = ValueError("what was done instead")
        error.__context__ = refusal
    outage = raised or not fallback_ok
    answer = classify(error, ())
    assert answer.verdict is (Verdict.OUTAGE if outage else Verdict.RETRY)
    assert answer.breakers == ({"cache"} if outage else frozenset())
    assert not answer.tried


@given(st.booleans())
def test_a_failure_that_opened_a_breaker_is_an_outage(wrapped: bool) -> None:
    failure: BaseException = ConnectionError()
    blame_breaker(failure, "db")
    error: BaseException = failure
    if wrapped:
        error = ProcessingError()
        error.__cause__ = failure
    assert classify(error, ()) == Disposition(Verdict.OUTAGE, breakers=frozenset({"db"}), tried=True)

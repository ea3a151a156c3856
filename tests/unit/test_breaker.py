"""`kherd.CircuitBreaker` outside a herd: every way to call through it, what counts, what is refused, bad arguments."""

import asyncio
import os
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kherd import BreakerOpen, CircuitBreaker, ProcessingError, Retry, Skip
from kherd.testing.wait import until
from kherd.worker.breaker import refused, watch
from kherd.worker.breakers import BREAKERS
from kherd.worker.errors import blamed_breaker

SOON = 0.02
Make = Callable[..., CircuitBreaker]


@pytest.fixture
def make() -> Make:
    """Return a maker of breakers under a name of the test's own: two failures open it, for a very long time."""
    name = uuid.uuid4().hex
    refused()

    def made(failure_threshold: int = 2, timeout: float = 1000.0, **more: Any) -> CircuitBreaker:
        return CircuitBreaker(name, failure_threshold, timeout, **more)

    return made


def fail() -> None:
    raise OSError("away")


def trip(breaker: CircuitBreaker) -> None:
    while breaker.state == "closed":
        with pytest.raises(OSError, match="away"):
            breaker.call(fail)


def due(breaker: CircuitBreaker) -> None:
    """Wait until it may be probed."""
    assert until(lambda: BREAKERS.may_try([breaker.name]), 10, "its timeout", glance=0.001)


def plainly(breaker: CircuitBreaker, work: Callable[[], int]) -> int:
    return breaker.call(work)


def decorated(breaker: CircuitBreaker, work: Callable[[], int]) -> int:
    return breaker(work)()


def within(breaker: CircuitBreaker, work: Callable[[], int]) -> int:
    with breaker as same:
        assert same is breaker
        return work()


def awaited(breaker: CircuitBreaker, work: Callable[[], int]) -> int:
    async def handle() -> int:
        await asyncio.sleep(0)
        return work()

    return asyncio.run(breaker.call(handle))


def decorated_later(breaker: CircuitBreaker, work: Callable[[], int]) -> int:
    @breaker
    async def handle() -> int:
        await asyncio.sleep(0)
        return work()

    assert asyncio.iscoroutinefunction(handle)
    return asyncio.run(handle())


def within_later(breaker: CircuitBreaker, work: Callable[[], int]) -> int:
    async def handle() -> int:
        async with breaker as same:
            assert same is breaker
            return work()

    return asyncio.run(handle())


WAYS = [plainly, decorated, within, awaited, decorated_later, within_later]
Way = Callable[[CircuitBreaker, Callable[[], int]], int]


@pytest.mark.parametrize("way", WAYS)
def test_whichever_way_it_opens_refuses_is_probed_and_closes(way: Way, make: Make) -> None:
    breaker, calls = make(timeout=SOON), []

    def work() -> int:
        calls.append(1)
        if len(calls) <= 2:
            raise OSError("away")
        return 7

    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            way(breaker, work)
    long = CircuitBreaker(f"{breaker.name} long", 1, 1000.0)
    with pytest.raises(OSError, match="away"):
        way(long, lambda: fail() or 0)
    with pytest.raises(BreakerOpen, match="is open") as refusal:
        way(long, work)
    assert (refusal.value.name, 990 < refusal.value.after <= 1000, len(calls)) == (long.name, True, 2)
    due(breaker)
    assert way(breaker, work) == 7
    assert breaker.state == "closed"
    assert way(breaker, work) == 7


@pytest.mark.parametrize("way", WAYS)
def test_a_probe_that_fails_opens_it_again(way: Way, make: Make) -> None:
    breaker = make(timeout=SOON)
    trip(breaker)
    due(breaker)
    seen = []
    with pytest.raises(OSError, match="away"):
        way(breaker, lambda: seen.append(breaker.state) or fail() or 0)
    assert (seen, breaker.state) == (["half_open"], "open")


@pytest.mark.parametrize("way", WAYS)
def test_others_are_refused_while_the_probe_is_under_way(way: Way, make: Make) -> None:
    breaker = make(timeout=SOON)
    trip(breaker)
    due(breaker)
    began, may_end = threading.Event(), threading.Event()

    def slow() -> int:
        began.set()
        assert may_end.wait(10)
        return 7

    with ThreadPoolExecutor(1) as pool:
        probe = pool.submit(way, breaker, slow)
        assert began.wait(10)
        with pytest.raises(BreakerOpen):
            way(breaker, lambda: 8)
        may_end.set()
        assert probe.result() == 7
    assert way(breaker, lambda: 8) == 8


@pytest.mark.parametrize("way", WAYS)
def test_what_the_probe_calls_on_its_way_goes_through_too(way: Way, make: Make) -> None:
    breaker = make(timeout=SOON)
    trip(breaker)
    due(breaker)

    def outer() -> int:
        with breaker:
            assert breaker.state == "half_open"
        return 7

    assert way(breaker, outer) == 7
    assert breaker.state == "closed"
    assert way(breaker, lambda: 8) == 8


def test_arguments_and_results_pass_unchanged(make: Make) -> None:
    breaker = make()
    assert breaker.call(lambda *args, **kwargs: (args, kwargs), 1, func=2, self=3) == ((1,), {"func": 2, "self": 3})

    @breaker
    def named(one: int, *, two: int) -> tuple[int, int]:
        """Say both."""
        return one, two

    assert (named(1, two=2), named.__name__, named.__doc__) == ((1, 2), "named", "Say both.")


def test_a_success_between_failures_begins_the_count_anew(make: Make) -> None:
    breaker = make()
    for _ in range(3):
        with pytest.raises(OSError, match="away"):
            breaker.call(fail)
        breaker.call(len, "")
    assert breaker.state == "closed"


@pytest.mark.parametrize(
    "word", [ProcessingError("x"), Skip("x"), Retry("x"), BreakerOpen("other"), KeyboardInterrupt()]
)
def test_what_says_nothing_of_the_dependency_is_neither_failure_nor_success(word: BaseException, make: Make) -> None:
    breaker = make(timeout=SOON)

    def say() -> None:
        raise word

    def say_as_a_cause() -> None:
        raise OSError("wrapped") from word

    with pytest.raises(OSError, match="away"):
        breaker.call(fail)
    for _ in range(3):
        with pytest.raises(type(word)):
            breaker.call(say)
    with pytest.raises(OSError, match="away"):  # the second in a row, then
        breaker.call(fail)
    assert breaker.state == "open"
    due(breaker)
    with pytest.raises(type(word)):
        breaker.call(say)
    assert breaker.state == "open"
    if isinstance(word, BreakerOpen):
        with pytest.raises(OSError, match="wrapped"):
            breaker.call(say_as_a_cause)
    assert breaker.call(lambda: 7) == 7  # the lease was given back


def test_a_cancelled_probe_leaves_room_for_the_next(make: Make) -> None:
    breaker = make(timeout=SOON)
    trip(breaker)
    due(breaker)

    async def main() -> int:
        probe = asyncio.create_task(breaker.call(asyncio.sleep, 100))
        await asyncio.sleep(0)
        assert breaker.state == "half_open"
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        return await breaker.call(asyncio.sleep, 0, 7)

    assert asyncio.run(main()) == 7


def test_which_exceptions_count_is_said(make: Make) -> None:
    breaker = make(1, counts=(OSError,), ignores=FileNotFoundError)

    def ask(error: Exception) -> None:
        raise error

    for answer in (ValueError(), FileNotFoundError()):
        with pytest.raises(type(answer)):
            breaker.call(ask, answer)
        assert breaker.state == "closed"
    with pytest.raises(ConnectionError):
        breaker.call(ask, ConnectionError())
    assert breaker.state == "open"


def test_an_answer_that_is_an_exception_closes_it(make: Make) -> None:
    breaker = make(timeout=SOON, ignores=(LookupError,))
    nothing: dict[str, int] = {}
    trip(breaker)
    due(breaker)
    with pytest.raises(KeyError):
        breaker.call(nothing.__getitem__, "x")
    assert breaker.state == "closed"


def test_failures_say_what_they_are_a_part_of_once_it_is_open(make: Make) -> None:
    breaker, blamed = make(timeout=SOON), []
    for _ in range(3):
        with pytest.raises(OSError, match="away") as failure:
            breaker.call(fail)
        blamed.append(blamed_breaker(failure.value))
        if breaker.state == "open":
            due(breaker)
    assert blamed == [None, breaker.name, breaker.name]


def test_a_late_failure_of_a_call_that_began_before_is_a_part_of_the_outage(make: Make) -> None:
    breaker = make()

    def begun_before() -> None:
        trip(breaker)
        raise OSError("late")

    with pytest.raises(OSError, match="late") as failure:
        breaker.call(begun_before)
    assert blamed_breaker(failure.value) == breaker.name


def test_a_late_success_closes_nothing(make: Make) -> None:
    breaker = make()
    with breaker:
        trip(breaker)
    assert breaker.state == "open"


def test_two_of_one_name_are_one_and_the_first_ones_parameters_count(make: Make, capfd: Any, caplog: Any) -> None:
    first = make()
    make()
    assert "breaker_differs" not in caplog.text
    second = make(9, 9.0)
    make(8)
    assert [record.event for record in caplog.records] == ["breaker_differs"]
    assert "failure_threshold 2 and timeout 1000 s: failure_threshold 9 and timeout 9 s is not used" in caplog.text
    with pytest.raises(OSError, match="away"):
        second.call(fail)
    with pytest.raises(OSError, match="away"):
        first.call(fail)
    assert (first.state, second.state) == ("open", "open")


def test_what_happens_is_told(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "kherd")
    breaker = make(timeout=SOON)
    trip(breaker)
    due(breaker)
    trip_again = pytest.raises(OSError, match="away")
    with trip_again:
        breaker.call(fail)
    due(breaker)
    breaker.call(len, "")
    told = [(record.event, record.fields) for record in caplog.records]  # type: ignore[attr-defined]
    assert [event for event, _ in told] == [
        "breaker_opened", "breaker_half_open", "breaker_opened", "breaker_half_open", "breaker_closed",
    ]  # fmt: skip
    assert told[0][1]["reason"] == "2 failures in a row: OSError: away"
    assert told[2][1]["reason"] == "the probe failed: OSError: away"


def test_refusals_are_known_until_somebody_has_asked(make: Make) -> None:
    breaker = make()
    trip(breaker)
    assert refused() == frozenset()
    for _ in range(2):
        with pytest.raises(BreakerOpen):
            breaker.call(len, "")
    assert refused() == {breaker.name}
    assert refused() == frozenset()


def test_who_can_do_without_is_not_told_of(make: Make) -> None:
    trip(make())
    with pytest.raises(BreakerOpen):
        make(fallback_ok=True).call(len, "")
    assert refused() == frozenset()


def test_watched_threads_and_tasks_are_told_of_by_themselves(make: Make) -> None:
    breaker = make()
    trip(breaker)

    def be_refused() -> None:
        with pytest.raises(BreakerOpen):
            breaker.call(len, "")

    def watched(refusals: int) -> frozenset[str]:
        watch()
        for _ in range(refusals):
            be_refused()
        return refused()

    async def task(refusals: int) -> frozenset[str]:
        watch()
        if refusals:
            await asyncio.gather(asyncio.to_thread(be_refused), asyncio.create_task(asyncio.to_thread(be_refused)))
        await asyncio.sleep(0)
        return refused()

    async def tasks() -> list[frozenset[str]]:
        return list(await asyncio.gather(task(1), task(0)))

    with ThreadPoolExecutor(2) as pool:
        assert [one.result() for one in (pool.submit(watched, 1), pool.submit(watched, 0))] == [{breaker.name}, set()]
    assert asyncio.run(tasks()) == [{breaker.name}, set()]
    assert refused() == frozenset()


def test_threads_count_together(make: Make) -> None:
    breaker = make(40)

    def work(_: int) -> None:
        with pytest.raises(OSError, match="away"):
            breaker.call(fail)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(39)))
        assert breaker.state == "closed"
        work(0)
    assert breaker.state == "open"


def test_a_fork_goes_on_by_itself_from_what_was_known(make: Make) -> None:
    breaker = make(timeout=SOON)
    trip(breaker)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            due(breaker)
            breaker.call(len, "")
            code = 0 if breaker.state == "closed" else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert breaker.state == "open"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": 7}, "the name must be text, got 7"),
        ({"name": ""}, "1 to 200 bytes of printable text"),
        ({"name": "~x"}, "does not begin with ~, got '~x'"),
        ({"name": "a\nb"}, "printable"),
        ({"name": "ä" * 101}, "200 bytes"),
        ({"failure_threshold": 0}, "failure_threshold must be a whole number from 1, got 0"),
        ({"failure_threshold": True}, "a whole number"),
        ({"failure_threshold": 1.5}, "a whole number"),
        ({"timeout": 0}, "timeout must be seconds, above 0 and at most a day, got 0"),
        ({"timeout": float("nan")}, "got nan"),
        ({"timeout": float("inf")}, "got inf"),
        ({"timeout": "60s"}, "got '60s'"),
        ({"counts": "OSError"}, "counts must be exception classes, in a tuple, got 'OSError'"),
        ({"counts": (OSError, BaseException)}, "got <class 'BaseException'>"),
        ({"ignores": [OSError]}, "ignores must be exception classes"),
    ],
)
def test_a_bad_argument_is_refused_with_what_it_has_to_be(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said) as error:
        CircuitBreaker(**{"name": "unused", **arguments})
    assert str(error.value).startswith("CircuitBreaker: ")


def test_what_cannot_be_decorated_is_refused(make: Make) -> None:
    def generator() -> Iterator[int]:
        yield 1

    async def asynchronous() -> AsyncIterator[int]:
        yield 1

    for function in (generator, asynchronous):
        with pytest.raises(TypeError, match="use `with` in its body"):
            make()(function)
    with pytest.raises(TypeError, match="decorates functions, not a int"):
        make()(7)  # type: ignore[arg-type]

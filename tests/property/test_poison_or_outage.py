"""Who judges failures, in simulated worlds: an outage puts nothing aside, and poison gets through."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kherd.testing.results import count
from kherd.worker import log
from kherd.worker.spec import LogSpec

from ..fakes.world import Handler, World

HOUR = 3600.0
BEGINS = 0.3
"""When something happens: everybody is in full swing by then."""
seeds = st.integers(0, 10_000)
slowly = settings(max_examples=count(40, 3), deadline=None)


@pytest.fixture(autouse=True, scope="module")
def _silent() -> Iterator[None]:
    log.configure(LogSpec(level="error"), log.Identity("test", "supervisor", None, 1), stream=None)
    yield
    log.configure(LogSpec(), log.Identity("test", "supervisor", None, 1), stream=None)


def share(seed: int, number: int, offset: int) -> float:
    """Return a number from 0 to 1 that belongs to a record."""
    return random.Random(f"{seed}/{number}/{offset}").random()


def world(handler: Handler, seed: int, *, workers: int = 4, partitions: int = 16, length: int = 300) -> World:
    return World(handler, workers=workers, partitions=partitions, length=length, seed=seed)


@slowly
@given(seeds, st.sampled_from([1.0, 0.5, 0.25]), st.sampled_from([(4, 16), (4, 8), (2, 6), (8, 64)]))
def test_what_a_quarter_of_the_records_or_more_need_may_be_away_for_an_hour(
    seed: int, needed: float, size: tuple[int, int]
) -> None:
    def handle(number: int, offset: int, now: float) -> str | None:
        return "away" if BEGINS < now < HOUR and share(seed, number, offset) < needed else None

    workers, partitions = size
    found = world(handle, seed, workers=workers, partitions=partitions).run(3 * HOUR)
    assert found.dead == {}
    assert found.done


@slowly
@given(seeds, st.sampled_from([0.01, 0.003]), st.sampled_from([(4, 16), (4, 4), (1, 4), (8, 64)]))
def test_a_bug_that_one_record_in_a_hundred_meets_puts_exactly_those_aside(
    seed: int, rare: float, size: tuple[int, int]
) -> None:
    def handle(number: int, offset: int, _: float) -> str | None:
        return "bug" if share(seed, number, offset) < rare else None

    workers, partitions = size
    found = world(handle, seed, workers=workers, partitions=partitions).run(60 * HOUR)
    bad = {
        (number, offset) for number in range(partitions) for offset in range(300) if share(seed, number, offset) < rare
    }
    assert found.done
    assert set(found.dead) == bad
    assert found.handled == {(number, offset) for number in range(partitions) for offset in range(300)} - bad


@slowly
@given(seeds)
def test_of_poison_and_outage_together_exactly_the_poison_is_put_aside(seed: int) -> None:
    def handle(number: int, offset: int, now: float) -> str | None:
        if share(seed, number, offset) < 0.01:
            return "bug"
        return "away" if BEGINS < now < HOUR / 2 else None

    found = world(handle, seed).run(60 * HOUR)
    assert found.done
    assert all(share(seed, number, offset) < 0.01 for number, offset in found.dead)
    assert len(found.dead) + len(found.handled) == 16 * 300


@slowly
@given(seeds, st.sampled_from([(4, 16), (2, 4), (1, 4)]))
def test_a_deploy_that_always_raises_puts_nothing_aside_and_its_mending_lets_all_through(
    seed: int, size: tuple[int, int]
) -> None:
    def handle(_: int, __: int, now: float) -> str | None:
        return "broken" if now < HOUR else None

    workers, partitions = size
    found = world(handle, seed, workers=workers, partitions=partitions).run(3 * HOUR)
    assert found.dead == {}
    assert found.done


@slowly
@given(seeds, st.integers(1, 3))
def test_few_partitions_lose_no_more_to_the_dead_letters_than_four_records_tell(seed: int, partitions: int) -> None:
    def handle(_: int, __: int, now: float) -> str | None:
        return "away" if BEGINS < now < 4 * HOUR else None

    found = world(handle, seed, workers=1, partitions=partitions, length=1500).run(5 * HOUR)
    assert len(found.dead) <= 4 - partitions


@slowly
@given(seeds, st.integers(1, 12))
def test_a_burst_of_poison_in_one_partition_gets_through_while_others_go_on(seed: int, burst: int) -> None:
    def handle(number: int, offset: int, _: float) -> str | None:
        return "bug" if number == 0 and 10 <= offset < 10 + burst else None

    found = world(handle, seed, workers=2, partitions=4, length=4000).run(HOUR)
    assert set(found.dead) <= {(0, 10 + number) for number in range(burst)}
    if found.lines[0].at < 10 + burst:  # the others were done with their records before: then it waits for more
        assert all(line.at == line.length for line in found.lines[1:])


@slowly
@given(seeds)
def test_a_slow_drip_is_put_aside_record_by_record(seed: int) -> None:
    def handle(number: int, offset: int, _: float) -> str | None:
        return "bug" if number == 0 and offset % 150 == 149 else None

    found = world(handle, seed, workers=1, partitions=2, length=1500).run(20 * HOUR)
    assert found.done
    assert set(found.dead) == {(0, offset) for offset in range(149, 1500, 150)}
    assert found.opened == []


@slowly
@given(seeds)
def test_while_it_is_away_hardly_anybody_asks(seed: int) -> None:
    asked: list[float] = []

    def handle(_: int, __: int, now: float) -> str | None:
        if BEGINS < now < HOUR:
            asked.append(now)
            return "away"
        return None

    world(handle, seed).run(HOUR + 200.0)
    assert len([at for at in asked if at > 10.0]) <= 10 + HOUR / 60

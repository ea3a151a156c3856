from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.lag import (
    Position,
    Start,
    Sweep,
    dead_letters,
    document,
    extend,
    lag_of,
    measure,
    parse,
    total,
)

offsets = st.integers(min_value=0, max_value=2**40)
unknown = st.none() | offsets
starts = st.sampled_from(["earliest", "latest", "error"])
positions = st.builds(
    Position, st.sampled_from(["a", "b", "c"]), st.integers(0, 5), committed=unknown, end=unknown, log_start=unknown
)


@given(positions, starts)
def test_lag_is_never_negative_and_never_more_than_the_log_holds(position: Position, start: Start) -> None:
    lag = lag_of(position, start)
    if lag is not None and position.end is not None and position.log_start is not None:
        assert 0 <= lag <= max(0, position.end - position.log_start)


@given(positions, starts)
def test_what_could_not_be_read_is_unknown(position: Position, start: Start) -> None:
    if position.end is None or position.log_start is None:
        assert lag_of(position, start) is None


@given(offsets, offsets, offsets, starts)
def test_with_everything_read_lag_is_the_formula(committed: int, end: int, log_start: int, start: Start) -> None:
    position = Position("t", 0, committed, end, log_start)
    assert lag_of(position, start) == max(0, end - max(committed, log_start))


@given(offsets, offsets)
def test_without_a_commit_lag_is_what_the_group_would_start_with(end: int, log_start: int) -> None:
    position = Position("t", 0, None, end, log_start)
    assert lag_of(position, "earliest") == max(0, end - log_start)
    assert lag_of(position, "latest") == 0
    assert lag_of(position, "error") is None


@given(st.lists(positions), starts)
def test_the_total_is_the_sum_of_the_topics_and_unknown_if_any_partition_is(rows: list[Position], start: Start) -> None:
    lag = measure(rows, start)
    assert sum(topic.partitions for topic in lag.topics.values()) == len(rows) == len(lag.partitions)
    if not rows or any(one is None for _, one in lag.partitions):
        assert lag.total is None
    else:
        assert lag.total == sum(one or 0 for _, one in lag.partitions)
        assert lag.total == total(topic.lag for topic in lag.topics.values())


@given(st.lists(positions), starts, st.booleans())
def test_the_document_tells_every_partition_and_of_an_invalid_reading_no_total(
    rows: list[Position], start: Start, valid: bool
) -> None:
    lag = measure(rows, start)
    shown = document(lag, at="now", valid=valid, reason=None if valid else "broker gone")
    assert shown["total"] == (lag.total if valid else None)
    assert [Position(*(row[name] for name in Position.__slots__)) for row in shown["partitions"]] == rows
    assert [row["lag"] for row in shown["partitions"]] == [one for _, one in lag.partitions]
    assert sum(topic["partitions"] for topic in shown["topics"].values()) == len(rows)


@given(st.lists(positions))
def test_dead_letters_that_nobody_has_dealt_with_are_all_that_the_topics_hold(rows: list[Position]) -> None:
    count = dead_letters(rows)
    assert (count is None) == any(row.end is None or row.log_start is None for row in rows)


@given(st.lists(st.lists(positions, max_size=4), min_size=1, max_size=5), st.integers(0, 9))
def test_the_parts_of_a_sweep_make_the_sweep(parts: list[list[Position]], number: int) -> None:
    pending = Sweep(number - 1, 0.0)
    for index, part in enumerate(parts):
        message = {
            "type": "lag",
            "sweep": number,
            "last": index == len(parts) - 1,
            "valid": True,
            "reason": None,
            "at": 1.0,
            "partitions": [[row.topic, row.partition, row.committed, row.end, row.log_start] for row in part],
        }
        pending = extend(pending, parse(message))
    assert pending == Sweep(number, 1.0, True, None, tuple(row for part in parts for row in part))


@given(st.booleans(), st.booleans())
def test_a_sweep_is_valid_only_if_every_part_of_it_is(first: bool, second: bool) -> None:
    parts = [Sweep(1, 0.0, valid, None if valid else "broker gone") for valid in (first, second)]
    joined = extend(extend(None, parts[0]), parts[1])
    assert joined.valid is (first and second)
    assert (joined.reason is None) is joined.valid

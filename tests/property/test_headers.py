from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide import headers as family
from kherd.worker.decide.headers import Failure, Headers, Origin, cap, error_headers, kept_headers, origin_of, shorten

OURS = [
    family.TOPIC,
    family.PARTITION,
    family.OFFSET,
    family.TIMESTAMP,
    family.TIMESTAMP_TYPE,
    family.STACK,
    family.ORIGINAL_TOPIC,
    family.REPLAY_COUNT,
    family.TRUNCATED,
    "kherd.anything",
]
names = st.text(max_size=8) | st.sampled_from(OURS)
values = st.none() | st.binary(max_size=12) | st.integers(-3, 99).map(lambda number: str(number).encode())
records = st.lists(st.tuples(names, values), max_size=12).map(tuple)
texts = st.text(max_size=50)
origins = st.builds(
    Origin,
    topic=st.text(min_size=1, max_size=8),
    partition=st.integers(0, 99),
    offset=st.integers(0, 2**40),
    timestamp=st.none() | st.integers(0, 2**40),
    timestamp_type=st.sampled_from(["CreateTime", "LogAppendTime"]),
)
failures = st.builds(
    Failure,
    group=texts,
    attempts=st.integers(1, 99),
    class_name=texts,
    message=st.text(max_size=3_000),
    stack=st.text(max_size=9_000),
    stage=st.just("HANDLE"),
    reason=st.just("operator"),
    first=texts,
    last=texts,
    worker=texts,
    fingerprint=texts,
)


def write(record: Headers, here: Origin, failure: Failure) -> Headers:
    return kept_headers(record) + error_headers(record, here, failure, stack=True, missing=())


@given(records, origins, failures)
def test_what_is_not_ours_is_kept_in_order_and_byte_for_byte(record: Headers, here: Origin, failure: Failure) -> None:
    theirs = [
        header for header in record if not header[0].startswith(("__dlq.errors.", "kherd.", "kafka_dlt-original-topic"))
    ]
    written = write(record, here, failure)
    assert list(written[: len(theirs)]) == theirs


@given(records, origins, failures)
def test_every_header_of_ours_occurs_once_and_is_text(record: Headers, here: Origin, failure: Failure) -> None:
    added = error_headers(record, here, failure, stack=True, missing=["value"])
    assert len(added) == len({name for name, _ in added})
    assert all(value is not None for _, value in added)
    for name, value in added:
        if name != family.ORIGINAL_TOPIC:  # may be another tool's bytes
            (value or b"").decode()


@given(records, st.lists(st.tuples(origins, failures), min_size=2, max_size=5))
def test_a_record_never_grows_by_further_trips_and_keeps_its_first_origin(
    record: Headers, trips: list[tuple[Origin, Failure]]
) -> None:
    first = write(record, *trips[0])
    current = first
    for here, failure in trips[1:]:
        current = write(current, here, failure)
        assert {name for name, _ in current} <= {name for name, _ in first}
        assert len(current) <= len(first)
        assert origin_of(current, here) == origin_of(first, here)
        same = write(first, here, failure)
        assert write(same, here, failure) == same
    assert dict(current).get(family.TOPIC) == dict(first).get(family.TOPIC)
    assert dict(current).get(family.ORIGINAL_TOPIC) == dict(first).get(family.ORIGINAL_TOPIC)


@given(records, origins)
def test_an_origin_is_never_half_believed(record: Headers, here: Origin) -> None:
    found = origin_of(record, here)
    assert found == here or (found.topic and found.partition >= 0 and found.offset >= 0)


@given(st.text(max_size=6_000), st.integers(100, 5_000))
def test_a_capped_stack_fits_and_is_its_end(stack: str, limit: int) -> None:
    capped = cap(stack, limit)
    assert len(capped.encode()) <= limit
    assert capped == stack or (capped.startswith("[") and stack.endswith(capped.split("\n", 1)[1]))


@given(st.text(max_size=300), st.integers(0, 200))
def test_shortened_text_fits_and_is_its_beginning(text: str, limit: int) -> None:
    assert len(shorten(text, limit).encode()) <= limit
    assert text.startswith(shorten(text, limit))


@given(st.text(st.characters(categories=["Cs", "L"]), max_size=100))
def test_lone_surrogates_are_escaped_not_raised(text: str) -> None:
    shorten(text).encode()
    cap(text, 50).encode()

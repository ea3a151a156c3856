import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.envelope import original
from kherd.worker.decide.headers import TRUNCATED, Failure, Headers, Origin
from kherd.worker.decide.letter import Case, Letter, Rung, build

FAILURE = Failure(
    group="g",
    attempts=1,
    class_name="ValueError",
    message="no",
    stack="Traceback\n" * 50,
    stage="HANDLE",
    reason="non_retryable",
    first="f",
    last="l",
    worker="w",
    fingerprint="p",
)
data = st.none() | st.binary(max_size=40) | st.binary(min_size=1_000, max_size=1_100)
theirs = st.lists(st.tuples(st.sampled_from(["a", "b", "trace"]), st.none() | st.binary(max_size=60)), max_size=90).map(
    tuple
)
cases = st.builds(
    Case,
    target=st.just("dlq.orders"),
    format=st.sampled_from(["headers", "json"]),
    here=st.builds(Origin, topic=st.just("orders"), partition=st.integers(0, 9), offset=st.integers(0, 9)),
    failure=st.just(FAILURE),
    key=data,
    value=data,
    headers=theirs,
)


def weight(letter: Letter) -> int:
    parts = [
        letter.key,
        letter.value,
        *(value for _, value in letter.headers),
        *(name.encode() for name, _ in letter.headers),
    ]
    return sum(len(part or b"") for part in parts)


def record_of(letter: Letter) -> tuple[bytes | None, bytes | None, Headers]:
    kept = letter.headers[: len(letter.case.headers)]
    if letter.case.format == "headers":
        return letter.key, letter.value, kept
    return letter.key, original(json.loads(letter.value or b""), "original_value"), kept


@given(cases)
def test_a_whole_letter_gives_key_value_and_headers_back_byte_for_byte(case: Case) -> None:
    letter = build(case)
    assert record_of(letter) == (case.key, case.value, case.headers)
    assert (letter.topic, letter.partition) == ("dlq.orders", case.here.partition)
    assert TRUNCATED not in dict(letter.headers)


@given(cases)
def test_the_ladder_ends_in_a_stub_each_rung_smaller_and_says_what_it_lacks(case: Case) -> None:
    letter, rungs = build(case), [Rung.WHOLE]
    while (smaller := letter.smaller()) is not None:
        lost = weight(letter) - weight(smaller) + len(dict(smaller.headers).get(TRUNCATED) or b"") + len(TRUNCATED)
        assert lost >= 0
        letter = smaller
        rungs.append(letter.rung)
    assert rungs == list(Rung)
    said = (dict(letter.headers)[TRUNCATED] or b"").decode().split(",")
    assert said[0] == "stacktrace"
    assert ("value" in said) == (case.value is not None)
    assert ("key" in said) == (letter.key != case.key)
    assert ("headers" in said) == (letter.headers[: len(case.headers)] != case.headers)


@given(cases)
def test_a_stub_is_small_whatever_the_record(case: Case) -> None:
    letter = build(replace(case, headers=(*case.headers, ("trace", b"x" * 50_000))), Rung.STUB)
    assert weight(letter) < 10_000  # a key of control characters takes six times its size in JSON

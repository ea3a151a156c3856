from collections.abc import Iterator

import pytest

from kherd import Record, Results, Skip
from kherd.worker import results
from kherd.worker.errors import ResultError, ResultLengthError

ONE, TWO = Record("t", "1"), Record("t", "2")


def broken() -> Iterator[Record]:
    yield ONE
    raise SystemExit(3)


def test_nothing_returned_is_no_records_for_each() -> None:
    assert results.batch(None, 3) == [(), (), ()]


def test_records_for_the_whole_batch_belong_to_its_last_entry() -> None:
    assert results.batch(ONE, 2) == [(), (ONE,)]
    assert results.batch(iter([ONE, TWO]), 3) == [(), (), [ONE, TWO]]


def test_results_answer_for_each_entry() -> None:
    error = ValueError("third")
    found = results.batch(Results([None, ONE, error, [ONE, TWO], (), Skip]), 6)  # type: ignore[list-item] # a user's slip
    assert found[:5] == [(), (ONE,), error, [ONE, TWO], []]
    assert isinstance(found[5], Skip)


def test_results_of_another_length_are_an_error_with_both_numbers() -> None:
    with pytest.raises(ResultLengthError, match="2 entries for 3 records"):
        results.batch(Results([None, None]), 3)


def test_a_wrong_entry_fails_alone() -> None:
    first, second = results.batch(Results([5, ONE]), 2)  # type: ignore[list-item]  # what the test is about
    assert isinstance(first, ResultError)
    assert second == (ONE,)


def test_a_generator_that_raises_fails_its_entry_with_what_it_raised() -> None:
    first, second = results.batch(Results([broken(), None]), 2)
    assert isinstance(first, SystemExit)
    assert second == ()


def test_a_list_with_gaps_hints_at_results() -> None:
    with pytest.raises(ResultError, match=r"NoneType as item 0 of a list.*kherd\.Results with one entry per record"):
        results.batch([None, ONE], 2)


def test_results_in_record_mode_are_an_error() -> None:
    with pytest.raises(ResultError, match="single record"):
        results.records(Results([ONE]))


def test_what_a_generator_raises_comes_through_unchanged() -> None:
    with pytest.raises(SystemExit):
        results.records(broken())

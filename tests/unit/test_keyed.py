"""What the scenarios of calls beside each other look for would be found."""

from kherd.testing.keyed import by_key, calls, disorder, ends, overlaps, width
from kherd.testing.ledger import Entry, Handled


def told(*lines: tuple[int, int, str]) -> Handled:
    """Return a ledger of one key; a line is (pid, offset, note)."""
    return Handled(Entry("t", 0, offset, b"k", pid, at / 10, note) for at, (pid, offset, note) in enumerate(lines))


def test_one_after_the_other_is_in_order() -> None:
    good = told((1, 0, "began"), (1, 0, ""), (1, 1, "began"), (1, 1, ""))
    assert (disorder(good, by_key), overlaps(good, by_key), width(good)) == ([], [], 1)
    assert (len(calls(good)), len(ends(good))) == (2, 2)


def test_a_call_within_another_one_of_its_key_overlaps() -> None:
    bad = told((1, 0, "began"), (1, 1, "began"), (1, 1, ""), (1, 0, ""))
    [(later, earlier)] = overlaps(bad, by_key)
    assert (later.offset, earlier.offset, width(bad)) == (1, 0, 2)


def test_also_in_another_process() -> None:
    bad = told((1, 0, "began"), (2, 1, "began"), (1, 0, ""), (2, 1, ""))
    assert len(overlaps(bad, by_key)) == 1


def test_a_call_that_was_killed_is_under_way_no_more() -> None:
    killed = told((1, 0, "began"), (2, 0, "began"), (2, 0, ""), (2, 1, "began"), (2, 1, ""))
    assert overlaps(killed, by_key) == []


def test_an_attempt_that_failed_is_over() -> None:
    retried = told((1, 0, "began"), (1, 0, "failed"), (1, 0, "began"), (1, 0, ""))
    assert overlaps(retried, by_key) == []
    assert len(ends(retried)) == 1


def test_a_later_record_of_the_key_before_an_earlier_one_is_disorder() -> None:
    bad = told((1, 1, "began"), (1, 1, ""), (1, 0, "began"), (1, 0, ""))
    assert [entry.offset for entry in disorder(bad, by_key)] == [0]
    again = told((1, 0, "began"), (1, 1, "began"), (2, 0, "began"), (2, 1, "began"))
    assert disorder(again, by_key) == []

"""What the harness says of gaps, spreads and coordinators is what was written down."""

import pytest

from kherd.testing.gaps import longest_pause, pauses, takeovers
from kherd.testing.generations import _generation, _java_hash
from kherd.testing.ledger import Entry, Handled
from kherd.testing.results import spread


def handled(*rows: tuple[int, int, int, float]) -> Handled:
    return Handled(Entry("t", partition, offset, None, pid, at, "") for partition, offset, pid, at in rows)


def test_a_takeover_is_from_the_dead_ones_last_record_to_the_next_ones_first() -> None:
    ledger = handled((0, 0, 7, 1.0), (0, 1, 7, 1.1), (0, 1, 8, 1.5), (0, 2, 8, 1.6), (1, 0, 7, 1.0), (1, 1, 9, 4.0))
    first, second = takeovers(ledger, "t", 7, [0, 1])
    assert (first.partition, first.again, second.partition, second.again) == (0, 1, 1, 0)
    assert (first.seconds, second.seconds) == pytest.approx((0.4, 3.0))


def test_what_was_in_the_dead_ones_last_call_is_not_counted_as_finished() -> None:
    # The last call had the records 1 and 2 of partition 0 and record 0 of partition 1; record 0 was finished before.
    calls = [(0, 0, 7, 1.0), (0, 1, 7, 2.0), (0, 2, 7, 2.0), (1, 0, 7, 2.0)]
    heirs = [(0, 0, 8, 3.0), (0, 1, 8, 3.1), (0, 2, 8, 3.2), (1, 0, 8, 3.3), (1, 1, 8, 3.4)]
    first, second = takeovers(handled(*calls, *heirs), "t", 7, [0, 1])
    assert (first.again, first.beyond) == (3, 1)
    assert (second.again, second.beyond) == (1, 0)


def test_pauses_are_those_that_touch_the_window() -> None:
    ledger = handled((0, 0, 1, 1.0), (0, 1, 1, 3.0), (0, 2, 1, 3.5), (0, 3, 1, 9.0), (1, 0, 1, 3.2), (1, 1, 1, 3.3))
    assert pauses(ledger, "t", [0, 1], 2.0, 3.2) == pytest.approx([2.0, 0.5, 0.1])
    assert pauses(ledger, "t", [0], 4.0, 5.0) == pytest.approx([5.5])
    assert pauses(ledger, "t", [0], 9.5, 10.0) == []
    assert pauses(ledger, "t", [7], 0.0, 10.0) == []


@pytest.mark.parametrize("rows", [[(0, 0, 8, 1.0)], [(0, 0, 7, 1.0)], []])
def test_a_partition_that_nobody_followed_on_is_an_error_and_not_a_gap_of_zero(
    rows: list[tuple[int, int, int, float]],
) -> None:
    with pytest.raises(LookupError, match="nobody follows pid 7"):
        takeovers(handled(*rows), "t", 7, [0])


def test_the_longest_pause_of_many_partitions_counts_one_that_reaches_into_the_window() -> None:
    ledger = handled((0, 0, 1, 1.0), (0, 1, 1, 3.0), (1, 0, 1, 1.0), (1, 1, 1, 1.5), (1, 2, 1, 9.0))
    assert longest_pause(ledger, "t", [0, 1], 0.0, 1.2) == 2.0
    assert longest_pause(ledger, "t", [1], 0.0, 1.2) == 0.5
    assert longest_pause(ledger, "t", [], 0.0) == 0.0


def test_percentiles_are_values_that_were_measured() -> None:
    assert spread([3.0, 1.0, 2.0]) == {"n": 3, "p50": 2.0, "p99": 3.0, "max": 3.0}
    assert spread(range(1, 201)) == {"n": 200, "p50": 100, "p99": 198, "max": 200}


def test_a_groups_partition_is_found_as_java_finds_it() -> None:
    # abs(String.hashCode()): 99162322, Integer.MIN_VALUE, -648006740.
    assert _java_hash("hello") == 99162322
    assert _java_hash("polygenelubricants") == 0
    assert _java_hash("console-consumer") == 648006740


def test_generations_are_read_from_what_the_coordinator_writes() -> None:
    classic = b"\x00\x03" + b"\x00\x08consumer" + b"\x00\x00\x00\x07" + b"rest"
    assert _generation(b"\x00\x02\x00\x01g", classic, "g") == 7
    assert _generation(b"\x00\x03\x00\x01g", b"\x00\x00\x00\x00\x00\x09", "g") == 9
    assert _generation(b"\x00\x02\x00\x01h", classic, "g") is None
    assert _generation(b"\x00\x01\x00\x01g\x00\x01t\x00\x00\x00\x00", b"\x00\x03", "g") is None
    assert _generation(b"\x00\x02\x00\x01g", None, "g") is None
    assert _generation(b"", b"", "g") is None

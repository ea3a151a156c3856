"""Accounts: what is lost is called so, and nothing is claimed of what nobody reported on."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.bench.accounting import DELIVERED, FAILED, PENDING, Account, compare

COUNTS = st.integers(0, 10**9)
RECORDS = st.lists(st.tuples(st.sampled_from([PENDING, DELIVERED, FAILED]), st.integers(0, 3)), max_size=60)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_loss_and_surplus_never_come_together(produced: int, delivered: int, failed: int, written: int) -> None:
    account = Account(produced, delivered, failed, written)
    assert account.written == account.delivered - account.lost + account.surplus
    assert 0 in {account.lost, account.surplus}
    assert account.conserved == (produced - delivered - failed == 0)


@given(RECORDS)
def test_every_record_is_in_one_place(records: list[tuple[int, int]]) -> None:
    found = compare([said for said, _ in records], [copies for _, copies in records])
    kinds = Counter(said for said, _ in records)
    assert (found.produced, found.delivered, found.failed) == (len(records), kinds[DELIVERED], kinds[FAILED])
    assert found.lost == records.count((DELIVERED, 0))
    assert sum(copies for _, copies in records) - found.duplicated == sum(copies > 0 for _, copies in records)
    assert found.undead <= found.failed


def test_records_nobody_told_of_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        compare([DELIVERED], [])

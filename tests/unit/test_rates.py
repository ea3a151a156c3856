"""Rates: growth over the last ten seconds, zero when nothing is known, never negative."""

import pytest

from kherd.supervisor.rates import WINDOW_SECONDS, Rates


def test_nothing_seen_is_a_rate_of_zero() -> None:
    assert Rates().document() == {"processing_rate": 0.0, "error_rate": 0.0}


def test_one_reading_is_no_rate_yet() -> None:
    rates = Rates()
    rates.note(5.0, {"handled": 100, "calls": 100})
    assert rates.document() == {"processing_rate": 0.0, "error_rate": 0.0}


def test_rates_are_growth_per_second_and_per_call() -> None:
    rates = Rates()
    rates.note(0.0, {"handled": 100, "calls": 100, "failed": 3})
    rates.note(4.0, {"handled": 300, "calls": 150, "failed": 8})
    assert rates.document() == {"processing_rate": 50.0, "error_rate": pytest.approx(0.1)}


def test_only_the_window_counts() -> None:
    rates = Rates()
    for second in range(100):
        rates.note(float(second), {"handled": second * (1000 if second < 80 else 0) + 80_000 * (second >= 80)})
    assert rates.document()["processing_rate"] == 0.0
    assert len(rates._seen) <= WINDOW_SECONDS + 2


def test_a_long_silence_is_averaged_over_not_forgotten() -> None:
    rates = Rates()
    rates.note(0.0, {"handled": 0})
    rates.note(100.0, {"handled": 1000})
    assert rates.document()["processing_rate"] == 10.0


def test_totals_that_shrink_are_no_negative_rate() -> None:
    rates = Rates()
    rates.note(0.0, {"handled": 100, "calls": 9, "failed": 9})
    rates.note(1.0, {"handled": 50, "calls": 5, "failed": 5})
    assert rates.document() == {"processing_rate": 0.0, "error_rate": 0.0}


def test_two_readings_at_one_instant_are_no_division_by_zero() -> None:
    rates = Rates()
    rates.note(1.0, {"handled": 0})
    rates.note(1.0, {"handled": 10})
    assert rates.document()["processing_rate"] == 0.0


def test_errors_last_for_minutes_and_are_unknown_as_long_as_there_are_few_calls() -> None:
    rates = Rates()
    assert rates.lasting_errors == 0.0
    rates.note(0.0, {"calls": 1000, "failed": 900})
    rates.note(1.0, {"calls": 1050, "failed": 901})
    assert rates.lasting_errors is None
    rates.note(2.0, {"calls": 1100, "failed": 902})
    assert rates.lasting_errors == 0.02
    rates.note(400.0, {"calls": 1100, "failed": 902})
    assert rates.lasting_errors == 0.0

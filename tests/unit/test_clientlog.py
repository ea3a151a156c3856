"""What librdkafka says is said again, but not over and over; a position that was reset is read from it."""

import logging

import pytest
from confluent_kafka import KafkaError

from kherd.worker.clientlog import ClientLog, Reset
from kherd.worker.fetch import Fault, _fault
from kherd.worker.seldom import Seldom


def line(facility: str, text: str) -> logging.LogRecord:
    return logging.LogRecord("k", logging.WARNING, "", 0, "%s [%s] %s", (facility, "client", text), None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            (
                "[thrd:main]: my.orders-1 [12]: offset reset (at offset 5 (leader epoch 0), broker 1)"
                " to cached BEGINNING offset 40 (leader epoch -1): fetch failed due to requested offset not available"
            ),
            [Reset("my.orders-1", 12, 5)],
        ),
        ("[thrd:main]: orders [0]: offset reset (at offset INVALID, broker 1) to BEGINNING: no committed offset", []),
        ("something new", []),
    ],
)
def test_a_position_that_was_reset_is_read_from_the_log(text: str, found: list[Reset]) -> None:
    log = ClientLog()
    log.emit(line("OFFSET", text))
    log.emit(line("FAIL", text))
    assert log.resets == found


def test_the_same_is_said_seldom() -> None:
    seldom = Seldom(3600.0)
    assert [seldom("a"), seldom("a"), seldom("b"), seldom("a")] == [True, False, True, False]
    assert Seldom(0.0)("a")


def test_unknown_codes_of_fatal_errors_are_told_apart_by_their_sentence() -> None:
    assert _fault("Fatal error: " + KafkaError(KafkaError.UNRELEASED_INSTANCE_ID).str()) is Fault.UNRELEASED
    assert _fault("Fatal error: " + KafkaError(KafkaError.FENCED_INSTANCE_ID).str()) is Fault.FENCED
    assert _fault("Fatal error: anything") is Fault.FATAL

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Message

from kherd import ProcessingError, Record
from kherd.worker.deadletter import Letter, letter
from kherd.worker.decide.letter import Rung
from kherd.worker.outputs import MAX_RECORDS, Delivery, Outputs

from ..fakes.producer import Producers, Sent, refuse
from ..fakes.specs import worker_spec

TOO_LARGE = KafkaError.MSG_SIZE_TOO_LARGE
TIMED_OUT = KafkaError._MSG_TIMED_OUT


def outputs(**options: Any) -> tuple[Outputs, Producers]:
    producers = Producers(**options)
    return Outputs(worker_spec(max_in_flight_bytes=1_000), "orders-0", producer_factory=producers), producers


def dead(partition: int = 3) -> Letter:
    source = Message(topic="orders", partition=partition, offset=7, key=b"k", value=b"v", timestamp=(1, 5))
    return letter(
        worker_spec(),
        source,
        ProcessingError("no"),
        attempts=1,
        first_failure=1,
        last_failure=1,
        stage="HANDLE",
        worker="w",
    )


def settle(out: Outputs) -> list[Delivery]:
    assert out.flush(1)
    return out.poll()


def test_no_producer_is_made_before_the_first_record() -> None:
    out, producers = outputs()
    assert out.poll() == []
    out.submit("t", ())
    assert out.poll() == [Delivery("t")]
    out.close(1)
    assert producers.made == []


def test_a_token_is_reported_once_when_all_of_its_records_are_acknowledged() -> None:
    out, producers = outputs(silent=True)
    out.submit("t", [Record("a", b"1", b"k", [("h", b"x")]), Record("b", "text", None, (("n", None),))])
    assert out.poll() == []
    assert out.pending == 1
    sent, other = producers.sent
    assert (sent.topic, sent.value, sent.key, sent.partition, sent.headers) == ("a", b"1", b"k", -1, [("h", b"x")])
    assert (other.value, other.headers) == (b"text", [("n", None)])
    producers.made[0].report(sent, None)
    assert out.poll() == []
    producers.made[0].report(other, None)
    assert out.poll() == [Delivery("t", None, permanent=False)]
    assert out.pending == 0
    assert out.poll() == []


def test_one_failed_record_fails_its_token_after_all_are_reported() -> None:
    out, producers = outputs(silent=True)
    out.submit("t", [Record("a", b"1"), Record("a", b"2")])
    first, second = producers.sent
    producers.made[0].report(first, KafkaError(TIMED_OUT))
    assert out.poll() == []
    producers.made[0].report(second, None)
    [delivery] = out.poll()
    assert "_MSG_TIMED_OUT" in (delivery.error or "")
    assert not delivery.permanent


def test_several_failures_are_told_as_one_with_their_number() -> None:
    out, _ = outputs(answer=refuse(TIMED_OUT))
    out.submit("t", [Record("a", b"1"), Record("a", b"2")])
    [delivery] = settle(out)
    assert (delivery.error or "").endswith(", and 1 more")


@pytest.mark.parametrize(
    ("code", "permanent"),
    [
        (TOO_LARGE, True),
        (KafkaError.INVALID_RECORD, True),
        (KafkaError.TOPIC_EXCEPTION, True),
        (KafkaError.POLICY_VIOLATION, True),
        (TIMED_OUT, False),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, False),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, False),
        (KafkaError._UNKNOWN_PARTITION, False),
    ],
)
def test_permanent_is_what_no_change_of_the_brokers_mends(code: int, permanent: bool) -> None:
    out, _ = outputs(answer=refuse(code))
    out.submit("t", [Record("a", b"1")])
    [delivery] = settle(out)
    assert delivery.error is not None
    assert delivery.permanent is permanent


def test_a_full_queue_keeps_the_rest_in_order_and_offers_it_again() -> None:
    out, producers = outputs(room=2, silent=True)
    out.submit("t", [Record("a", str(number)) for number in range(5)])
    out.submit("u", [Record("a", "5")])
    assert out.full
    assert [sent.value for sent in producers.sent] == [b"0", b"1"]
    producers.made[0].silent = False
    assert [delivery.token for delivery in settle(out)] == ["t", "u"]
    assert [sent.value for sent in producers.sent] == [b"0", b"1", b"2", b"3", b"4", b"5"]
    assert not out.full


def test_full_is_bounded_by_records_and_by_bytes() -> None:
    out, _ = outputs(silent=True)
    out.submit("t", [Record("a")] * MAX_RECORDS)
    assert out.full
    out, producers = outputs(silent=True)
    out.submit("t", [Record("a", "x" * 1_000)])
    assert out.full
    producers.made[0].silent = False
    settle(out)
    assert not out.full


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (Record("a", 5), "a Record's value must be bytes, str or None, got int"),  # type: ignore[arg-type]  # the mistake under test
        (Record("a", b"", ("k",)), "a Record's key must be bytes, str or None, got tuple"),  # type: ignore[arg-type]
        (Record(None, b""), "a Record's topic must be str, got NoneType"),  # type: ignore[arg-type]
        (Record("a", "\ud800"), "a Record for topic 'a' cannot be sent: 'utf-8' codec"),
        (Record("a", b"", None, 5), "a Record for topic 'a' cannot be sent: 'int' object is not iterable"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_cannot_be_a_record_is_its_tokens_failure_in_words(record: Record, says: str) -> None:
    out, producers = outputs(refusal=TypeError("a bytes-like object is required") if record.value != "\ud800" else None)
    if record.value == "\ud800":
        producers.options["refusal"] = UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
    out.submit("t", [record])
    [delivery] = settle(out)
    assert says in (delivery.error or "")
    assert delivery.permanent


def test_a_producer_that_cannot_be_made_is_the_tokens_failure() -> None:
    def factory(_: object) -> Any:
        raise KafkaException(KafkaError(KafkaError._INVALID_ARG, "no such property"))

    out = Outputs(worker_spec(), "c", producer_factory=factory)
    out.submit("t", [Record("a")])
    [delivery] = out.poll()
    assert "no such property" in (delivery.error or "")


def test_what_was_refused_in_company_is_sent_alone_and_only_then_counts() -> None:
    def answer(sent: Sent) -> KafkaError | None:
        return None if sent.alone and sent.value != b"big" else KafkaError(TOO_LARGE)

    out, producers = outputs(answer=answer)
    out.submit("innocent", [Record("a", b"small", "k")])
    out.submit("guilty", [Record("a", b"big"), Record("a", b"small")])
    assert settle(out) == [
        Delivery("innocent"),
        Delivery("guilty", "Broker: Message size too large (MSG_SIZE_TOO_LARGE)", permanent=True),
    ]
    assert [(made.alone) for made in producers.made] == [False, True]
    assert out._records == out._bytes == 0


def test_only_what_was_refused_is_sent_again() -> None:
    out, producers = outputs(answer=refuse(TOO_LARGE, when=lambda sent: not sent.alone and sent.value == b"2"))
    out.submit("t", [Record("a", b"1"), Record("a", "2", "k"), Record("a", b"3")])
    assert settle(out) == [Delivery("t")]
    assert [(sent.value, sent.key) for sent in producers.sent if sent.alone] == [(b"2", b"k")]


def test_a_record_that_the_client_itself_finds_too_large_is_not_sent_again() -> None:
    out, producers = outputs(refusal=KafkaException(KafkaError(TOO_LARGE)))
    out.submit("t", [Record("a", b"1")])
    [delivery] = settle(out)
    assert delivery.permanent
    assert len(producers.made) == 1


def test_a_letter_that_is_too_large_alone_is_sent_smaller_until_it_fits() -> None:
    out, producers = outputs(answer=refuse(TOO_LARGE, when=lambda sent: sent.value is not None))
    out.submit_dead_letter("t", dead())
    assert settle(out) == [Delivery("t")]
    cuts = [dict(sent.headers).get("kherd.truncated") for sent in producers.sent]
    assert cuts == [None, None, b"stacktrace", b"stacktrace,value"]
    assert [sent.alone for sent in producers.sent] == [False, True, True, True]


def test_a_letter_whose_stub_is_refused_too_is_reported() -> None:
    out, producers = outputs(answer=refuse(TOO_LARGE))
    out.submit_dead_letter("t", dead())
    [delivery] = settle(out)
    assert delivery.permanent
    assert len(producers.sent) == 2 + Rung.STUB
    assert out._records == out._bytes == 0


def test_a_letter_keeps_the_partition_of_its_source() -> None:
    out, producers = outputs()
    out.submit_dead_letter("t", dead(partition=5))
    assert settle(out) == [Delivery("t")]
    assert producers.sent[0].partition == 5


def test_a_letter_goes_to_source_modulo_n_where_its_topic_has_fewer_partitions() -> None:
    out, producers = outputs(
        answer=refuse(KafkaError._UNKNOWN_PARTITION, when=lambda sent: sent.partition >= 4), partitions=4
    )
    for source in (5, 6):
        out.submit_dead_letter(source, dead(partition=source))
    assert settle(out) == [Delivery(5), Delivery(6)]
    assert sorted(sent.partition for sent in producers.sent) == [1, 2, 5, 6]


@pytest.mark.parametrize("partitions", [0, 3])
def test_a_partition_that_stays_unknown_is_a_failure_that_may_pass(partitions: int) -> None:
    out, _ = outputs(answer=refuse(KafkaError._UNKNOWN_PARTITION), partitions=partitions)
    out.submit_dead_letter("t", dead())
    [delivery] = settle(out)
    assert "_UNKNOWN_PARTITION" in (delivery.error or "")
    assert not delivery.permanent


def test_a_fatal_error_replaces_the_producer_and_fails_what_it_held() -> None:
    out, producers = outputs(silent=True)
    out.submit("t", [Record("a", b"1")])
    out.submit("u", [Record("a", b"2")])
    producers.made[0].queue.pop(0)
    producers.made[0].report(producers.sent[0], KafkaError(KafkaError._FATAL))
    assert [(delivery.token, delivery.permanent) for delivery in out.poll()] == [("t", False), ("u", False)]
    producers.options["silent"] = False
    out.submit("t", [Record("a", b"1")])
    assert settle(out) == [Delivery("t")]
    assert len(producers.made) == 2
    assert out._bulk._replaced == []


def test_flush_says_whether_everything_is_settled_and_is_bounded() -> None:
    out, _ = outputs(silent=True)
    out.submit("t", [Record("a")])
    assert not out.flush(0.01)
    assert out.pending == 1


def test_close_fails_what_is_left_queued_or_not_and_refuses_what_comes_later() -> None:
    out, _ = outputs(silent=True, room=1)
    out.submit("t", [Record("a")])
    out.submit("u", [Record("a")])
    out.close(0)
    out.submit("v", [Record("a")])
    deliveries = out.poll()
    assert [delivery.token for delivery in deliveries] == ["t", "u", "v"]
    assert all(delivery.error and not delivery.permanent for delivery in deliveries)
    assert "closed" in (deliveries[2].error or "")
    assert out.pending == 0
    out.close(0)


def test_a_delivery_report_of_an_unknown_shape_resends_rather_than_loses() -> None:
    out, producers = outputs(silent=True)
    out.submit("t", [Record("a", b"1")])
    strange = SimpleNamespace(topic=lambda: "a", key=lambda: b"", value=lambda: None)
    producers.made[0].queue.clear()
    producers.sent[0].callback(KafkaError(TOO_LARGE), strange)
    producers.options["silent"] = False
    assert settle(out) == [Delivery("t")]

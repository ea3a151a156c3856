import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import Message

from kherd import ProcessingError, Record
from kherd.worker import redact, results
from kherd.worker.deadletter import Letter, letter, topic_for
from kherd.worker.decide.headers import STACK_LIMIT
from kherd.worker.decide.letter import Rung
from kherd.worker.spec import DeadLetterSpec, ErrorSpec, WorkerSpec

from ..fakes.specs import worker_spec

SPEC = worker_spec()
JSON = replace(SPEC, dead_letter=DeadLetterSpec(format="json"))
Headers = list[tuple[str, Any]]


def message(**fields: Any) -> Message:
    given: dict[str, Any] = {
        "topic": "orders",
        "partition": 3,
        "offset": 41,
        "key": b"k\xff",
        "value": b"\x00v",
        "timestamp": (1, 1_700),
    }
    return Message(**(given | fields))


def caught(error: Exception) -> Exception:
    try:
        raise error  # noqa: TRY301 - to have a traceback
    except Exception as raised:  # noqa: BLE001 - whatever was given
        return raised


def write(
    spec: WorkerSpec = SPEC, source: Message | None = None, error: BaseException | None = None, **fields: Any
) -> Letter:
    given: dict[str, Any] = {
        "attempts": 4,
        "first_failure": 1.5,
        "last_failure": 2.25,
        "stage": "HANDLE",
        "worker": "host/3/77",
    }
    source = message() if source is None else source  # a tombstone is falsy: its length is 0
    return letter(spec, source, error or caught(ProcessingError("not JSON")), **(given | fields))


def headers(written: Letter) -> dict[str, bytes | None]:
    names = [name for name, _ in written.headers]
    assert len(names) == len(set(names))
    return dict(written.headers)


def test_a_letter_has_the_record_byte_for_byte_and_the_whole_contract_of_headers() -> None:
    written = write(source=message(headers=[("trace", b"\xfe"), ("none", None)]))
    assert (written.topic, written.partition, written.key, written.value) == ("dlq.orders", 3, b"k\xff", b"\x00v")
    assert written.headers[:2] == (("trace", b"\xfe"), ("none", None))
    found = headers(written)
    stack = found.pop("__dlq.errors.exception.stacktrace")
    assert stack is not None
    assert stack.startswith(b"Traceback (most recent call last):")
    assert stack.rstrip().endswith(b"kherd.ProcessingError: not JSON")
    fingerprint = found.pop("kherd.fingerprint")
    assert fingerprint is not None
    assert len(fingerprint) == 16
    assert found == {
        "trace": b"\xfe",
        "none": None,
        "__dlq.errors.topic": b"orders",
        "__dlq.errors.partition": b"3",
        "__dlq.errors.offset": b"41",
        "__dlq.errors.timestamp": b"1700",
        "__dlq.errors.timestamp.type": b"CreateTime",
        "__dlq.errors.group": b"billing",
        "__dlq.errors.delivery.count": b"4",
        "__dlq.errors.message": b"kherd.ProcessingError: not JSON",
        "__dlq.errors.exception.class.name": b"kherd.ProcessingError",
        "__dlq.errors.exception.message": b"not JSON",
        "__dlq.errors.stage": b"HANDLE",
        "kafka_dlt-original-topic": b"orders",
        "kherd.version": b"1",
        "kherd.disposition": b"handler_rejected",
        "kherd.failure.first": b"1970-01-01T00:00:01.500Z",
        "kherd.failure.last": b"1970-01-01T00:00:02.250Z",
        "kherd.worker": b"host/3/77",
        "kherd.replay.count": b"0",
    }


def test_a_record_without_a_timestamp_claims_none() -> None:
    found = headers(write(source=message(timestamp=(0, 0))))
    assert "__dlq.errors.timestamp" not in found
    assert "__dlq.errors.timestamp.type" not in found


def test_a_second_trip_keeps_the_first_origin_and_replaces_the_error() -> None:
    first = write()
    again = message(topic="dlq.orders", partition=0, offset=7, headers=list(first.headers), timestamp=(1, 99_000))
    second = write(source=again, error=caught(ValueError("later")), attempts=1)
    found = headers(second)
    assert second.topic == "dlq.dlq.orders"
    assert found["__dlq.errors.topic"] == b"orders"
    assert found["__dlq.errors.partition"] == b"3"
    assert found["__dlq.errors.offset"] == b"41"
    assert found["__dlq.errors.timestamp"] == b"1700"
    assert found["kafka_dlt-original-topic"] == b"orders"
    assert found["__dlq.errors.exception.class.name"] == b"ValueError"
    assert found["__dlq.errors.delivery.count"] == b"1"


def test_the_replay_count_survives_and_forged_ones_do_not() -> None:
    assert headers(write(source=message(headers=[("kherd.replay.count", b"2")])))["kherd.replay.count"] == b"2"
    assert headers(write(source=message(headers=[("kherd.replay.count", b"many")])))["kherd.replay.count"] == b"0"


@pytest.mark.parametrize(
    ("error", "attempts", "reason"),
    [
        (ProcessingError("x"), 1, b"handler_rejected"),
        (ValueError("x"), 1, b"non_retryable"),
        (ValueError("x"), 10, b"retries_exhausted"),
    ],
)
def test_the_disposition_follows_from_the_error_unless_given(error: Exception, attempts: int, reason: bytes) -> None:
    spec = replace(SPEC, errors=ErrorSpec(on_exhausted="dead_letter"))
    assert headers(write(spec, error=error, attempts=attempts))["kherd.disposition"] == reason
    assert headers(write(spec, error=error, reason="operator"))["kherd.disposition"] == b"operator"


def test_further_headers_of_ours_are_written_under_our_prefix() -> None:
    assert headers(write(extra=[("signal", "SIGSEGV")]))["kherd.signal"] == b"SIGSEGV"


def test_the_stack_is_the_users_from_their_first_frame_on() -> None:
    stack = headers(write())["__dlq.errors.exception.stacktrace"]
    assert stack is not None
    assert b"test_deadletter.py" in stack.split(b"\n")[1]


def test_frames_of_ours_before_the_users_are_left_out() -> None:
    def broken() -> Iterator[Record]:
        raise ValueError("in the generator")
        yield

    with pytest.raises(ValueError, match="in the generator") as raised:
        results.records(broken())
    own_frame_first = raised.value.with_traceback(raised.value.__traceback__ and raised.value.__traceback__.tb_next)
    stack = headers(write(error=own_frame_first))["__dlq.errors.exception.stacktrace"] or b""
    assert b"in broken" in stack
    assert b"results.py" not in stack


def deep(left: int) -> None:
    if not left:
        raise ValueError("bottom")
    (deep if left % 2 else shallow)(left - 1)


def shallow(left: int) -> None:
    (deep if left % 2 else shallow)(left - 1)


def test_a_deep_stack_keeps_its_end_and_says_that_it_was_cut() -> None:
    try:
        deep(100)
    except ValueError as error:
        stack = headers(write(error=error))["__dlq.errors.exception.stacktrace"]
    assert stack is not None
    assert len(stack) <= STACK_LIMIT
    assert b"bytes cut]\n" in stack[:40]
    assert stack.endswith(b"ValueError: bottom\n")


def test_a_huge_message_does_not_push_the_frames_out() -> None:
    found = headers(write(error=caught(ValueError("x" * 1_000_000))))
    assert b"in caught" in (found["__dlq.errors.exception.stacktrace"] or b"")
    assert sum(len(value or b"") for value in found.values()) < 8_000


def test_text_that_is_no_utf8_and_a_broken_str_are_survived() -> None:
    class RudeError(Exception):
        def __str__(self) -> str:
            raise OSError

    assert headers(write(error=caught(ValueError("\udc80"))))["__dlq.errors.exception.message"] == b"\\udc80"
    assert b"__str__ raised OSError" in (headers(write(error=caught(RudeError())))["__dlq.errors.message"] or b"")


def test_an_exception_that_was_never_raised_has_a_letter_too() -> None:
    assert headers(write(error=ValueError("given")))["__dlq.errors.exception.stacktrace"] == b"ValueError: given\n"


@pytest.fixture
def secret() -> Iterator[str]:
    redact.hide(["hunter2"])
    yield "hunter2"
    redact._secrets.clear()


def test_a_secret_of_the_configuration_never_leaves_in_a_header(secret: str) -> None:
    written = write(error=caught(ValueError(f"login failed with {secret}")))
    assert not [name for name, value in written.headers if secret.encode() in (value or b"")]


def test_the_topic_is_named_by_its_template() -> None:
    assert topic_for(DeadLetterSpec(), "a{topic}b") == "dlq.a{topic}b"
    assert topic_for(DeadLetterSpec(topic="{topic}-dlt"), "orders") == "orders-dlt"
    assert topic_for(DeadLetterSpec(topic="graveyard"), "orders") == "graveyard"


def test_the_ladder_drops_the_stack_then_the_value() -> None:
    whole = write(source=message(headers=[("trace", b"1")]))
    lean = whole.smaller()
    assert lean is not None
    assert (lean.rung, lean.value, headers(lean)["kherd.truncated"]) == (Rung.NO_STACK, b"\x00v", b"stacktrace")
    assert "__dlq.errors.exception.stacktrace" not in headers(lean)
    stub = lean.smaller()
    assert stub is not None
    assert (stub.rung, stub.value, stub.key) == (Rung.STUB, None, b"k\xff")
    assert headers(stub)["kherd.truncated"] == b"stacktrace,value"
    assert headers(stub)["trace"] == b"1"
    assert headers(stub)["__dlq.errors.offset"] == b"41"
    assert stub.smaller() is None


def test_a_stub_drops_a_large_key_and_large_headers_and_says_so() -> None:
    whole = write(
        source=message(key=b"k" * 5_000, headers=[("kafka_dlt-original-topic", b"first"), ("big", b"h" * 5_000)])
    )
    stub = (whole.smaller() or whole).smaller()
    assert stub is not None
    assert stub.key is None
    found = headers(stub)
    assert "big" not in found
    assert found["kherd.truncated"] == b"stacktrace,value,key,headers"
    assert found["kafka_dlt-original-topic"] == b"first"


def test_what_a_stub_lacks_is_remembered_on_a_second_trip() -> None:
    stub = ((whole := write()).smaller() or whole).smaller()
    assert stub is not None
    assert headers(write(source=message(value=None, headers=list(stub.headers))))["kherd.truncated"] == b"value"


def test_a_value_that_the_handler_replaced_by_text_is_sent_and_by_an_object_is_declared_missing() -> None:
    changed = message()
    changed.set_value("text\u00e9")
    assert write(source=changed).value == "text\u00e9".encode()
    changed.set_value({"an": "object"})
    written = write(source=changed)
    assert written.value is None
    assert headers(written)["kherd.truncated"] == b"value"


def test_the_json_envelope_is_exactly_the_agreed_one() -> None:
    written = write(JSON, message(key=b"k1", value='{"é": 1}'.encode(), headers=[("trace", b"1")]))
    assert written.key == b"k1"
    assert headers(written)["trace"] == b"1"
    assert json.loads(written.value or b"") == {
        "original_topic": "orders",
        "original_partition": 3,
        "original_offset": 41,
        "original_key": "k1",
        "original_value": '{"é": 1}',
        "error": "kherd.ProcessingError: not JSON",
        "timestamp": "1970-01-01T00:00:02.250Z",
    }


def test_the_json_envelope_says_base64_where_it_is_and_null_stays_null() -> None:
    fields = json.loads(write(JSON, message(value=None)).value or b"")
    assert (fields["original_key"], fields["original_key_encoding"]) == ("a/8=", "base64")
    assert fields["original_value"] is None
    assert "original_value_encoding" not in fields


def test_a_stub_in_json_is_an_envelope_without_the_value() -> None:
    stub = ((whole := write(JSON)).smaller() or whole).smaller()
    assert stub is not None
    assert json.loads(stub.value or b"")["original_value"] is None
    assert headers(stub)["kherd.truncated"] == b"stacktrace,value"


def test_a_letter_tells_its_error_in_one_line() -> None:
    assert write().error == "kherd.ProcessingError: not JSON"
    assert write(error=KeyError()).error == "KeyError"

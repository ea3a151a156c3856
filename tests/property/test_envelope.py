import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.envelope import envelope, original

data = (
    st.none()
    | st.binary()
    | st.text(st.characters(codec="utf-8")).map(lambda text: text.encode("utf-8", "surrogatepass"))
)


@given(
    key=data,
    value=data,
    topic=st.text(st.characters(codec="utf-8")),
    partition=st.integers(),
    offset=st.integers(),
    error=st.text(st.characters(codec="utf-8")),
)
def test_any_key_and_value_come_back_byte_for_byte(  # noqa: PLR0917 - Hypothesis passes them by name
    key: bytes | None, value: bytes | None, topic: str, partition: int, offset: int, error: str
) -> None:
    fields = json.loads(
        envelope(topic=topic, partition=partition, offset=offset, key=key, value=value, error=error, timestamp="now")
    )
    assert original(fields, "original_key") == key
    assert original(fields, "original_value") == value
    assert (fields["original_topic"], fields["original_partition"], fields["original_offset"]) == (
        topic,
        partition,
        offset,
    )
    assert (fields["error"], fields["timestamp"]) == (error, "now")
    assert set(fields) - {"original_key_encoding", "original_value_encoding"} == {
        "original_topic",
        "original_partition",
        "original_offset",
        "original_key",
        "original_value",
        "error",
        "timestamp",
    }


@given(st.text(st.characters(codec="utf-8")))
def test_text_stays_readable(text: str) -> None:
    written = envelope(topic="t", partition=0, offset=0, key=None, value=text.encode(), error="", timestamp="")
    assert json.loads(written)["original_value"] == text
    assert b"original_value_encoding" not in written


def test_an_encoding_of_another_writer_is_an_error() -> None:
    with pytest.raises(ValueError, match="'gzip'; known is 'base64'"):
        original({"original_value": "x", "original_value_encoding": "gzip"}, "original_value")

"""dead_letter.format = "json" writes the documented envelope, from which every record can be had back whole."""

import base64
import json
import re
from collections.abc import Iterable

from confluent_kafka import Message

from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.reading import headers, read
from kherd.testing.story import PRELUDE, put, tables, wait_committed
from kherd.testing.topics import Cluster

HANDLER = f"""{PRELUDE}
def handle(message):
    if message.key() != b"good":
        raise ProcessingError("no order: ✗")
"""
NOW = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|\+00:00)")


def test_json_envelope(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given text, bytes and a tombstone that are all rejected
    name = topic(1)
    put(kafka, name, b"fine", key=b"good")
    put(kafka, name, '{"order": "café"}'.encode(), key=b"k", headers=[("trace", b"\xff")])
    put(kafka, name, b"\xff\x00", key=b"\xfe")
    put(kafka, name, None, key=b"gone")
    put(kafka, name, b"")

    # When a herd with the envelope consumes them
    one = herd(tables(kafka, name, workers={"count": 1}, dead_letter={"format": "json"}), HANDLER)
    wait_committed(kafka, one, name, {0: 5})
    one.stop()

    # Then each envelope has exactly the fields of its record
    letters = read(kafka, f"dlq.{name}")
    seen = [json.loads(letter.value() or b"") for letter in letters]
    stamps = [fields.pop("timestamp") for fields in seen]
    assert all(NOW.fullmatch(stamp) for stamp in stamps)
    common = {"original_topic": name, "original_partition": 0, "error": "kherd.ProcessingError: no order: ✗"}
    assert seen == [
        common | {"original_offset": 1, "original_key": "k", "original_value": '{"order": "café"}'},
        common
        | {"original_offset": 2, "original_key": text(b"\xfe"), "original_key_encoding": "base64"}
        | {"original_value": text(b"\xff\x00"), "original_value_encoding": "base64"},
        common | {"original_offset": 3, "original_key": "gone", "original_value": None},
        common | {"original_offset": 4, "original_key": None, "original_value": ""},
    ]

    # and the record's key and headers stay on the dead letter, beside ours
    assert [letter.key() for letter in letters] == [b"k", b"\xfe", b"gone", None]
    assert headers(letters[0])[0] == ("trace", b"\xff")
    assert offsets(letters) == ["1", "2", "3", "4"]


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def offsets(letters: Iterable[Message]) -> list[str]:
    return [(dict(headers(letter))["__dlq.errors.offset"] or b"").decode() for letter in letters]

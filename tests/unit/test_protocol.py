import json
from typing import Any

import pytest

from kherd.supervisor.control.protocol import (
    MAX_ANSWER,
    Answer,
    ProtocolError,
    Request,
    VersionMismatchError,
    decode_answer,
    decode_request,
    done,
    encode_answer,
    encode_request,
    refused,
)


def line(**fields: Any) -> bytes:
    return json.dumps({"v": 1, **fields}).encode()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "one line of JSON"),
        (b"hello", "one line of JSON"),
        (b"\xff\xfe", "one line of JSON"),
        (b"[" * 60_000, "one line of JSON"),
        (b'{"v":1,"command":"status","args":{"x":NaN}}', "NaN is not JSON"),
        (b'{"v":1,"v":1,"command":"status"}', "a field is there twice"),
        (b'{"v":1,"command":"scale","args":{"to":' + b"9" * 5000 + b"}}", "one line of JSON"),
        (b"[]", "a JSON object"),
        (b"null", "a JSON object"),
        (b'{"command":"status"}', "version None"),
        (b'{"v":2,"command":"status"}', "version 2"),
        (b'{"v":true,"command":"status"}', "version True"),
        (b'{"v":1.0,"command":"status"}', "version 1.0"),
        (line(), "needs a command"),
        (line(command=["status"]), "unknown command"),
        (line(command="sta\x1b[31mtus"), r"unknown command 'sta\x1b[31mtus'"),
        (line(command="status", extra=1), "no field 'extra'"),
        (line(command="status", args=[]), "must be an object"),
        (line(command="status", args={"x": 1}), "unknown argument 'x' of status: there is none"),
        (line(command="stop", args={"now": 1}), "now of stop must be true or false, got 1"),
        (line(command="stop", args={"now": None}), "now of stop must be true or false, got None"),
        (line(command="scale", args={}), "exactly one of"),
        (line(command="scale", args={"to": 1, "by": 1}), "exactly one of"),
        (line(command="scale", args={"auto": False}), "exactly one of"),
        (line(command="scale", args={"to": -1}), "from 0 to"),
        (line(command="scale", args={"to": True}), "whole number"),
        (line(command="scale", args={"to": 2.0}), "whole number"),
        (line(command="scale", args={"to": 1e400}), "one line of JSON"),
        (line(command="scale", args={"to": 10**9}), "from 0 to"),
        (line(command="scale", args={"by": "1"}), "whole number"),
        (line(command="pause", args={"topic": 1}), "topic of pause must be a topic's name, got 1"),
        (line(command="pause", args={"topic": ""}), "must be a topic's name"),
        (line(command="pause", args={"topic": "a b"}), "must be a topic's name, got 'a b'"),
        (line(command="pause", args={"topic": "x" * 250}), "must be a topic's name"),
        (line(command="resume", args={"partition": 1}), "partition of resume needs a topic"),
        (line(command="resume", args={"topic": "a", "partition": -1}), "from 0 to"),
        (line(command="resume", args={"topic": "a", "partition": "1"}), "whole number"),
    ],
)
def test_what_is_not_a_request_is_refused_in_words(raw: bytes, says: str) -> None:
    with pytest.raises(ProtocolError) as refusal:
        decode_request(raw)
    assert says in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_arguments_that_are_left_out_are_filled_in() -> None:
    assert decode_request(line(command="stop")).args == {"now": False, "leave": False}
    assert decode_request(line(command="scale", args={"to": 0})).args == {"to": 0, "by": None, "auto": False}
    assert decode_request(line(command="scale", args={"to": None, "by": -1})).args["by"] == -1


@pytest.mark.parametrize(
    "request_",
    [
        Request("status"),
        Request("reload"),
        Request("lag"),
        Request("pause", {"topic": None, "partition": None}),
        Request("resume", {"topic": "orders", "partition": 3}),
        Request("scale", {"to": None, "by": -3, "auto": False}),
        Request("stop", {"now": True, "leave": False}),
    ],
)
def test_a_request_survives_the_way(request_: Request) -> None:
    assert decode_request(encode_request(request_)) == request_


@pytest.mark.parametrize("answer", [done(), done({"a": [1, None, "ü\ud800"]}), refused("what, where")])
def test_an_answer_survives_the_way(answer: Answer) -> None:
    encoded = encode_answer(answer)
    assert encoded.count(b"\n") == 1
    assert decode_answer(encoded) == answer


@pytest.mark.parametrize("data", [{1, 2}, float("nan"), {"x": object()}])
def test_an_answer_that_is_no_json_becomes_an_error(data: object) -> None:
    answer = decode_answer(encode_answer(done(data)))
    assert not answer.ok
    assert "[BUG]" in (answer.error or "")


def test_an_answer_that_is_too_long_becomes_an_error() -> None:
    answer = decode_answer(encode_answer(done("x" * MAX_ANSWER)))
    assert str(MAX_ANSWER) in (answer.error or "")


def test_an_answer_of_another_version_is_told_from_garbage() -> None:
    with pytest.raises(VersionMismatchError, match="version 7"):
        decode_answer(b'{"v":7}')
    with pytest.raises(ProtocolError, match="not an answer"):
        decode_answer(b'{"v":1,"ok":1}')
    with pytest.raises(ProtocolError, match="one line of JSON"):
        decode_answer(b"HTTP/1.1 400")

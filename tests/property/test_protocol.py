import json

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.control.protocol import (
    COMMANDS,
    Answer,
    ProtocolError,
    Request,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["to", "by", "auto", "now", "leave", "topic", "partition", "x"])


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_a_protocol_error(data: bytes) -> None:
    try:
        request = decode_request(data)
    except ProtocolError:
        return
    assert request.command in COMMANDS


@given(JSON, JSON, st.sampled_from(["v", "w"]))
def test_any_json_is_a_request_or_a_protocol_error(command: object, args: object, version: str) -> None:
    try:
        request = decode_request(json.dumps({version: 1, "command": command, "args": args}).encode())
    except ProtocolError:
        return
    assert request.command in COMMANDS


@given(st.sampled_from(sorted(COMMANDS)), st.dictionaries(NAMES, JSON, max_size=3))
def test_a_request_that_is_accepted_has_every_argument_and_survives_the_way(
    command: str, args: dict[str, object]
) -> None:
    try:
        request = decode_request(json.dumps({"v": 1, "command": command, "args": args}).encode())
    except ProtocolError:
        return
    assert set(request.args) == set(COMMANDS[command])
    assert decode_request(encode_request(request)) == request


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_answer_or_a_protocol_error(data: bytes) -> None:
    try:
        decode_answer(data)
    except ProtocolError:
        return


@given(JSON)
def test_every_answer_is_one_line_that_can_be_read(data: object) -> None:
    line = encode_answer(Answer(ok=True, data=data))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    decode_answer(line)


@given(st.text(max_size=100))
def test_every_request_that_is_encoded_is_one_line(command: str) -> None:
    assert encode_request(Request(command)).count(b"\n") == 1

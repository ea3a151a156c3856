"""`${ENV}` and `file:PATH`, and the secrets that come by them."""

import os
from pathlib import Path

import pytest

from ..fakes.configs import START, loaded, problems


def with_group(value: str) -> str:
    return START + f"group = {value}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"${A}"', "one"),
        ('"x-${A}-${B}"', "x-one-two"),
        ('"$${A}"', "${A}"),
        ('"$A $5"', "$A $5"),
        ('"${FILE}"', "file:/etc/hostname"),
    ],
)
def test_variables_are_put_in_place(tmp_path: Path, text: str, expected: str) -> None:
    environment = {"A": "one", "B": "two", "FILE": "file:/etc/hostname"}
    assert loaded(tmp_path, with_group(text), environment).settings.kafka.group == expected


@pytest.mark.parametrize("text", ['"${}"', '"${1}"', '"${A"', '"${A-B}"'])
def test_what_is_no_variable_is_a_problem(tmp_path: Path, text: str) -> None:
    (problem,) = problems(tmp_path, with_group(text), {"A": "x"})
    assert problem.startswith("kafka.group: ")
    assert "${HOME}" in problem


def test_every_missing_variable_is_named_with_its_place(tmp_path: Path) -> None:
    found = problems(tmp_path, with_group('"${A}"').replace('["orders"]', '["a", "${B}"]'), {})
    assert found == [
        "kafka.topics[1]: the environment variable B is not set",
        "kafka.group: the environment variable A is not set",
    ]


def test_a_missing_variable_does_not_hide_other_problems(tmp_path: Path) -> None:
    found = problems(tmp_path, with_group('"${A}"') + "[workers]\ncount = -2", {})
    assert [problem.partition(":")[0] for problem in found] == ["kafka.group", "workers.count"]


def test_a_variable_that_is_not_utf8_is_a_problem(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, with_group('"${A}"'), {"A": os.fsdecode(b"\xff")})
    assert "not UTF-8" in problem


def test_a_file_is_read_beside_the_configuration_without_its_last_newline(tmp_path: Path) -> None:
    (tmp_path / "pass").write_text("geheim 1\n")
    found = loaded(tmp_path, START + '[kafka.client]\nsasl.password = "file:${NAME}"\n', {"NAME": "pass"})
    assert found.settings.kafka.client == {"sasl.password": "geheim 1"}
    assert found.secrets == {"geheim 1"}


def test_a_file_that_cannot_be_read_is_a_problem_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"\xff")
    os.mkfifo(tmp_path / "pipe")
    for name, words in {"no": "no such file", "raw": "not UTF-8", "pipe": "no regular file", ".": "a folder"}.items():
        (problem,) = problems(tmp_path, with_group(f'"file:{name}"'))
        assert problem.startswith("kafka.group: cannot be read: ")
        assert words in problem


def test_secrets_are_known_by_key_by_file_by_variable_and_in_addresses(tmp_path: Path) -> None:
    (tmp_path / "pem").write_text("-----BEGIN-----\nline one\nline two\n-----END-----\n")
    text = START.replace("kafka1:9092", "kafka1:9092,kafka2:9092") + (
        'group = "g-${DB_PASSWORD}"\n[kafka.client]\n"sasl.password" = "pw1"\nsasl.username = "user1"\n'
        'ssl.key.pem = "file:pem"\nsasl.oauthbearer.token.endpoint.url = "https://me:pw2@host/x"\n'
        "sasl.oauthbearer.client.credentials.client.secret = 123456\n"
    )
    found = loaded(tmp_path, text, {"DB_PASSWORD": "pw3"}).secrets
    assert {"pw1", "user1", "line one", "line two", "pw3", "123456"} <= found
    assert "kafka1" not in found


def test_a_user_called_like_the_herd_does_not_hide_its_name_everywhere(tmp_path: Path) -> None:
    text = START + '[kafka.client]\nsasl.username = "orders"\nsasl.password = "orders-pw"\n'
    assert loaded(tmp_path, text).secrets == {"orders-pw"}
    assert loaded(tmp_path, text.replace('"orders"\nsasl', '"someone"\nsasl')).secrets == {"orders-pw", "someone"}
    assert loaded(tmp_path, text.replace("orders-pw", "orders")).secrets == {"orders"}

"""What librdkafka itself says of properties, each named with its place."""

from typing import Any

import pytest

from kherd.supervisor.probe.ask import ask
from kherd.worker.spec import KafkaSpec

from ..fakes.specs import worker_spec


def said(**fields: Any) -> tuple[list[str], list[str]]:
    """Ask as `kherd check` does: in a child, as clients of librdkafka are not for the process of the tests."""
    kafka = KafkaSpec(bootstrap="127.0.0.1:1", group="g", topics=("orders",), **fields)
    problems, warnings = ask("kherd.worker.propertycheck:check", worker_spec(kafka=kafka), 30)
    return problems, warnings


def test_defaults_and_presets_of_both_protocols_are_fine() -> None:
    assert said() == said(group_protocol="consumer") == ([], [])


def test_every_bad_property_is_named_with_its_place() -> None:
    problems, _ = said(
        client={"foo.bar": "1"}, consumer={"fetch.min.bytes": "many"}, producer={"compression.codec": "snapy"}
    )
    assert [problem.partition(": ")[0] for problem in problems] == [
        "kafka.client.foo.bar",
        "kafka.consumer.fetch.min.bytes",
        "kafka.producer.compression.codec",
    ]
    assert "No such configuration property" in problems[0]


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        (
            {"client": {"security.protocol": "ssl", "ssl.ca.location": "/none"}},
            "kafka.client.ssl.ca.location",
            "failed",
        ),
        ({"consumer": {"fetch.wait.max.ms": "999999999"}}, "kafka.consumer.fetch.wait.max.ms", "outside allowed range"),
        ({"producer": {"max.in.flight": "10"}}, "kafka.producer.max.in.flight", "must be set <= 5"),
    ],
)
def test_what_librdkafka_refuses_is_a_problem(fields: dict[str, Any], path: str, words: str) -> None:
    problems, _ = said(**fields)
    assert problems
    assert all(problem.startswith(path) and words in problem for problem in problems[:1])


def test_what_has_no_effect_is_a_warning() -> None:
    problems, warnings = said(consumer={"linger.ms": "5"}, producer={"fetch.min.bytes": "1"})
    assert problems == []
    assert warnings == [
        "kafka.consumer.linger.ms: is a producer's property, without effect here",
        "kafka.producer.fetch.min.bytes: is a consumer's property, without effect here",
    ]


def test_oauth_is_checked_without_asking_for_a_token() -> None:
    client = {"security.protocol": "sasl_ssl", "sasl.mechanism": "OAUTHBEARER", "foo.bar": "1"}
    problems, _ = said(client=client, oauth="nowhere:token")
    assert len(problems) == 1
    assert problems[0].startswith("kafka.client.foo.bar: ")

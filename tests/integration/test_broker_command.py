"""The embedded broker, as `kherd broker` and as a child: it tells its address, serves, and ends when it is told to."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import Producer

from kherd.testing.wait import until
from kherd.worker.channel import Channel, Message, pair

CHILD = """
import socket, sys
from kherd.supervisor.children.broker.main import run
from kherd.supervisor.children.broker.spec import BrokerSpec
from kherd.worker import log
from kherd.worker.channel import Channel
from kherd.worker.spec import LogSpec
log.configure(LogSpec("json", "warning"), log.Identity("demo", "broker"))
sys.exit(run(BrokerSpec({"orders": int(sys.argv[2])}), Channel(socket.socket(fileno=int(sys.argv[1])))))
"""

Running = subprocess.Popen[str]


@contextmanager
def running(*command: str, **options: object) -> Iterator[Running]:
    process: Running = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )  # type: ignore[call-overload]  # the options are Popen's
    try:
        with process:
            yield process
            process.kill()
    finally:
        process.kill()


@contextmanager
def child(partitions: int = 2) -> Iterator[tuple[Running, Channel]]:
    ours, theirs = pair()
    fd = theirs.fileno()
    with running("-c", CHILD, str(fd), str(partitions), pass_fds=(fd,)) as process:
        theirs.close()
        yield process, ours
    ours.close()


def next_message(channel: Channel) -> Message:
    message, _ = until(channel.receive, 20, "a message")
    return message


def topics_of(bootstrap: str) -> dict[str, int]:
    known = Producer({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in known.items()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_and_ends_on_a_signal_with_nothing_on_standard_error(number: signal.Signals) -> None:
    with running("-m", "kherd", "broker", "--topic", "orders:3", "--topic", "other:1") as process:
        assert process.stdout is not None
        bootstrap = process.stdout.readline().strip()
        assert topics_of(bootstrap) == {"orders": 3, "other": 1}
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_its_line_of_json_is_for_programs() -> None:
    with running("-m", "kherd", "broker", "--json", "--brokers", "3", "--topic", "orders:3") as process:
        assert process.stdout is not None
        shown = json.loads(process.stdout.readline())
    assert (shown["brokers"], shown["topics"], len(shown["bootstrap"].split(","))) == (3, {"orders": 3}, 3)


@pytest.mark.parametrize(
    "arguments",
    [
        *(("--topic", topic) for topic in ("orders", "orders:", "orders:0", "orders:x", ":3", "..:1", "a/b:1", "a:-1")),
        ("--topic", "a" * 250 + ":1"),
        ("--topic", "a:1", "--topic", "a:2"),
        ("--brokers", "0"),
    ],
    ids=" ".join,
)
def test_a_bad_command_line_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    with running("-m", "kherd", "broker", *arguments) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "Error: " in errors


def test_as_a_child_it_makes_topics_on_request_and_ends_on_term() -> None:
    with child() as (process, channel):
        announced = next_message(channel)
        assert announced["type"] == "bootstrap"
        for _ in range(2):
            channel.send({"type": "create_topic", "topic": "dlq.orders", "partitions": 4})
            assert next_message(channel) == {"type": "created", "topic": "dlq.orders", "partitions": 4}
        channel.send({"type": "something newer"})
        assert topics_of(announced["value"]) == {"orders": 2, "dlq.orders": 4}
        process.terminate()
        assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_as_a_child_it_ends_when_its_supervisor_is_gone() -> None:
    with child() as (process, channel):
        next_message(channel)
        channel.close()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_as_a_child_it_says_what_it_cannot_do() -> None:
    with child(partitions=0) as (process, channel):
        _, errors = process.communicate(timeout=20)
        assert channel.receive() is None
    assert process.returncode == 100
    assert json.loads(errors)["event"] == "broker_failed"


def test_a_port_of_the_broker_is_closed_with_it() -> None:
    with child() as (process, channel):
        host, port = next_message(channel)["value"].split(":")
        process.kill()
        process.communicate(timeout=20)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), 5)

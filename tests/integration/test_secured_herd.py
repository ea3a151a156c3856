"""Over SASL_SSL with no rights beyond a herd's a herd works and survives kill -9, and no secret is ever printed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kherd.testing import ledger
from kherd.testing.herd import Herd
from kherd.testing.kafka import KafkaCluster
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.producing import Feeder
from kherd.testing.reading import read
from kherd.testing.security import HERD
from kherd.testing.story import PRELUDE, put, shared, tables, wait_committed
from kherd.testing.wait import until

HANDLER = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
    if message.value() == b"bad":
        raise ProcessingError("no order")
"""
BACK = 10.0
"""Seconds within which a killed worker's partition goes on; without a death notice it is 45."""


@pytest.mark.parametrize("case", [("classic", "auto", "leave"), ("consumer", "here", "release")], ids=" ".join)
def test_secured(kafka_secured: KafkaCluster, topic: NewTopic, herd: NewHerd, case: tuple[str, str, str]) -> None:
    protocol, instance, notice = case
    # Given a herd that may read one topic, be in one group, and make and fill one dead-letter topic
    kafka = kafka_secured
    name = topic(2, on=kafka)
    password = kafka.client_properties(HERD)["sasl.password"]
    config = tables(
        kafka,
        name,
        user=HERD,
        app={"name": f"s-{name[-8:]}", "instance": instance},
        workers={"count": 2},
        kafka={"group_protocol": protocol, "static_membership": instance != "auto"},
    )
    config["kafka"]["client"]["sasl.password"] = "${KHERD_TEST_PASSWORD}"
    kafka.allow_herd([name], config["app"]["name"], [f"dlq.{name}"])
    one = herd(config, HANDLER, env={"KHERD_TEST_PASSWORD": password})
    status = one.wait_status(shared)
    with Feeder(kafka.client_properties(), name, 50, partitions=2) as feeder:
        until(lambda: len(ledger.read(one.ledger)) > 20, 20, "records")

        # When a worker is killed, then its death notice goes through and its partition goes on
        victim, place = status["slots"][0]["pid"], status["slots"][0]["partitions"][0]["partition"]
        os.kill(victim, signal.SIGKILL)
        one.wait_event("child_died", child_pid=victim)
        until(lambda: taken_over(one, name, place, victim), BACK, "the killed worker's partition to go on")
        assert one.wait_event("notice_sent")["kind"] == notice

    # and nothing is lost, poison is put aside, lag and dead letters are known
    put(kafka, name, b"bad")
    produced = feeder.acknowledged
    until(lambda: not ledger.read(one.ledger).missing(name, produced), 20, "every record to be handled")
    wait_committed(kafka, one, name, kafka.ends(name))
    one.wait_status(lambda status: status["lag"]["total"] == 0, what="no lag")
    one.wait_status(lambda status: status["dead_letters"] == 1, what="one dead letter")
    assert [letter.value() for letter in read(kafka, f"dlq.{name}")] == [b"bad"]
    assert one.events("notice_failed") == []

    # and the password is in nothing that is printed, nor in the state folder or a command line
    printed = [str(one.status()), command(one, "check"), command(one, "status", "--json"), *one.processes().values()]
    one.stop()
    printed += [path.read_text(errors="replace") for path in texts(one)]
    assert all(password not in text for text in printed)
    assert one.log.other == []


def taken_over(one: Herd, name: str, place: int, victim: int) -> bool:
    entries = ledger.read(one.ledger).at(name, place)
    return bool(entries) and entries[-1].pid != victim


def command(one: Herd, *words: str) -> str:
    """Return all that a command prints; `check` takes the file, the others find the herd by it."""
    words = (*words, "kherd.toml") if words[0] == "check" else (*words, "-c", "kherd.toml")
    done = subprocess.run(
        [sys.executable, "-m", "kherd", *words], cwd=one.folder, env=one.env, capture_output=True, text=True, check=True
    )
    return done.stdout + done.stderr


def texts(one: Herd) -> list[Path]:
    return [one.log.path, *(path for path in one.state.rglob("*") if path.is_file())]

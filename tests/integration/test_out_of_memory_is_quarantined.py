"""A record that takes more memory than there is, is put aside: killed at memory_hard, or ended by its own abort."""

from kherd.testing.killers import DEATHS, RECORD, again, deaths, expect, feed, many, origin, said, settle
from kherd.testing.plugin import NewHerd, NewTopic
from kherd.testing.story import tables
from kherd.testing.topics import Cluster


def test_memory_among_many_records(kafka: Cluster, topic: NewTopic, herd: NewHerd) -> None:
    # Given a herd with a limit of memory, a record at which the handler takes ever more, and one that finds none left
    name, number = topic(2), many()
    killers = {0: [(number // 2, b"leak")], 1: [(number // 2, b"overflow")]}
    config = tables(
        kafka,
        name,
        app={"instance": "here"},
        # Reading PSS may take a hundredth of the supervisor's time: on a busy machine that is a reading in 20 s.
        workers={"count": 2, "handler_timeout": 100},
        stop={"timeout": 110},
        limits={"memory_hard": "150MiB"},
    )
    one = herd(config, RECORD)
    settle(kafka, one, name, 2, 2)

    # When it consumes them
    feed(kafka, name, killers, number)
    letters = expect(kafka, one, name, killers, number, "memory")

    # Then both are put aside after three deaths of their own, and say what they were, and how much memory that took
    leak, overflow = (said(letter) for letter in sorted(letters, key=origin))
    assert set(deaths(one).values()) == {DEATHS}
    assert "memory_hard" in leak["__dlq.errors.exception.message"]
    assert (leak["kherd.exit.signal"], leak["__dlq.errors.stage"]) == ("SIGKILL", "CRASH")
    assert int(leak["kherd.peak.rss"]) > 150 << 20
    assert overflow["kherd.exit.signal"] == "SIGABRT"
    assert "in overflow" in overflow["__dlq.errors.exception.stacktrace"]
    status = one.wait_status(lambda status: status["totals"]["quarantined"] == len(letters))
    assert status["deaths"] == {"memory": DEATHS, "signal:ABRT": DEATHS}
    one.stop()
    assert again(one) == {}

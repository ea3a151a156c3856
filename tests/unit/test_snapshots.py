from kherd.supervisor.decide.health import SNAPSHOT_SECONDS
from kherd.supervisor.snapshots import Snapshots
from kherd.worker import clock
from kherd.worker.channel import Message


def test_one_is_sent_at_a_steady_pace_as_long_as_somebody_reads_them() -> None:
    sent: list[float] = []
    now, wanted = 1000.0, True
    snapshots = Snapshots(lambda: wanted, lambda: sent.append(now))
    for second in range(12):
        now = 1000.0 + second
        snapshots.tick(now)
    assert sent == [1000.0, 1000.0 + SNAPSHOT_SECONDS, 1000.0 + 2 * SNAPSHOT_SECONDS]
    wanted = False
    now += 100
    snapshots.tick(now)
    assert len(sent) == 3


def test_an_exporter_that_has_come_gets_one_at_once_and_every_message_is_passed_on() -> None:
    sent: list[float] = []
    heard: list[Message] = []
    snapshots = Snapshots(lambda: True, lambda: sent.append(0.0))
    snapshots.tick(clock.monotonic())
    hear = snapshots.then(heard.append)
    hear({"type": "alert_done", "id": 1, "target": "webhook"})
    assert len(sent) == 1
    hear({"type": "ready"})
    assert len(sent) == 2
    assert [message["type"] for message in heard] == ["alert_done", "ready"]


def test_an_exporter_without_metrics_gets_none() -> None:
    sent: list[float] = []
    Snapshots(lambda: False, lambda: sent.append(0.0)).then(lambda _: None)({"type": "ready"})
    assert sent == []

import pytest

from kherd.supervisor.config.schema import Settings
from kherd.supervisor.decide.health import SNAPSHOT_SECONDS
from kherd.supervisor.snapshots import Snapshots
from kherd.worker import clock
from kherd.worker.channel import Message

from ..fakes.configs import settings

HTTP = settings('[metrics]\nhttp = ":9100"')
STATSD = settings('[metrics]\nstatsd = "graphite"')
NOBODY = settings('[alerts]\ncommand = ["notify"]')


@pytest.mark.parametrize("asking", [HTTP, STATSD])
def test_one_is_sent_at_a_steady_pace_as_long_as_somebody_reads_them(asking: Settings) -> None:
    sent: list[float] = []
    now, in_force = 1000.0, asking
    snapshots = Snapshots(lambda: in_force, lambda: sent.append(now), lambda _: None)
    for second in range(12):
        now = 1000.0 + second
        snapshots.tick(now)
    assert sent == [1000.0, 1000.0 + SNAPSHOT_SECONDS, 1000.0 + 2 * SNAPSHOT_SECONDS]
    in_force = NOBODY
    now += 100
    snapshots.tick(now)
    assert len(sent) == 3


def test_an_exporter_that_has_come_gets_one_at_once_and_every_message_is_passed_on() -> None:
    sent: list[float] = []
    heard: list[Message] = []
    snapshots = Snapshots(lambda: HTTP, lambda: sent.append(0.0), heard.append)
    snapshots.tick(clock.monotonic())
    snapshots.hear({"type": "alert_done", "id": 1, "target": "webhook"})
    assert len(sent) == 1
    snapshots.hear({"type": "ready"})
    assert len(sent) == 2
    assert [message["type"] for message in heard] == ["alert_done", "ready"]


def test_an_exporter_without_metrics_gets_none() -> None:
    sent: list[float] = []
    Snapshots(lambda: NOBODY, lambda: sent.append(0.0), lambda _: None).hear({"type": "ready"})
    assert sent == []

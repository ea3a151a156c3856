"""A port of `metrics.http` that is taken harms nothing: it is said, and had when it is free; a reload moves it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from kherd.supervisor.children.exporter.front import RETRY_SECONDS
from kherd.testing.ports import Port

from ..fakes.herd import standin
from ..fakes.page import get, tried


@pytest.fixture
def ports() -> Iterator[list[int]]:
    made = [Port(), Port()]
    yield [one.number for one in made]
    for one in made:
        one.release()


def test_taken(ports: list[int], tmp_path: Path) -> None:
    # Given a port that another program has
    place = f"127.0.0.1:{ports[0]}"
    with (
        socket.create_server(("127.0.0.1", ports[0])) as other,
        standin(tmp_path, workers={"count": 1}, metrics={"http": place}) as herd,
    ):
        # Then that is said, and the herd and its exporter go on
        herd.until(lambda: herd.events("http_failed"), what="the word about it")
        event = herd.events("http_failed")[0]
        assert (event["level"], event["address"], event["reason"]) == ("warning", place, "Address already in use")
        assert "tried again every 5 s" in event["message"]
        herd.ready(1)
        exporter = herd["services.exporter.pid"]

        # When it is free, then it is had by the same exporter
        other.close()
        herd.until(lambda: tried(ports[0], "/healthz"), RETRY_SECONDS + 5, "an answer")
        assert get(ports[0], "/healthz").status == 200
        assert herd["services.exporter.pid"] == exporter
        assert len(herd.events("http_failed")) == len(herd.events("http_listens")) == 1

        # When a reload names another port, then it answers there alone
        herd.write(workers={"count": 1}, metrics={"http": f":{ports[1]}"})
        assert "metrics.http" in str(herd.ask("reload"))
        herd.until(lambda: tried(ports[1], "/healthz"), what="an answer at the other port")
        assert tried(ports[0], "/healthz") is None

        # and when none is named, there is no exporter, and nobody answers
        herd.write(workers={"count": 1})
        herd.ask("reload")
        herd.until(lambda: "exporter" not in herd["services"], what="the end of the exporter")
        assert tried(ports[1], "/healthz") is None
        assert herd.events("child_died") == []
        assert herd.stop() == 0

"""A raised and a cleared alert are in the log and the status, and each receiver gets each of them once and in order."""

import json
from pathlib import Path
from typing import Any

from ..fakes.herd import StandIn, standin
from ..fakes.receiver import receiver


def test_webhook_and_command(tmp_path: Path) -> None:
    # Given a receiver that is out of order at first, a command that writes down what it gets, and no lag
    lag, book = tmp_path / "lag", tmp_path / "book"
    lag.write_text("0")
    script = f'test -z "$NOTIFY_SOCKET" && cat >> {book}'
    with receiver(500, 500) as server:
        alerts = {"webhook": server.url("/T0P/s3cr3t"), "command": ["sh", "-c", script]}
        environment = {"STANDIN_LAG": str(lag), "STANDIN_CALM": "0.5", "NOTIFY_SOCKET": str(tmp_path / "nobody")}
        tables: dict[str, Any] = {"lag": {"alert_above": 100}, "alerts": alerts, "workers": {"count": 1}}
        with standin(tmp_path, environment=environment, **tables) as herd:
            herd.ready(1)
            assert herd["alerts"] == []

            # When the lag is unknown, then high
            lag.write_text("unknown")
            herd.until(lambda: not herd["lag.valid"], what="an unknown lag")
            lag.write_text("500")

            # Then it is shown, and both are told in the end
            herd.until(lambda: len(server.accepted) == 1 and len(written(book)) == 1, 20, "two deliveries")
            [row] = herd["alerts"]
            assert (row["name"], row["value"], row["threshold"]) == ("lag", 500, 100)
            assert herd["problems"] == [
                f"alert lag since {row['since']}: lag 500 records, raised above 100 records",
            ]

            # and when it is low again, it is over
            lag.write_text("50")
            herd.until(lambda: len(server.accepted) == 2 and len(written(book)) == 2, 20, "the all-clear")
            assert (herd["alerts"], herd["problems"]) == ([], [])
            assert herd.stop() == 0

            raised, cleared = server.accepted
            assert written(book) == [raised, cleared]
            assert raised == {
                "version": 1,
                "alert": "lag",
                "state": "raised",
                "app": herd_name(herd),
                "instance": raised["instance"],
                "host": raised["host"],
                "at": row["since"],
                "since": row["since"],
                "value": 500,
                "threshold": 100,
                "summary": "lag 500 records, above 100 records",
            }
            assert (cleared["state"], cleared["value"], cleared["since"]) == ("cleared", 50, row["since"])
            assert cleared["at"] > cleared["since"]
            assert server.statuses == [500, 500, 200, 200]
            check_log(herd)


def check_log(herd: StandIn) -> None:
    assert len(herd.events("alert_raised")) == len(herd.events("alert_cleared")) == 1
    assert len(herd.events("alert_delivered", target="webhook 127.0.0.1")) == 2
    assert len(herd.events("alert_delivered", target="command sh")) == 2
    assert [line["reason"] for line in herd.events("alert_failed")] == ["HTTP 500 Internal Server Error"] * 2
    assert not [line for line in herd.log() if "s3cr3t" in json.dumps(line)]
    assert herd.events("internal_error") == []


def herd_name(herd: StandIn) -> Any:
    return herd.events("supervisor_started")[0]["app"]


def written(book: Path) -> list[Any]:
    """Return what the command was given so far; it may be at it."""
    text = book.read_text() if book.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

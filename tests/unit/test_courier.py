"""A courier in virtual time, with attempts that end as the test says: order, retries, the end of retries."""

import json
from collections.abc import Sequence
from io import StringIO
from typing import Any

import pytest

from kherd.supervisor.children.exporter.attempt import End
from kherd.supervisor.children.exporter.courier import ATTEMPT_SECONDS, Courier, Target, targets
from kherd.supervisor.children.exporter.post import PERMANENT, TEMPORARY
from kherd.supervisor.children.exporter.spec import MOST_WAITING, ExporterSpec
from kherd.supervisor.decide.delivery import Policy
from kherd.worker import log
from kherd.worker.spec import LogSpec

URL = "https://joe:pass@hooks.example.org:8443/T0P/s3cr3t?token=x"


class FakeAttempt:
    """Ends when the test sets `ending`."""

    def __init__(self, command: Sequence[str], given: bytes, deadline: float) -> None:
        self.command, self.given, self.deadline = command, given, deadline
        self.ending: End | None = None
        self.closed = False

    def files(self) -> list[int]:
        return [7]

    def due(self) -> float:
        return self.deadline

    def look(self, now: float) -> End | None:
        return self.ending or (End(None, "") if now >= self.deadline else None)

    def end(self) -> None:
        self.closed = True


class Round:
    """A courier to `target`; `done` are the numbers it is through with."""

    def __init__(self, target: Target, **policy: Any) -> None:
        self.now = 1000.0
        self.refused: OSError | None = None
        self.attempts: list[FakeAttempt] = []
        self.done: list[int] = []
        self.lines = StringIO()
        log.configure(LogSpec(level="debug"), log.Identity(), stream=self.lines)
        self.courier = Courier(
            target,
            self.done.append,
            lambda: self.now,
            policy=Policy(**policy),
            attempt=self._attempt,  # type: ignore[arg-type] # the fake has its interface
        )

    def _attempt(self, command: Sequence[str], given: bytes, deadline: float) -> FakeAttempt:
        if self.refused is not None:
            raise self.refused
        self.attempts.append(FakeAttempt(command, given, deadline))
        return self.attempts[-1]

    def take(self, number: int, state: str = "raised") -> None:
        self.courier.take(number, {"alert": "lag", "state": state, "number": number})
        self.courier.turn()

    def end(self, code: int | None, said: str = "") -> None:
        """Have the attempt under way end."""
        assert self.courier.busy
        self.attempts[-1].ending = End(code, said)
        self.courier.turn()

    def wait(self) -> None:
        """Let the time pass until something is due."""
        due = self.courier.due()
        assert due is not None
        assert due > self.now
        self.now = due
        self.courier.turn()

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = map(json.loads, self.lines.getvalue().splitlines())
        return [line for line in lines if line["event"] == event]


WEBHOOK, COMMAND = targets(ExporterSpec("orders", webhook=URL, command=("/usr/bin/notify", "--token", "x")))


def test_the_targets_are_those_configured() -> None:
    assert targets(ExporterSpec("orders", statsd="h:1")) == []
    assert [target.name for target in (WEBHOOK, COMMAND)] == ["webhook", "command"]
    assert (WEBHOOK.where, COMMAND.where) == ("webhook hooks.example.org", "command notify")
    assert COMMAND.command == ("/usr/bin/notify", "--token", "x")


def test_no_secret_is_shown_nor_among_the_arguments_that_everybody_can_see() -> None:
    shown = repr(WEBHOOK) + repr(ExporterSpec("orders", webhook=URL)) + repr(WEBHOOK.command)
    assert "s3cr3t" not in shown
    assert "joe" not in shown
    assert "token" not in WEBHOOK.where


def test_an_address_goes_before_the_document() -> None:
    one = Round(WEBHOOK)
    one.take(1)
    head, document, rest = one.attempts[0].given.split(b"\n")
    assert (head.decode(), json.loads(document)["alert"], rest) == (URL, "lag", b"")
    assert one.attempts[0].deadline == one.now + ATTEMPT_SECONDS


def test_alerts_are_delivered_one_after_the_other_in_order() -> None:
    one = Round(COMMAND)
    one.take(1)
    one.take(2, "cleared")
    assert len(one.attempts) == 1
    one.end(0)
    assert [json.loads(attempt.given)["number"] for attempt in one.attempts] == [1, 2]
    one.end(0)
    assert one.done == [1, 2]
    assert (one.courier.due(), one.courier.files(), one.courier.busy) == (None, [], False)
    assert [line["state"] for line in one.logged("alert_delivered")] == ["raised", "cleared"]


def test_a_failure_is_tried_again_ever_later_and_later_alerts_wait_for_it() -> None:
    one = Round(WEBHOOK)
    one.take(1)
    one.take(2)
    waits = []
    for _ in range(4):
        one.end(TEMPORARY, "HTTP 503 Service Unavailable")
        waits.append((one.courier.due() or 0.0) - one.now)
        one.wait()
    assert waits == sorted(waits)
    assert one.done == []
    one.end(0)
    assert one.done == [1]
    lines = one.logged("alert_failed")
    assert len(lines) == 4
    assert lines[0]["reason"] == "HTTP 503 Service Unavailable"
    assert lines[0]["target"] == "webhook hooks.example.org"
    assert lines[0]["next"].startswith("tried again in 0.")


def test_what_is_refused_for_good_is_given_up_at_once_by_a_webhook_only() -> None:
    one, other = Round(WEBHOOK), Round(COMMAND)
    other.take(1)
    other.end(PERMANENT)
    assert other.done == []
    one = Round(WEBHOOK)
    one.take(1)
    one.take(2)
    one.end(PERMANENT, "HTTP 404 Not Found")
    assert one.done == [1]
    assert one.courier.busy
    assert one.logged("alert_failed")[0]["next"] == "given up: another attempt cannot help"


def test_attempts_end_and_the_next_alert_has_all_of_its_own() -> None:
    one = Round(COMMAND, attempts=3)
    one.take(1)
    one.take(2)
    for _ in range(2):
        one.end(1)
        one.wait()
    one.end(1)
    assert one.done == [1]
    assert one.logged("alert_failed")[-1]["next"] == "given up: 3 attempts were made"
    one.end(1)
    assert one.done == [1]
    assert one.courier.due() is not None


def test_time_ends_too() -> None:
    one = Round(COMMAND, attempts=10**6)
    one.take(1)
    for _ in range(1000):
        if one.done:
            break
        one.wait()
    assert one.done == [1]
    assert one.now - 1000.0 <= 300.0 + ATTEMPT_SECONDS
    assert one.logged("alert_failed")[-1]["next"] == "given up: 300 s are over"


@pytest.mark.parametrize(
    ("code", "said", "reason"),
    [
        (3, "no such user", "exit code 3: no such user"),
        (3, "", "exit code 3"),
        (-11, "", "killed by SIGSEGV"),
        (-40, "", "killed by signal 40"),
        (None, "", "not finished within 10 s, killed"),
        (None, "asking", "not finished within 10 s, killed: asking"),
    ],
)
def test_a_commands_failure_says_how_it_ended_and_what_it_said_last(code: int | None, said: str, reason: str) -> None:
    one = Round(COMMAND)
    one.take(1)
    one.end(code, said)
    assert one.logged("alert_failed")[0]["reason"] == reason


def test_no_process_for_it_is_a_failure_like_any_other() -> None:
    one = Round(COMMAND)
    one.refused = OSError(11, "Resource temporarily unavailable")
    one.take(1)
    assert one.logged("alert_failed")[0]["reason"] == "no process for it: Resource temporarily unavailable"
    one.refused = None
    one.wait()
    one.end(0)
    assert one.done == [1]


def test_of_too_many_that_wait_the_oldest_are_dropped() -> None:
    one = Round(COMMAND)
    for number in range(MOST_WAITING + 5):
        one.take(number)
    while one.courier.busy:
        one.end(0)
    assert one.done == [0, *range(5, MOST_WAITING + 5)]


def test_at_its_end_an_attempt_under_way_is_ended() -> None:
    one = Round(COMMAND)
    one.courier.close()
    one.take(1)
    one.courier.close()
    assert one.attempts[0].closed
    assert not one.courier.busy

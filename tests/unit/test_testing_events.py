"""A log is followed while it is being written, and what is no event is told apart."""

from pathlib import Path

from kherd.testing.events import EventLog


def test_a_log_that_is_not_there_yet_has_no_events(tmp_path: Path) -> None:
    assert EventLog(tmp_path / "log").find() == []


def test_half_a_line_is_read_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = EventLog(path)
    path.write_text('{"event": "a", "n": 1}\n{"event": "b"')
    assert [event["event"] for event in log.find()] == ["a"]
    with path.open("a") as file:
        file.write(', "n": 2}\nnot json\n[1]\n')
    assert log.find("b") == [{"event": "b", "n": 2}]
    assert log.find("b", n=3) == []
    assert log.find(n=1) == [{"event": "a", "n": 1}]
    assert log.other == ["not json", "[1]"]


def test_the_tail_says_who_and_what_and_how_a_traceback_ended(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(
        '{"event": "e", "time": "2026-01-02T03:04:05.678Z", "level": "error", "role": "worker", "slot": 3, '
        '"message": "failed", "traceback": "a\\nb\\nValueError: no"}\nplain\n'
    )
    shown = EventLog(path).tail()
    assert "03:04:05.678 error worker 3: e: failed" in shown
    assert "ValueError: no" in shown
    assert shown.endswith("plain")

"""Pauses in force: what is kept in the folder, told to the workers and to people; a bad file is never trusted."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.decide.halts import Place
from kherd.supervisor.halts import FILE, LARGEST, Halts
from kherd.worker import log
from kherd.worker.decide.halted import Halted, decode
from kherd.worker.spec import LogSpec

TOPICS = {"orders": 4}


class Folder:
    """A state folder and what the workers of its herd have been told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / FILE
        self.told: list[dict[str, Any]] = []
        self.stream = io.StringIO()
        log.configure(LogSpec(), log.Identity("orders", "supervisor"), stream=self.stream)

    def start(self, app: str = "orders") -> Halts:
        """Be the next supervisor."""
        self.told.clear()
        return Halts(self.path, app, self.told.append)

    def lines(self, event: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in found if line["event"] == event]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def pause(halts: Halts, *place: Any) -> Any:
    return halts.pause(Place(*place), TOPICS, ("orders", "payments"))


def test_nothing_is_paused_at_first(folder: Folder) -> None:
    halts = folder.start()
    assert (halts.document(), halts.problems(), folder.told, list(folder.path.iterdir())) == ([], [], [], [])
    assert not halts.halted.covers(("orders", 0))


def test_a_pause_is_kept_told_shown_and_logged(folder: Folder) -> None:
    halts = folder.start()
    answer = pause(halts, "orders", 3)
    assert answer.data == {"changed": True, "paused": halts.document()}
    [message] = folder.told
    assert decode(message) == halts.halted == Halted(partitions=frozenset([("orders", 3)]))
    [row] = halts.document()
    assert halts.problems() == [f"paused by an operator: orders[3] since {row['since']}; `kherd resume` ends it"]
    assert folder.lines("paused")[0]["places"] == "orders[3]"
    assert not (folder.file.stat().st_mode & 0o077)


def test_the_next_supervisor_goes_on_with_it(folder: Folder) -> None:
    pause(folder.start(), "orders", 3)
    pause(folder.start(), "payments")
    before = folder.start()
    assert len(before.document()) == 2
    assert folder.start().document() == before.document()
    assert decode(folder.told[0]) == Halted(topics=frozenset(["payments"]), partitions=frozenset([("orders", 3)]))
    assert folder.lines("paused")[-1]["reason"] == "kept from before this start"


def test_a_resume_ends_it_for_the_next_supervisor_too(folder: Folder) -> None:
    halts = folder.start()
    pause(halts, "orders", 3)
    pause(halts, "payments")
    assert halts.resume(Place("orders")).data["changed"]
    assert folder.lines("resumed")[0]["left"] == "payments"
    assert halts.resume(Place()).data == {"changed": True, "paused": []}
    assert decode(folder.told[-1]) == Halted()
    assert not folder.file.exists()
    assert folder.start().document() == []


def test_what_changes_nothing_is_not_told_again(folder: Folder) -> None:
    halts = folder.start()
    assert halts.resume(Place()).data == {"changed": False, "paused": []}
    pause(halts, "orders")
    assert not pause(halts, "orders", 3).data["changed"]
    assert not halts.resume(Place("payments")).data["changed"]
    assert len(folder.told) == 1


def test_what_is_not_there_or_inside_of_another_is_refused(folder: Folder) -> None:
    halts = folder.start()
    assert "did you mean orders?" in (pause(halts, "oders").error or "")
    assert "has 4 partitions" in (pause(halts, "orders", 4).error or "")
    pause(halts)
    assert "`kherd resume`, then" in (halts.resume(Place("orders")).error or "")
    assert len(folder.told) == 1


def test_a_topic_that_is_gone_can_be_resumed(folder: Folder) -> None:
    halts = folder.start()
    assert halts.pause(Place("old", 3), {}, ()).ok
    assert halts.resume(Place("old", 3)).data == {"changed": True, "paused": []}


def test_more_than_workers_can_be_told_is_refused_and_changes_nothing(folder: Folder) -> None:
    halts = folder.start()
    names = [f"{number:0249}" for number in range(LARGEST // 249)]
    answers = [halts.pause(Place(name), {}, ()) for name in names]
    assert answers[0].ok
    assert "pause whole topics, or everything" in (answers[-1].error or "")
    assert len(halts.document()) == sum(answer.ok for answer in answers) == len(folder.told)
    assert halts.pause(Place(), {}, ()).ok


def test_what_cannot_be_kept_is_not_promised(folder: Folder) -> None:
    halts = folder.start()
    folder.file.mkdir()
    (folder.file / "x").touch()
    answer = pause(halts, "orders")
    assert "nothing has changed" in (answer.error or "")
    assert str(folder.file) in (answer.error or "")
    assert (halts.document(), folder.told) == ([], [])


GOOD = {"version": 1, "app": "orders", "paused": [{"topic": "orders", "partition": None, "since": 1.0}]}
TOO_MUCH = {**GOOD, "paused": [{"topic": f"{n:0249}", "partition": None, "since": 1.0} for n in range(100)]}


def write(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (write(""), "no JSON"),
        (write("[" * 100_000), "no JSON"),
        (write("[]"), "no list of pauses"),
        (write(json.dumps(GOOD | {"version": 2})), "version 2, not 1"),
        (write(json.dumps(GOOD | {"app": "payments"})), "application 'payments', not 'orders'"),
        (write(json.dumps(TOO_MUCH)), "more than kherd writes"),
        (write(" " * 5_000_000), "larger than"),
        (lambda path: path.write_bytes(b"\xff"), "not UTF-8"),
        (Path.mkdir, "is a folder"),
        (os.mkfifo, "no regular file"),
        (lambda path: path.symlink_to("nowhere"), "there is no such file"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_ignored_and_told(
    folder: Folder, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(folder.file)
    halts = folder.start()
    assert (halts.document(), folder.told) == ([], [])
    [line] = folder.lines("pauses_ignored")
    assert says in line["reason"]
    assert line["path"] == str(folder.file)
    assert line["level"] == "error"


def test_the_file_of_a_good_document_is_read(folder: Folder) -> None:
    folder.file.write_text(json.dumps(GOOD))
    assert folder.start().halted.covers(("orders", 7))

"""Who judges failures: what it tells workers, what it survives of them, and what a person reads of it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from kherd.supervisor.failures import KINDS, SHOWN
from kherd.supervisor.outages import DESERTED, MARGIN, PATIENCE, Outages


@dataclass
class Judge:
    """The real thing, with a clock and boards of the test's own; partition n of topic t is worker n's."""

    now: float = 1000.0
    finished: int = 0
    owned: set[int] = field(default_factory=lambda: set(range(1000)))
    said: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    open: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outages = Outages(
            self,  # type: ignore[arg-type] # as Passage
            lambda slot, message: self.said.append((slot, message)),
            lambda message: self.open.append(message["open"]),
            lambda: self.now,
        )

    def totals(self) -> dict[str, int]:
        return {"t": self.finished}

    def has(self, index: int) -> set[tuple[str, int]]:
        return {("t", index)} if index in self.owned else set()

    def carry(self, board: object) -> None:
        del board

    def tell(self, what: str, number: int, kind: str = "F", **more: Any) -> bool:
        told = {
            "type": what,
            "topic": "t",
            "partition": number,
            "offset": 7,
            "fingerprint": kind,
            "error": f"E: {kind}",
        }
        return self.outages.hear(number, {**told, "key": None, **more})

    def tick(self, seconds: float = 1.0, *, handled: int = 0, idle: bool = False) -> None:
        self.now += seconds
        self.finished += handled
        self.outages.tick(self.now, self.finished, idle=idle)

    def told(self, what: str) -> list[int]:
        """Return which workers were told `what`, and forget it."""
        found = [slot for slot, message in self.said if message["type"] == what]
        self.said = [one for one in self.said if one[1]["type"] != what]
        return found

    def break_down(self, count: int = 4) -> None:
        for number in range(count):
            self.tell("failing", number)
        assert self.outages.counts()["outages"] == 1


@pytest.fixture
def judge() -> Judge:
    return Judge()


def test_an_exhausted_record_is_put_aside_at_once_if_others_are_handled(judge: Judge) -> None:
    judge.tell("failing", 3)
    judge.tick(handled=10)
    judge.tell("exhausted", 3)
    assert judge.told("put_aside") == [3]
    judge.tell("settled", 3, how="aside")
    assert judge.outages.document() == {"outages": [], "held": []}


def test_one_more_record_of_a_known_kind_is_put_aside_at_once(judge: Judge) -> None:
    judge.tell("failing", 3)
    judge.tick(handled=50)
    judge.tell("exhausted", 4)
    assert judge.told("put_aside") == [4]
    judge.tell("exhausted", 5)
    assert judge.told("put_aside") == []


def test_who_is_exhausted_without_having_been_told_of_is_judged_all_the_same_and_soon(judge: Judge) -> None:
    judge.tell("exhausted", 3)
    judge.tick(PATIENCE - 1.0)
    assert judge.told("put_aside") == []
    judge.tick()
    assert judge.told("put_aside") == [3]
    judge.tick()
    assert judge.told("put_aside") == []


def test_of_an_outage_all_are_told_and_one_after_the_other_is_tried(judge: Judge) -> None:
    judge.break_down()
    assert judge.open == [["F"]]
    assert judge.outages.greet() == [{"type": "outages", "open": ["F"]}]
    judge.tell("exhausted", 0)
    for _ in range(3):
        judge.tick()
    assert judge.told("put_aside") == []
    tried = judge.told("probe")
    assert len(tried) == 1

    # It fails alike: the next one is another record, later
    judge.tell("failing", tried[0])
    judge.tick(1.0)
    assert judge.told("probe") == []
    judge.tick(2.0)
    again = judge.told("probe")
    assert len(again) == 1
    assert again != tried

    # It is handled: everybody is free, nobody is put aside for what was asked before
    judge.tell("settled", again[0], how="handled")
    assert judge.open[-1] == []
    judge.tick()
    assert judge.told("put_aside") == []
    assert judge.outages.document()["outages"] == []


@pytest.mark.parametrize("how", ["not_now", "gone", "other", "aside"])
def test_a_probe_that_says_nothing_is_followed_by_another_one(judge: Judge, how: str) -> None:
    judge.break_down()
    judge.tick()
    [tried] = judge.told("probe")
    judge.tell("settled", tried, how=how)
    judge.tick()
    assert judge.told("probe") != []
    assert judge.outages.counts()["waiting"] == (4 if how == "not_now" else 3)


def test_a_probe_that_fails_in_another_way_is_judged_by_that(judge: Judge) -> None:
    judge.break_down()
    judge.tick()
    [tried] = judge.told("probe")
    judge.tell("failing", tried, "other")
    judge.tell("exhausted", tried, "other")
    judge.tick(PATIENCE)
    assert judge.told("probe") != [tried]
    assert judge.told("put_aside") == [tried]


def test_a_probe_without_an_answer_is_given_up_and_so_is_that_of_a_dead_worker(judge: Judge) -> None:
    judge.break_down()
    judge.tick()
    [tried] = judge.told("probe")
    judge.tick(20.0 + MARGIN)
    judge.tick()
    [after] = judge.told("probe")
    assert after != tried
    judge.outages.gone(after, None)  # type: ignore[arg-type] # carry() of this test does not look
    judge.tick()
    assert len(judge.told("probe")) == 1
    assert judge.outages.counts()["waiting"] == 3


def test_nobody_is_tried_while_workers_begin_nothing(judge: Judge) -> None:
    judge.break_down()
    judge.tick(100.0, idle=True)
    assert judge.told("probe") == []
    judge.tick()
    assert len(judge.told("probe")) == 1


def test_records_of_partitions_that_have_moved_are_forgotten_and_an_outage_of_nobody_ends(judge: Judge) -> None:
    judge.break_down()
    judge.owned.clear()
    judge.tick()
    assert judge.outages.counts() == {"outages": 1, "waiting": 0, "held": 0}
    judge.tick(DESERTED)
    assert judge.open[-1] == []


def test_what_gets_through_takes_an_outage_back(judge: Judge) -> None:
    judge.break_down()
    judge.tick(handled=20)
    assert judge.outages.counts()["outages"] == 1
    judge.tick(handled=20)
    assert judge.open[-1] == []
    judge.tell("exhausted", 0)
    assert judge.told("put_aside") == [0]


def test_what_was_given_is_used_up_then_records_are_held_until_enough_is_handled(judge: Judge) -> None:
    for number in range(12):
        judge.tell("exhausted", number, kind=str(number))
    judge.tick(PATIENCE)
    assert judge.told("put_aside") == list(range(10))
    assert judge.told("hold") == [10, 11]
    assert judge.outages.counts()["held"] == 2
    [one, _] = judge.outages.document()["held"]
    assert (one["topic"], one["partition"], one["offset"], one["error"]) == ("t", 10, 7, "E: 10")
    assert "t[10]@7" in judge.outages.problems()[0]
    judge.tell("exhausted", 10, kind="10")
    judge.tick(handled=49)
    assert judge.told("put_aside") == []
    assert judge.told("hold") == []
    judge.tick(handled=1)
    assert judge.told("put_aside") == [10]
    judge.tick(handled=50)
    assert judge.told("put_aside") == [11]


def test_while_it_may_be_an_outage_one_at_a_time_is_put_aside(judge: Judge) -> None:
    for number in range(3):
        judge.tell("failing", number)
        judge.tell("exhausted", number)
    judge.tick(PATIENCE)
    assert judge.told("put_aside") == [0]
    judge.tick()
    assert judge.told("put_aside") == [1]
    judge.tell("failing", 1, offset=8)
    assert judge.outages.counts()["outages"] == 1
    judge.tick()
    assert judge.told("put_aside") == []


def test_another_record_of_the_same_key_is_no_further_evidence(judge: Judge) -> None:
    for offset in range(10):
        judge.tell("failing", 1, offset=offset, key=99)
    assert judge.outages.counts()["outages"] == 0


def test_more_kinds_than_can_be_told_apart_are_judged_but_never_an_outage(judge: Judge) -> None:
    for number in range(KINDS + 20):
        judge.tell("failing", number, kind=str(number))
    assert judge.outages.counts()["outages"] == 0
    judge.tell("exhausted", KINDS + 5, kind=str(KINDS + 5))  # nothing is gathered of those, so nothing is waited for
    assert judge.told("put_aside") == [KINDS + 5]
    for number in range(KINDS + 20):
        judge.tell("settled", number, how="handled")
    judge.tell("failing", 900, kind="one more")
    judge.tell("exhausted", 900, kind="one more")
    judge.tick(PATIENCE)
    assert judge.told("put_aside") == [900]


def test_the_status_names_a_bounded_number_of_records(judge: Judge) -> None:
    for number in range(SHOWN + 50):
        judge.tell("exhausted", number, kind=str(number % 5))
    assert len(judge.outages.document()["held"]) <= SHOWN
    assert len(judge.outages.problems()) <= 11


def test_an_outage_is_told_in_words(judge: Judge) -> None:
    judge.break_down()
    judge.tick(0.5)
    [problem] = judge.outages.problems()
    assert problem.startswith("taken for an outage since 0 s: E: F; 4 records of 4 partitions wait")
    assert "one is tried in" in problem
    [outage] = judge.outages.document()["outages"]
    assert (outage["records"], outage["partitions"], outage["topics"], outage["probing"]) == (4, 4, ["t"], False)
    judge.tick()
    assert "one of them is being tried" in judge.outages.problems()[0]


@pytest.mark.parametrize(
    "broken", [{"topic": 1}, {"partition": "x"}, {"offset": True}, {"error": None}, {"fingerprint": []}]
)
@pytest.mark.parametrize("what", ["failing", "exhausted"])
def test_what_a_worker_gone_mad_says_is_ignored(judge: Judge, what: str, broken: dict[str, Any]) -> None:
    assert not judge.tell(what, 1, **{"kind": "F", **broken})
    assert not judge.outages.hear(0, {"type": "settled", "how": "handled"})
    assert not judge.outages.hear(0, {"type": "what"})
    assert judge.outages.counts() == {"outages": 0, "waiting": 0, "held": 0}

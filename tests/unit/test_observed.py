"""What the liaison reported: known or unknown, never zero for want of knowledge."""

from typing import Any

from kherd.supervisor.observed import Observed


def _lag(sweep: int, *rows: list[Any], last: bool = True, valid: bool = True, **fields: Any) -> dict[str, Any]:
    return {
        "type": "lag",
        "sweep": sweep,
        "last": last,
        "valid": valid,
        "reason": None if valid else "no broker answers",
        "at": 1_700_000_000.0,
        "partitions": list(rows),
        **fields,
    }


def test_before_the_first_report_nothing_is_known() -> None:
    document = Observed("earliest").document()
    assert (document["valid"], document["total"], document["at"]) == (False, None, None)
    assert document["reason"] == "not measured yet"


def test_a_sweep_counts_when_its_last_part_is_there() -> None:
    seen = Observed("earliest")
    seen.hear(_lag(1, ["orders", 0, 10, 15, 0], last=False))
    assert seen.document()["total"] is None
    seen.hear(_lag(1, ["orders", 1, 0, 7, 0]))
    document = seen.document()
    assert document["total"] == 12
    assert document["topics"] == {"orders": {"lag": 12, "partitions": 2}}
    assert [row["lag"] for row in document["partitions"]] == [5, 7]
    assert document["at"] == "2023-11-14T22:13:20.000Z"


def test_an_invalid_sweep_is_unknown_and_says_why() -> None:
    seen = Observed("earliest")
    seen.hear(_lag(1, ["orders", 0, 10, 15, 0]))
    seen.hear(_lag(2, valid=False))
    document = seen.document()
    assert (document["valid"], document["total"], document["topics"], document["partitions"]) == (False, None, {}, [])
    assert document["reason"] == "no broker answers"


def test_the_start_without_commits_decides_what_is_lag() -> None:
    for start, lag in (("earliest", 15), ("latest", 0), ("error", None)):
        seen = Observed(start)  # type: ignore[arg-type] # one of the three
        seen.hear(_lag(1, ["orders", 0, None, 15, 0]))
        assert seen.document()["total"] == lag


def test_a_new_liaisons_sweep_is_not_mixed_with_half_of_the_old_ones() -> None:
    seen = Observed("earliest")
    seen.hear(_lag(1, ["orders", 0, 0, 1000, 0], last=False))
    seen.forget()
    seen.hear(_lag(1, ["orders", 0, 0, 5, 0]))
    assert seen.document()["total"] == 5


def test_when_the_liaison_is_gone_nothing_it_said_is_known() -> None:
    seen = Observed("earliest")
    seen.hear({"type": "ready", "topics": {"orders": 8}})
    seen.hear({"type": "brokers", "reachable": False, "reason": "refused"})
    seen.hear({"type": "dead_letters", "count": 3})
    seen.hear(_lag(1, ["orders", 0, 10, 15, 0]))
    assert (seen.reachable, seen.dead_letters, seen.topics) == (False, 3, {"orders": 8})
    seen.forget()
    assert (seen.reachable, seen.dead_letters, seen.valid) == (None, None, False)
    assert seen.document()["total"] is None
    assert seen.document()["reason"]


def test_the_total_is_the_newest_sweeps_or_unknown() -> None:
    seen = Observed("earliest")
    told = [seen.total]
    seen.hear(_lag(1, ["orders", 0, 10, 15, 0]))
    told.append(seen.total)
    for unknown in (_lag(2, valid=False), _lag(3, ["orders", 0, None, None, None])):
        seen.hear(unknown)
        told.append(seen.total)
    seen.hear(_lag(4, ["orders", 0, 10, 15, 0]))
    seen.forget()
    assert [*told, seen.total] == [None, 5, None, None, None]


def _members(census: int, *ids: str, last: bool = True) -> dict[str, Any]:
    return {"type": "members", "census": census, "last": last, "ids": list(ids), "reason": None}


def test_the_members_are_those_of_all_parts_of_a_census_and_of_no_other() -> None:
    seen = Observed("earliest")
    assert seen.members is None
    seen.hear(_members(1, "a", "b", last=False))
    assert seen.members is None
    seen.hear(_members(1, "c"))
    assert seen.members == {"a", "b", "c"}
    seen.hear(_members(2, "a"))
    assert seen.members == {"a"}
    seen.hear(_members(3, "x", last=False))
    seen.hear(_members(4, "b"))
    assert seen.members == {"b"}
    seen.hear(_members(5))
    assert seen.members == frozenset()


def test_members_that_could_not_be_counted_are_unknown_and_never_nobody() -> None:
    seen = Observed("earliest")
    seen.hear(_members(1, "a"))
    seen.hear({"type": "members", "census": 2, "last": True, "ids": None, "reason": "not authorized"})
    assert seen.members is None
    seen.hear(_members(3, "a"))
    seen.forget()
    assert seen.members is None


def test_a_new_liaisons_members_are_not_mixed_with_half_of_the_old_ones() -> None:
    seen = Observed("earliest")
    seen.hear(_members(1, "a", last=False))
    seen.forget()
    seen.hear(_members(1, "b"))
    assert seen.members == {"b"}


def test_topics_and_reachability_follow_the_newest_word() -> None:
    seen = Observed("earliest")
    seen.hear({"type": "topics", "topics": {"orders": 8}})
    seen.hear({"type": "topics", "topics": {"orders": 16, "returns": 1}})
    seen.hear({"type": "brokers", "reachable": False, "reason": ""})
    seen.hear({"type": "brokers", "reachable": True, "reason": ""})
    seen.hear({"type": "a later version's word"})
    assert (seen.topics, seen.reachable) == ({"orders": 16, "returns": 1}, True)


def test_an_expression_is_subscribed_to_by_the_names_that_it_matches() -> None:
    seen = Observed("earliest")
    seen.hear({"type": "topics", "topics": {"orders-b": 8, "orders-a": 1}})
    assert seen.subscription(["orders"]) is None
    assert seen.subscription(["^orders-.*", "returns"]) == ("orders-a", "orders-b", "returns")

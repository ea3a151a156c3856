from kherd.supervisor.children.liaison.desk import GRACE, Desk
from kherd.supervisor.children.liaison.errands import LIMIT, Answer

LEAVE = {"type": "notice", "id": 1, "child": "worker 0", "kind": "leave", "member_id": "m", "instance_id": "i"}


def test_an_errand_is_settled_once() -> None:
    desk = Desk()
    errand = desk.accept(LEAVE, 0.0)
    assert desk.settle(Answer(1, ok=True, ms=3.0)) == errand
    assert desk.settle(Answer(1, ok=False, ms=9.0)) is None
    assert len(desk) == 0


def test_a_messenger_that_is_stuck_is_answered_for() -> None:
    desk = Desk()
    desk.accept(LEAVE, 10.0)
    assert desk.overdue(10.0 + LIMIT) == []
    (answer,) = desk.overdue(10.0 + LIMIT + GRACE)
    assert (answer.id, answer.ok) == (1, False)


def test_nobody_answers_for_an_errand_that_could_hit_the_successor() -> None:
    desk = Desk()
    desk.accept(LEAVE | {"member_id": None}, 0.0)
    desk.accept({"type": "describe_release", "id": 2, "child": "worker 1", "instance_id": "i"}, 0.0)
    assert desk.overdue(1e6) == []
    assert len(desk) == 2

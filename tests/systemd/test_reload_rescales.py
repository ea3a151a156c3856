"""Edit the count, `systemctl reload`: it returns 0, new workers come, the old ones are not touched, and back."""

from .conftest import NewService


def test_an_edited_count_is_in_force_after_a_reload(service: NewService) -> None:
    one = service()
    one.write(workers={"count": 2})
    one.systemctl("start")
    one.wait_ready(2)
    before, supervisor = one.workers(), one.main_pid
    one.write(workers={"count": 4})
    assert one.systemctl("reload") == 0
    assert one.status()["workers"]["wanted"] == 4
    one.wait_ready(4)
    after = one.workers()
    assert {slot: after[slot] for slot in before} == before
    one.wait(lambda: one.show("StatusText").startswith("4/4 ready"), "its standing")
    one.write(workers={"count": 1})
    assert one.systemctl("reload") == 0
    one.wait_ready(1)
    assert one.workers() == {0: before[0]}
    assert (one.main_pid, one.show("NRestarts"), one.show("ActiveState")) == (supervisor, "0", "active")


def test_a_reload_that_rolls_returns_before_it_is_done_and_the_status_says_how_far_it_is(service: NewService) -> None:
    one = service()
    one.write(workers={"count": 2}, reload={"settle": 2})
    one.systemctl("start")
    one.wait_ready(2)
    before = one.workers()
    one.write(workers={"count": 2, "batch_size": 7}, reload={"settle": 2})
    assert one.systemctl("reload") == 0
    one.wait(lambda: "gen 2, 1/2 workers rolled to it (worker 0 tries it and" in one.show("StatusText"), "the trial")
    one.wait(lambda: one.show("StatusText").endswith("gen 2"), "the roll")
    one.wait_ready(2)
    assert not set(one.workers().values()) & set(before.values())
    assert [event["generation"] for event in one.events("roll_done")] == [2]


def test_a_reload_by_kherd_is_seen_by_systemd(service: NewService) -> None:
    one = service()
    one.write(workers={"count": 1})
    one.systemctl("start")
    before = int(one.show("StateChangeTimestampMonotonic"))
    one.write(workers={"count": 2})
    one.machine.run("kherd", "reload", "--app", one.name)
    one.wait_ready(2)
    assert one.show("ActiveState") == "active"
    assert int(one.show("StateChangeTimestampMonotonic")) > before  # it was reloading in between

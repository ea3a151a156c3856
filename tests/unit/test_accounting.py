"""The demo's account: it must notice whatever does not add up."""

from dataclasses import replace

from kherd.supervisor.demo.accounting import MILLISECOND, Account, Handled, Kill, Stream, account, gap

GOOD = frozenset({"a", "b", "c"})
POISON = frozenset({"x"})
STREAM = Stream(GOOD, POISON)
HANDLED = [Handled(key, 0, offset, 7, offset * MILLISECOND) for offset, key in enumerate(sorted(GOOD))]


def judge(
    stream: Stream = STREAM,
    handled: list[Handled] = HANDLED,
    dead: tuple[str, ...] = ("x",),
    kills: tuple[Kill, ...] = (),
    crashes: int = 0,
) -> Account:
    return account(stream, handled, dead, kills, crashes)


def test_a_whole_account_adds_up() -> None:
    result = judge()
    assert result.adds_up
    assert result.document() == {
        "produced": 4,
        "handled": 3,
        "dead_lettered": 1,
        "lost": 0,
        "redelivered": 0,
        "crashes": 0,
        "max_gap_ms": 0,
    }


def test_a_lost_record_is_named() -> None:
    result = judge(handled=HANDLED[:-1])
    assert (result.lost, result.handled) == (1, 2)
    assert result.problems == ("1 records lost: c",)


def test_a_lost_dead_letter_is_named() -> None:
    result = judge(dead=())
    assert (result.lost, result.dead_lettered) == (1, 0)
    assert not result.adds_up


def test_a_second_delivery_is_counted_and_is_no_fault() -> None:
    result = judge(handled=[*HANDLED, replace(HANDLED[0], pid=8)], dead=("x", "x", "x"))
    assert (result.redelivered, result.handled, result.dead_lettered) == (3, 3, 1)
    assert result.adds_up


def test_a_redelivery_never_hides_a_loss() -> None:
    result = judge(handled=[HANDLED[0], HANDLED[0], HANDLED[1]])
    assert (result.lost, result.redelivered) == (1, 1)
    assert not result.adds_up


def test_poison_that_was_handled_does_not_add_up() -> None:
    result = judge(handled=[*HANDLED, Handled("x", 0, 9, 7, 9)])
    assert result.problems == ("1 records handled although poison: x",)


def test_a_good_record_in_the_dead_letters_does_not_add_up() -> None:
    result = judge(dead=("x", "a"))
    assert result.problems == ("1 records dead-lettered although good: a",)


def test_a_record_that_nobody_sent_does_not_add_up() -> None:
    result = judge(handled=[*HANDLED, Handled("z", 0, 9, 7, 9)])
    assert result.problems == ("1 records delivered but never sent: z",)
    assert result.handled == 3


def test_a_record_that_the_broker_never_acknowledged_does_not_add_up() -> None:
    assert not judge(stream=replace(STREAM, unacknowledged=1)).adds_up


def test_crashes_beyond_the_kills_do_not_add_up() -> None:
    kill = Kill(0, frozenset(), 1)
    assert judge(kills=(kill,), crashes=1).adds_up
    assert not judge(kills=(kill,), crashes=2).adds_up
    assert not judge(kills=(kill,), crashes=0).adds_up


def test_many_lost_records_are_counted_and_a_few_named() -> None:
    keys = frozenset(f"k{number}" for number in range(9))
    assert judge(stream=Stream(keys, frozenset()), handled=[], dead=()).problems[0].endswith("k0, k1, k2, k3, k4, …")


def test_the_gap_is_the_longest_silence_on_the_partitions_of_the_killed_worker() -> None:
    kill = Kill(at=100, partitions=frozenset({0, 1}), until=1000)
    times = {0: [90, 400, 420], 1: [95, 300, 900], 2: [0, 5000]}
    handled = [Handled(str(at), partition, at, 7, at) for partition, seen in times.items() for at in seen]
    assert gap(handled, kill) == 600


def test_a_silence_before_the_kill_or_after_it_was_over_is_not_the_gap() -> None:
    kill = Kill(at=500, partitions=frozenset({0}), until=1000)
    handled = [Handled(str(at), 0, at, 7, at) for at in (0, 480, 600, 1100, 9000)]
    assert gap(handled, kill) == 500

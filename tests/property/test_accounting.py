"""Whatever is delivered, however often: the account adds up exactly if every record is in its place."""

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.demo.accounting import Handled, Kill, Stream, account, gap

KEYS = st.sets(st.integers(0, 60).map(str), max_size=40)


@given(st.data(), KEYS)
def test_it_adds_up_exactly_if_all_good_is_handled_and_all_poison_put_aside(
    data: st.DataObject, keys: set[str]
) -> None:
    some = st.sets(st.sampled_from(sorted(keys))) if keys else st.just(set[str]())
    poison = data.draw(some)
    handled = data.draw(st.lists(st.sampled_from(sorted(keys)))) if keys else []
    dead = data.draw(st.lists(st.sampled_from(sorted(keys)))) if keys else []
    if data.draw(st.booleans()):
        handled, dead = [*handled, *(keys - poison)], [*dead, *poison]
    stream = Stream(frozenset(keys - poison), frozenset(poison))
    result = account(stream, [Handled(key, 0, 0, 1, at) for at, key in enumerate(handled)], dead, [], 0)
    assert result.adds_up == (set(handled) == keys - poison and set(dead) == poison)
    assert result.lost == len(keys - set(handled) - set(dead))
    assert result.redelivered == len(handled) + len(dead) - len(set(handled)) - len(set(dead))
    assert result.produced == len(keys)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1000))),
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.frozensets(st.integers(0, 3)),
)
def test_a_gap_is_never_longer_than_the_whole_time_and_grows_with_the_window(
    seen: list[tuple[int, int]], at: int, until: int, partitions: frozenset[int]
) -> None:
    handled = [Handled(str(number), partition, 0, 1, time) for number, (partition, time) in enumerate(seen)]
    found = gap(handled, Kill(at, partitions, until))
    assert 0 <= found <= 1000
    assert found <= gap(handled, Kill(at, partitions, until + 500))

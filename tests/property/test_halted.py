"""What workers are told of pauses survives the way, and covers what an operator means by it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.decide.halted import Halted, decode, encode

topics = st.sampled_from(["a", "b", "c"])
keys = st.tuples(topics, st.integers(0, 3))
halts = st.builds(Halted, st.booleans(), st.frozensets(topics), st.frozensets(keys))


@given(halts)
def test_it_survives_the_way(halted: Halted) -> None:
    assert decode(json.loads(json.dumps(encode(halted)))) == halted


@given(halts, keys)
def test_a_partition_is_covered_by_everything_by_its_topic_or_by_itself(halted: Halted, key: tuple[str, int]) -> None:
    assert halted.covers(key) == (halted.everything or key[0] in halted.topics or key in halted.partitions)


@given(keys)
def test_nothing_is_covered_at_first(key: tuple[str, int]) -> None:
    assert not Halted().covers(key)

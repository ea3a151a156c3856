import math
import re

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.metrics import samples
from kherd.supervisor.metrics import METRICS, TOTALS

from ..fakes.status import status

COUNT = st.integers(min_value=0, max_value=10**15)
TOTAL = st.dictionaries(st.sampled_from([*TOTALS, "busy_ns", "buffered", "held"]), COUNT)
DEATHS = st.dictionaries(st.sampled_from(["oom", "hang", "signal:KILL", "exit:1", "sto p"]), COUNT)
TOPICS = st.dictionaries(
    st.text(min_size=1, max_size=20), st.fixed_dictionaries({"lag": st.none() | COUNT, "partitions": COUNT})
)
DOCUMENT = st.builds(
    lambda life, totals, deaths, restarts, valid, total, topics: status(
        life=life,
        totals=totals,
        deaths=deaths,
        restarts=restarts,
        lag={"valid": valid, "reason": None, "at": None, "total": total, "topics": topics, "partitions": []},
    ),
    st.sampled_from(["a", "b"]),
    TOTAL,
    DEATHS,
    COUNT,
    st.booleans(),
    st.none() | COUNT,
    TOPICS,
)


@given(DOCUMENT, st.none() | DOCUMENT)
def test_every_sample_is_of_the_table_finite_and_safe_to_send(
    now: dict[str, object], before: dict[str, object] | None
) -> None:
    for sample in samples(now, before):
        assert sample.metric in METRICS
        assert math.isfinite(sample.value)
        assert sample.value >= 0
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", sample.path)


@given(DOCUMENT, st.none() | DOCUMENT)
def test_an_unknown_lag_is_never_a_number(now: dict[str, object], before: dict[str, object] | None) -> None:
    lag = now["lag"]
    assert isinstance(lag, dict)
    sent = [sample for sample in samples(now, before) if sample.metric.name in {"consumer_lag", "topic_consumer_lag"}]
    if not lag["valid"]:
        assert sent == []
    known = [topic["lag"] for topic in lag["topics"].values() if topic["lag"] is not None]
    assert not lag["valid"] or len(sent) == len(known) + (lag["total"] is not None)


@given(st.lists(st.tuples(TOTAL, DEATHS), min_size=1, max_size=8))
def test_what_is_added_sums_up_to_the_last_total(steps: list[tuple[dict[str, int], dict[str, int]]]) -> None:
    """Growing totals, from a first document with nothing in it: no record is counted twice, none is forgotten."""
    grown: dict[str, int] = {}
    previous, sums = status(totals={}, deaths={}, restarts=0), dict.fromkeys(TOTALS, 0)
    for totals, _ in steps:
        grown = {name: max(grown.get(name, 0), totals.get(name, 0)) for name in {*grown, *totals}}
        now = status(totals=dict(grown), deaths={}, restarts=0)
        by_metric = {sample.metric: sample.value for sample in samples(now, previous)}
        for name, metric in TOTALS.items():
            sums[name] += int(by_metric[metric])
        previous = now
    assert sums == {name: grown.get(name, 0) for name in TOTALS}

from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.decide.topics import (
    Subscription,
    Topic,
    dead_letter_name,
    matches,
    resolve,
    unusable,
    wanted_partitions,
)

names = st.text(alphabet="abd.-_lq", min_size=1, max_size=8)
patterns = st.sampled_from(["^.*", "^a.*", "^[ab]+$", "^dlq\\..*", "^(", "^a"])
templates = st.sampled_from(["dlq.{topic}", "{topic}-dlq", "a.{topic}.q", "all-dead"])
topics = st.builds(Topic, names, st.integers(1, 20), st.integers(1, 3))
clusters = st.lists(topics, max_size=8, unique_by=lambda topic: topic.name)
subscriptions = st.builds(
    Subscription, st.lists(names | patterns, min_size=1, max_size=3).map(tuple), templates, st.booleans()
)


@given(subscriptions, clusters)
def test_what_is_subscribed_to_exists_and_what_is_missing_does_not(
    subscription: Subscription, cluster: list[Topic]
) -> None:
    have = {topic.name for topic in cluster}
    resolved = resolve(subscription, cluster)
    assert {topic.name for topic in resolved.topics} <= have
    assert not set(resolved.missing) & have
    for name in subscription.topics:
        if not name.startswith("^"):
            assert name in resolved.missing or name in {topic.name for topic in resolved.topics}


@given(subscriptions, clusters)
def test_no_regex_ever_matches_an_own_dead_letter_topic_or_one_of_kafkas(
    subscription: Subscription, cluster: list[Topic]
) -> None:
    for topic in resolve(subscription, cluster).topics:
        dead = dead_letter_name(subscription.dead_letter, topic.name)
        assert not matches(subscription, dead)
        assert not matches(subscription, "__" + topic.name)


@given(subscriptions, clusters)
def test_every_subscribed_topic_has_a_dead_letter_topic_large_enough_for_it(
    subscription: Subscription, cluster: list[Topic]
) -> None:
    resolved = resolve(subscription, cluster)
    for topic in resolved.topics:
        sources = resolved.dead_letters[dead_letter_name(subscription.dead_letter, topic.name)]
        partitions, replication = wanted_partitions(sources)
        assert topic in sources
        assert partitions >= topic.partitions
        assert replication >= topic.replication


@given(names, names)
def test_under_kip_848_a_regex_means_the_whole_name_and_else_its_beginning(name: str, rest: str) -> None:
    pattern = "^" + name.replace(".", "\\.")
    assert matches(Subscription((pattern,), "dlq:{topic}"), name + rest) is not (name + rest).startswith("__")
    assert not matches(Subscription((pattern,), "dlq:{topic}", whole=True), name + rest)


@given(subscriptions)
def test_what_is_no_regex_is_named_and_matches_nothing(subscription: Subscription) -> None:
    for pattern in unusable(subscription):
        assert pattern == "^("
        assert not matches(Subscription((pattern,), "dlq.{topic}"), "(")

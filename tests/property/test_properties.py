"""librdkafka's properties: what kherd must own always holds, what is configured wins over defaults, one name each."""

from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.properties import (
    ALIASES,
    CLIENT,
    CONSUMER,
    PRODUCER,
    admin_properties,
    consumer_properties,
    max_poll_interval,
    producer_properties,
)
from kherd.worker.spec import KafkaSpec

OWNED_CONSUMER = {
    "group.id": "billing",
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "bootstrap.servers": "k:1",
    "client.id": "c",
    "statistics.interval.ms": "1000",
}
OWNED_PRODUCER = {"acks": "all", "enable.idempotence": "true", "bootstrap.servers": "k:1", "client.id": "c"}
names = st.sampled_from(
    sorted({*CLIENT, *CONSUMER, *PRODUCER, *ALIASES, *ALIASES.values(), *OWNED_CONSUMER, *OWNED_PRODUCER, "x.y"})
)
properties = st.dictionaries(names, st.integers(0, 99).map(str), max_size=6)
specs = st.builds(
    KafkaSpec,
    bootstrap=st.just("k:1"),
    group=st.just("billing"),
    topics=st.just(("orders",)),
    start=st.sampled_from(["earliest", "latest", "error"]),
    group_protocol=st.sampled_from(["classic", "consumer"]),
    embedded=st.booleans(),
    client=properties,
    consumer=properties,
    producer=properties,
)
timeouts = st.floats(0.001, 43_200)


def wanted(*layers: dict[str, str]) -> dict[str, str]:
    """Return what is configured, each property under its one name, the last layer winning."""
    return {ALIASES.get(name, name): value for layer in layers for name, value in layer.items()}


@given(specs, timeouts, st.none() | st.just("orders-a-0"))
def test_a_consumer_has_what_is_configured_under_what_kherd_owns(
    kafka: KafkaSpec, timeout: float, instance_id: str | None
) -> None:
    found = consumer_properties(kafka, client_id="c", instance_id=instance_id, handler_timeout=timeout)
    owned = OWNED_CONSUMER | {"auto.offset.reset": kafka.start, "group.protocol": kafka.group_protocol}
    assert {name: found[name] for name in owned} == owned
    free = {
        name: value for name, value in wanted(dict(kafka.client), dict(kafka.consumer)).items() if name not in owned
    }
    assert {name: found[name] for name in free} == free
    assert found.get("group.instance.id") == instance_id
    assert not found.keys() & ALIASES.keys()


@given(specs, timeouts)
def test_the_strategy_is_cooperative_under_classic_and_never_set_under_kip_848(
    kafka: KafkaSpec, timeout: float
) -> None:
    found = consumer_properties(kafka, client_id="c", instance_id=None, handler_timeout=timeout)
    strategy = "cooperative-sticky" if kafka.group_protocol == "classic" else None
    assert found.get("partition.assignment.strategy") == strategy


@given(specs, timeouts)
def test_a_call_of_the_handler_fits_twice_into_the_poll_interval(kafka: KafkaSpec, timeout: float) -> None:
    found = consumer_properties(kafka, client_id="c", instance_id=None, handler_timeout=timeout)
    longest = int(found["max.poll.interval.ms"]) / 1000
    assert longest >= 300
    assert longest >= 2 * timeout - 0.001
    assert longest <= 86_400  # librdkafka's limit, with the longest handler_timeout there is
    assert max_poll_interval(timeout) == max(300, 2 * timeout)


@given(specs)
def test_a_producer_is_idempotent_and_has_what_is_configured(kafka: KafkaSpec) -> None:
    found = producer_properties(kafka, client_id="c")
    assert {name: found[name] for name in OWNED_PRODUCER} == OWNED_PRODUCER
    free = wanted(dict(kafka.client), dict(kafka.producer)).items() - OWNED_PRODUCER.items()
    assert all(found[name] == value for name, value in free if name not in OWNED_PRODUCER)
    assert not found.keys() & ALIASES.keys()


@given(specs)
def test_what_is_not_configured_is_kherds_default(kafka: KafkaSpec) -> None:
    configured = wanted(dict(kafka.client), dict(kafka.producer), dict(kafka.consumer)).keys()
    consumer = consumer_properties(kafka, client_id="c", instance_id=None, handler_timeout=20)
    producer = producer_properties(kafka, client_id="c")
    for defaults, found in ((CLIENT | CONSUMER, consumer), (CLIENT | PRODUCER, producer)):
        assert all(found[name] == value for name, value in defaults.items() if name not in configured)
    if "fetch.wait.max.ms" not in configured:
        assert consumer.get("fetch.wait.max.ms") == ("10" if kafka.embedded else None)


@given(specs)
def test_who_only_asks_has_the_clients_properties_alone(kafka: KafkaSpec) -> None:
    found = admin_properties(kafka, client_id="c")
    assert found.keys() == CLIENT.keys() | wanted(dict(kafka.client)).keys() | {"bootstrap.servers", "client.id"}

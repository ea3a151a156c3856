"""The harness' statsd is the original one, and what it is sent can be read back."""

from collections.abc import Callable

from statsd import StatsClient

from kherd.testing.statsd import StatsdServer
from kherd.testing.wait import until


def test_counters_add_up_and_gauges_stay(statsd: StatsdServer, unique: Callable[[str], str]) -> None:
    prefix = unique("m").replace(".", "-")
    client = StatsClient(statsd.host, statsd.port, prefix=prefix)
    client.incr("records", 3)
    client.incr("records", 4)
    client.gauge("lag", 17)
    client._sock.close()
    until(lambda: statsd.total(f"{prefix}.records") == 7, 10, "the counter to be flushed")
    assert statsd.metrics()["gauges"][f"{prefix}.lag"] == 17

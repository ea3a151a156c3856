"""librdkafka's mock cluster: real Kafka protocol on 127.0.0.1, in this process, with nothing kept on disk.

An assertion inside it ends the process (SIGABRT), and a fork would inherit its listening sockets: it belongs in a
process of its own. What it does not model is in `limits.py`.
"""

from collections.abc import Iterable
from ctypes import c_int, create_string_buffer
from typing import Final, Self

from .library import EmbeddedBrokerError, open_library

ALL_BROKERS: Final = -1
REPLICAS: Final = 3
HEARTBEAT_MS: Final = 200
"""KIP-848 members hear of a rebalance with their next heartbeat; the mock's own default is 3 s."""
SESSION_MS: Final = 2000
"""A member that died is noticed after this long, for nothing can tell the mock so."""
TOPIC_ALREADY_EXISTS: Final = 36

_PRODUCER: Final = 0
_QUIET: Final = b"3"
"""Errors only: the handle that owns the mock has no bootstrap.servers, and would say so at every start as a notice."""
_TEXT: Final = 512


class MockCluster:
    """A running cluster of brokers with ids from 1; group and timing settings are made for short waits.

    Every method raises EmbeddedBrokerError if librdkafka refuses, and after `close`.
    """

    def __init__(self, brokers: int = 1) -> None:
        self._library = library = open_library()
        self._replicas = min(REPLICAS, brokers)
        self._handle = self._new_handle()
        cluster = library.rd_kafka_mock_cluster_new(self._handle, brokers)
        if not cluster:
            library.rd_kafka_destroy(self._handle)
            raise EmbeddedBrokerError(f"librdkafka refused {brokers} mock brokers; is loopback (127.0.0.1) up?")
        self._cluster: int | None = cluster
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0)
        library.rd_kafka_mock_set_group_consumer_heartbeat_interval_ms(cluster, HEARTBEAT_MS)
        library.rd_kafka_mock_set_group_consumer_session_timeout_ms(cluster, SESSION_MS)
        # Without a controller, admin calls wait for one until they time out instead of failing at once.
        self._check("set the controller", library.rd_kafka_mock_set_controller_id(cluster, 1))

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses, for `bootstrap.servers`."""
        found: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._open())
        return found.decode()

    def create_topic(self, name: str, partitions: int) -> bool:
        """Create a topic with up to three replicas; return False if it exists, which is left as it is.

        Raises:
            EmbeddedBrokerError: refused, or no partitions: librdkafka would accept that and fail later.
        """
        if partitions < 1:
            raise EmbeddedBrokerError(f"topic {name!r} must have at least one partition, got {partitions}")
        code = self._library.rd_kafka_mock_topic_create(self._open(), name.encode(), partitions, self._replicas)
        if code == TOPIC_ALREADY_EXISTS:
            return False
        self._check(f"create topic {name!r} with {partitions} partitions", code)
        return True

    def set_down(self, broker: int = ALL_BROKERS) -> None:
        """Hang up on every client of a broker and accept none; its partitions get no other leader."""
        self._check(f"take broker {broker} down", self._library.rd_kafka_mock_broker_set_down(self._open(), broker))

    def set_up(self, broker: int = ALL_BROKERS) -> None:
        """Undo `set_down`."""
        self._check(f"bring broker {broker} up", self._library.rd_kafka_mock_broker_set_up(self._open(), broker))

    def set_delay(self, seconds: float, broker: int = ALL_BROKERS) -> None:
        """Answer every request of a broker this much later."""
        code = self._library.rd_kafka_mock_broker_set_rtt(self._open(), broker, round(seconds * 1000))
        self._check(f"delay broker {broker}", code)

    def set_leader(self, topic: str, partition: int, broker: int) -> None:
        """Make `broker` the leader of a partition."""
        code = self._library.rd_kafka_mock_partition_set_leader(self._open(), topic.encode(), partition, broker)
        self._check(f"set the leader of {topic}[{partition}]", code)

    def push_errors(self, api_key: int, codes: Iterable[int]) -> None:
        """Answer the next requests of the Kafka API `api_key` with these error codes, one each, whoever asks.

        Codes that no request used up stay queued: `clear_errors` between tests.
        """
        wanted = list(codes)
        array = (c_int * len(wanted))(*wanted)
        self._library.rd_kafka_mock_push_request_errors_array(self._open(), api_key, len(wanted), array)

    def clear_errors(self, api_key: int) -> None:
        """Forget the errors queued for `api_key`."""
        self._library.rd_kafka_mock_clear_request_errors(self._open(), api_key)

    def close(self) -> None:
        """End the cluster; may be called again."""
        if self._cluster is not None:
            self._library.rd_kafka_mock_cluster_destroy(self._cluster)
            self._library.rd_kafka_destroy(self._handle)
            self._cluster = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _new_handle(self) -> int:
        library, reason = self._library, create_string_buffer(_TEXT)
        conf = library.rd_kafka_conf_new()
        library.rd_kafka_conf_set(conf, b"log_level", _QUIET, reason, _TEXT)
        handle: int | None = library.rd_kafka_new(_PRODUCER, conf, reason, _TEXT)
        if not handle:
            library.rd_kafka_conf_destroy(conf)
            raise EmbeddedBrokerError(f"librdkafka could not start: {reason.value.decode(errors='replace')}")
        return handle

    def _open(self) -> int:
        if self._cluster is None:
            raise EmbeddedBrokerError("the mock cluster is closed")
        return self._cluster

    def _check(self, call: str, code: int) -> None:
        if code != 0:
            text: bytes = self._library.rd_kafka_err2str(code)
            raise EmbeddedBrokerError(f"the embedded broker could not {call}: {text.decode(errors='replace')}")

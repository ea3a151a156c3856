"""kafka-python's configuration from ours, and the log lines of both clients as events."""

import importlib.metadata
import logging
from typing import Any, Final

from ....worker import clock, events, log
from ....worker.importing import resolve
from ....worker.properties import admin_properties
from ....worker.spec import KafkaSpec
from . import tls
from .mapping import Security, UnmappableError, bootstrap_servers, security
from .oauth import TokenProvider

QUIET_FOR: Final = 60.0
"""Seconds for which a client's log line is not repeated: during an outage both clients repeat theirs endlessly."""
MAX_RESPONSE: Final = 100_000_000
"""Bytes; a group's description names every assigned partition, kafka-python's default of 1 MB is one of 20,000."""


def messenger_config(kafka: KafkaSpec, client_id: str, pythonpath: tuple[str, ...]) -> dict[str, Any]:
    """Return the configuration of kafka-python's connection manager.

    Raises:
        UnmappableError: a property has no counterpart, or a file it names cannot be used.
        HandlerError: `kafka.oauth` cannot be imported.
    """
    adopt_log("kafka", "kafka-python")
    secure = security(kafka.client, kafka.oauth)
    config = {
        "bootstrap_servers": bootstrap_servers(kafka.bootstrap),
        "client_id": client_id,
        "client_software_name": "kherd",
        "client_software_version": importlib.metadata.version("kherd"),
        "security_protocol": secure.protocol,
        "receive_message_max_bytes": MAX_RESPONSE,
        # An errand has two seconds: no wait between its tries may eat them.
        "reconnect_backoff_ms": 20,
        "reconnect_backoff_max_ms": 1000,
        "socket_connection_setup_timeout_ms": 2000,
        "socket_connection_setup_timeout_max_ms": 5000,
        # A dozen workers may die at once, and a connection with too many unanswered requests refuses more.
        "max_in_flight_requests_per_connection": 1000,
    }
    return config | _sasl(secure, pythonpath) | _ssl(secure)


def _ssl(secure: Security) -> dict[str, Any]:
    return {"ssl_context": tls.context(secure.tls)} if secure.tls else {}


def _sasl(secure: Security, pythonpath: tuple[str, ...]) -> dict[str, Any]:
    if secure.mechanism is None:
        return {}
    if secure.oauth is None:
        names = {"sasl_plain_username": secure.username, "sasl_plain_password": secure.password}
        return {"sasl_mechanism": secure.mechanism, **names}
    ask = resolve(secure.oauth, pythonpath)
    if not callable(ask):
        raise UnmappableError(f"kafka.oauth = {secure.oauth!r} is not callable")
    return {
        "sasl_mechanism": secure.mechanism,
        "sasl_oauth_token_provider": TokenProvider(ask, secure.oauth_config),
    }


def cluster_properties(kafka: KafkaSpec, client_id: str, pythonpath: tuple[str, ...]) -> dict[str, Any]:
    """Return the properties of the liaison's own librdkafka client.

    Raises:
        HandlerError: `kafka.oauth` cannot be imported.
    """
    properties = admin_properties(kafka, client_id=client_id)
    if kafka.oauth is not None:
        properties["oauth_cb"] = resolve(kafka.oauth, pythonpath)
    return properties | {"logger": adopt_log("kherd.librdkafka", "librdkafka")}


class ClientLog(logging.Handler):
    """A client's log lines from WARNING on as events, each kind of line once per QUIET_FOR.

    A kind is a place in kafka-python's code, or one of librdkafka's own names (its lines all come from one place).
    """

    def __init__(self, facility: str) -> None:
        super().__init__(logging.WARNING)
        self._facility = facility
        self._said: dict[object, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Log `record` as an event, unless its like was logged a short while ago."""
        now = clock.monotonic()
        kind = _kind(record)
        if now - self._said.get(kind, -QUIET_FOR) >= QUIET_FOR:
            self._said[kind] = now
            log.emit(events.CLIENT_LOG, facility=self._facility, text=record.getMessage())


def _kind(record: logging.LogRecord) -> object:
    if record.name.startswith("kafka") or not isinstance(record.args, tuple):
        return (record.pathname, record.lineno)
    return record.args[:1]


def adopt_log(name: str, facility: str) -> logging.Logger:
    """Make the lines of logger `name` events, and nothing else of them."""
    logger = logging.getLogger(name)
    logger.handlers[:] = [ClientLog(facility)]
    logger.propagate = False
    return logger

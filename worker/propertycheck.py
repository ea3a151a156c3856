"""What librdkafka itself says of the configured properties. For a child process of its own: this makes clients.

The clients have no brokers, so nothing is sent anywhere.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from .properties import ALIASES, consumer_properties, producer_properties
from .spec import WorkerSpec

Properties = dict[str, Any]
CHECKER: Final = "kherd-check"
MOST: Final = 50
"""Problems of one client: librdkafka names one at a time."""
_NAME: Final = re.compile(r"property:? \"?([a-z0-9._]+)|`([a-z0-9._]+)`|([a-z]+\.[a-z0-9.]+) failed")
_WRONG_CLIENT: Final = re.compile(r"property ([a-z0-9._]+) is a (consumer|producer) property")
_DEPRECATED: Final = re.compile(r"property ([a-z0-9._]+) is deprecated")


def check(spec: WorkerSpec) -> tuple[list[str], list[str]]:
    """Return the problems and the warnings, each `path: what librdkafka says`."""
    kafka = spec.kafka
    consumer = consumer_properties(kafka, client_id=CHECKER, instance_id=None, handler_timeout=spec.handler_timeout)
    # poll delivers the log lines.
    consuming = _Check("consumer", lambda properties, logger: Consumer(properties, logger=logger).poll(0), spec)
    producing = _Check("producer", lambda properties, logger: Producer(properties, logger=logger).poll(0), spec)
    consuming.run(consumer)
    producing.run(producer_properties(kafka, client_id=CHECKER))
    problems = dict.fromkeys(consuming.problems + producing.problems)
    return list(problems), list(dict.fromkeys(consuming.warnings + producing.warnings))


class _Check(logging.Handler):
    """Makes one client again and again, without what it has refused, until it has nothing more to say."""

    def __init__(self, section: str, make: Callable[[Properties, logging.Logger], object], spec: WorkerSpec) -> None:
        super().__init__(logging.WARNING)
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self._section, self._make, self._spec = section, make, spec

    def run(self, properties: Properties) -> None:
        """Fill `problems` and `warnings`."""
        logger = logging.Logger(CHECKER)  # noqa: LOG001 - one of its own, that no configuration of logging reaches
        logger.addHandler(self)
        left = _without_brokers(properties)
        for _ in range(MOST):
            try:
                self._make(left, logger)
            except KafkaException as error:
                name = self._refused(_text(error), left)
                if name is None:
                    return
                del left[name]
            else:
                return

    def _refused(self, text: str, left: Mapping[str, Any]) -> str | None:
        """Note what librdkafka said, and return the configured property that it said it of, if any."""
        found = _NAME.search(text)
        named = next(filter(None, found.groups()), "") if found else ""
        name = next((one for one in _names(named) if one in left), None)
        self.problems.append(f"{self._path(named)}: librdkafka says: {text}")
        return name

    def emit(self, record: logging.LogRecord) -> None:
        """Take librdkafka's warnings about what is configured in this client's own section."""
        text = record.getMessage()
        mine = self._own()
        if (found := _WRONG_CLIENT.search(text)) and any(name in mine for name in _names(found[1])):
            self.warnings.append(f"{self._path(found[1])}: is a {found[2]}'s property, without effect here")
        elif (found := _DEPRECATED.search(text)) and any(name in self._all() for name in _names(found[1])):
            self.warnings.append(f"{self._path(found[1])}: is deprecated in librdkafka")

    def _own(self) -> Mapping[str, str]:
        kafka = self._spec.kafka
        return kafka.consumer if self._section == "consumer" else kafka.producer

    def _all(self) -> Mapping[str, str]:
        return {**self._spec.kafka.client, **self._own()}

    def _path(self, named: str) -> str:
        """Return where the property stands in the file; the section if it cannot be said."""
        for section, properties in ((self._section, self._own()), ("client", self._spec.kafka.client)):
            for name in _names(named):
                if name in properties:
                    return f"kafka.{section}.{name}"
        return f"kafka.{self._section}"


def _without_brokers(properties: Mapping[str, Any]) -> Properties:
    left = {name: value for name, value in properties.items() if name != "bootstrap.servers"}
    if str(left.get("sasl.mechanism", "")).upper() == "OAUTHBEARER":
        # Constructing such a client asks for a token, and waits for it.
        left = {name: value for name, value in left.items() if name not in {"sasl.mechanism", "security.protocol"}}
    return left


def _names(name: str) -> list[str]:
    """Return every name of the property `name`."""
    canonical = ALIASES.get(name, name)
    return [name, canonical, *(alias for alias, one in ALIASES.items() if one == canonical)]


def _text(error: KafkaException) -> str:
    reason = error.args[0]
    return " ".join((reason.str() if isinstance(reason, KafkaError) else str(error)).split())

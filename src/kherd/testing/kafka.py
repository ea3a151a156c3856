"""A real Apache Kafka for the tests: one or three KRaft brokers on loopback, to be stopped, killed, frozen, cut off."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Self

from . import layout
from .broker import Broker, Java
from .parts import MissingPartError
from .process import Process
from .proxy import Proxy
from .scratch import Scratch
from .security import ADMIN, HERD, Security, herd_rules
from .topics import ANSWER, Cluster, brokers_answering, coordinated, in_sync
from .wait import until

START: Final = 120.0
"""Seconds for a start on a busy machine; 5 (one broker) to 15 (three) on an idle one with two cores."""


class KafkaError(Exception):
    """A cluster did not start, or did not come back; carries the end of the broker's log."""


class KafkaCluster(Cluster):
    """`brokers` brokers, numbered from 1; a context manager.

    `secured`: clients need SASL_SSL with SCRAM-SHA-512 and ACLs (see `security`); brokers talk over mutual TLS.
    `proxied`: clients reach broker N through `proxies[N]`; the tests' own `admin()` goes past them.
    `settings` are server properties for every broker. Raises MissingPartError if `secured` and there is no openssl.
    """

    def __init__(
        self,
        brokers: int = 1,
        *,
        secured: bool = False,
        proxied: bool = False,
        java: Java | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._scratch = Scratch("kafka")
        folder = self._scratch.path
        try:
            self.security = Security(folder) if secured else None
        except MissingPartError:
            self._scratch.remove()
            raise
        self.brokers = {number: Broker(number, folder, java or Java()) for number in range(1, brokers + 1)}
        self.proxies: dict[int, Proxy] = {}
        self._proxied = proxied
        self._settings = dict(settings or {})
        ports = [broker.ports for broker in self.brokers.values()]
        clients = layout.addresses(own.client for own in ports)
        self._direct = layout.addresses(own.direct for own in ports) if proxied else clients
        super().__init__(layout.addresses(own.entrance for own in ports) if proxied else clients, brokers)

    def open(self) -> Self:
        """Format, start, and wait until every broker and the group coordinator answers.

        Raises:
            MissingPartError: there is no Java, or the jars cannot be had.
            KafkaError: a broker ended, or no answer came in time.
        """
        try:
            self._format()
            for broker in self.brokers.values():
                if self._proxied:
                    own = broker.ports
                    self.proxies[broker.number] = Proxy(own.entrance.number, own.client.number)
                broker.start()
            self._wait_whole()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Kill every broker and remove everything; may be called twice, and `heal` then does nothing."""
        for broker in self.brokers.values():
            broker.kill()
            broker.ports.release()
        for proxy in self.proxies.values():
            proxy.close()
        self.brokers.clear()
        self.proxies.clear()
        self._scratch.remove()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def client_properties(self, user: str | None = None) -> dict[str, str]:
        """Return librdkafka properties for a client of `user`; None: the tests themselves, who may do everything."""
        properties = {"bootstrap.servers": self.bootstrap}
        if self.security:
            properties |= self.security.client_properties(user or ADMIN)
        elif user is not None:
            return super().client_properties(user)
        return properties

    @property
    def own_properties(self) -> dict[str, str]:
        """Properties for clients of the tests themselves: they may do everything, and go past the proxies."""
        return {**super().own_properties, "bootstrap.servers": self._direct}

    def allow_herd(self, topics: Sequence[str], group: str, dead_letters: Sequence[str] = (), user: str = HERD) -> None:
        """Let `user` be a herd that reads `topics` as `group` and makes and fills `dead_letters`; nothing else."""
        admin = self.admin()
        for done in admin.create_acls(herd_rules(user, topics, group, dead_letters)).values():
            done.result(ANSWER)

    def stop(self, number: int) -> None:
        """Shut a broker down in order."""
        self.brokers[number].stop()

    def kill(self, number: int) -> None:
        """End a broker as a power cut does."""
        self.brokers[number].kill()

    def start(self, number: int) -> None:
        """Start a broker that is down, and wait until every partition has all its copies again."""
        self.brokers[number].start()
        self._wait_whole()

    def pause(self, number: int) -> None:
        """Freeze a broker."""
        self.brokers[number].pause()

    def resume(self, number: int) -> None:
        """Let a frozen broker go on."""
        self.brokers[number].resume()

    def heal(self) -> None:
        """Undo whatever a test did to brokers and proxies."""
        for proxy in self.proxies.values():
            proxy.heal()
        hurt = [broker for broker in self.brokers.values() if broker.paused or not broker.alive]
        for broker in hurt:
            broker.resume()
            broker.start()
        if hurt:
            self._wait_whole()

    def logs(self, number: int, lines: int = 60) -> str:
        """Return the last lines of a broker's log."""
        return self.brokers[number].logs(lines)

    def _format(self) -> None:
        numbers = {number: broker.ports for number, broker in self.brokers.items()}
        cluster_id = layout.new_cluster_id()
        arguments = self.security.format_arguments() if self.security else ()
        tools: list[tuple[Broker, Process]] = []
        for broker in self.brokers.values():
            settings = {
                **layout.quorum(numbers),
                **layout.listeners(broker.ports, proxied=self._proxied, secured=self.security is not None),
                **(self.security.broker_settings() if self.security else {}),
                **self._settings,
            }
            broker.configure(settings)
            tools.append((broker, broker.format(cluster_id, arguments)))
        for broker, tool in tools:
            tool.ended(START)
            if tool.kill() != 0:
                raise KafkaError(f"broker {broker.number} could not be formatted:\n{broker.logs()}")

    def _wait_whole(self) -> None:
        """Wait until those who should answer do; with all of them, until every copy is in sync."""
        expected = [broker for broker in self.brokers.values() if broker.wanted and not broker.paused]
        self._until(lambda: all(broker.listening for broker in expected), "the brokers to listen")
        count = len(expected)
        # A client that once hears of no broker at all, as a fenced one answers, may ask nobody ever again
        # (librdkafka #5301): each look has one of its own.
        self._until(lambda: brokers_answering(self.admin()) >= count, f"{count} brokers to answer")
        self._until(lambda: coordinated(self.own_properties), "the group coordinator")
        if count == self.size:
            self._until(lambda: in_sync(self.admin()), "every copy of every partition to be in sync")

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        try:
            until(lambda: self._check_alive() and condition(), START, what, glance=0.1)
        except TimeoutError as error:
            logs = "\n".join(f"--- broker {number}\n{broker.logs(20)}" for number, broker in self.brokers.items())
            raise KafkaError(f"{error}\n{logs}") from error

    def _check_alive(self) -> bool:
        for broker in self.brokers.values():
            if broker.wanted and not broker.alive:
                raise KafkaError(f"broker {broker.number} ended:\n{broker.logs()}")
        return True

"""The secured variant: clients over SASL_SSL with SCRAM-SHA-512 and ACLs, brokers among themselves over mutual TLS.

Users are made when the storage is formatted: `admin` may do everything; `herd` and `outsider` may do nothing until
`herd_rules` are installed for them. Keys, certificates and passwords are made for one cluster and gone with it.
"""

import secrets
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it has no __all__
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from .parts import program

ADMIN: Final = "admin"
HERD: Final = "herd"
OUTSIDER: Final = "outsider"
BROKER: Final = "kherd-broker"
MECHANISM: Final = "SCRAM-SHA-512"
KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30")
EMPTY_CONFIG: Final = "[req]\ndistinguished_name=name\n[name]\n"
"""openssl wants one, and the system's would add extensions of its own."""


class Security:
    """Certificates in `folder`, and a password for each user."""

    def __init__(self, folder: Path) -> None:
        self._passwords = {user: secrets.token_hex(12) for user in (ADMIN, HERD, OUTSIDER)}
        self.ca = folder / "ca.pem"
        self._trust = folder / "trust.pem"
        self._identity = folder / "broker.pem"
        self._make(folder)

    def client_properties(self, user: str) -> dict[str, str]:
        """Return librdkafka's security properties for `user`."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": MECHANISM,
            "sasl.username": user,
            "sasl.password": self._passwords[user],
            "ssl.ca.location": str(self.ca),
        }

    def format_arguments(self) -> list[str]:
        """Return the arguments of the format tool that make the users."""
        users = [f"{MECHANISM}=[name={user},password={word}]" for user, word in self._passwords.items()]
        return [argument for user in users for argument in ("--add-scram", user)]

    def broker_settings(self) -> dict[str, str]:
        """Return the server properties."""
        settings = {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{ADMIN};User:CN={BROKER}",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._identity),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._trust),
            "sasl.enabled.mechanisms": MECHANISM,
        }
        for inside in ("broker", "controller"):
            settings[f"listener.name.{inside}.ssl.client.auth"] = "required"
        for outside in ("client", "direct"):
            settings[f"listener.name.{outside}.{MECHANISM.lower()}.sasl.jaas.config"] = (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            )
        return settings

    def _make(self, folder: Path) -> None:
        config = folder / "openssl.cnf"
        config.write_text(EMPTY_CONFIG)
        authority, key = folder / "ca.key", folder / "broker.key"
        certificate = folder / "broker.crt"
        _openssl(config, "kherd testing CA", authority, self.ca, "basicConstraints=critical,CA:TRUE")
        alternatives = "subjectAltName=IP:127.0.0.1,DNS:localhost"
        signed_by = ("-CA", self.ca, "-CAkey", authority)
        _openssl(config, BROKER, key, certificate, "basicConstraints=critical,CA:FALSE", alternatives, more=signed_by)
        self._identity.write_text(key.read_text() + certificate.read_text())
        self._trust.write_text(self.ca.read_text())


def herd_rules(user: str, topics: Iterable[str], group: str, dead_letters: Iterable[str] = ()) -> list[AclBinding]:
    """Return all that a herd may and must: read its topics, be a member of its group, make and fill dead-letter topics.

    Being allowed to READ a group is what joining, committing and the liaison's death notices take; `group`.dlq is
    looked at for the count of dead letters.
    """
    rules = [(ResourceType.TOPIC, topic, AclOperation.READ) for topic in topics]
    rules += [
        (ResourceType.GROUP, group, AclOperation.READ),
        (ResourceType.GROUP, f"{group}.dlq", AclOperation.DESCRIBE),
    ]
    for topic in dead_letters:
        rules += [(ResourceType.TOPIC, topic, AclOperation.WRITE), (ResourceType.TOPIC, topic, AclOperation.CREATE)]
    return [_allow(user, *rule) for rule in rules]


def _allow(user: str, kind: ResourceType, name: str, operation: AclOperation) -> AclBinding:
    exact = ResourcePatternType.LITERAL
    return AclBinding(kind, name, exact, f"User:{user}", "*", operation, AclPermissionType.ALLOW)


def _openssl(
    config: Path, name: str, key: Path, out: Path, *extensions: str, more: tuple[str | Path, ...] = ()
) -> None:
    openssl = program("openssl", "openssl for a secured Kafka", "install openssl 3 or later")
    wanted = [argument for extension in extensions for argument in ("-addext", extension)]
    files = ("-config", config, "-subj", f"/CN={name}", "-keyout", key, "-out", out)
    subprocess.run([openssl, "req", "-x509", *KEY, *files, *wanted, *more], check=True, capture_output=True)

"""librdkafka's security properties as kafka-python understands them. Pure: files are named here, opened in `tls`.

Only what a connection needs to be made and trusted is mapped; every other property (timeouts, queues, …) has no
bearing on a death notice. A security property without a counterpart refuses the whole, by name: a notice must never
be sent with less protection than the workers have.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PROTOCOLS: Final = frozenset({"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"})
SCRAM: Final = frozenset({"SCRAM-SHA-256", "SCRAM-SHA-512"})
HARMLESS: Final = frozenset(
    {
        "ssl.ca.certificate.stores",  # Windows only
        "sasl.oauthbearer.config",  # handed to the callable of kafka.oauth
        "sasl.kerberos.service.name",  # the kerberos ones take part only with GSSAPI, which is refused
        "sasl.kerberos.principal",
        "sasl.kerberos.kinit.cmd",
        "sasl.kerberos.keytab",
        "sasl.kerberos.min.time.before.relogin",
    }
)
SASL: Final = frozenset({"security.protocol", "sasl.mechanism", "sasl.mechanisms", "sasl.username", "sasl.password"})
TLS: Final = frozenset(
    {
        "enable.ssl.certificate.verification",
        "ssl.endpoint.identification.algorithm",
        "ssl.ca.location",
        "ssl.ca.pem",
        "ssl.certificate.location",
        "ssl.certificate.pem",
        "ssl.key.location",
        "ssl.key.pem",
        "ssl.key.password",
        "ssl.cipher.suites",
        "ssl.crl.location",
    }
)
SECURITY_PREFIXES: Final = ("sasl.", "ssl.", "ssl_", "security.", "enable.ssl.", "enable.sasl.")


class UnmappableError(Exception):
    """kafka-python has no counterpart for a property; the message names it."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What to trust and what to show. A location is a path, a pem the text itself; of a pair the pem counts."""

    verify: bool = True
    check_hostname: bool = True
    ca_location: str | None = None
    ca_pem: str | None = None
    certificate_location: str | None = None
    certificate_pem: str | None = None
    key_location: str | None = None
    key_pem: str | None = None
    key_password: str | None = None
    ciphers: str | None = None
    crl_location: str | None = None


@dataclass(frozen=True, slots=True)
class Security:
    """How to connect. `mechanism` is None without SASL; for OAUTHBEARER `oauth` is "module:callable"."""

    protocol: str = "PLAINTEXT"
    mechanism: str | None = None
    username: str | None = None
    password: str | None = None
    oauth: str | None = None
    oauth_config: str | None = None
    tls: Tls | None = None


def bootstrap_servers(bootstrap: str) -> list[str]:
    """Return host:port of every bootstrap server, without librdkafka's optional `protocol://`."""
    return [server.rpartition("://")[2].strip() for server in bootstrap.split(",") if server.strip()]


def security(properties: Mapping[str, str], oauth: str | None) -> Security:
    """Return what librdkafka's `properties` and `kafka.oauth` mean for a connection.

    Raises:
        UnmappableError: a property has no counterpart in kafka-python.
    """
    protocol = properties.get("security.protocol", "PLAINTEXT").upper()
    if protocol not in PROTOCOLS:
        raise UnmappableError(f"security.protocol = {protocol!r} is unknown")
    if protocol == "PLAINTEXT":
        return Security()
    _refuse_unknown(properties)
    tls = _tls(properties) if protocol.endswith("SSL") else None
    if not protocol.startswith("SASL"):
        return Security(protocol=protocol, tls=tls)
    return _sasl(properties, protocol, tls, oauth)


def _refuse_unknown(properties: Mapping[str, str]) -> None:
    known = SASL | TLS | HARMLESS
    for name, value in properties.items():
        if name in known or not name.startswith(SECURITY_PREFIXES) or _is_default(name, value):
            continue
        raise UnmappableError(f"{name} has no counterpart in kafka-python")


def _is_default(name: str, value: str) -> bool:
    defaults = {"sasl.oauthbearer.method": "default", "enable.sasl.oauthbearer.unsecure.jwt": "false"}
    return defaults.get(name) == value.lower()


def _sasl(properties: Mapping[str, str], protocol: str, tls: Tls | None, oauth: str | None) -> Security:
    mechanism = properties.get("sasl.mechanisms") or properties.get("sasl.mechanism") or "GSSAPI"
    if mechanism == "OAUTHBEARER":
        if not oauth:
            raise UnmappableError("sasl.mechanism = OAUTHBEARER needs kafka.oauth here")
        config = properties.get("sasl.oauthbearer.config")
        return Security(protocol, mechanism, oauth=oauth, oauth_config=config, tls=tls)
    if mechanism != "PLAIN" and mechanism not in SCRAM:
        raise UnmappableError(f"sasl.mechanism = {mechanism} is not supported for death notices")
    username, password = properties.get("sasl.username"), properties.get("sasl.password")
    if username is None or password is None:
        raise UnmappableError(f"sasl.username and sasl.password are needed for {mechanism}")
    if mechanism in SCRAM and set(username) & set(",="):
        # RFC 5802 escapes these two as =2C and =3D; kafka-python sends them as they are.
        raise UnmappableError(
            "sasl.username holds a comma or an equals sign, which kafka-python does not escape for SCRAM"
        )
    return Security(protocol, mechanism, username, password, tls=tls)


def _tls(properties: Mapping[str, str]) -> Tls:
    algorithm = properties.get("ssl.endpoint.identification.algorithm", "https").lower()
    verify = properties.get("enable.ssl.certificate.verification", "true").lower() not in {"false", "f", "0", "no"}
    ca_location = properties.get("ssl.ca.location")
    return Tls(
        verify=verify,
        check_hostname=verify and algorithm == "https",
        ca_location=None if ca_location == "probe" else ca_location,
        ca_pem=properties.get("ssl.ca.pem"),
        certificate_location=properties.get("ssl.certificate.location"),
        certificate_pem=properties.get("ssl.certificate.pem"),
        key_location=properties.get("ssl.key.location"),
        key_pem=properties.get("ssl.key.pem"),
        key_password=properties.get("ssl.key.password"),
        ciphers=properties.get("ssl.cipher.suites"),
        crl_location=properties.get("ssl.crl.location"),
    )

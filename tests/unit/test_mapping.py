import pytest

from kherd.supervisor.children.liaison.mapping import Security, Tls, UnmappableError, bootstrap_servers, security


def test_nothing_configured_is_plaintext() -> None:
    assert security({}, None) == Security("PLAINTEXT")


def test_scram_over_tls() -> None:
    properties = {
        "security.protocol": "sasl_ssl",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "herd",
        "sasl.password": "secret",
        "ssl.ca.location": "/etc/ca.pem",
    }
    expected = Security("SASL_SSL", "SCRAM-SHA-512", "herd", "secret", tls=Tls(ca_location="/etc/ca.pem"))
    assert security(properties, None) == expected


def test_client_certificate_with_a_key_that_has_a_password() -> None:
    properties = {
        "security.protocol": "SSL",
        "ssl.certificate.pem": "CERT",
        "ssl.key.pem": "KEY",
        "ssl.key.password": "k",
        "ssl.ca.pem": "CA",
        "ssl.endpoint.identification.algorithm": "none",
    }
    tls = Tls(check_hostname=False, ca_pem="CA", certificate_pem="CERT", key_pem="KEY", key_password="k")
    assert security(properties, None) == Security("SSL", tls=tls)


def test_oauthbearer_takes_the_callable_of_kafka_oauth() -> None:
    properties = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "OAUTHBEARER",
        "sasl.oauthbearer.config": "scope=x",
        "sasl.oauthbearer.method": "default",
    }
    expected = Security("SASL_SSL", "OAUTHBEARER", oauth="tokens:fetch", oauth_config="scope=x", tls=Tls())
    assert security(properties, "tokens:fetch") == expected


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"security.protocol": "SASL_SSL"}, "GSSAPI"),
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER"}, "kafka.oauth"),
        ({"security.protocol": "SASL_SSL", "sasl.oauthbearer.method": "oidc"}, "sasl.oauthbearer.method"),
        ({"security.protocol": "SSL", "ssl.keystore.location": "/k.p12"}, "ssl.keystore.location"),
        ({"security.protocol": "SSL", "ssl.providers": "legacy"}, "ssl.providers"),
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}, "sasl.username"),
        ({"security.protocol": "TLS"}, "security.protocol"),
        (
            {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-256",
                "sasl.username": "a,b",
                "sasl.password": "x",
            },
            "sasl.username",
        ),
    ],
)
def test_what_has_no_counterpart_is_refused_by_name(properties: dict[str, str], named: str) -> None:
    with pytest.raises(UnmappableError, match=named):
        security(properties, None)


def test_a_password_is_never_part_of_a_refusal() -> None:
    properties = {"security.protocol": "SASL_SSL", "sasl.mechanism": "GSSAPI", "sasl.password": "hunter2"}
    with pytest.raises(UnmappableError) as refusal:
        security(properties, None)
    assert "hunter2" not in str(refusal.value)


def test_bootstrap_servers_lose_their_protocol() -> None:
    assert bootstrap_servers("SASL_SSL://a:9093, b:9093,[::1]:9092,") == ["a:9093", "b:9093", "[::1]:9092"]

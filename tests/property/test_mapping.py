from hypothesis import given
from hypothesis import strategies as st

from kherd.supervisor.children.liaison.mapping import HARMLESS, SASL, TLS, Security, UnmappableError, security

texts = st.text(min_size=1, max_size=12)
security_names = st.sampled_from(sorted(SASL | TLS | HARMLESS)) | st.sampled_from(
    ["ssl.keystore.location", "ssl.engine.id", "sasl.oauthbearer.method", "ssl.curves.list", "ssl_ca"]
)
other_names = st.sampled_from(["socket.timeout.ms", "client.rack", "metadata.max.age.ms", "fetch.min.bytes", "debug"])
protocols = st.sampled_from(["SSL", "sasl_ssl", "SASL_PLAINTEXT", "plaintext"])
mechanisms = st.sampled_from(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER", "MADE-UP"])


def attempt(properties: dict[str, str], oauth: str | None) -> Security | str:
    try:
        return security(properties, oauth)
    except UnmappableError as error:
        return str(error)


maps = st.dictionaries(security_names | other_names, texts, max_size=6)


@given(maps, protocols, mechanisms, st.none() | st.just("tokens:fetch"))
def test_the_outcome_is_a_connection_as_protected_as_asked_or_a_refusal_that_names_a_property(
    properties: dict[str, str], protocol: str, mechanism: str, oauth: str | None
) -> None:
    properties |= {"security.protocol": protocol, "sasl.mechanism": mechanism}
    properties.pop("sasl.mechanisms", None)
    found = attempt(properties, oauth)
    if isinstance(found, str):
        assert any(word in found for word in ("sasl.", "ssl", "security."))
        return
    assert found.protocol == protocol.upper()
    assert (found.tls is not None) == found.protocol.endswith("SSL")
    assert found.mechanism == (mechanism if found.protocol.startswith("SASL") else None)


@given(st.dictionaries(other_names, texts))
def test_properties_that_are_not_about_security_change_nothing(properties: dict[str, str]) -> None:
    assert security(properties, None) == Security()
    assert security(properties | {"security.protocol": "ssl"}, None) == security({"security.protocol": "ssl"}, None)


@given(texts, texts)
def test_credentials_arrive_as_they_are_or_not_at_all(username: str, password: str) -> None:
    properties = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "SCRAM-SHA-512",
        "sasl.username": username,
        "sasl.password": password,
    }
    found = attempt(properties, None)
    if isinstance(found, str):
        assert set(username) & set(",=")
    else:
        assert (found.username, found.password) == (username, password)


@given(st.sampled_from(["false", "False", "0"]), st.sampled_from(["none", "https"]))
def test_a_certificate_that_is_not_verified_has_no_hostname_to_check_either(off: str, algorithm: str) -> None:
    properties = {
        "security.protocol": "SSL",
        "enable.ssl.certificate.verification": off,
        "ssl.endpoint.identification.algorithm": algorithm,
    }
    tls = security(properties, None).tls
    assert tls is not None
    assert not tls.verify
    assert not tls.check_hostname

import io
import json
import logging
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kherd.supervisor.children.liaison import tls
from kherd.supervisor.children.liaison.client import adopt_log, messenger_config
from kherd.supervisor.children.liaison.mapping import Tls, UnmappableError
from kherd.supervisor.children.liaison.oauth import TokenProvider
from kherd.worker import clock, log
from kherd.worker.spec import KafkaSpec, LogSpec


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pki")
    key, crt = folder / "key.pem", folder / "crt.pem"
    subject = ["-subj", "/CN=herd", "-days", "2", "-passout", "pass:opensesame"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout", str(key), "-out", str(crt), *subject]
    subprocess.run(command, check=True, capture_output=True)
    return crt, key


def test_certificates_and_keys_come_from_files_or_from_the_text_itself(certificate: tuple[Path, Path]) -> None:
    crt, key = certificate
    files = Tls(ca_location=str(crt), certificate_location=str(crt), key_location=str(key), key_password="opensesame")
    texts = Tls(
        ca_pem=crt.read_text(),
        certificate_pem=crt.read_text(),
        key_pem=key.read_text(),
        key_password="opensesame",
        check_hostname=False,
    )
    for settings in (files, texts):
        context = tls.context(settings)
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname is settings.check_hostname
        assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize("password", [None, "wrong"])
def test_a_key_that_cannot_be_opened_is_a_refusal_and_never_a_prompt(
    certificate: tuple[Path, Path], password: str | None
) -> None:
    crt, key = certificate
    with pytest.raises(UnmappableError):
        tls.context(Tls(certificate_location=str(crt), key_location=str(key), key_password=password))


def test_a_missing_file_is_a_refusal() -> None:
    with pytest.raises(UnmappableError, match="ssl"):
        tls.context(Tls(ca_location="/nonexistent/ca.pem"))


def test_verification_can_be_switched_off() -> None:
    context = tls.context(Tls(verify=False, check_hostname=False))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_what_is_configured_reaches_kafka_python() -> None:
    client = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": "u",
        "sasl.password": "p",
    }
    config = messenger_config(KafkaSpec("SASL_PLAINTEXT://a:1,b:2", "g", ("t",), client=client), "me", ())
    assert config["bootstrap_servers"] == ["a:1", "b:2"]
    assert config["security_protocol"] == "SASL_PLAINTEXT"
    assert (config["sasl_mechanism"], config["sasl_plain_username"], config["sasl_plain_password"]) == (
        "SCRAM-SHA-256",
        "u",
        "p",
    )


def test_a_token_is_asked_for_again_only_when_most_of_its_life_is_over() -> None:
    asked: list[str | None] = []

    def ask(config: str | None) -> tuple[Any, ...]:
        asked.append(config)
        return (f"token-{len(asked)}", clock.wall() + lifetime, "herd", {"tenant": "x"})

    lifetime = 3600.0
    provider = TokenProvider(ask, "scope=a")
    assert [provider.token(), provider.token()] == ["token-1", "token-1"]
    assert provider.extensions() == {"tenant": "x"}
    assert asked == ["scope=a"]
    lifetime = 0.0
    short = TokenProvider(ask, "")
    assert [short.token(), short.token()] == ["token-2", "token-3"]


def test_a_clients_log_line_becomes_an_event_once_in_a_while() -> None:
    stream = io.StringIO()
    log.configure(LogSpec(), log.Identity("app", "liaison"), stream=stream)
    logger = adopt_log("kafka.test", "kafka-python")
    for port in (1, 2, 3):
        logger.warning("connection to %s lost", port)
    logger.info("chatter")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["text"]) for line in lines] == [("client_log", "connection to 1 lost")]
    logging.getLogger("kafka.test").handlers.clear()

"""One POST: what is sent, what an answer means, and that no error tells the address."""

import http.client
import socket
import ssl
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kherd.supervisor.children.exporter import post as module
from kherd.supervisor.children.exporter.attempt import SCRIPT
from kherd.supervisor.children.exporter.post import (
    DELIVERED,
    PERMANENT,
    TEMPORARY,
    headers,
    post,
    reason,
    target,
    verdict,
)
from kherd.testing.security import Security

from ..fakes.receiver import receiver

SECRET = "T0P/s3cr3t"


def test_a_document_is_posted_as_json() -> None:
    with receiver() as server:
        assert post(server.url("/a/b?c=d&e=%20"), b'{"alert": "lag"}') == 200
    [(path, sent, document)] = server.got
    assert (path, document) == ("/a/b?c=d&e=%20", {"alert": "lag"})
    assert sent["Content-Type"] == "application/json"
    assert sent["Content-Length"] == "16"
    assert sent["Host"] == f"127.0.0.1:{server.port}"


def test_a_redirection_is_not_followed() -> None:
    with receiver(302) as server:
        assert post(server.url(), b"{}") == 302
    assert len(server.got) == 1


def test_a_user_in_the_address_is_sent_as_basic_authentication_not_in_the_path() -> None:
    parts = urlsplit("http://joe:p%40ss@example.org:8080")
    assert headers(parts)["Authorization"] == "Basic am9lOnBAc3M="
    assert target(parts) == "/"
    assert "Authorization" not in headers(urlsplit("http://example.org"))


def test_what_no_request_may_hold_is_escaped() -> None:
    assert target(urlsplit("http://h/ä b/%41?q=ü#f")) == "/%C3%A4%20b/%41?q=%C3%BC"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (200, DELIVERED), (204, DELIVERED), (299, DELIVERED), (301, PERMANENT), (307, PERMANENT), (400, PERMANENT),
        (404, PERMANENT), (408, TEMPORARY), (410, PERMANENT), (429, TEMPORARY), (500, TEMPORARY), (503, TEMPORARY),
        (100, TEMPORARY), (999, TEMPORARY),
    ],
)  # fmt: skip
def test_only_2xx_is_success_and_only_a_refusal_is_final(status: int, code: int) -> None:
    assert verdict(status) == code


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (http.client.RemoteDisconnected(f"/{SECRET}"), "RemoteDisconnected"),
        (http.client.InvalidURL(f"no such path: /{SECRET}"), "HTTP: InvalidURL"),
        (http.client.BadStatusLine(SECRET), "HTTP: BadStatusLine"),
        (ValueError(SECRET), "the address cannot be used (ValueError)"),
        (ssl.SSLError(1, SECRET), "TLS: failed"),
    ],
)
def test_a_reason_says_what_and_never_the_address(error: Exception, words: str) -> None:
    assert reason(error) == words


def run(address: str, **environment: str) -> tuple[int, str]:
    command = [*SCRIPT, str(Path(module.__file__))]
    done = subprocess.run(
        command, input=f"{address}\n{{}}\n", capture_output=True, text=True, timeout=30, check=False, env=environment
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


def test_as_a_script_it_ends_with_the_verdict_and_a_word_of_its_own_choice() -> None:
    with receiver(503, 404, 200) as server:
        assert run(server.url(f"/{SECRET}")) == (TEMPORARY, "HTTP 503 Service Unavailable")
        assert run(server.url(f"/{SECRET}")) == (PERMANENT, "HTTP 404 Not Found")
        assert run(server.url(f"/{SECRET}")) == (DELIVERED, "HTTP 200 OK")
    code, said = run(server.url(f"/{SECRET}"))
    assert (code, said) == (TEMPORARY, "Connection refused")


def test_a_proxy_of_the_environment_is_not_used() -> None:
    with receiver() as server:
        assert run(server.url(), http_proxy="http://127.0.0.1:1", HTTP_PROXY="http://127.0.0.1:1")[0] == DELIVERED


def test_https_is_verified(tmp_path: Path) -> None:
    secured = Security(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(secured._identity)
    with receiver(tls=tls) as server:
        assert run(server.url(), SSL_CERT_FILE=str(secured.ca)) == (DELIVERED, "HTTP 200 OK")
        code, said = run(server.url())
    assert code == TEMPORARY
    assert said.startswith("TLS: ")
    assert "issuer" in said
    assert len(server.got) == 1

"""POSTs one alert: standard input holds the address in its first line, then the document.

The last line of standard output says what went wrong, never the address: its path may be a secret. Run as a script, so
that whatever blocks (a resolver, a handshake, a server that drips) ends with a kill; needs the standard library only.
"""

import base64
import http.client
import ssl
import sys
from urllib.parse import SplitResult, quote, unquote, urlsplit

DELIVERED, PERMANENT, TEMPORARY = 0, 100, 111
"""Exit codes; PERMANENT: to try again cannot help."""
LATER = frozenset({408, 429})
"""The only refusals of the 4xx that a server takes back by itself (RFC 9110, RFC 6585)."""
SAFE = "/%:@!$&'()*+,;=~"


def main() -> int:
    """Post what standard input holds; return the exit code."""
    address, _, body = sys.stdin.buffer.read().partition(b"\n")
    try:
        status = post(address.decode(), body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        sys.stdout.write(f"{reason(error)}\n")
        return TEMPORARY
    sys.stdout.write(f"HTTP {status} {http.client.responses.get(status, '')}".rstrip() + "\n")
    return verdict(status)


def post(address: str, body: bytes) -> int:
    """Send `body` to `address` and return the answer's status; no redirection is followed, no proxy is used.

    Raises:
        OSError: there was no connection, or it broke; also what TLS says of a certificate.
        http.client.HTTPException: the answer is not HTTP.
        ValueError: the address cannot be sent.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, parts.port, context=ssl.create_default_context())
    else:
        connection = http.client.HTTPConnection(host, parts.port)
    try:
        connection.request("POST", target(parts), body, headers(parts))
        return connection.getresponse().status
    finally:
        connection.close()


def target(parts: SplitResult) -> str:
    """Return the path and the query, as they may stand in a request."""
    query = f"?{quote(parts.query, safe=SAFE + '?')}" if parts.query else ""
    return (quote(parts.path, safe=SAFE) or "/") + query


def headers(parts: SplitResult) -> dict[str, str]:
    """Return the request's headers; a user in the address is sent as one (RFC 7617)."""
    found = {"Content-Type": "application/json", "User-Agent": "kherd", "Connection": "close"}
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        found["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
    return found


def verdict(status: int) -> int:
    """Return the exit code for an answer."""
    if http.client.OK <= status < http.client.MULTIPLE_CHOICES:
        return DELIVERED
    final = http.client.MULTIPLE_CHOICES <= status < http.client.INTERNAL_SERVER_ERROR and status not in LATER
    return PERMANENT if final else TEMPORARY


def reason(error: Exception) -> str:
    """Return what went wrong: nothing that may hold the address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {getattr(error, 'reason', None) or 'failed'}"  # Python's own have none
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, http.client.HTTPException):
        return f"HTTP: {type(error).__name__}"
    return f"the address cannot be used ({type(error).__name__})"


if __name__ == "__main__":
    sys.exit(main())

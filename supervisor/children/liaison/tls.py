"""An `ssl.SSLContext` from librdkafka's TLS settings."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .mapping import Tls, UnmappableError


def context(tls: Tls) -> ssl.SSLContext:
    """Return the context that `tls` means.

    Raises:
        UnmappableError: a file, a key or a certificate cannot be used; the message names the property's value kind.
    """
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    result.minimum_version = ssl.TLSVersion.TLSv1_2
    result.check_hostname = tls.check_hostname
    result.verify_mode = ssl.CERT_REQUIRED if tls.verify else ssl.CERT_NONE
    try:
        _trust(result, tls)
        _show(result, tls)
        if tls.ciphers:
            result.set_ciphers(tls.ciphers)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise UnmappableError(f"the ssl.* settings cannot be used: {error}") from error
    return result


def _trust(result: ssl.SSLContext, tls: Tls) -> None:
    if tls.ca_pem:
        result.load_verify_locations(cadata=tls.ca_pem)
    elif tls.ca_location and Path(tls.ca_location).is_dir():
        result.load_verify_locations(capath=tls.ca_location)
    elif tls.ca_location:
        result.load_verify_locations(cafile=tls.ca_location)
    else:
        result.load_default_certs()
    if tls.crl_location:
        result.load_verify_locations(cafile=tls.crl_location)
        result.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def _show(result: ssl.SSLContext, tls: Tls) -> None:
    if not (tls.certificate_location or tls.certificate_pem):
        return
    with (
        _readable(tls.certificate_pem, tls.certificate_location) as certificate,
        _readable(tls.key_pem, tls.key_location) as key,
    ):
        # An empty password, never a prompt: OpenSSL would ask on the terminal.
        result.load_cert_chain(certificate or "", key, password=tls.key_password or "")


@contextmanager
def _readable(pem: str | None, location: str | None) -> Iterator[str | None]:
    """Give `pem` a name: the ssl module reads a chain only from files, and a key must never touch a disk."""
    if not pem:
        yield location
        return
    descriptor = os.memfd_create("kherd-pem", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem.encode())
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)

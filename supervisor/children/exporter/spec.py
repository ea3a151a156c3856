"""What the exporter is told."""

from dataclasses import dataclass, field
from typing import Final

MOST_WAITING: Final = 100
"""Alerts that wait for their delivery; of more, the oldest are given up."""


@dataclass(frozen=True, slots=True)
class ExporterSpec:
    """`statsd` is HOST:PORT (an IPv6 address in brackets; 8125 without a port); metrics go to PREFIX.APP.NAME.

    `http` is HOST:PORT to answer on (an IPv6 address in brackets).
    Alerts go to `webhook` (an http:// or https:// address) and to `command` (a program and its arguments). What is
    None is not asked for.
    """

    app: str
    statsd: str | None = None
    prefix: str = "kherd"
    http: str | None = None
    # Its path is all that protects many a webhook: not in a traceback, not in a log.
    webhook: str | None = field(default=None, repr=False)
    command: tuple[str, ...] | None = None

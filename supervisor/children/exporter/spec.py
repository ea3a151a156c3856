"""What the exporter is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExporterSpec:
    """`statsd` is HOST:PORT (an IPv6 address in brackets; 8125 without a port); metrics go to PREFIX.APP.NAME."""

    app: str
    statsd: str
    prefix: str = "kherd"

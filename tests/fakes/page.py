"""What a probe or Prometheus gets from `metrics.http`."""

import http.client
import json
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

PATIENCE = 30.0


@dataclass(frozen=True)
class Page:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def series(self) -> dict[str, float]:
        """Samples by name, with the values of their labels behind `app`: `kherd_workers ready`."""
        found = {}
        for family in text_string_to_metric_families(self.body.decode()):
            for sample in family.samples:
                labels = [value for name, value in sample.labels.items() if name != "app"]
                found[" ".join((sample.name, *labels))] = sample.value
        return found


def get(
    port: int, path: str, method: str = "GET", host: str = "127.0.0.1", headers: dict[str, str] | None = None
) -> Page:
    """Ask for `path`; raises OSError if nobody answers."""
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return Page(answer.status, dict(answer.getheaders()), answer.read())
    except http.client.HTTPException as error:
        raise OSError(f"no answer: {error}") from error
    finally:
        connection.close()


def tried(port: int, path: str) -> Page | None:
    """Ask for `path`; None if nobody answers."""
    try:
        return get(port, path)
    except OSError:
        return None

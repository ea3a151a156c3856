"""Worker specs for tests that care about one or two of their fields."""

from typing import Any

from kherd.worker.spec import KafkaSpec, WorkerSpec


def worker_spec(handler: str = "orders:handle", *, bootstrap: str = "127.0.0.1:1", **fields: Any) -> WorkerSpec:
    """Return a spec of app "orders" reading topic "orders" in group "billing"."""
    kafka = fields.pop("kafka", KafkaSpec(bootstrap=bootstrap, group="billing", topics=("orders",)))
    return WorkerSpec(app="orders", instance=None, generation=1, handler=handler, kafka=kafka, **fields)

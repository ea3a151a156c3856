"""gunicorn for Kafka consumers: the names a handler's module needs."""

from ._version import VERSION
from .worker.breaker import CircuitBreaker
from .worker.context import Context, context
from .worker.errors import BreakerOpen, ProcessingError, Record, Results, Retry, Skip

__all__ = [
    "BreakerOpen", "CircuitBreaker", "Context", "ProcessingError", "Record", "Results", "Retry", "Skip", "__version__",
    "context",
]  # fmt: skip

__version__ = VERSION

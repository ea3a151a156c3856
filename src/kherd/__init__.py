"""gunicorn for Kafka consumers: the names a handler's module needs."""

from ._version import VERSION
from .worker.context import Context, context
from .worker.errors import ProcessingError, Record, Results, Retry, Skip

__all__ = ["Context", "ProcessingError", "Record", "Results", "Retry", "Skip", "__version__", "context"]

__version__ = VERSION

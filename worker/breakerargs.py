"""What a `CircuitBreaker` is made of, checked: TypeError or ValueError says what it has to be."""

from typing import Final

from .decide.breaker import OWN, Policy

LONGEST_NAME: Final = 200
LONGEST_TIMEOUT: Final = 86_400.0
Classes = type[Exception] | tuple[type[Exception], ...]


def checked_name(name: object) -> str:
    """Return `name`."""
    if not isinstance(name, str):
        raise TypeError(f"CircuitBreaker: the name must be text, got {name!r}")
    if not name or not name.isprintable() or name.startswith(OWN) or len(name.encode(errors="replace")) > LONGEST_NAME:
        raise ValueError(
            f"CircuitBreaker: the name must be 1 to {LONGEST_NAME} bytes of printable text that does not begin with"
            f" {OWN}, got {name!r}"
        )
    return name


def checked_policy(failure_threshold: object, timeout: object) -> Policy:
    """Return both as a policy."""
    if isinstance(failure_threshold, bool) or not isinstance(failure_threshold, int) or failure_threshold < 1:
        raise ValueError(f"CircuitBreaker: failure_threshold must be a whole number from 1, got {failure_threshold!r}")
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout <= LONGEST_TIMEOUT:
        raise ValueError(f"CircuitBreaker: timeout must be seconds, above 0 and at most a day, got {timeout!r}")
    return Policy(failure_threshold, float(timeout))


def checked_classes(parameter: str, value: object) -> tuple[type[Exception], ...]:
    """Return them as a tuple."""
    classes = value if isinstance(value, tuple) else (value,)
    for one in classes:
        if not (isinstance(one, type) and issubclass(one, Exception)):
            raise TypeError(f"CircuitBreaker: {parameter} must be exception classes, in a tuple, got {one!r}")
    return classes

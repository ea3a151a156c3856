"""What the configuration may say of a circuit breaker."""

from typing import Self

from pydantic import Field, model_validator

from .kinds import DurationOrNone, WholeOrNone
from .sections import DAY, Section


class Breaker(Section):
    """What holds for the circuit breaker NAME instead of what the handler's code says; 64 of them at most."""

    failure_threshold: WholeOrNone = Field(
        None,
        ge=1,
        le=1_000_000,
        description="So many failures in a row, over all workers of the host, open it. Default: as in the code (5).",
    )
    timeout: DurationOrNone = Field(
        None,
        gt=0,
        le=DAY,
        description="So long it is open before one call is let through as a probe. Default: as in the code (60s).",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.failure_threshold is None and self.timeout is None:
            raise ValueError("must have failure_threshold or timeout")
        return self

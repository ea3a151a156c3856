"""How the number of workers is decided, for who wants to try a policy on observations of their own."""

from .supervisor.decide.autoscale import (
    Decision,
    Observation,
    PartitionObservation,
    Policy,
    ThresholdPolicy,
    WorkerObservation,
)

__all__ = ["Decision", "Observation", "PartitionObservation", "Policy", "ThresholdPolicy", "WorkerObservation"]

"""`python -m kherd.bench.trial JOB RESULT`: one trial, in a process of its own; both are files of JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from . import contenders, pickups, producing, sudden, topic, waits
from .jobs import ConsumeJob, FillJob, Job, PickupJob, ProduceJob, SuddenJob, TrialError, WaitsJob, decode, said


def perform(job: Job) -> dict[str, Any]:
    """Do what `job` says and return what came of it; raises TrialError."""
    match job:
        case ProduceJob():
            return _produce(job)
        case FillJob():
            return {"filled": topic.fill(job)}
        case ConsumeJob():
            return contenders.compete(job)
        case PickupJob():
            return pickups.measure(job)
        case SuddenJob():
            return sudden.measure(job)
        case WaitsJob():
            return waits.measure(job)


def _produce(job: ProduceJob) -> dict[str, Any]:
    if job.begun is not None:
        return producing.through_a_kill(job)
    return producing.at_full_rate(job) if job.rate is None else producing.by_schedule(job)


def main(arguments: list[str]) -> int:
    """Run the trial; if it cannot be done, exit with 1 and have the reason under `error` in the result."""
    job, result = map(Path, arguments)
    failed = False
    try:
        found = perform(decode(job.read_text()))
    except (TrialError, KafkaException) as error:
        failed, found = True, {"error": said(error)}
    unfinished = result.with_suffix(".new")
    unfinished.write_text(json.dumps(found))
    unfinished.replace(result)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m kherd.bench.trial JOB RESULT`: one trial, in a process of its own; both are files of JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from . import contenders, producing, topic
from .jobs import ConsumeJob, FillJob, Job, ProduceJob, TrialError, decode, said


def perform(job: Job) -> dict[str, Any]:
    """Do what `job` says and return what came of it; raises TrialError."""
    match job:
        case ProduceJob(begun=str()):
            return producing.through_a_kill(job)
        case ProduceJob(rate=None):
            return producing.at_full_rate(job)
        case ProduceJob():
            return producing.by_schedule(job)
        case FillJob():
            topic.fill(job)
            return {}
        case ConsumeJob():
            return contenders.compete(job)


def main(arguments: list[str]) -> int:
    """Run the trial; what it cannot do is the last line of standard error."""
    job, result = map(Path, arguments)
    try:
        found = perform(decode(job.read_text()))
    except (TrialError, KafkaException) as error:
        print(said(error), file=sys.stderr)
        return 1
    unfinished = result.with_suffix(".new")
    unfinished.write_text(json.dumps(found))
    unfinished.replace(result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

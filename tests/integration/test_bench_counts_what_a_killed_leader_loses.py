"""Under a killed leader acks=all loses nothing and idempotence repeats nothing; what acks=1 loses is counted."""

import pytest

from kherd.bench.matrix import Axes, Fault, Matrix, cells_of
from kherd.bench.place import Place
from kherd.bench.plan import Step
from kherd.bench.result import Broker, FaultTrial, MatrixEntry, Result
from kherd.bench.session import Session
from kherd.testing import results
from kherd.testing.kafka import KafkaCluster

KILLS = results.count(full=10, reduced=1)
STALL = 0.3


def session(kafka3: KafkaCluster) -> tuple[Session, Result]:
    matrix = Matrix(cells=(Axes(),), fault=Fault(rate=5000, seconds=3.0, kill_after=0.2))
    broker = Broker(kind="harness", brokers=3, replication=3, min_insync=2)
    result = Result(
        began="", command="", seed=1, environment={}, broker=broker, control=cells_of(matrix)[0].label, cells=[],
        matrix=MatrixEntry.model_validate(matrix.model_dump(mode="json")),
    )  # fmt: skip
    return Session(Place(kafka3, broker), matrix, result, lambda _step, _said: None), result


@pytest.mark.parametrize("acks", ["1", "all", "idempotent"])
def test_losses_and_copies_are_those_that_the_setting_allows(kafka3: KafkaCluster, acks: str) -> None:
    playing, result = session(kafka3)
    with playing:
        for number in range(KILLS):
            playing.play(Step("fault", acks, number, 10.0, stall=STALL))
    assert result.problems == []
    found = result.fault
    results.report(f"bench_killed_leader_acks_{acks}", {"kills": [trial.model_dump() for trial in found]})
    assert len(found) == KILLS
    for trial in found:
        assert trial.produced == trial.delivered + trial.failed == 15_000
        assert _allowed(trial)


def _allowed(trial: FaultTrial) -> bool:
    """What must be true; that acks=1 loses something is likely here, but nobody's promise."""
    if trial.acks == "1":
        return trial.lost <= trial.delivered
    return trial.lost == 0 and (trial.acks == "all" or trial.duplicated == 0)

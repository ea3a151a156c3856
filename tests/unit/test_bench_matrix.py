"""A matrix file says what is measured; every mistake in it is named with its place and what would be right."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from kherd.bench.matrix import MOST_CELLS, QUICK, Matrix, cells_of
from kherd.bench.matrixfile import load, with_rounds
from kherd.supervisor.config.errors import ConfigError


def loaded(folder: Path, text: str, *, quick: bool = False, extra: Mapping[str, str] | None = None) -> Matrix:
    path = folder / "matrix.toml"
    path.write_text(text)
    return load(path, extra or {}, quick=quick)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return caught.value.problems


def test_an_empty_file_is_the_default_matrix(tmp_path: Path) -> None:
    assert loaded(tmp_path, "") == Matrix() == load(None, {}, quick=False)
    assert len(cells_of(Matrix())) == 4 * 3 * 2 + 2


def test_each_combination_of_a_block_is_a_cell_and_none_is_measured_twice(tmp_path: Path) -> None:
    text = """
        [[cells]]
        acks = [0, 1]
        linger_ms = [0, 2.5]
        batch_size = ["16KiB", 16384]
        [[cells]]
        acks = ["0", "all"]
        linger_ms = [2.5]
        batch_size = [16384]
    """
    labels = [cell.label for cell in cells_of(loaded(tmp_path, text))]
    assert labels == [
        "acks=0 linger=0ms batch=16KiB none",
        "acks=1 linger=0ms batch=16KiB none",
        "acks=0 linger=2.5ms batch=16KiB none",
        "acks=1 linger=2.5ms batch=16KiB none",
        "acks=all linger=2.5ms batch=16KiB none",
    ]


def test_idempotence_is_a_row_of_its_own(tmp_path: Path) -> None:
    matrix = loaded(tmp_path, '[[cells]]\nacks = ["all", "idempotent"]\nlinger_ms = [0]\nbatch_size = [1000]')
    plain, idempotent = (cell.properties() for cell in cells_of(matrix))
    assert (plain["acks"], plain["enable.idempotence"]) == ("all", "false")
    assert (idempotent["acks"], idempotent["enable.idempotence"]) == ("all", "true")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[load]\nsise = 1", "load.sise: is no known key, did you mean 'load.size'?"),
        ("[lode]", "lode: is no known key, did you mean 'load'?"),
        ("[[cells]]\nack = [1]", "cells[0].ack: is no known key, did you mean 'cells[0].acks'?"),
        ("[[cells]]\nacks = []", "cells[0].acks: must name at least 1, got a list"),
        ("cells = []", "cells: must name at least 1, got a list"),
        ("cells = 3", "cells: must be a list, got 3"),
        ("[[cells]]\nacks = [2]", 'cells[0].acks[0]: must be 0, 1, "all" or "idempotent", got 2'),
        ("[[cells]]\nacks = [true]", 'cells[0].acks[0]: must be 0, 1, "all" or "idempotent", got true'),
        ("[[cells]]\nlinger_ms = [-1]", "cells[0].linger_ms[0]: must be milliseconds from 0 to 900000, got -1"),
        ("[[cells]]\nlinger_ms = [nan]", "cells[0].linger_ms[0]: must be milliseconds from 0 to 900000, got nan"),
        ("[[cells]]\nbatch_size = [0]", "cells[0].batch_size[0]: must be at least 1, got 0"),
        ('[[cells]]\ncompression = ["brotli"]', "cells[0].compression[0]: must be 'none', 'gzip'"),
        ("[load]\nentropy = 2", "load.entropy: must be a share from 0 to 1, got 2"),
        ("[load]\nfraction = 0", "load.fraction: must be above 0, got 0"),
        ("[load]\nrounds = 0.5", "load.rounds: must be a whole number, got 0.5"),
        ("[load]\nsize = 8", "load.size: must be at least 16, got 8"),
        ('[load]\nseconds = "soon"', "load.seconds: must be a duration"),
        ("load = 3", "load: must be a table, got 3"),
        ('[client]\nacks = "1"', "client.acks: cannot be set: it is an axis of the matrix: use cells.acks"),
        ('[client]\n"request.required.acks" = 1', "client.request.required.acks: cannot be set: it is an axis"),
        ('[client]\nstats_cb = "x"', "client.stats_cb: cannot be set: the bench has no use for callbacks"),
        ("[client]\nno.such = 1", "client: librdkafka refuses it for acks=0 linger=0ms batch=16KiB none: No such"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (found, *_) = problems(tmp_path, text)
    assert found.startswith(problem)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "[load]\nsize = 1\nrounds = 0\n[fault]\nrate = 0")) == 3


def test_what_is_no_toml_or_no_file_is_named(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "[load")
    assert "is not TOML" in found
    with pytest.raises(ConfigError, match="there is no such file"):
        load(tmp_path / "none.toml", {}, quick=False)


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    found = problems(tmp_path, '[client]\nsasl.password = ["hunter2"]')
    assert found
    assert not any("hunter2" in problem for problem in found)


def test_a_matrix_nobody_could_wait_for_is_refused(tmp_path: Path) -> None:
    many = list(range(MOST_CELLS))
    (found,) = problems(tmp_path, f"[[cells]]\nlinger_ms = {many}")
    assert found.startswith(f"cells: has 8000 combinations, more than {MOST_CELLS}")


def test_client_properties_of_the_command_line_win(tmp_path: Path) -> None:
    matrix = loaded(tmp_path, "[client]\nretries = 1\nsticky.partitioning.linger.ms = 2", extra={"retries": "3"})
    assert matrix.client == {"retries": "3", "sticky.partitioning.linger.ms": "2"}


def test_a_quick_run_leaves_what_the_file_says(tmp_path: Path) -> None:
    matrix = loaded(tmp_path, "[load]\nseconds = 1.5", quick=True)
    assert (matrix.load.seconds, matrix.load.rounds) == (1.5, QUICK["load"]["rounds"])
    assert len(cells_of(matrix)) == 8


def test_rounds_of_the_command_line_are_those_of_producers_and_consumers() -> None:
    matrix = with_rounds(Matrix(), 7)
    assert (matrix.load.rounds, matrix.consume.rounds) == (7, 7)
    assert with_rounds(Matrix(), None) == Matrix()

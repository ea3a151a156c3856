"""A result is shown again from its file, in three shapes; a file that is none is refused in words."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from kherd.bench.markdown import escaped
from kherd.bench.page import page
from kherd.bench.report import markdown, terminal
from kherd.bench.result import ResultError, read, write
from kherd.bench.sheets import sheets

from ..fakes.benchresult import ALL, document, rate, result

EMBEDDED = {"kind": "embedded", "brokers": 1, "replication": 1, "min_insync": 1}


def shown(**changes: Any) -> str:
    console = Console(width=300)
    with console.capture() as capture:
        console.print(terminal(result(**changes)))
    return capture.get()


def saved(folder: Path, content: Any) -> Path:
    path = folder / "result.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_result_that_was_written_is_read_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write(result(), path)
    assert read(path) == result()
    assert [one.name for one in tmp_path.iterdir()] == ["result.json"]


def test_every_shape_says_where_it_was_measured() -> None:
    for text in (shown(), markdown(result()), page(result())):
        assert "3 KRaft broker" in text
        assert "RF 3, min.insync.replicas 2" in text
        assert "seed 7" in text
    for text in (shown(broker=EMBEDDED), markdown(result(broker=EMBEDDED)), page(result(broker=EMBEDDED))):
        assert "embedded broker (librdkafka mock: no disk, no replication), RF 1" in text
        assert "same as acks=1 with RF 1" in text


def test_a_run_that_was_cut_short_says_so_first() -> None:
    assert shown(complete=False).startswith("INCOMPLETE")
    assert markdown(result(complete=False)).startswith("- INCOMPLETE")
    assert "This run is incomplete." in page(result(complete=False))


def test_what_does_not_add_up_has_no_figure_and_a_remark() -> None:
    text = markdown(result(rate=[rate(ALL, 1, 100, delivered=99)]))
    (row,) = [line for line in text.splitlines() if line.startswith("| idempotent | 5 | 16KiB | none | unknown")]
    assert "1 of 1 trials do not add up" in row


def test_a_drift_is_printed_and_judged() -> None:
    assert "drift 0.0%" in shown()


def test_failed_trials_have_a_table_of_their_own() -> None:
    assert "Trials that failed" not in shown()
    assert "no end within 3 s" in shown(problems=[{"step": "rate x, round 1", "what": "no end within 3 s"}])


def test_a_result_without_any_trial_is_shown_too() -> None:
    empty: dict[str, Any] = {"rate": [], "paced": [], "fault": [], "consume": [], "complete": False}
    assert sheets(result(**empty)) == []
    assert shown(**empty)
    assert page(result(**empty)).endswith("</html>\n")


def test_markdown_tables_have_as_many_cells_in_every_row() -> None:
    blocks = re.findall(r"(?:^\|.*\n)+", markdown(result()), re.MULTILINE)
    assert len(blocks) == 4
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_text_of_a_result_commands_neither_markdown_nor_html() -> None:
    evil = "<script>alert(1)</script> | **bold** `x`\n# head"
    assert "<script" not in page(result(command=evil, control=evil))
    assert escaped(evil) == "\\<script>alert(1)\\</script> \\| \\*\\*bold\\*\\* \\`x\\` # head"


def test_the_page_needs_nothing_else() -> None:
    text = page(result())
    assert "<script" not in text
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#)\w+:""", text)
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) == 3
    for drawing in drawings:
        ET.fromstring(drawing)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("\x00\xff", "is not JSON"),
        ("[]", 'it has no "format": "kherd-bench"'),
        ('{"format": "other"}', 'it has no "format": "kherd-bench"'),
        (document(version=2), "is of version 2, this kherd reads version 1"),
        (document(version="1"), "is of version '1'"),
        (document(seed="x"), "is damaged: seed: "),
        (document(rate=[{}]), "is damaged: rate.0.cell: Field required"),
        (document(rate=[rate(ALL, 1, -5)]), "is damaged: rate.0.records"),
        (document(matrix={"load": {}}), "is damaged: matrix.load.size: Field required"),
        ({"format": "kherd-bench", "version": 1}, "is damaged: "),
    ],
)
def test_a_file_that_is_no_result_is_refused_in_words(tmp_path: Path, content: Any, problem: str) -> None:
    path = saved(tmp_path, content)
    with pytest.raises(ResultError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert problem in str(caught.value)


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="No such file"):
        read(tmp_path / "none.json")
    with pytest.raises(ResultError, match="Is a directory"):
        read(tmp_path)


def test_a_field_of_a_later_version_of_this_format_is_left_out(tmp_path: Path) -> None:
    assert read(saved(tmp_path, document(later=[1, 2]))) == result()

"""What ps and top show."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kherd.worker.title import fitting

SHOW = """
import sys
from pathlib import Path
from kherd.worker import title
title.show("orders", "worker 3", 2)
before = Path("/proc/self/cmdline").read_bytes()
title.claim()
title.show("orders", sys.argv[1], 2)
shown = Path("/proc/self/cmdline").read_bytes().rstrip(b"\\0").decode(errors="replace")
print(len(before), shown, Path("/proc/self/comm").read_text().strip(), sep="|")
print(Path("/proc/self/environ").read_bytes().count(b"MARK=here"))
"""


def shown(role: str, **environment: str) -> tuple[int, str, str, bool]:
    """Return the room there is, the title, the short one, and whether the environment is still to be seen."""
    command = [sys.executable, "-c", SHOW, role]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment or None)
    *_, line, kept = done.stdout.strip().split("\n")
    room, title, comm = line.split("|")
    return int(room), title, comm, kept == "1"


def test_a_title_names_app_role_and_generation_and_leaves_the_environment_alone() -> None:
    _, title, comm, kept = shown("worker 3", MARK="here", OTHER="x")
    assert (title, comm, kept) == ("kherd: orders worker 3 gen 2", "kherd worker 3", True)


def test_the_supervisor_is_kherd_itself_where_there_is_little_room() -> None:
    assert shown("supervisor", MARK="here")[2] == "kherd"


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"A": ""}], ids=str)
def test_an_environment_of_nearly_nothing_does_no_harm(environment: dict[str, str]) -> None:
    assert shown("liaison", **environment)[2] == "kherd liaison"


def test_an_empty_environment_does_no_harm(tmp_path: Path) -> None:
    done = subprocess.run(["env", "-i", sys.executable, "-c", SHOW, "mold"], capture_output=True, check=True)
    assert b"kherd mold" in done.stdout


@given(st.text("abc-", max_size=120), st.sampled_from(["worker 12 gen 104", "liaison"]), st.integers(0, 200))
def test_a_long_name_is_cut_and_never_the_role(app: str, role: str, room: int) -> None:
    title = fitting(app, role, room)
    assert title.startswith("kherd: ")
    assert title.endswith(role)
    assert len(title) <= max(room, len(f"kherd: ~ {role}"))
    assert app in title or "~" in title

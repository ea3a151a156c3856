"""A test run that is killed leaves no broker behind, and its folders go with the next run."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kherd.testing import jars
from kherd.testing.plugin import part_or_skip
from kherd.testing.scratch import Scratch, sweep
from kherd.testing.wait import until

RUN = """
import signal
from kherd.testing.kafka import KafkaCluster
cluster = KafkaCluster().open()
print(cluster.brokers[1].pid, cluster.brokers[1].properties.parent, flush=True)
signal.pause()
"""


@pytest.mark.kafka
def test_a_killed_run_leaves_nothing() -> None:
    part_or_skip(jars.classpath)
    run = subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    with run.stdout as said:
        pid, folder = said.readline().split()
    run.send_signal(signal.SIGKILL)
    run.wait()
    until(lambda: not alive(int(pid)), 10, "the broker to die with its run")
    Scratch("next").remove()
    assert not Path(folder).exists()


def test_a_folder_in_use_is_not_swept() -> None:
    scratch = Scratch("kept")
    sweep()
    assert scratch.path.exists()
    scratch.remove()
    assert not scratch.path.exists()


def alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False

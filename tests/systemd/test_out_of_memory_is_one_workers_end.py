"""A worker that the kernel kills for want of memory is replaced; the unit and the other worker go on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kherd.testing.service import Service

from .conftest import NewService

LIMIT = 400 * 1024 * 1024
GREEDY = """
import mmap, os
from pathlib import Path

def handle(message):
    if message.value() == b"0" and not Path(LEDGER_PATH).exists():
        Path(LEDGER_PATH).write_text(str(os.getpid()))
        while not Path(LEDGER_PATH + ".go").exists():
            pass
        memory = mmap.mmap(-1, 2 * 1024**3)
        for page in range(0, len(memory), mmap.PAGESIZE):
            memory[page] = 1
"""


def test_the_others_go_on(service: NewService) -> None:
    one = service()
    one.write(GREEDY)
    one.systemctl("start")
    one.wait_ready(2)
    one.wait(lambda: len([p for slot in one.status()["slots"] for p in slot["partitions"]]) == 8, "an assignment")
    before, supervisor = one.workers(), one.main_pid
    one.fill(8)
    one.wait((one.state / "ledger").exists, "the greedy record")
    greedy = int((one.state / "ledger").read_text())
    with limited(one, greedy) as struck:
        (one.state / "ledger.go").touch()
        one.wait(lambda: greedy not in one.processes(), "the end of the greedy one")
        assert struck()
        goes_on(one, before, supervisor, greedy)


def goes_on(one: Service, before: dict[int, int], supervisor: int, greedy: int) -> None:
    one.wait_ready(2)
    kept = {pid for pid in before.values() if pid != greedy}
    assert kept < set(one.workers().values())
    assert (one.main_pid, one.show("ActiveState"), one.show("NRestarts")) == (supervisor, "active", "0")
    (death,) = one.events("child_died")
    assert death["child_pid"] == greedy
    assert "SIGKILL" in death["cause"] or "memory" in death["cause"]


@contextmanager
def limited(one: Service, pid: int) -> Iterator[Callable[[], object]]:
    """Limit memory, as an administrator would the unit's, or, where cgroups are of version 1, that of worker `pid`.

    The block gets what says whether the kernel has killed for it.
    """
    if one.machine.inner("/sys/fs/cgroup/cgroup.controllers").exists():
        one.machine.run("systemctl", "set-property", "--runtime", one.unit, f"MemoryMax={LIMIT}", "MemorySwapMax=0")
        events = f"/sys/fs/cgroup{one.show('ControlGroup')}/memory.events"
        yield lambda: "oom_kill 1" in one.machine.out("cat", events)
        return
    group = f"/sys/fs/cgroup/memory/{one.name}"
    one.machine.run("mount", "-o", "remount,bind,rw", "/sys/fs/cgroup/memory")
    one.machine.run("mkdir", group)
    try:
        fill = f"echo {LIMIT} > {group}/memory.limit_in_bytes && echo {pid} > {group}/cgroup.procs"
        one.machine.run("sh", "-e", "-c", fill)
        yield lambda: "oom_kill 1" in one.machine.out("cat", f"{group}/memory.oom_control")
    finally:
        one.clean()
        one.machine.run("rmdir", group)

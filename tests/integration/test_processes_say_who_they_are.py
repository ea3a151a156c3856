"""Every process of a herd shows its app, role and generation to ps, and its role to top."""

from pathlib import Path

from kherd.testing.plugin import NewHerd


def test_titles(herd: NewHerd) -> None:
    config = {
        "app": {"name": "orders-of-titles", "handler": "handlers:handle"},
        "kafka": {"bootstrap": "embedded", "topics": ["orders"]},
        "workers": {"count": 2},
        "metrics": {"statsd": "127.0.0.1:9"},
    }
    one = herd(config)
    one.wait_ready(2)
    assert shown(one.processes()) == {
        "supervisor": "kherd",
        "mold 1": "kherd mold 1",
        "worker 0 gen 1": "kherd worker 0",
        "worker 1 gen 1": "kherd worker 1",
        "liaison": "kherd liaison",
        "exporter": "kherd exporter",
        "broker": "kherd broker",
    }

    # and the next generation is told from this one
    one.write_handler("def handle(message):\n    return None\n")
    one.configure({**one.settings, "errors": {"max_attempts": 5}})
    one.ask("reload")
    one.wait_event("roll_done")
    one.wait_ready(2)
    titles = shown(one.processes())
    assert {"worker 0 gen 2", "worker 1 gen 2", "mold 2"} <= titles.keys()
    one.stop()


def shown(processes: dict[int, str]) -> dict[str, str]:
    """Return role -> short name; a title is padded to the length of the command line that was there."""
    return {
        title.replace("\0", " ").strip().removeprefix("kherd: orders-of-titles "): comm(pid)
        for pid, title in processes.items()
    }


def comm(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()

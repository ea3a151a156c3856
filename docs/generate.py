"""Write the documents that are made from the code; `--check` writes nothing, names those that are stale and exits 1.

Run it as `.venv/bin/python docs/generate.py`.
"""

import json
import sys
from pathlib import Path

import benchmarks
import configuration
import machines
import tables

from kherd.supervisor.metrics import METRICS
from kherd.worker.events import EVENTS

ROOT = Path(__file__).resolve().parents[1]


def documents() -> dict[str, str]:
    """Return every generated document by its path below the root."""
    made = {
        "CONFIGURATION.md": configuration.page(),
        "docs/config.schema.json": json.dumps(configuration.schema(), indent=2, ensure_ascii=False) + "\n",
        "METRICS.md": tables.metrics(METRICS),
        "EVENTS.md": tables.events(EVENTS),
    }
    return made | benchmarks.pages(ROOT) | {f"docs/states/{name}.md": text for name, text in machines.pages().items()}


def main(*, check: bool) -> int:
    """Write or check; return the exit code."""
    made = documents()
    left_over = [path for path in (ROOT / "docs/states").glob("*.md") if str(path.relative_to(ROOT)) not in made]
    stale = [name for name, text in made.items() if not _holds(ROOT / name, text)]
    if check:
        for name in [*stale, *(str(path.relative_to(ROOT)) for path in left_over)]:
            sys.stderr.write(f"{name} is stale: make docs\n")
        return 1 if stale or left_over else 0
    for path in left_over:
        path.unlink()
    for name in stale:
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[name])
        sys.stdout.write(f"{name}\n")
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))

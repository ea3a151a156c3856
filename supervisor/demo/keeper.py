"""Makes a temporary folder, tells its name, and removes it when nobody holds the other end of standard input any more.

Run as a script by `folder.Folder`: standard library only.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

PREFIX = "kherd-demo-"
TRIES = 100
PAUSE = 0.05


def main() -> None:
    """Keep one folder."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        sys.stdout.write(f"{folder}\n")
        sys.stdout.close()
        sys.stdin.buffer.read()
    finally:
        # Workers die with the daemon, a moment after its descriptors are closed: one may still write.
        for _ in range(TRIES):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break
            time.sleep(PAUSE)


if __name__ == "__main__":
    main()

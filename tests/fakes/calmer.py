"""A real kherd whose alerts clear after CALMER seconds of calm: `python -m tests.fakes.calmer COMMAND...` runs it.

COMMAND is the one that it stands for: `python -m kherd run CONFIG`. Everything but the calm is the real thing.
"""

import os
import sys

from .standin import calm

if __name__ == "__main__":
    calm(float(os.environ["CALMER"]))
    from kherd.supervisor.cli import main

    main(sys.argv[sys.argv.index("run") :])

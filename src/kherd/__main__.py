"""`python -m kherd` is the `kherd` command."""

from .supervisor.cli import main

main()

"""`python -m kherd.bench.promises [NAME]...`: the same as `kherd bench promises`."""

from ...supervisor.cli.promises import command

if __name__ == "__main__":
    command(prog_name="python -m kherd.bench.promises")

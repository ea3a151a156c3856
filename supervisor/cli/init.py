"""`kherd init`: a herd to start from."""

import re
from pathlib import Path
from typing import Final

import click

from .starter import files

FALLBACK: Final = "herd"
LONGEST: Final = 60


@click.command("init")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def command(folder: Path, *, force: bool) -> None:
    """Write a configuration, a handler and a feeder into DIR, by default this folder."""
    try:
        name = name_of(folder.resolve())
        texts = files(name)
        there = [str(folder / file) for file in texts if (folder / file).exists()]
        if there and not force:
            raise click.ClickException(f"{', '.join(there)}: there already; --force overwrites")
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            (folder / file).write_text(text)
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: {error.strerror}") from error
    here = "" if folder.resolve() == Path.cwd() else f"cd {folder}\n"
    click.echo(f"{', '.join(texts)}: a herd called {name!r}. Run it with\n{here}kherd run")
    click.echo("and in a second terminal\n" + f"{here}python feed.py\nkherd status")


def name_of(folder: Path) -> str:
    """Return a name for a herd that lives in `folder`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).strip("-._")[:LONGEST] or FALLBACK

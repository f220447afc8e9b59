"""How a command ends when it cannot do what is asked.

Belongs here: Segue's own errors, and a full disk, without a traceback. Does not belong here: what they say.
"""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from orchestration import full_disk
from orchestration.settings import load_settings


@contextmanager
def told() -> Iterator[None]:
    """Print Segue's own errors, and what a full disk gives, without a traceback.

    Raises:
        typer.Exit: with 1, in the place of a SegueError or an error that a full disk gave.
    """
    from ml.errors import SegueError

    try:
        yield
    except SegueError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise typer.Exit(1) from error
    except full_disk.kinds() as error:
        home = load_settings().home
        if not full_disk.is_full(error, home):
            raise
        text = full_disk.told(home, shlex.join(["segue", *sys.argv[1:]]))
        typer.secho(f"error: {text}\n{error}", fg="red", err=True)
        raise typer.Exit(1) from error

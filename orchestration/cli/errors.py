"""How a command ends when it cannot do what is asked.

Belongs here: Segue's own errors without a traceback. Does not belong here: what they say.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def told() -> Iterator[None]:
    """Print Segue's own errors without a traceback and end with 1."""
    from ml.errors import SegueError

    try:
        yield
    except SegueError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise typer.Exit(1) from error

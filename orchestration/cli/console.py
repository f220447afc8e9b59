"""What the commands print with.

Belongs here: the console, a spinner for long work, tables. Does not belong here: any command.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

# A file or a pipe has no width of its own; 80 columns would break the tables.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


@contextmanager
def working(text: str) -> Iterator[None]:
    """A spinner with the elapsed time, then one line that says how long it took."""
    began = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(text, total=None)
        yield
    console.print(f"[green]done[/] {text} [dim]{time.monotonic() - began:.0f} s[/]")


def bars() -> Progress:
    """A progress bar for work whose steps can be counted; enter it to show it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=console, transient=True)


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in header:
        # Folded, not cut: a file's name is there to be copied.
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def then(text: str) -> None:
    """Say what to do next."""
    console.print(f"\nNext: [bold]{text}[/]")

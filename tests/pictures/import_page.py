"""What an import prints, and what it set aside: a simulated Spotify export by the ordinary command.

Belongs here: the export, the command, its words as a page. Does not belong here: the browser.
"""

import os
import subprocess
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ml.errors import SegueError
from orchestration.readable import cell
from tests.ml.sources.simulated_spotify import Taste, write_export
from tests.pictures.browser import HEIGHT, WIDTH, keep
from tests.pictures.servers import SEGUE

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Two years of one listener, podcasts included.
LIFE = Taste(listens=6_000, days=730, artists=150, tracks=1_500, seed=11)
_ASIDE = """
select reason, count(*) as rows, arg_min(source_file, record) as "for example in", min(record) as record
from read_parquet(?) group by reason order by rows desc
"""
_PAGE = (
    "<body style='margin:0;background:#16161c;color:#e6e6ea;font:14px/1.17 monospace'>"
    "<pre style='margin:24px'>{}</pre></body>"
)


def imported(folder: Path) -> str:
    """The words of `segue import` on an export in `folder`, into a home of its own beside it.

    Raises:
        SegueError: the import failed.
    """
    write_export(folder / "my_spotify_data", LIFE, per_file=2_500)
    done = subprocess.run(
        [*SEGUE, "import", "my_spotify_data"],
        cwd=folder,
        env={**os.environ, "SEGUE_HOME": str(folder / "home"), "COLUMNS": "140"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SegueError(f"expected an import, found {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.replace(str(folder), "~")


def set_aside(home: Path) -> str:
    """The quarantine by reason, as a person would look into it."""
    found = duckdb.execute(_ASIDE, [str(home / "quarantine" / "listens" / "*.parquet")])
    rows = [[one[0] for one in found.description], *found.fetchall()]
    widths = [max(len(cell(row[column])) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(cell(value).ljust(width) for value, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def import_picture(page: "Page", docs: Path) -> Path:
    """The import of an export, and its quarantine."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        words = (
            f"$ segue import my_spotify_data\n{imported(folder)}\n"
            "quarantine/listens/*.parquet by reason:\n"
            f"{set_aside(folder / 'home')}"
        )
    # A page of its own: the content policy of the page before would forbid the style.
    page.goto("about:blank")
    page.set_content(_PAGE.format(escape(words)))
    height = page.evaluate("() => document.querySelector('pre').offsetHeight + 48")
    page.set_viewport_size({"width": WIDTH, "height": height})
    made = keep(page, docs, "import")
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    return made

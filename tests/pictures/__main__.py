"""`make pictures`: the pictures of the README, taken from the running system on a finished home.

Belongs here: the order of the pictures. Does not belong here: how each is taken (dagster_pages,
other_pages, import_page). `python -m tests.pictures [FOLDER]`; the home is that of SEGUE_HOME. What is played in the listening
room stands in the home's journal, as anybody's plays there do.
"""

import sys
from pathlib import Path

from ml.errors import SegueError
from orchestration.cli.console import console
from orchestration.settings import load_settings
from tests.pictures.browser import HEIGHT, PATIENCE, WIDTH, browser
from tests.pictures.dagster_pages import dagster_pictures
from tests.pictures.import_page import import_picture
from tests.pictures.other_pages import report_pictures, room_pictures
from tests.pictures.servers import REPOSITORY, running


def take(docs: Path) -> list[Path]:
    """All pictures, into `docs`."""
    settings = load_settings()
    with browser() as opened, running(settings.home) as at:
        page = opened.new_page(viewport={"width": WIDTH, "height": HEIGHT}, timezone_id="UTC")
        page.set_default_timeout(PATIENCE)
        return [
            *dagster_pictures(page, at.dagster, settings.reports, docs),
            *report_pictures(page, at.reports, settings.reports, docs),
            *room_pictures(page, at.room, docs),
            import_picture(page, docs),
        ]


def main() -> None:
    """Take them and say where they are."""
    docs = Path(sys.argv[1]) if sys.argv[1:] else REPOSITORY / "docs"
    try:
        for path in take(docs):
            console.print(f"{path} {path.stat().st_size / 1000:.0f} kB")
    except SegueError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

"""The pages that Segue writes and serves itself: reports, an evaluation, the listening room.

Belongs here: which page, and what is done there before the picture. Does not belong here: Dagster's pages.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.reports import read_reports
from tests.pictures.browser import HEIGHT, PHONE, WIDTH, keep

if TYPE_CHECKING:
    from playwright.sync_api import Page


def gravest(reports: Path) -> str:
    """Where the latest report with the gravest verdict lies below the reports' folder."""
    found = max(read_reports(reports), key=lambda one: (one.verdict.rank, one.day, one.area))
    return str(found.html.relative_to(reports))


def report_pictures(page: "Page", address: str, reports: Path, docs: Path) -> list[Path]:
    """All days on one page, the gravest report, the latest evaluation."""
    evaluation = max((reports / "evaluation").glob("as_of=*.html"))
    pages = {
        "reports-index": "index.html",
        "report": gravest(reports),
        "evaluation": str(evaluation.relative_to(reports)),
    }
    made = []
    for name, path in pages.items():
        page.goto(f"{address}/{path}")
        page.wait_for_load_state("networkidle")
        if name == "reports-index":
            # Its end: figures and a row a day; the beginning is the list that `segue review` prints.
            page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
        made.append(keep(page, docs, name))
    return made


def room_pictures(page: "Page", address: str, docs: Path) -> list[Path]:
    """Somebody listens: a track plays, one was skipped; on a desk and on a telephone."""
    page.goto(f"{address}/")
    page.locator(".chip").first.click()
    page.locator(".card").first.wait_for()
    page.locator(".card .play").first.click()
    page.locator("#queue li").first.wait_for()
    page.get_by_role("button", name="Skip", exact=True).click()
    page.locator("#happened li").first.wait_for()
    page.get_by_role("button", name="Pause").click()
    made = [keep(page, docs, "listening-room")]
    page.set_viewport_size({"width": PHONE, "height": HEIGHT})
    made.append(keep(page, docs, "listening-room-phone"))
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    return made

"""The five things that somebody new to the graph looks for, each found from Dagster's front page.

Belongs here: the way to a page, as a person clicks it. Does not belong here: the browser, the servers.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from monitoring.areas import Verdict
from monitoring.reports import read_reports
from tests.pictures.browser import keep

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_NO_ALARM = "data_quality"


def alarmed(reports: Path) -> str:
    """The area whose report asked for a decision first; data quality where none did."""
    acts = [one for one in read_reports(reports) if one.verdict is Verdict.ACT]
    return min(acts, key=lambda one: (one.day, one.area)).area if acts else _NO_ALARM


def asset(page: "Page", dagster: str, path: str) -> None:
    """From the front page to an asset's page, by the search that the key / opens."""
    page.goto(f"{dagster}/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("/")
    page.get_by_placeholder("Search").last.fill(path.rpartition("/")[2])
    page.locator(f'a[href="/assets/{path}"]').click()
    page.get_by_text("Metadata", exact=True).wait_for()
    page.locator("table td").first.wait_for()
    page.get_by_text("Latest check results").wait_for()
    page.wait_for_load_state("networkidle")
    settled(page)


def row(page: "Page", key: str) -> "Locator":
    """The line of the asset's metadata with a key."""
    return page.locator("tr").filter(has=page.get_by_text(key, exact=True)).first


def opened(page: "Page", key: str) -> None:
    """Open what the metadata only names, because it is long."""
    row(page, key).get_by_text("[Show Markdown]").click()
    page.get_by_role("button", name="Close").wait_for()
    settled(page)


def settled(page: "Page") -> None:
    """Wait until what moves stands still: windows that open, grey bars in the place of what is awaited."""
    page.wait_for_function(
        "() => document.getAnimations().every((one) => one.playState !== 'running')"
    )


def below(page: "Page", heading: str) -> None:
    """Bring a part of the page to the top."""
    page.get_by_text(heading, exact=True).first.evaluate("(one) => one.scrollIntoView()")


def dagster_pictures(page: "Page", dagster: str, reports: Path, docs: Path) -> list[Path]:
    """The champion, why it was promoted, today's lists, the report that alarmed, the day it changed."""
    area = f"monitoring/{alarmed(reports)}"
    made = []
    asset(page, dagster, "registry/champion")
    page.get_by_text("Hide navigation").click()
    below(page, "Description")
    made.append(keep(page, docs, "champion"))
    for path, key, name in (
        ("registry/promotion_decision", "decision", "decision"),
        ("serving/recommendations", "a list", "recommendations"),
        (area, "key_figures", "day-it-changed"),
    ):
        asset(page, dagster, path)
        opened(page, key)
        made.append(keep(page, docs, name))
    asset(page, dagster, area)
    made.append(keep(page, docs, "alarm"))
    return made

"""Where a browser finds a report while `segue ui` runs.

Belongs here: addresses. Does not belong here: serving them (orchestration.cli.serving_ui).
"""

from datetime import date
from pathlib import Path
from urllib.parse import quote

from orchestration.settings import Settings


def report_url(settings: Settings, page: Path) -> str:
    """Where `segue ui` shows a page of the reports folder."""
    return f"{settings.reports_url}/{quote(str(page.relative_to(settings.reports)))}"


def evaluation_page(settings: Settings, as_of: date | str) -> Path:
    """The page of a training's evaluation among the reports."""
    return settings.reports / "evaluation" / f"as_of={as_of}.html"

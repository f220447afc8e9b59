"""A report's metadata in the UI: the verdict, a picture of its key figures, links that `segue ui` serves."""

import base64
import re
from datetime import date, timedelta

import pytest

from monitoring.areas import AreaReport, ReportTarget, Statistic, Verdict
from monitoring.index import write_index
from monitoring.key_figures import series_of
from monitoring.reports import write_report
from orchestration.defs.monitoring.assets import described
from orchestration.plots import figures_markdown, figures_png
from orchestration.settings import Settings

DAY = date(2026, 3, 10)
PNG = b"\x89PNG\r\n"


def reported(settings: Settings, back: int, listens: float) -> AreaReport:
    statistic = Statistic(
        "listens", 2.0, 1.0, "data_quality", Verdict.WATCH, "fewer listens", listens, 110.0
    )
    day = DAY - timedelta(days=back)
    return write_report(
        "data_quality", day, None, [statistic], ReportTarget(settings.reports, None, "m1")
    )


@pytest.fixture
def report(settings: Settings) -> AreaReport:
    """The second of two days."""
    reported(settings, 1, 120.0)
    return reported(settings, 0, 100.0)


def test_the_picture_is_a_png_in_the_page_itself(settings: Settings, report: AreaReport) -> None:
    shown = described(report, settings)["key_figures"].value
    text = re.fullmatch(r"!\[Listens 100\]\(data:image/png;base64,([A-Za-z0-9+/=]+)\)", shown)
    assert text
    assert base64.b64decode(text[1]).startswith(PNG)


def test_the_same_figures_give_the_same_picture_and_others_another(
    settings: Settings, report: AreaReport
) -> None:
    one = series_of("data_quality", [report])
    assert figures_png(one) == figures_png(one)
    both = series_of("data_quality", [report, reported(settings, 2, 90.0)])
    assert figures_png(both) != figures_png(one)


def test_key_figures_of_the_day_are_numbers_that_the_ui_plots(
    settings: Settings, report: AreaReport
) -> None:
    assert described(report, settings)["listens"] == 100.0
    write_report("data_quality", DAY, None, [], ReportTarget(settings.reports, None, "m1"))
    assert "listens" not in described(report, settings)


def test_an_area_without_figures_says_so() -> None:
    assert figures_markdown(()) == "no figures yet"


def test_the_page_of_all_days_is_linked_and_there(settings: Settings, report: AreaReport) -> None:
    page = write_index(settings.reports)
    link = described(report, settings)["all_days"].value
    assert link == f"{settings.reports_url}/index.html"
    assert page == settings.reports / "index.html"

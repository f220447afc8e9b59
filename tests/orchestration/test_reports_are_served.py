"""The links on monitoring assets open while `segue ui` runs."""

import urllib.error
import urllib.request

import pytest

from ml.errors import SegueError
from orchestration.cli.serving_ui import reports_served
from orchestration.report_links import report_url
from orchestration.settings import Settings


@pytest.fixture
def free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("SEGUE_REPORTS_PORT", str(probe.getsockname()[1]))


def test_the_link_of_a_report_shows_its_page(settings: Settings, free_port: None) -> None:
    page = settings.reports / "day=2025-03-03" / "data_quality.html"
    page.parent.mkdir(parents=True)
    page.write_text("<h1>act</h1>")
    with (
        reports_served(settings),
        urllib.request.urlopen(report_url(settings, page)) as answer,
    ):
        assert answer.read() == b"<h1>act</h1>"


def test_nothing_outside_the_reports_is_served(settings: Settings, free_port: None) -> None:
    settings.reports.mkdir(parents=True)
    (settings.home / "home.json").write_text("{}")
    with reports_served(settings) as address, pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{address}/../home.json")


def test_a_taken_port_is_named_with_the_way_on(settings: Settings, free_port: None) -> None:
    with (
        reports_served(settings),
        pytest.raises(SegueError, match="SEGUE_REPORTS_PORT"),
        reports_served(settings),
    ):
        pass

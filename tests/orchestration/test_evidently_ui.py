"""`segue ui evidently` serves the workspace with its dashboards and tells nobody about it."""

import re
import socket
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ml.errors import SegueError
from monitoring.workspace import NAMESPACE, store_day
from orchestration.cli.serving_evidently import application, open_evidently
from orchestration.cli.serving_ui import open_page
from orchestration.home import SIMULATED, Home, Source, write_home
from orchestration.settings import Settings

DAY = date(2026, 3, 10)
PROJECT = uuid.uuid5(NAMESPACE, "data_quality")


@pytest.fixture
def home(settings: Settings) -> Settings:
    write_home(settings, Home(DAY, DAY, Source(SIMULATED)))
    return settings


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser's view of the service, in a working directory that is not the home."""
    from litestar.testing import TestClient

    settings = Settings(tmp_path_factory.mktemp("evidently") / "home")
    store_day(settings.evidently, "data_quality", DAY, None, {"listens": 120.0})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        with TestClient(application(settings)) as found:
            yield found
        assert list(Path.cwd().iterdir()) == []


def test_a_project_an_area_is_listed(client: Any) -> None:
    assert [one["name"] for one in client.get("/api/projects").json()] == ["Data quality"]


def test_its_dashboard_has_a_panel_a_key_figure(client: Any) -> None:
    panels = client.get(f"/api/v2/dashboards/{PROJECT}").json()["panels"]
    assert [one["title"] for one in panels][:2] == ["Listens", "Listeners"]


def test_its_page_fetches_nothing_from_elsewhere(client: Any) -> None:
    fetched = re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]*)"', client.get("/").text)
    assert len(fetched) > 3
    assert [one for one in fetched if not one.startswith("/") or one.startswith("//")] == []


def test_nobody_is_told_of_its_use(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the switch in the environment, too: the service's own is off."""
    from iterative_telemetry import IterativeTelemetryLogger

    sent: list[object] = []
    monkeypatch.setattr(IterativeTelemetryLogger, "_send_daemon", lambda _, told: sent.append(told))
    monkeypatch.delenv("DO_NOT_TRACK", raising=False)
    client.get("/api/projects")
    client.get(f"/api/v2/dashboards/{PROJECT}")
    assert sent == []


def test_a_home_without_reports_says_how_to_get_one(home: Settings) -> None:
    with pytest.raises(SegueError, match="found none; run `segue run daily`"):
        open_evidently(0)


def test_a_taken_port_is_named_with_the_way_on(home: Settings) -> None:
    store_day(home.evidently, "data_quality", DAY, None, {"listens": 120.0})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SegueError, match=f"port {port}.*--port ANOTHER"):
            open_evidently(port)


def test_another_name_is_refused(home: Settings) -> None:
    with pytest.raises(SegueError, match="expected dagster or evidently, found 'grafana'"):
        open_page("grafana", 0)

"""Evidently's own reader finds the day's figures and drifts in the workspace, panel by panel."""

import asyncio
import json
import uuid
from datetime import date, timedelta

import pyarrow as pa
import pytest

from monitoring.evidently_pages import Drift, drift_snapshot
from monitoring.workspace import NAMESPACE, key_numbers, store_day

DAY = date(2026, 3, 30)
NEXT = DAY + timedelta(days=1)
NUMBERS = {
    DAY: {"listens": 120.0, "listens.usual": 110.0, "listens.effect": 0.1, "skip_share": 0.25},
    NEXT: {"listens": 100.0, "listens.usual": 112.0, "skip_share": 0.5},
}


def snapshot(day):
    hours = pa.table({"hour": [1.0, 2.0, 3.0, 4.0], "surface": ["a", "a", "b", "b"]})
    drift = Drift(hours, hours, {"hour": 0.1, "surface": 0.1})
    return drift_snapshot(drift, f"Data quality, {day}", day)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Two days of one area."""
    path = tmp_path_factory.mktemp("evidently")
    for day, numbers in NUMBERS.items():
        store_day(path, "data_quality", day, snapshot(day), numbers, ("hour", "surface"))
    return path


@pytest.fixture(scope="module")
def panels(workspace):
    """What each panel would draw: {title: {legend: values by day}}."""
    from evidently.ui.service.base import SeriesFilter
    from evidently.ui.service.storage.local.base import InMemoryDataStorage
    from evidently.ui.storage.local.base import LocalState

    project = uuid.uuid5(NAMESPACE, "data_quality")
    stored = InMemoryDataStorage(str(workspace))

    def drawn(value):
        wanted = SeriesFilter(
            tags=value.tags,
            metadata=value.metadata,
            metric=value.metric,
            metric_labels=value.metric_labels,
        )
        found = asyncio.run(stored.get_data_series(project, [wanted], None, None)).series
        return found[0].values if found else []

    dashboard = LocalState(str(workspace)).read_dashboard(project)
    return {
        panel.title: {value.legend: drawn(value) for value in panel.values}
        for panel in dashboard.panels
    }


def test_a_panel_shows_the_figure_of_each_day_beside_what_is_usual(panels):
    assert panels["Listens"] == {"the day": [120.0, 100.0], "usual": [110.0, 112.0]}


def test_a_figure_without_a_reference_has_a_line_of_its_own_alone(panels):
    assert panels["Skips among listens"] == {"the day": [0.25, 0.5], "usual": []}


def test_the_drift_of_each_column_is_drawn_from_the_reports_own_snapshot(panels):
    assert panels["Distance from the reference, columns 1 to 2"] == {
        "hour": [0.0, 0.0],
        "surface": [0.0, 0.0],
    }


def figures_file(workspace):
    [path] = workspace.rglob(f"{uuid.uuid5(NAMESPACE, f'data_quality/{DAY}/figures')}.json")
    return path


def test_key_figures_are_stored_as_a_plain_list_in_the_same_bytes(workspace):
    path = figures_file(workspace)
    assert path.stat().st_size < 10_000
    counters = [one["params"]["counters"][0] for one in json.loads(path.read_text())["widgets"]]
    assert counters == [
        {"label": "Listens", "value": "120"},
        {"label": "Skips among listens", "value": "25.0 %"},
    ]
    before = path.read_bytes()
    store_day(workspace, "data_quality", DAY, None, NUMBERS[DAY], ("hour", "surface"))
    assert path.read_bytes() == before


def test_a_day_that_is_lived_again_replaces_its_files(workspace):
    before = sorted(path.name for path in workspace.rglob("*") if path.is_file())
    stored = store_day(
        workspace, "data_quality", DAY, snapshot(DAY), NUMBERS[DAY], ("hour", "surface")
    )
    assert stored == str(uuid.uuid5(NAMESPACE, f"data_quality/{DAY}"))
    assert sorted(path.name for path in workspace.rglob("*") if path.is_file()) == before
    assert len(before) == 2 + 4


def test_the_same_panels_leave_the_dashboard_alone(workspace):
    project = workspace / str(uuid.uuid5(NAMESPACE, "data_quality"))
    written = (project / "dashboard.json").stat().st_mtime_ns
    store_day(workspace, "data_quality", DAY, None, NUMBERS[DAY], ("hour", "surface"))
    assert (project / "dashboard.json").stat().st_mtime_ns == written
    store_day(workspace, "data_quality", DAY, None, NUMBERS[DAY], ("hour",))
    assert (project / "dashboard.json").stat().st_mtime_ns > written


def test_an_area_with_nothing_to_compare_stores_no_snapshot(tmp_path):
    assert store_day(tmp_path, "ranking_quality", DAY, None, {}) is None
    assert list(tmp_path.rglob("snapshots/*")) == []


def test_key_numbers_leave_everything_else_out():
    assert key_numbers("data_quality", {**NUMBERS[DAY], "hour": 1.0}) == {
        "listens": 120.0,
        "listens.usual": 110.0,
        "skip_share": 0.25,
    }

"""The Evidently workspace: a project an area, the day's snapshots in it, and its dashboard.

Belongs here: the files that Evidently's own UI reads. Does not belong here: what is in a snapshot
(evidently_pages) or on a dashboard (dashboards).
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.files import replace_text
from monitoring.areas import TITLES
from monitoring.dashboards import dashboard
from monitoring.evidently_pages import figures_snapshot
from monitoring.key_figures import KEY_FIGURES, written

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

NAMESPACE = uuid.UUID("7a0f7a2e-5d3c-5f0b-9c51-5e60e0a1d001")


def store_day(
    workspace: Path,
    area: str,
    day: date,
    snapshot: "Snapshot | None",
    numbers: Mapping[str, float],
    columns: Sequence[str] = (),
) -> str | None:
    """Put the day into the area's project and return the id of `snapshot` (None without one).

    The key figures among `numbers`, with what is usual, become a snapshot of their own; the dashboard
    shows them over time and the drift of `columns`. Ids follow from area and day, so a repeated day
    replaces its snapshots and a project is made once. Files are written aside and renamed.
    """
    project = _project(workspace, area)
    stored = None
    if snapshot is not None:
        stored = _store(project, f"{area}/{day}", snapshot.dump_dict())
    figures = key_numbers(area, numbers)
    if figures:
        name = f"{TITLES[area]}, {day}: key figures"
        dump = _plain(figures_snapshot(figures, name, day).dump_dict(), area, figures)
        _store(project, f"{area}/{day}/figures", dump)
    panels = _as_json(dashboard(area, columns, NAMESPACE).dict())
    path = project / "dashboard.json"
    if not path.exists() or path.read_text(encoding="utf-8") != panels:
        replace_text(path, panels)
    return stored


def key_numbers(area: str, numbers: Mapping[str, float]) -> dict[str, float]:
    """The area's key figures and what is usual for them, as far as `numbers` holds them."""
    wanted = [
        name
        for one in KEY_FIGURES[area]
        for name in (one.measure, f"{one.measure}.usual")
        if name in numbers
    ]
    return {name: numbers[name] for name in wanted}


def _project(workspace: Path, area: str) -> Path:
    """The area's folder, made with its name on first use."""
    from evidently.sdk.models import ProjectModel

    project_id = uuid.uuid5(NAMESPACE, area)
    project = workspace / str(project_id)
    if not (project / "metadata.json").exists():
        model = ProjectModel(id=project_id, name=TITLES[area])
        replace_text(project / "metadata.json", _as_json(model.dict()))
    return project


# Opening a Workspace reads every snapshot it holds (30 ms each), which makes a day cost what history
# holds; writing its files does not.
def _store(project: Path, name: str, dump: Mapping[str, Any]) -> str:
    snapshot_id = uuid.uuid5(NAMESPACE, name)
    path = project / "snapshots" / f"{snapshot_id}.json"
    replace_text(path, _as_json(dump))
    # Evidently's UI looks at the name before a rename; a touch tells it of the new file.
    path.touch()
    return str(snapshot_id)


def _plain(dump: dict[str, Any], area: str, figures: Mapping[str, float]) -> dict[str, Any]:
    """A snapshot's values with one plain list instead of Evidently's drawings: a dashboard reads values
    alone, and Evidently's UI reads every snapshot when it starts (0.4 ms instead of 9)."""
    from evidently.legacy.renderers.html_widgets import CounterData, counter

    shown = [
        CounterData(one.title, written(figures[one.measure], one.unit))
        for one in KEY_FIGURES[area]
        if one.measure in figures
    ]
    values = {name: {**one, "widget": []} for name, one in dump["metric_results"].items()}
    # An id of its own would differ from run to run.
    widgets = [{**counter(counters=[one]).dict(), "id": one.label} for one in shown]
    return {**dump, "metric_results": values, "widgets": widgets}


def _as_json(value: object) -> str:
    from evidently.legacy.utils import NumpyEncoder

    return json.dumps(value, cls=NumpyEncoder)

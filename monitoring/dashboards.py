"""What each area's dashboard shows in Evidently's UI.

Belongs here: panels over time from the metrics of the area's snapshots. Does not belong here: files
(workspace).
"""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitoring.key_figures import KEY_FIGURES, KeyFigure

if TYPE_CHECKING:
    from evidently.sdk.models import DashboardModel, DashboardPanelPlot

# Lines in one panel that can still be told apart.
_LINES = 5


def dashboard(area: str, columns: Sequence[str], namespace: uuid.UUID) -> "DashboardModel":
    """A tab of key figures and, where columns were compared, one of their drift.

    Ids follow from area and title, so that the same dashboard is the same file.
    """
    from evidently.sdk.models import DashboardModel, DashboardTabModel

    figures = [_figure(one) for one in KEY_FIGURES[area]]
    drift = [
        _drift(columns[start : start + _LINES], start) for start in range(0, len(columns), _LINES)
    ]
    for panel in (*figures, *drift):
        panel.id = uuid.uuid5(namespace, f"{area}/{panel.title}")
    tabs = [
        DashboardTabModel(
            id=uuid.uuid5(namespace, f"{area}/tab/{title}"),
            title=title,
            panels=[panel.id for panel in panels],
        )
        for title, panels in (("Key figures", figures), ("Drift of columns", drift))
        if panels
    ]
    return DashboardModel(tabs=tabs, panels=[*figures, *drift])


def _figure(figure: KeyFigure) -> "DashboardPanelPlot":
    from evidently.sdk.models import PanelMetric
    from evidently.sdk.panels import line_plot_panel

    values = [
        PanelMetric(legend=legend, metric="MeanValue", metric_labels={"column": column})
        for legend, column in (
            ("the day", figure.measure),
            ("usual", f"{figure.measure}.usual"),
        )
    ]
    return line_plot_panel(figure.title, values, figure.measure, size="half")


def _drift(columns: Sequence[str], start: int) -> "DashboardPanelPlot":
    from evidently.sdk.models import PanelMetric
    from evidently.sdk.panels import line_plot_panel

    values = [
        PanelMetric(legend=column, metric="ValueDrift", metric_labels={"column": column})
        for column in columns
    ]
    places = f"columns {start + 1} to {start + len(columns)}"
    return line_plot_panel(f"Distance from the reference, {places}", values, size="half")

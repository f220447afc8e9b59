"""Small plots inside Dagster's metadata.

Belongs here: PNG pictures in markdown. Does not belong here: which figures there are
(monitoring.key_figures).
"""

import base64
import itertools
from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING

from monitoring.areas import Verdict
from monitoring.key_figures import Series, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches of a plot; five side by side fill the window in which the UI opens them.
_WIDTH, _HEIGHT = 1.95, 1.15
_DPI = 96
_ACROSS = 5
_LINE, _USUAL = "#33475b", "#8b98a5"
_MARKS = {Verdict.WATCH: ("^", "#7a4b00"), Verdict.ACT: ("s", "#8f1414")}


def figures_markdown(series: Sequence[Series]) -> str:
    """The figures as one PNG in a data address: the UI shows it without a server."""
    if not series:
        return "no figures yet"
    picture = base64.b64encode(figures_png(series)).decode()
    spoken = "; ".join(
        f"{one.figure.title} {written(one.values[-1], one.figure.unit)}" for one in series
    )
    return f"![{spoken}](data:image/png;base64,{picture})"


def figures_png(series: Sequence[Series]) -> bytes:
    """A plot a figure: the line, what is usual dashed, days of `watch` and `act` marked by shape. The
    same series give the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Not pyplot: it keeps every figure alive and looks for a screen.
    across = min(len(series), _ACROSS)
    rows = -(-len(series) // across)
    size = (_WIDTH * across, _HEIGHT * rows)
    figure = Figure(figsize=size, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    places = figure.subplots(rows, across, squeeze=False).flat
    for axes, one in itertools.zip_longest(places, series):
        if one is None:
            axes.set_axis_off()
        else:
            _draw(axes, one)
    stream = BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _draw(axes: "Axes", series: Series) -> None:
    days = [day.toordinal() for day in series.days]
    usual = [float("nan") if value is None else value for value in series.usual]
    axes.plot(days, usual, color=_USUAL, linewidth=0.8, linestyle="--")
    axes.plot(days, series.values, color=_LINE, linewidth=1.2, marker=".", markersize=3)
    for verdict, (shape, colour) in _MARKS.items():
        marked = [place for place, word in enumerate(series.verdicts) if word is verdict]
        axes.scatter(
            [days[place] for place in marked],
            [series.values[place] for place in marked],
            s=14,
            marker=shape,
            color=colour,
            zorder=3,
        )
    value = written(series.values[-1], series.figure.unit)
    axes.set_title(f"{series.figure.title}\n{value}", fontsize=6.5, loc="left")
    # The day on which the verdict changed for the worse is the one that is looked for.
    named = named_days(series)
    axes.set_xticks([day.toordinal() for day in named])
    axes.set_xticklabels([f"{day:%m-%d}" for day in named], fontsize=5.5)
    axes.tick_params(axis="x", length=2, pad=1.5)
    axes.set_yticks([])


def turn(series: Series) -> date | None:
    """The latest day on which the verdict became graver, None where it never did."""
    steps = zip(series.days[1:], itertools.pairwise(series.verdicts), strict=False)
    graver = [day for day, (before, then) in steps if then.rank > before.rank]
    return graver[-1] if graver else None


def named_days(series: Series) -> list[date]:
    """Days written below a plot: the turn, and the first and last day where they leave it room."""
    ends = [series.days[0], series.days[-1]]
    at = turn(series)
    if at is None:
        return sorted(set(ends))
    room = (ends[1] - ends[0]) / 5
    return sorted({at, *(end for end in ends if abs(end - at) >= room)})

"""A small plot of one figure over time as inline SVG.

Belongs here: scaling and shapes. Does not belong here: which figures are drawn (key_figures).
"""

from html import escape

from monitoring.areas import Verdict
from monitoring.key_figures import Series, written

WIDTH, HEIGHT = 240, 64
_EDGE = 7
_LINE, _USUAL = "#33475b", "#8b98a5"
_FULL, _DASHED = 'stroke-width="1.6"', 'stroke-width="1" stroke-dasharray="4 3"'
# Text colours of the page; on white they reach contrast 4.5.
_MARKS = {Verdict.WATCH: "#7a4b00", Verdict.ACT: "#8f1414"}


def sparkline(series: Series) -> str:
    """One `<svg>`: the figure as a line, what is usual dashed, a triangle on days of `watch` and a
    square on days of `act`. Days without the figure leave their room empty."""
    known = [one for one in series.usual if one is not None]
    low, high = min((*series.values, *known)), max((*series.values, *known))
    first, last = series.days[0].toordinal(), series.days[-1].toordinal()

    def across(index: int) -> float:
        share = (series.days[index].toordinal() - first) / (last - first) if last > first else 1.0
        return _EDGE + share * (WIDTH - 2 * _EDGE)

    def down(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return HEIGHT - _EDGE - share * (HEIGHT - 2 * _EDGE)

    ordinals = range(len(series.days))
    drawn = [(across(one), down(series.values[one])) for one in ordinals]
    usual = [
        (across(one), down(value))
        for one, value in zip(ordinals, series.usual, strict=True)
        if value is not None
    ]
    marks = "".join(
        _mark(*drawn[one], verdict, _told(series, one))
        for one, verdict in zip(ordinals, series.verdicts, strict=True)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(_spoken(series))}">'
        f"{_line(usual, _USUAL, _DASHED)}{_line(drawn, _LINE, _FULL)}{marks}</svg>"
    )


def _line(points: list[tuple[float, float]], colour: str, style: str) -> str:
    if not points:
        return ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" {style}/>'


def _mark(x: float, y: float, verdict: Verdict, told: str) -> str:
    """A shape of its own for each verdict, so that colour is not needed to tell them apart."""
    colour, size = _MARKS.get(verdict, _LINE), 4
    title = f"<title>{escape(told)}</title>"
    if verdict is Verdict.ACT:
        return (
            f'<rect x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size}" height="{2 * size}" '
            f'fill="{colour}">{title}</rect>'
        )
    if verdict is Verdict.WATCH:
        corners = (
            f"{x:.1f},{y - size:.1f} {x + size:.1f},{y + size:.1f} {x - size:.1f},{y + size:.1f}"
        )
        return f'<polygon points="{corners}" fill="{colour}">{title}</polygon>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{colour}">{title}</circle>'


def _told(series: Series, index: int) -> str:
    value = written(series.values[index], series.figure.unit)
    return f"{series.days[index]}: {value} ({series.verdicts[index].value})"


def _spoken(series: Series) -> str:
    unit = series.figure.unit
    return (
        f"{series.figure.title} from {series.days[0]} to {series.days[-1]}: "
        f"from {written(series.values[0], unit)} to {written(series.values[-1], unit)}"
    )

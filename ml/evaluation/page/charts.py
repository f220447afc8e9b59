"""Plots by row: figures with intervals, and bars.

Belongs here: the two plots that grow downwards, a row a thing. Does not belong here: plots over days (trend)
or what is drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isnan

from ml.evaluation.page.marks import COLOURS, Mark, Scale, number, said, scale_of, shape, svg

_LINE, _TEXT, _FOOT = 15, 20, 26


@dataclass(frozen=True, slots=True)
class Line:
    """A labelled row of a plot; `note` stands at its right end. Without marks it heads the rows below."""

    label: str
    marks: Sequence[Mark]
    note: str = ""


def _whisker(mark: Mark, kind: int, y: float, scale: Scale) -> str:
    if isnan(mark.mean):
        return ""
    colour = COLOURS[kind % len(COLOURS)]
    bar = ""
    if not isnan(mark.low):
        bar = (
            f'<line x1="{scale.at(mark.low)}" x2="{scale.at(mark.high)}" y1="{y:g}" y2="{y:g}" '
            f'stroke="{colour}" stroke-width="2.5" stroke-opacity=".55"/>'
        )
    point = shape(kind, scale.at(mark.mean), y)
    return f"<g><title>{escape(said(mark))}</title>{bar}{point}</g>"


def _axis(scale: Scale, height: float) -> str:
    lines = []
    for tick in scale.ticks():
        x = scale.at(tick)
        ink = "#8a8a8a" if abs(tick) < 1e-12 else "#e7e7e7"
        lines.append(f'<line x1="{x}" x2="{x}" y1="0" y2="{height:g}" stroke="{ink}"/>')
        lines.append(
            f'<text x="{x}" y="{height + 16:g}" class="tick" text-anchor="middle">'
            f"{number(tick)}</text>"
        )
    return "".join(lines)


def intervals_plot(
    lines: Sequence[Line], series: Sequence[str], title: str, *, zero: bool = False
) -> str:
    """A row a line: its label, and under it a mark with its interval for each of its series.

    Colour and shape follow the place of a mark's series in `series`; lines grow along one scale. `zero`
    puts 0 on it: where the eye compares lengths, or a difference with none.
    """
    scale = scale_of([mark for line in lines for mark in line.marks], zero=zero)
    parts, y = [], 4.0
    for line in lines:
        heading = "" if line.marks else ' font-weight="600"'
        parts.append(f'<text x="1.5%" y="{y + 12:g}"{heading}>{escape(line.label)}</text>')
        parts.append(
            f'<text x="98.5%" y="{y + 12:g}" class="tick" text-anchor="end">'
            f"{escape(line.note)}</text>"
        )
        y += _TEXT
        for mark in line.marks:
            parts.append(_whisker(mark, series.index(mark.series), y + 5, scale))
            y += _LINE
        y += 4
    return svg(_axis(scale, y) + "".join(parts), y + _FOOT, title)


def bars_plot(lines: Sequence[tuple[str, float, str]], title: str) -> str:
    """A row a (label, length from 0, note), longest length across the whole width."""
    scale = Scale(0.0, max([length for _, length, _ in lines if not isnan(length)], default=1) or 1)
    parts, y = [], 4.0
    for label, length, note in lines:
        width = 0.0 if isnan(length) else 97.0 * length / scale.high
        parts.append(
            f'<text x="1.5%" y="{y + 12:g}">{escape(label)}</text>'
            f'<text x="98.5%" y="{y + 12:g}" class="tick" text-anchor="end">{escape(note)}</text>'
            f'<rect x="1.5%" y="{y + 18:g}" width="{width:.2f}%" height="9" rx="2" '
            f'fill="{COLOURS[0]}"><title>{escape(f"{label}: {number(length)}")}</title></rect>'
        )
        y += 34
    return svg("".join(parts), y + 2, title)

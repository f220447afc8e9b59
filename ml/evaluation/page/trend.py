"""Plots over days: a line a series, a mark with its interval a day.

Belongs here: the one plot whose width is time. Does not belong here: plots by row (charts) or what is
drawn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import isnan

from ml.evaluation.page.marks import COLOURS, Mark, Scale, number, said, scale_of, shape, svg

_HEIGHT, _TOP, _FOOT = 190.0, 8.0, 24.0
# Percentages of the width: figures stand left of the first, marks of one day side by side.
_LEFT, _WIDTH, _APART = 12.0, 86.0, 1.2


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a day and a figure lie."""

    days: Sequence[str]
    series: int
    scale: Scale

    def middle(self, day: int) -> float:
        return _LEFT + (day + 0.5) * _WIDTH / len(self.days)

    def across(self, day: int, kind: int) -> str:
        return f"{self.middle(day) + _APART * (kind - (self.series - 1) / 2):.2f}%"

    def down(self, value: float) -> str:
        share = (value - self.scale.low) / (self.scale.high - self.scale.low)
        return f"{_TOP + (_HEIGHT - _TOP - 6) * (1 - share):.1f}"


def days_plot(
    days: Sequence[str],
    series: Mapping[str, Sequence[Mark]],
    title: str,
    *,
    hollow: Sequence[bool],
) -> str:
    """Lines over `days`; `hollow` marks on days that a choice was made on.

    Each of `series` has a mark for every day, in the order of the legend.
    """
    scale = scale_of([mark for marks in series.values() for mark in marks], zero=True)
    frame = _Frame(days, len(series), scale)
    parts = [*_grid(frame)]
    for kind, marks in enumerate(series.values()):
        parts += _line(frame, kind, marks)
        parts += _marks(frame, kind, marks, hollow)
    return svg("".join(parts), _HEIGHT + _FOOT, title)


def _grid(frame: _Frame) -> Iterator[str]:
    for tick in frame.scale.ticks():
        y = frame.down(tick)
        yield (
            f'<line x1="{_LEFT}%" x2="98.5%" y1="{y}" y2="{y}" stroke="#e7e7e7"/>'
            f'<text x="{_LEFT - 1}%" y="{y}" dy="4" class="tick" text-anchor="end">'
            f"{number(tick)}</text>"
        )
    for place, day in enumerate(frame.days):
        yield (
            f'<text x="{frame.middle(place):.2f}%" y="{_HEIGHT + 14:g}" class="tick" '
            f'text-anchor="middle">{escape(day)}</text>'
        )


def _line(frame: _Frame, kind: int, marks: Sequence[Mark]) -> Iterator[str]:
    points = [(day, mark.mean) for day, mark in enumerate(marks) if not isnan(mark.mean)]
    for (one, first), (two, second) in pairwise(points):
        yield (
            f'<line x1="{frame.across(one, kind)}" x2="{frame.across(two, kind)}" '
            f'y1="{frame.down(first)}" y2="{frame.down(second)}" '
            f'stroke="{COLOURS[kind % len(COLOURS)]}" stroke-width="1.5"/>'
        )


def _marks(
    frame: _Frame, kind: int, marks: Sequence[Mark], hollow: Sequence[bool]
) -> Iterator[str]:
    for day, mark in enumerate(marks):
        if isnan(mark.mean):
            continue
        x, bar = frame.across(day, kind), ""
        if not isnan(mark.low):
            bar = (
                f'<line x1="{x}" x2="{x}" y1="{frame.down(mark.low)}" y2="{frame.down(mark.high)}" '
                f'stroke="{COLOURS[kind % len(COLOURS)]}" stroke-width="2.5" stroke-opacity=".55"/>'
            )
        point = shape(kind, x, float(frame.down(mark.mean)), hollow=hollow[day])
        told = escape(f"{frame.days[day]}, {said(mark)}")
        yield f"<g><title>{told}</title>{bar}{point}</g>"

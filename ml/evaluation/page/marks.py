"""What plots are drawn of: marks with intervals, shapes, a scale.

Belongs here: parts of inline SVG. Does not belong here: plots (charts, trend) or what is drawn.

Lengths along x are percentages and text keeps its size, so that one drawing fits a desk and a telephone; a
plotting library's SVG shrinks its text with the page and loads 0.7 s of code. The same input gives the
same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, isnan, log10

# Okabe and Ito (2008): told apart with any colour vision; the shapes differ too.
COLOURS = ("#0072b2", "#d55e00", "#5b5b5b", "#008a63")
_SHAPES = ("circle", "square", "diamond", "circle")
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure of a series with its interval, nan bounds = none; nan mean = not drawn."""

    series: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scale:
    """From figures to percentages of the width."""

    low: float
    high: float

    def at(self, value: float) -> str:
        """Place of a value: a margin of 1.5 % either side keeps marks whole."""
        share = (value - self.low) / (self.high - self.low)
        return f"{1.5 + 97.0 * min(max(share, 0.0), 1.0):.2f}%"

    def ticks(self) -> list[float]:
        """A few round figures within the scale."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** floor(log10(rough))
        step = next(power * one for one in _STEPS if power * one >= rough * 0.999)
        first = -floor(-self.low / step + 1e-9)
        last = floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def scale_of(marks: Sequence[Mark], *, zero: bool) -> Scale:
    """A scale that holds all marks and their intervals, and 0 where asked."""
    values = [v for mark in marks for v in (mark.mean, mark.low, mark.high) if not isnan(v)]
    values += [0.0] if zero or not values else []
    low, high = min(values), max(values)
    if low == high:
        high = low + 1.0
    room = 0.03 * (high - low)
    return Scale(low if low == 0.0 else low - room, high if high == 0.0 else high + room)


def number(value: float) -> str:
    """A figure as plots write it."""
    if isnan(value):
        return "n/a"
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def said(mark: Mark) -> str:
    """A mark in words, shown under the pointer and read aloud."""
    interval = "" if isnan(mark.low) else f" [{mark.low:.4f}, {mark.high:.4f}]"
    return f"{mark.series}: {mark.mean:.4f}{interval}"


def shape(kind: int, x: str, y: float, *, hollow: bool = False) -> str:
    """The mark of the `kind`-th series as SVG, `x` as SVG writes a length, `y` in pixels from the top. Shapes
    and colours begin again after the fourth series; a hollow mark is a figure not to rest on."""
    colour = COLOURS[kind % len(COLOURS)]
    paint = f'fill="#fff" stroke="{colour}" stroke-width="2"' if hollow else f'fill="{colour}"'
    name = _SHAPES[kind % len(_SHAPES)]
    if name == "circle":
        return f'<circle cx="{x}" cy="{y:g}" r="4.5" {paint}/>'
    # A nested drawing takes a percentage where a rotated rectangle cannot.
    inner = "M-4,-4H4V4H-4Z" if name == "square" else "M0,-5.5L5.5,0L0,5.5L-5.5,0Z"
    return f'<svg x="{x}" y="{y:g}" overflow="visible"><path d="{inner}" {paint}/></svg>'


def svg(inside: str, height: float, title: str) -> str:
    """A drawing as wide as the page and `height` pixels high; screen readers say its title."""
    return (
        f'<svg class="plot" role="img" aria-label="{escape(title)}" width="100%" '
        f'height="{height:g}">{inside}</svg>'
    )


def legend(series: Sequence[str]) -> str:
    """Names of series beside their marks."""
    items = "".join(
        f'<span><svg width="14" height="14">{shape(kind, "7", 7)}</svg>{escape(name)}</span>'
        for kind, name in enumerate(series)
    )
    return f'<p class="legend">{items}</p>'

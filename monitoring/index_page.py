"""HTML of the page that lists every day: open reports, key figures, verdicts, decisions.

Belongs here: our own HTML, with no asset from elsewhere. Does not belong here: reading or writing
files (index).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from monitoring.areas import AREAS, TITLES, AreaReport, Verdict
from monitoring.index_style import STYLE
from monitoring.key_figures import Series, series_of, written
from monitoring.page import COLOURS, MEANING
from monitoring.review import Review
from monitoring.sparkline import sparkline

# Open reports and decisions in sight; the rest is folded away.
IN_SIGHT = 12
DAYS_IN_SIGHT = 60
# More days than this are no longer told apart in a small plot.
DAYS_PLOTTED = 90


@dataclass(frozen=True, slots=True)
class Watch:
    """All reports, those open (worst first) and all reviews (in the order of recording)."""

    reports: tuple[AreaReport, ...]
    waiting: tuple[AreaReport, ...]
    reviews: tuple[Review, ...]


def index_page(watch: Watch) -> str:
    """The whole page. It names no time of writing, so that the same reports give the same bytes."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Segue: monitoring</title><style>{STYLE}</style></head><body><main>"
        f"{_head(watch)}{_waiting(watch.waiting)}{_figures(watch.reports)}{_days(watch)}"
        f"{_decisions(watch.reviews)}</main></body></html>\n"
    )


def _head(watch: Watch) -> str:
    if not watch.reports:
        return "<h1>Monitoring</h1><p>No report yet: <code>segue run daily</code> lives a day.</p>"
    days = sorted({one.day for one in watch.reports})
    model = next(one.model_version for one in watch.reports if one.day == days[-1])
    return (
        f"<h1>Monitoring</h1><p class=mute>{len(days)} days, {days[0]} to {days[-1]}. "
        f"Model in force: <code>{escape(model or 'none yet')}</code></p>"
    )


def _waiting(waiting: Sequence[AreaReport]) -> str:
    """What asks for a person, worst first; reports that say ok are only counted."""
    asking = [one for one in waiting if one.verdict is not Verdict.OK]
    quiet = len(waiting) - len(asking)
    rest = asking[IN_SIGHT:]
    more = f"<details><summary>{len(rest)} more</summary>{_cards(rest)}</details>" if rest else ""
    said = f"{len(asking)} to look at" if asking else "Nothing to look at"
    calm = f'<p class="mute">{quiet} reports that say ok are open as well.</p>' if quiet else ""
    return (
        f'<section id="open"><h2>Open for review: {said}</h2>{_cards(asking[:IN_SIGHT])}{more}{calm}'
        "</section>"
    )


def _cards(reports: Sequence[AreaReport]) -> str:
    cards = "".join(
        f'<li>{badge(one.verdict, _link(one))} <a href="{_link(one)}">{TITLES[one.area]}, {one.day}</a>'
        f"<p>{escape(one.reasons[0] if one.reasons else MEANING[one.verdict.value])}</p>"
        f"<code>segue review {one.day} {one.area} --decision keep|retrain|rollback --note WHY</code></li>"
        for one in reports
    )
    return f'<ol class="open">{cards}</ol>' if cards else ""


def _figures(reports: Sequence[AreaReport]) -> str:
    blocks = []
    days = sorted({one.day for one in reports})[-DAYS_PLOTTED:]
    recent = [one for one in reports if one.day >= days[0]] if days else []
    for area in AREAS:
        plots = "".join(_plot(one, days[-1]) for one in series_of(area, recent))
        if plots:
            blocks.append(f'<h3>{TITLES[area]}</h3><div class="plots">{plots}</div>')
    if not blocks:
        return ""
    legend = (
        '<p class="mute">Line: the figure by day. Dashed: what is usual. Triangle: the area says '
        "watch. Square: it says act.</p>"
    )
    return f'<section id="figures"><h2>Key figures</h2>{legend}{"".join(blocks)}</section>'


def _plot(series: Series, latest: date) -> str:
    unit = series.figure.unit
    usual = series.usual[-1]
    beside = f"usually {written(usual, unit)}" if usual is not None else ""
    if series.days[-1] != latest:
        beside += f" last on {series.days[-1]}"
    return (
        f"<figure><figcaption>{escape(series.figure.title)}</figcaption>"
        f"<b>{written(series.values[-1], unit)}</b> <span class=mute>{beside}</span>"
        f"{sparkline(series)}</figure>"
    )


def _days(watch: Watch) -> str:
    if not watch.reports:
        return ""
    decided = {one.review_id: one for one in watch.reviews}
    of_day: dict[date, dict[str, AreaReport]] = {}
    for one in watch.reports:
        of_day.setdefault(one.day, {})[one.area] = one
    rows = [_row(day, of_day[day], decided) for day in sorted(of_day, reverse=True)]
    early = rows[DAYS_IN_SIGHT:]
    more = (
        f"<details><summary>{len(early)} earlier days</summary>{_table(early)}</details>"
        if early
        else ""
    )
    return f'<section id="days"><h2>Days</h2>{_table(rows[:DAYS_IN_SIGHT])}{more}</section>'


def _table(rows: Sequence[str]) -> str:
    header = "".join(f'<th scope="col">{TITLES[area]}</th>' for area in AREAS)
    return (
        f'<table><thead><tr><th scope="col">Day</th>{header}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _row(day: date, found: dict[str, AreaReport], decided: dict[str, Review]) -> str:
    cells = []
    for area in AREAS:
        report = found.get(area)
        if report is None:
            cells.append(f'<td data-area="{TITLES[area]}"><span class=mute>none</span></td>')
            continue
        review = decided.get(f"{day}/{area}")
        state = f"{review.decision.value} by {escape(review.reviewer)}" if review else "open"
        cells.append(
            f'<td data-area="{TITLES[area]}">{badge(report.verdict, _link(report))}'
            f"<small>{state}</small></td>"
        )
    return f'<tr><th scope="row">{day}</th>{"".join(cells)}</tr>'


def _decisions(reviews: Sequence[Review]) -> str:
    if not reviews:
        return ""
    lines = [
        f"<li>{one.at:%Y-%m-%d %H:%M} {escape(one.reviewer)}: <b>{one.decision.value}</b> after "
        f'<a href="day={one.day}/{one.area}.html">{TITLES[one.area]}, {one.day}</a> '
        f"({one.verdict}){': ' + escape(one.note) if one.note else ''}</li>"
        for one in reversed(reviews)
    ]
    rest = lines[IN_SIGHT:]
    more = (
        f"<details><summary>{len(rest)} earlier ones</summary><ul>{''.join(rest)}</ul></details>"
        if rest
        else ""
    )
    return f'<section id="decisions"><h2>Decisions</h2><ul>{"".join(lines[:IN_SIGHT])}</ul>{more}</section>'


def badge(verdict: Verdict, link: str) -> str:
    """The verdict's word on its colour, as a link to the report."""
    ink, paper = COLOURS[verdict.value]
    return (
        f'<a class="verdict" href="{link}" style="color:{ink};background:{paper}">'
        f"{verdict.value}</a>"
    )


def _link(report: AreaReport) -> str:
    """Relative to the page, so that a home can move."""
    return f"day={report.day}/{report.area}.html"

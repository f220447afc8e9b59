"""The header every report page begins with: verdict, reasons and key numbers.

Belongs here: our own HTML, a banner put in front of Evidently's body, and the page that stands
alone when there is nothing to compare. Does not belong here: judging or writing files.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape

from monitoring.areas import TITLES, Judgement, Statistic, Verdict
from monitoring.suspects import excess

# Text colours reach contrast 4.5 on their backgrounds.
COLOURS = {
    "ok": ("#0b5d2a", "#e3f5e9"),
    "watch": ("#7a4b00", "#fff1d6"),
    "act": ("#8f1414", "#fde4e4"),
}
_AMBER = COLOURS["watch"]
# The word for a measure beyond its threshold that does not raise the verdict.
OVER = "over"
_SHOWN_MEASURES = 12
MEANING = {
    "ok": "Nothing to decide.",
    "watch": "Look at this; no decision is due yet.",
    "act": "Decide: keep, retrain or roll back.",
}
_STYLE = """
.segue{font:15px/1.5 system-ui,sans-serif;color:#1c1c1c;max-width:1100px;margin:24px auto;padding:0 16px}
.segue .verdict{border-radius:10px;padding:16px 22px;margin-bottom:18px}
.segue h1{font-size:22px;margin:0 0 4px}.segue ul{margin:8px 0 0;padding-left:20px}
.segue table{border-collapse:collapse;width:100%}.segue td,.segue th{padding:4px 10px;text-align:right;
border-bottom:1px solid #e4e4e4}.segue td:first-child,.segue th:first-child,.segue td:last-child,
.segue th:last-child{text-align:left}.segue .mute{color:#666}.segue code{background:#f3f3f3;padding:1px 5px}
"""


def banner(
    area: str,
    day: date,
    judgement: Judgement,
    statistics: Sequence[Statistic],
    numbers: Mapping[str, float],
    model_version: str | None,
) -> str:
    """HTML of the header: verdict in colour, reasons, every statistic, then the plain numbers."""
    ink, paper = COLOURS[judgement.verdict.value]
    reasons = "".join(f"<li>{escape(one)}</li>" for one in judgement.reasons)
    model = escape(model_version) if model_version else "none yet"
    return (
        f'<style>{_STYLE}</style><div class="segue" id="segue-banner">'
        f'<div class="verdict" style="background:{paper};color:{ink}">'
        f"<h1>{TITLES[area]}, {day}: {judgement.verdict.value}</h1>"
        f"<div>{MEANING[judgement.verdict.value]}</div><ul>{reasons}</ul></div>"
        f"{_statistics_table(statistics)}{_numbers_table(numbers)}"
        f'<p class="mute">Model in force: {model}. Close this report with '
        f"<code>segue review {day} {area} --decision keep</code> (or <code>retrain</code>, "
        f'<code>rollback</code>). <a href="../index.html">All days</a></p></div>'
    )


def with_banner(html: str, header: str) -> str:
    """Evidently's page with the header as the first thing of its body."""
    before, tag, after = html.partition("<body>")
    return before + tag + header + after if tag else header + html


def standing_alone(header: str, title: str) -> str:
    """A page of the header only, for an area with nothing to draw."""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8">'
        f"<title>{escape(title)}</title></head><body>{header}</body></html>"
    )


def _statistics_table(statistics: Sequence[Statistic]) -> str:
    """The loudest measures in sight, the others folded away."""
    ordered = sorted(statistics, key=lambda one: (-one.severity.rank, -excess(one), one.name))
    if not ordered:
        return ""
    table = _table(ordered[:_SHOWN_MEASURES])
    rest = ordered[_SHOWN_MEASURES:]
    if rest:
        table += f"<details><summary>{len(rest)} quieter measures</summary>{_table(rest)}</details>"
    if any(_word(one) == OVER for one in ordered):
        table += f'<p class="mute">{OVER}: beyond its threshold, too light to ask by itself.</p>'
    return table


def _table(statistics: Sequence[Statistic]) -> str:
    rows = "".join(
        f'<tr style="color:{_ink(one)}"><td>{escape(one.name)}</td><td>{_shown(one.observed)}</td>'
        f"<td>{_shown(one.usual)}</td><td>{one.value:.3f}</td><td>{one.threshold:.3f}</td>"
        f"<td>{_word(one)}</td></tr>"
        for one in statistics
    )
    return (
        "<table><thead><tr><th>measure</th><th>today</th><th>usual</th><th>effect</th>"
        f"<th>threshold</th><th>verdict</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _word(statistic: Statistic) -> str:
    light = statistic.severity is Verdict.OK and excess(statistic) > 1
    return OVER if light else statistic.severity.value


def _ink(statistic: Statistic) -> str:
    return "inherit" if _word(statistic) == "ok" else COLOURS.get(_word(statistic), _AMBER)[0]


def _numbers_table(numbers: Mapping[str, float]) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{_shown(value)}</td></tr>"
        for name, value in sorted(numbers.items())
        if not name.endswith((".effect", ".usual"))
    )
    return (
        "<details><summary>All numbers of the day</summary>"
        f"<table><tbody>{rows}</tbody></table></details>"
    )


def _shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"

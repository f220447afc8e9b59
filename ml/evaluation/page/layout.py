"""One self-contained HTML page: verdicts on top, then titled sections; tables that scroll on a telephone.

Belongs here: the page's frame and style. Does not belong here: plots (charts) or what is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# As on the monitoring reports; text colours reach contrast 4.5 on their backgrounds.
_TONES = {
    "good": ("#0b5d2a", "#e3f5e9"),
    "unsure": ("#7a4b00", "#fff1d6"),
    "bad": ("#8f1414", "#fde4e4"),
}
_STYLE = """
*{box-sizing:border-box}body{margin:0;background:#fff}
main{font:15px/1.5 system-ui,sans-serif;color:#1c1c1c;max-width:1100px;margin:24px auto;padding:0 16px}
h1{font-size:24px;margin:0 0 12px}h2{font-size:20px;margin:34px 0 10px;border-bottom:2px solid #e4e4e4}
h3{font-size:16px;margin:0 0 4px}.verdict{border-radius:10px;padding:14px 20px;margin-bottom:12px}
.verdict strong{font-size:18px}.verdict p{margin:4px 0 0}.mute{color:#5f5f5f;font-size:13.5px;margin:2px 0 8px}
.grid{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:26px 34px}
.wide{grid-column:1/-1}.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;width:100%;font-size:14px;white-space:nowrap}
td,th{padding:4px 10px;text-align:right;border-bottom:1px solid #e4e4e4;font-variant-numeric:tabular-nums}
td:first-child,th:first-child{text-align:left;position:sticky;left:0;background:#fff}
tr.first td{font-weight:600}.plot{display:block}.plot text{font-size:13px;fill:#1c1c1c}
.plot text.tick{font-size:12px;fill:#5f5f5f}.legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin:2px 0 6px;
font-size:13.5px}.legend span{display:inline-flex;align-items:center;gap:5px}
code{background:#f3f3f3;padding:1px 5px}
@media(max-width:720px){.grid{grid-template-columns:minmax(0,1fr)}main{margin:14px auto}h1{font-size:21px}}
@media print{.scroll{overflow:visible}}
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence in colour, and one that says why; `tone` is good, unsure or bad."""

    tone: str
    claim: str
    ground: str


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the page: `body` is HTML, `note` says in words what is to be seen."""

    title: str
    note: str
    body: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """Sections under one heading."""

    title: str
    sections: Sequence[Section]


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, emphasis: bool = False) -> str:
    """A table, first column to the left and staying in sight; `emphasis` sets the first row in bold. A new
    line in a cell begins one there."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    lines = [
        f"<tr{' class=first' if emphasis and not place else ''}>"
        + "".join(f"<td>{escape(cell).replace(chr(10), '<br>')}</td>" for cell in row)
        + "</tr>"
        for place, row in enumerate(rows)
    ]
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _verdict(verdict: Verdict) -> str:
    ink, paper = _TONES[verdict.tone]
    return (
        f'<div class="verdict" style="background:{paper};color:{ink}">'
        f"<strong>{escape(verdict.claim)}</strong><p>{escape(verdict.ground)}</p></div>"
    )


def _section(section: Section) -> str:
    kind = ' class="wide"' if section.wide else ""
    return (
        f"<section{kind}><h3>{escape(section.title)}</h3>"
        f'<p class="mute">{escape(section.note)}</p>{section.body}</section>'
    )


def page(title: str, verdicts: Sequence[Verdict], facts: str, chapters: Sequence[Chapter]) -> str:
    """The whole document; `facts` is one plain paragraph under the verdicts."""
    body = "".join(
        f'<h2>{escape(chapter.title)}</h2><div class="grid">'
        f"{''.join(_section(one) for one in chapter.sections)}</div>"
        for chapter in chapters
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(title)}</h1>{''.join(_verdict(one) for one in verdicts)}"
        f'<p class="mute">{escape(facts)}</p>{body}</main></body></html>\n'
    )

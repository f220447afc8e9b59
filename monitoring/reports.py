"""Writing an area's report of a day: page, numbers and snapshot, and reading the numbers back.

Belongs here: files and their layout. Does not belong here: what the numbers mean. Files are
reports/day=YYYY-MM-DD/<area>.html and .json, written aside and renamed; the page first, so that
numbers never name a page that is not there.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from monitoring.areas import AREAS, TITLES, AreaReport, ReportTarget, Statistic, Verdict
from monitoring.evidently_pages import (
    Drift,
    Ranked,
    drift_snapshot,
    ranking_snapshot,
    store_snapshot,
)
from monitoring.page import banner, standing_alone, with_banner
from monitoring.profile import Profile
from monitoring.verdict import judge


def write_report(
    area: str,
    day: date,
    figure: Drift | Ranked | None,
    statistics: Sequence[Statistic],
    target: ReportTarget,
    numbers: Mapping[str, float] | None = None,
    notes: Sequence[str] = (),
) -> AreaReport:
    """Judge the statistics and write the page, the numbers and the snapshot of one area.

    `figure` is what Evidently draws (None = the header stands alone, without a snapshot). Numbers
    that are not finite are left out: a figure that does not exist is not written as zero.
    """
    judgement = judge(statistics, notes)
    kept = finite({**(numbers or {}), **effects(statistics)})
    header = banner(area, day, judgement, statistics, kept, target.model_version)
    page, snapshot_id = _page(area, day, figure, header, target)
    html = day_folder(target.reports, day) / f"{area}.html"
    _write(html, page)
    report = AreaReport(
        area,
        day,
        judgement.verdict,
        judgement.status,
        judgement.reasons,
        kept,
        target.model_version,
        snapshot_id,
        html,
        math.ceil(html.stat().st_size / 1024),
    )
    _write(html.with_suffix(".json"), json.dumps(as_record(report), indent=1, sort_keys=True))
    return report


def _page(
    area: str, day: date, figure: Drift | Ranked | None, header: str, target: ReportTarget
) -> tuple[str, str | None]:
    """The page's HTML, and the id of the snapshot put into the workspace."""
    title = f"{TITLES[area]}, {day}"
    if figure is None:
        return standing_alone(header, title), None
    if isinstance(figure, Drift):
        snapshot = drift_snapshot(figure, title, day)
    else:
        snapshot = ranking_snapshot(figure, title, day)
    stored = None
    if target.workspace is not None:
        stored = store_snapshot(target.workspace, area, day, snapshot)
    return with_banner(snapshot.get_html_str(as_iframe=False), header), stored


def day_folder(reports: Path, day: date) -> Path:
    """The folder of a day's reports."""
    return reports / f"day={day}"


def effects(statistics: Sequence[Statistic]) -> dict[str, float]:
    """`<name>`, `<name>.usual` and `<name>.effect` of every statistic."""
    numbers: dict[str, float] = {}
    for one in statistics:
        numbers[one.name] = one.observed
        numbers[f"{one.name}.usual"] = one.usual
        numbers[f"{one.name}.effect"] = one.value
    return numbers


def finite(numbers: Mapping[str, float]) -> dict[str, float]:
    """Plain floats by name in order, without those that are not finite."""
    return {name: float(numbers[name]) for name in sorted(numbers) if math.isfinite(numbers[name])}


def as_record(report: AreaReport) -> dict[str, object]:
    """The report as JSON; `html` is relative to the reports folder, so that a home can move."""
    return {
        "area": report.area,
        "day": report.day.isoformat(),
        "verdict": report.verdict.value,
        "status": report.status,
        "reasons": list(report.reasons),
        "numbers": report.numbers,
        "model_version": report.model_version,
        "snapshot_id": report.snapshot_id,
        "html": f"day={report.day}/{report.area}.html",
        "kilobytes": report.kilobytes,
    }


def read_reports(reports: Path) -> tuple[AreaReport, ...]:
    """Every report with numbers in the folder, by day and area."""
    paths = [path for path in reports.glob("day=*/*.json") if path.stem in AREAS]
    found = [_read(path) for path in paths]
    return tuple(sorted(found, key=lambda one: (one.day, AREAS.index(one.area))))


def history(
    reports: Path, area: str, before: date, model_version: str | None = None, days: int = 28
) -> tuple[Profile, ...]:
    """Numbers of the area's latest quiet days before a day, oldest first, as profiles.

    With a `model_version` only days under that model. Days whose verdict was `act` are no
    reference: an incident must not become what is usual.
    """
    # Three times as many as wanted leaves room for days that do not count.
    paths = sorted(reports.glob(f"day=*/{area}.json"))
    early = [path for path in paths if path.parent.name < f"day={before}"][-3 * days :]
    quiet = [
        Profile(one.day, one.numbers, {})
        for one in map(_read, early)
        if one.day < before
        and one.numbers
        and one.verdict is not Verdict.ACT
        and model_version in (None, one.model_version)
    ]
    return tuple(quiet[-days:])


def _read(path: Path) -> AreaReport:
    record = json.loads(path.read_text(encoding="utf-8"))
    return AreaReport(
        record["area"],
        date.fromisoformat(record["day"]),
        Verdict(record["verdict"]),
        record["status"],
        tuple(record["reasons"]),
        record["numbers"],
        record["model_version"],
        record["snapshot_id"],
        path.with_suffix(".html"),
        record["kilobytes"],
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)

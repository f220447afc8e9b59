"""Writing an area's report of a day: page, numbers and snapshot, and reading the numbers back.

Belongs here: files and their layout. Does not belong here: what the numbers mean. Files are
reports/day=YYYY-MM-DD/<area>.html and .json, written aside and renamed; the page first, so that
numbers never name a page that is not there.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from ml.files import replace_text
from monitoring.areas import AREAS, JUDGED, TITLES, AreaReport, ReportTarget, Statistic, Verdict
from monitoring.evidently_pages import (
    MOST_COLUMNS,
    Drift,
    Ranked,
    drift_snapshot,
    ranking_snapshot,
)
from monitoring.page import banner, standing_alone, with_banner
from monitoring.profile import Profile
from monitoring.verdict import judge
from monitoring.workspace import store_day

# What a day shows by itself, before the rule of two windows: 0 ok, 1 watch, 2 act.
LEVEL = "level"


def write_report(
    area: str,
    day: date,
    figure: Drift | Ranked | None,
    statistics: Sequence[Statistic],
    target: ReportTarget,
    numbers: Mapping[str, float] | None = None,
    notes: Sequence[str] = (),
    quiet_days: int | None = None,
) -> AreaReport:
    """Judge the statistics and write the page, the numbers and the snapshot of one area.

    With `quiet_days`, the days of the reference, two weeks of them and the window before as far out must
    confirm an `act` (verdict.judge); None = the severities stand as they are.

    `figure` is what Evidently draws (None = the header stands alone, without a snapshot). Numbers
    that are not finite are left out: a figure that does not exist is not written as zero.
    """
    before = level_before(target.reports, area, day) if quiet_days is not None else None
    judgement = judge(statistics, notes, before=before, quiet_days=quiet_days)
    kept = finite({**(numbers or {}), **effects(statistics), LEVEL: float(judgement.level.rank)})
    header = banner(area, day, judgement, statistics, kept, target.model_version)
    page, snapshot_id = _page(area, day, figure, header, target, kept)
    html = day_folder(target.reports, day) / f"{area}.html"
    replace_text(html, page)
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
    replace_text(html.with_suffix(".json"), json.dumps(as_record(report), indent=1, sort_keys=True))
    return report


def _page(
    area: str,
    day: date,
    figure: Drift | Ranked | None,
    header: str,
    target: ReportTarget,
    numbers: Mapping[str, float],
) -> tuple[str, str | None]:
    """The page's HTML, and the id of the snapshot put into the workspace."""
    title = f"{TITLES[area]}, {day}"
    columns: tuple[str, ...] = ()
    if figure is None:
        snapshot, page = None, standing_alone(header, title)
    else:
        if isinstance(figure, Drift):
            snapshot = drift_snapshot(figure, title, day)
            columns = tuple(figure.thresholds)[:MOST_COLUMNS]
        else:
            snapshot = ranking_snapshot(figure, title, day)
        page = with_banner(snapshot.get_html_str(as_iframe=False), header)
    if target.workspace is None:
        return page, None
    return page, store_day(target.workspace, area, day, snapshot, numbers, columns)


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


def recent_reports(reports: Path, area: str, last: date, days: int = 28) -> tuple[AreaReport, ...]:
    """The area's latest reports up to a day, oldest first. The cost does not grow with the days before."""
    paths = sorted(reports.glob(f"day=*/{area}.json"))
    known = [path for path in paths if path.parent.name <= f"day={last}"]
    return tuple(_read(path) for path in known[-days:])


def history(
    reports: Path, area: str, before: date, model_version: str | None = None, days: int = 28
) -> tuple[Profile, ...]:
    """Numbers of the area's latest quiet days before a day, oldest first, as profiles.

    With a `model_version` only days under that model. Days as far out as `act`, confirmed or not, are
    no reference: an incident must not become what is usual. Neither are days that hold no figures. Days
    with figures and nothing to judge them by are: the first days of a home become what is usual.
    """
    # Three times as many as wanted leaves room for days that do not count.
    paths = sorted(reports.glob(f"day=*/{area}.json"))
    early = [path for path in paths if path.parent.name < f"day={before}"][-3 * days :]
    quiet = [
        Profile(one.day, one.numbers, {})
        for one in map(_read, early)
        if one.day < before
        and one.numbers.keys() - {LEVEL}
        and one.verdict is not Verdict.ACT
        and one.numbers.get(LEVEL, 0.0) < Verdict.ACT.rank
        and model_version in (None, one.model_version)
    ]
    return tuple(quiet[-days:])


def level_before(reports: Path, area: str, day: date) -> Verdict | None:
    """The level of the area's latest judged report before a day, None without one.

    A window nobody judged is no evidence either way: the one before it counts.
    """
    paths = sorted(reports.glob(f"day=*/{area}.json"), reverse=True)
    earlier = (_read(path) for path in paths if path.parent.name < f"day={day}")
    judged = next((one for one in earlier if one.status == JUDGED), None)
    return None if judged is None else tuple(Verdict)[int(judged.numbers.get(LEVEL, 0.0))]


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

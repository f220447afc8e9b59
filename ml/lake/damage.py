"""Files of the lake that are no longer what was written: found, set aside whole, and named until restored.

Belongs here: looking at files, moving damaged ones to the quarantine, which are still missing. Does not
belong here: receiving their rows again, or the command that does (orchestration.receiving).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ml.errors import SegueError
from ml.lake.quarantine import QUARANTINE, quarantined, read_quarantine, write_quarantine
from ml.lake.report import FileReport, ImportReport
from ml.lake.store import Lake
from ml.sources.source import RECORD, REJECTED, SourceFile
from ml.tables import CANONICAL

# Begins the digest of a quarantined row that stands for a whole file of the lake.
_MARK = "damaged"
_SHOWN = 5
# What readers of the lake raise over a file that they cannot read; not each of them names it.
UNREADABLE = (duckdb.Error, OSError, pa.ArrowException)


class DamagedLakeError(SegueError):
    """The lake lacks rows that it held: their file was damaged and set aside."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of the lake that was set aside: its place in the lake, where it is kept, and why."""

    table: str
    day: date
    file: str
    kept: str
    why: str

    @property
    def name(self) -> str:
        """The file's place, relative to the home."""
        return f"lake/{self.table}/day={self.day}/{self.file}"

    def place_in(self, lake: Lake) -> Path:
        """Where it lay."""
        return lake.folder(self.table, self.day) / self.file

    @property
    def mark(self) -> str:
        """The digest of its row in the quarantine."""
        return f"{_MARK}-{self.day}-{Path(self.file).stem}"


def fault(path: Path, table: str) -> str:
    """Why a file of the lake cannot be read as it was written; "" where it can.

    Every page is read and compared with its checksum: bytes that were swapped can decode to wrong rows.
    """
    try:
        # A context, so that a file that fails half-way is closed before it is moved.
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            missing = set(CANONICAL[table].schema.names) - set(file.schema_arrow.names)
            for _ in file.iter_batches():
                pass
    except (OSError, ValueError, pa.ArrowException) as error:
        return (str(error).strip().splitlines() or ["unreadable"])[0]
    return f"without {', '.join(sorted(missing))}" if missing else ""


def find_damaged(
    lake: Lake, *, start: date | None = None, end: date | None = None
) -> list[tuple[str, date, Path, str]]:
    """(table, day, path, why) of damaged files of the days [start, end), by table and day."""
    paths = [
        (table, day, path)
        for table in sorted(CANONICAL)
        for day in lake.days(table)
        if (start is None or day >= start) and (end is None or day < end)
        for path in lake.files(table, day)
    ]
    found = [(table, day, path, fault(path, table)) for table, day, path in paths]
    return [one for one in found if one[3]]


def set_aside_damaged(
    lake: Lake, *, start: date | None = None, end: date | None = None
) -> list[Damage]:
    """Move damaged files of the days [start, end) to the quarantine, each counted there as one row."""
    found = []
    for table, day, path, why in find_damaged(lake, start=start, end=end):
        kept = lake.quarantine / table / "files" / f"{day}-{path.name}"
        damage = Damage(table, day, path.name, str(kept), why)
        # The row first: a kill in between leaves the file, which is then found again.
        _note(lake, damage)
        kept.parent.mkdir(parents=True, exist_ok=True)
        path.replace(kept)
        found.append(damage)
    return found


def still_missing(lake: Lake) -> list[Damage]:
    """Files that were set aside and whose rows nobody has received again, by table and day."""
    return [one for one in _noted(lake) if not one.place_in(lake).is_file()]


def forget_restored(lake: Lake, start: date, end: date) -> None:
    """Take out of the quarantine's rows what is missing no more: files that are back, and those of the days
    [start, end), which were received anew. What was set aside is kept."""
    for one in _noted(lake):
        if start <= one.day < end or one.place_in(lake).is_file():
            write_quarantine(lake, one.table, one.mark, QUARANTINE.empty_table())


def with_damages(report: ImportReport, damages: Sequence[Damage]) -> ImportReport:
    """The report with a line for each file that was set aside: one received, one quarantined."""
    lines = [
        FileReport(one.name, one.table, 1, 0, 0, 1, {f"damaged in the lake: {one.why}": 1})
        for one in damages
    ]
    return replace(report, files=(*report.files, *lines))


def told(damages: Sequence[Damage], command: str) -> str:
    """Which files, why, and where they are kept; `command` says what brings their rows back."""
    shown = [f"{one.name} ({one.why}; now {one.kept})" for one in damages[:_SHOWN]]
    more = f" and {len(damages) - _SHOWN} more" if len(damages) > _SHOWN else ""
    return (
        f"expected the lake as it was written, found {len(damages)} damaged files, set aside whole in "
        f"the quarantine: {'; '.join(shown)}{more}. Nothing was built on what is left: {command}"
    )


def _note(lake: Lake, damage: Damage) -> None:
    row = {RECORD: [None], "reason": [f"damaged in the lake: {damage.why}"], "raw": [damage.kept]}
    found = pa.table(
        {name: pa.array(value, REJECTED.field(name).type) for name, value in row.items()}
    )
    file = SourceFile(damage.name, damage.table, "lake", damage.mark, None)
    write_quarantine(lake, damage.table, damage.mark, quarantined(file, found, is_replayable=False))


def _noted(lake: Lake) -> list[Damage]:
    rows = read_quarantine(lake).to_pylist()
    return [_damage(row) for row in rows if row["digest"].startswith(f"{_MARK}-")]


def _damage(row: dict[str, str]) -> Damage:
    path = Path(row["source_file"])
    day = date.fromisoformat(path.parent.name.removeprefix("day="))
    why = row["reason"].partition(": ")[2]
    return Damage(row["table"], day, path.name, row["raw"], why)

"""The lake: canonical tables as Parquet files by the day on which their rows became known.

Belongs here: where files lie, reading them, writing a day atomically. Does not belong here: whether a
row is fit to enter (judge.py) or was there before (known.py).
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ml.files import replace_table
from ml.tables import CANONICAL

_PREFIX = "day="


@dataclass(frozen=True, slots=True)
class Lake:
    """The lake and the quarantine under one home directory; nothing is created until a write."""

    root: Path

    @property
    def lake(self) -> Path:
        """Folder of `<table>/day=YYYY-MM-DD/<digest>.parquet`."""
        return self.root / "lake"

    @property
    def quarantine(self) -> Path:
        """Folder of `<table>/<digest>.parquet` and of files that could not be read at all."""
        return self.root / "quarantine"

    def days(self, table: str) -> list[date]:
        """Days (UTC date of known_at) that hold files of the table, ascending."""
        folders = (self.lake / table).glob(f"{_PREFIX}*")
        held = [folder for folder in folders if any(folder.glob("*.parquet"))]
        return sorted(date.fromisoformat(folder.name.removeprefix(_PREFIX)) for folder in held)

    def files(self, table: str, day: date) -> list[Path]:
        """Files of one day by name; a file half written by a killed run is never among them."""
        return sorted(self.folder(table, day).glob("*.parquet"))

    def folder(self, table: str, day: date) -> Path:
        """Folder of one day."""
        return self.lake / table / f"{_PREFIX}{day.isoformat()}"

    def read(self, table: str, *, start: date | None = None, end: date | None = None) -> pa.Table:
        """Rows known on the days [start, end), in the canonical schema, by day, file and key."""
        days = [
            day
            for day in self.days(table)
            if (start is None or day >= start) and (end is None or day < end)
        ]
        files = [file for day in days for file in self.files(table, day)]
        schema = CANONICAL[table].schema
        if not files:
            return schema.empty_table()
        return pa.concat_tables(_read(file, schema) for file in files)

    def add(self, table: str, day: date, digest: str, rows: pa.Table) -> None:
        """Add rows of the canonical schema to the file of this source content on this day.

        The file is written aside and renamed. Rows that it holds already stay: a run after a fix may
        let in more rows of the same content.
        """
        folder = self.folder(table, day)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{digest}.parquet"
        if target.exists():
            rows = pa.concat_tables([_read(target, rows.schema), rows])
            rows = rows.sort_by([(name, "ascending") for name in CANONICAL[table].key])
        replace_table(target, rows, compression="zstd")


def _read(file: Path, schema: pa.Schema) -> pa.Table:
    # partitioning=None: otherwise Arrow adds the day of the folder as a column.
    return pq.read_table(file, schema=schema, partitioning=None, page_checksum_verification=True)

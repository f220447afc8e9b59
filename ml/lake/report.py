"""What an import did, file by file.

Belongs here: the counts and their readable form. Does not belong here: how rows were judged.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

HEADER = ("file", "table", "received", "accepted", "already known", "quarantined", "reasons")


@dataclass(frozen=True, slots=True)
class FileReport:
    """Rows of one file: received = accepted + already known + quarantined.

    A file that could not be read at all counts as one received and one quarantined row.
    """

    path: str
    table: str
    received: int
    accepted: int
    already_known: int
    quarantined: int
    reasons: dict[str, int] = field(default_factory=dict)
    first_day: date | None = None
    last_day: date | None = None

    def row(self) -> tuple[str, ...]:
        """The report as texts in the order of HEADER."""
        counts = (self.received, self.accepted, self.already_known, self.quarantined)
        reasons = "; ".join(f"{reason} ({count:,})" for reason, count in self.reasons.items())
        return (self.path, self.table, *(f"{count:,}" for count in counts), reasons)


def joined(parts: Iterable[FileReport]) -> tuple[FileReport, ...]:
    """One report a file and table, in order of appearance: a large file is stored in several parts."""
    held: dict[tuple[str, str], FileReport] = {}
    for part in parts:
        key = (part.path, part.table)
        held[key] = _sum(held[key], part) if key in held else part
    return tuple(held.values())


def _sum(one: FileReport, other: FileReport) -> FileReport:
    reasons = Counter(one.reasons)
    reasons.update(other.reasons)
    days = (one.first_day, other.first_day, one.last_day, other.last_day)
    return FileReport(
        one.path,
        one.table,
        one.received + other.received,
        one.accepted + other.accepted,
        one.already_known + other.already_known,
        one.quarantined + other.quarantined,
        dict(sorted(reasons.items(), key=lambda found: (-found[1], found[0]))),
        min((day for day in days if day), default=None),
        max((day for day in days if day), default=None),
    )


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The files of one import, with notes for people and the limits of what the data can support."""

    files: tuple[FileReport, ...]
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def accepted(self) -> int:
        """Accepted rows of all files."""
        return sum(file.accepted for file in self.files)

    @property
    def quarantined(self) -> int:
        """Quarantined rows of all files."""
        return sum(file.quarantined for file in self.files)

    @property
    def first_day(self) -> date | None:
        """First day (UTC date of known_at) with a listen accepted by this import."""
        return min((file.first_day for file in self._listens() if file.first_day), default=None)

    @property
    def last_day(self) -> date | None:
        """Last day (UTC date of known_at) with a listen accepted by this import."""
        return max((file.last_day for file in self._listens() if file.last_day), default=None)

    def rows(self) -> list[tuple[str, ...]]:
        """One row of texts a file, in the order of HEADER."""
        return [file.row() for file in self.files]

    def lines(self) -> list[str]:
        """The report as aligned text, the notes below it."""
        table = [HEADER, *self.rows()]
        widths = [max(len(row[place]) for row in table) for place in range(len(HEADER))]
        padded = [
            "  ".join(
                text.rjust(width) if 2 <= place <= 5 else text.ljust(width)
                for place, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in table
        ]
        return [*padded, *self.notes]

    def _listens(self) -> list[FileReport]:
        return [file for file in self.files if file.table == "listens"]

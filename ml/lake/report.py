"""What an import did, file by file.

Belongs here: the counts and their readable form. Does not belong here: how rows were judged.
"""

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

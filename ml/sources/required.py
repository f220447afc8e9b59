"""The columns that a file of a canonical table cannot do without.

Belongs here: the check and its message, shared by reader and lake. Does not belong here: values.
"""

from ml.errors import SegueError
from ml.sources.source import RECORD
from ml.tables import Table

# Required columns that a source may leave out.
_DERIVED = {"listen_id", "surface", "known_at"}


class MissingColumnsError(SegueError):
    """A file without columns that its table cannot do without."""


def check_columns(table: Table, found: list[str], path: str) -> None:
    """Look at the names of a file before its rows are read.

    Raises:
        MissingColumnsError: a column is missing that cannot be derived.
    """
    needed = [name for name in table.required if name not in _DERIVED]
    missing = [name for name in needed if name not in found]
    if missing:
        raise MissingColumnsError(
            f"{path}: expected the columns {', '.join(needed)} of table {table.name}, "
            f"found {', '.join(name for name in found if name != RECORD) or 'none'}; "
            f"missing: {', '.join(missing)}. Rename the columns, or name the right format: "
            "segue import FORMAT PATH (segue import --help lists the formats and their options)."
        )

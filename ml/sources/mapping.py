"""The mapping of format `csv`: a small YAML that says which column is which.

Belongs here: its keys, loading it, errors that name the wrong key. Does not belong here: reading the
mapped files (delimited.py), SQL of a mapped value (mapped.py).
"""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ml.errors import SegueError
from ml.tables import FRIENDSHIPS, LISTENS, TRACKS, USERS

# What the listens may tell about their track, when there is no file of tracks.
TRACK_COLUMNS = ("title", "artist_id", "artist_name", "album", "duration_ms")
ALLOWED = {
    "listens": (*LISTENS.schema.names, *TRACK_COLUMNS),
    "tracks": tuple(TRACKS.schema.names),
    "users": tuple(USERS.schema.names),
    "friendships": tuple(FRIENDSHIPS.schema.names),
}
# Nothing makes these; a listen without track_id is named by title and artist.
_NEEDED = {
    "listens": ("user_id", "played_at"),
    "tracks": ("track_id",),
    "users": ("user_id",),
    "friendships": ("user_id", "friend_id"),
}
TIMES = ("played_at", "known_at")
DATES = ("released_on", "signed_up_on")
LENGTHS = ("ms_played", "duration_ms")

WAY_ON = "docs/import/README.md shows a mapping"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Column(_Strict):
    """A column and how its text is to be read: `format` as in strptime, the `zone` of times without one,
    the `unit` of a number (Unix time, or a length of play)."""

    column: str
    format: str = ""
    zone: str = ""
    unit: Literal["", "us", "ms", "s", "min"] = ""


class TableMapping(_Strict):
    """One canonical table: its files (a pattern under the path; "" = the path itself), its columns, and
    what is the same in every row. Several columns for an id: the hash of their texts."""

    files: str = ""
    columns: dict[str, str | list[str] | Column] = Field(min_length=1)
    constants: dict[str, str | int | float | bool] = Field(default_factory=dict)

    def used(self) -> dict[str, list[str]]:
        """Columns of the file by the canonical column that they make."""
        used = {}
        for key, column in self.columns.items():
            one = column.column if isinstance(column, Column) else column
            used[key] = one if isinstance(one, list) else [one]
        return used


class Mapping(_Strict):
    """The whole mapping. `header`: whether the first line names the columns, or their names."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    quote: str = Field(default='"', max_length=1)
    header: bool | list[str] = True
    skip_lines: int = Field(default=0, ge=0)
    nulls: list[str] = Field(default_factory=lambda: [""])
    listens: TableMapping
    tracks: TableMapping | None = None
    users: TableMapping | None = None
    friendships: TableMapping | None = None

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError as error:
            raise ValueError("no such encoding (utf-8, latin-1, cp1252, utf-16, ...)") from error
        return value

    def tables(self) -> dict[str, TableMapping]:
        """The mapped tables by name, what describes before what is described."""
        found = {
            "tracks": self.tracks,
            "users": self.users,
            "friendships": self.friendships,
            "listens": self.listens,
        }
        return {name: table for name, table in found.items() if table is not None}


def load_mapping(path: Path) -> Mapping:
    """The mapping of a YAML file. Raises SegueError naming every wrong key."""
    try:
        told = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SegueError(f"{path}: expected a mapping in YAML, found {error}; {WAY_ON}") from error
    if not isinstance(told, dict):
        raise SegueError(f"{path}: expected keys such as listens, found {told!r}; {WAY_ON}")
    try:
        mapping = Mapping.model_validate(told)
    except ValidationError as error:
        wrong = dict.fromkeys(_told(one["loc"], one["msg"]) for one in error.errors())
        raise SegueError(f"{path}: {'; '.join(wrong)}. {WAY_ON}") from error
    for name, table in mapping.tables().items():
        _check_table(path, name, table)
    return mapping


def _told(place: tuple[str | int, ...], message: str) -> str:
    # pydantic adds the names of a union's members to the place: they are no keys of the file.
    keys = [str(one) for one in place if one not in ("str", "list[str]", "Column", "bool")]
    told = "not a known key" if message.startswith("Extra inputs") else message
    return f"{'.'.join(keys)}: {told[:1].lower()}{told[1:]}"


def _check_table(path: Path, name: str, table: TableMapping) -> None:
    given = [*table.columns, *table.constants]
    unknown = [key for key in given if key not in ALLOWED[name]]
    if unknown:
        raise SegueError(
            f"{path}: {name}: no such column {', '.join(unknown)}; expected columns of "
            f"{', '.join(ALLOWED[name])}. {WAY_ON}"
        )
    missing = [key for key in _NEEDED[name] if key not in given]
    is_named = {"title", "artist_name"} <= set(given)
    if name == "listens" and "track_id" not in given and not is_named:
        missing.append("track_id (or title and artist_name)")
    if missing:
        raise SegueError(f"{path}: {name}.columns: missing {', '.join(missing)}. {WAY_ON}")
    for key, column in table.columns.items():
        where = f"{path}: {name}.columns.{key}"
        if isinstance(column, list) and not (key.endswith("_id") and column):
            raise SegueError(
                f"{where}: expected one column, found {column}; only an id takes several"
            )
        if isinstance(column, Column):
            _check_reading(where, key, column)


def _check_reading(where: str, key: str, column: Column) -> None:
    """Refuse a way of reading that the column's type does not have, or that leaves a time open."""
    allowed = {
        **dict.fromkeys(TIMES, ("us", "ms", "s")),
        **dict.fromkeys(LENGTHS, ("ms", "s", "min")),
    }
    if column.unit and column.unit not in allowed.get(key, ()):
        units = ", ".join(allowed.get(key, ())) or "none: it is no number with a unit"
        raise SegueError(f"{where}.unit: expected {units}, found {column.unit}")
    if (column.format and key not in (*TIMES, *DATES)) or (column.zone and key not in TIMES):
        raise SegueError(f"{where}: format and zone belong to times ({', '.join(TIMES)})")
    if column.format and column.unit:
        raise SegueError(f"{where}: expected a format or a unit, found both")
    if key in TIMES and column.format and not column.zone and "%z" not in column.format.lower():
        raise SegueError(
            f"{where}: expected the zone of its times, found none: zone: UTC, or like Europe/Vienna"
        )

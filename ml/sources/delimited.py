"""Format `csv`: any delimited text, told by a mapping.

Belongs here: finding mapping and files, mapped rows as plays and as what describes them. Does not belong here:
the keys of a mapping (mapping.py), values (mapped.py), types and rules (ml/lake/judge.py).

`segue import csv PATH --option mapping=FILE`; without the option `mapping.yaml` in the folder, or PATH
itself when it is a YAML file, whose files lie beside it.
"""

from collections.abc import Mapping as Options
from pathlib import Path

import duckdb

from ml.errors import SegueError
from ml.sources.archives import files_under
from ml.sources.delimited_rows import header_of
from ml.sources.files import UnreadableFileError
from ml.sources.looking import Look
from ml.sources.mapped import check_readings
from ml.sources.mapped_tables import described, stage_listens
from ml.sources.mapping import TRACK_COLUMNS, WAY_ON, Mapping, TableMapping, load_mapping
from ml.sources.plays import Staged, count_listeners, open_stage
from ml.sources.source import NO_PLAY_LENGTH, ONE_LISTENER, UNDATED_FRIENDSHIPS, Source

_MAPPING = "mapping.yaml"

OPTIONS = {"mapping": ""}


def recognise(look: Look) -> str:
    """Why the path is told by a mapping; "" when it is not."""
    name = look.path.name if look.path.suffix in (".yaml", ".yml") else _MAPPING
    if name not in look.names or "listens:" not in look.head(name):
        return ""
    return f"{name} maps columns of listens"


def read(path: Path, options: Options[str, str]) -> Source:
    """Source of the mapped files.

    Raises SegueError for a wrong mapping, a pattern that no file fits, and a mapped column that a file
    does not have.
    """
    told = mapping_file(path, options["mapping"])
    mapping = load_mapping(told)
    root = told.parent if path == told else path
    files = {name: _files(told, root, name, table) for name, table in mapping.tables().items()}
    for name, table in mapping.tables().items():
        check_readings(f"{told}: {name}", table)
        for file in files[name]:
            _check_columns(told, name, table, file, mapping)
    connection = open_stage()
    origins = [
        stage_listens(connection, number, file, mapping, told)
        for number, file in enumerate(files["listens"])
    ]
    first = connection.execute(
        "select date_trunc('day', min(played_at)) from plays where reason is null"
    ).fetchall()[0][0]
    more = [
        described(name, table, file, mapping, told, first)
        for name, table in mapping.tables().items()
        if name != "listens"
        for file in files[name]
    ]
    staged = Staged(connection, "csv", origins, more, has_tracks=_tells_tracks(mapping))
    return Source(staged, (f"Read by {told.name}.",), _limits(connection, mapping))


def _tells_tracks(mapping: Mapping) -> bool:
    told = {*mapping.listens.columns, *mapping.listens.constants}
    return mapping.tracks is None and bool(told & set(TRACK_COLUMNS))


def _limits(connection: duckdb.DuckDBPyConnection, mapping: Mapping) -> tuple[str, ...]:
    limits = [] if "ms_played" in mapping.listens.columns else [NO_PLAY_LENGTH]
    if count_listeners(connection) == 1:
        limits.append(ONE_LISTENER)
    friends = mapping.friendships
    if friends is not None and "known_at" not in (*friends.columns, *friends.constants):
        limits.append(UNDATED_FRIENDSHIPS)
    return tuple(limits)


def mapping_file(path: Path, named: str) -> Path:
    """The mapping of an import. Raises SegueError when there is none."""
    own = path if path.suffix in (".yaml", ".yml") else path / _MAPPING
    found = Path(named) if named else own
    if found.is_file():
        return found
    raise SegueError(
        f"expected a mapping of the columns, found no {found}: "
        f"segue import csv PATH --option mapping=FILE ({WAY_ON})"
    )


def _files(told: Path, root: Path, name: str, table: TableMapping) -> list[Path]:
    if not table.files:
        if root.is_file():
            return [root]
        raise SegueError(f"{told}: {name}.files: expected a pattern such as plays*.csv, found none")
    folder = root if root.is_dir() else root.parent
    found = [file for file in files_under(folder) if file.relative_to(folder).match(table.files)]
    if not found:
        names = ", ".join(file.name for file in files_under(folder)[:5]) or "no file"
        raise SegueError(
            f"{told}: {name}.files: no file in {folder} fits {table.files!r}, found {names}"
        )
    return found


def _check_columns(
    told: Path, name: str, table: TableMapping, file: Path, mapping: Mapping
) -> None:
    """Before anything is stored; a file that cannot be read is quarantined in its turn."""
    try:
        found = header_of(file, mapping)
    except UnreadableFileError:
        return
    missing = [
        f"{name}.columns.{key}: {column!r}"
        for key, columns in table.used().items()
        for column in columns
        if column not in found
    ]
    if missing:
        raise SegueError(
            f"{told}: not a column of {file.name}: {', '.join(missing)}; found "
            f"{', '.join(found)} (delimiter {mapping.delimiter!r}). {WAY_ON}"
        )

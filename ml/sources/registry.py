"""The formats that Segue reads, by name.

Belongs here: the list, and checking the options of an import. Does not belong here: any format.
"""

from collections.abc import Mapping
from pathlib import Path

from ml.errors import SegueError
from ml.sources import canonical, hetrec, playlog, sessions
from ml.sources.source import Format, Source

FORMATS: Mapping[str, Format] = {
    made.name: made
    for made in (
        Format(
            "canonical",
            "a folder of listens, tracks, users, impressions as Parquet or CSV",
            canonical.OPTIONS,
            canonical.read,
        ),
        Format(
            "playlog",
            "a CSV or Parquet of time, listener or station, artist, title",
            playlog.OPTIONS,
            playlog.read,
        ),
        Format(
            "hetrec-lastfm",
            "the folder of HetRec 2011 Last.fm, .dat or Parquet",
            hetrec.OPTIONS,
            hetrec.read,
        ),
        Format(
            "sessions",
            "a Parquet or CSV of session_id, position, item_id",
            sessions.OPTIONS,
            sessions.read,
        ),
    )
}


def read_source(format: str, path: Path, options: Mapping[str, str]) -> Source:  # noqa: A002
    """The source at a path. Raises SegueError for an unknown format or option and for wrong input."""
    if format not in FORMATS:
        raise SegueError(
            f"expected a format of {', '.join(FORMATS)}, found {format!r}: segue import FORMAT PATH"
        )
    known = FORMATS[format].options
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise SegueError(
            f"format {format}: expected options of {', '.join(known)}, found {', '.join(unknown)}: "
            f"segue import {format} PATH --option NAME=VALUE"
        )
    if not path.exists():
        raise SegueError(f"format {format}: expected {FORMATS[format].expects}, found no {path}")
    return FORMATS[format].read(path, {**known, **options})

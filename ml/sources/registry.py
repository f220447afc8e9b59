"""The formats that Segue reads, by name.

Belongs here: the list, and checking the options of an import. Does not belong here: any format.
"""

from collections.abc import Mapping
from pathlib import Path

from ml.errors import SegueError
from ml.sources import (
    canonical,
    delimited,
    events,
    hetrec,
    lastfm_1k,
    listenbrainz,
    playlog,
    sessions,
    spotify_export,
)
from ml.sources.source import Format, Source

FORMATS: Mapping[str, Format] = {
    made.name: made
    for made in (
        Format(
            "canonical",
            "a folder of listens, tracks, users, impressions as Parquet or CSV",
            canonical.OPTIONS,
            canonical.read,
            canonical.recognise,
        ),
        Format(
            "playlog",
            "a CSV or Parquet of time, listener or station, artist, title",
            playlog.OPTIONS,
            playlog.read,
            playlog.recognise,
        ),
        Format(
            "hetrec-lastfm",
            "the folder of HetRec 2011 Last.fm, .dat or Parquet",
            hetrec.OPTIONS,
            hetrec.read,
            hetrec.recognise,
        ),
        Format(
            "sessions",
            "a Parquet or CSV of session_id, position, item_id",
            sessions.OPTIONS,
            sessions.read,
            sessions.recognise,
        ),
        Format(
            "spotify-export",
            "the zip or folder of Spotify's streaming history, short or extended",
            spotify_export.OPTIONS,
            spotify_export.read,
            spotify_export.recognise,
        ),
        Format(
            "lastfm-1k",
            "the folder of the Last.fm 1K users data set: its two .tsv files",
            lastfm_1k.OPTIONS,
            lastfm_1k.read,
            lastfm_1k.recognise,
        ),
        Format(
            "listenbrainz",
            "the zip or folder of a ListenBrainz export: user.json, listens/YYYY/M.jsonl",
            listenbrainz.OPTIONS,
            listenbrainz.read,
            listenbrainz.recognise,
        ),
        Format(
            "csv",
            "any delimited text and a mapping of its columns in YAML",
            delimited.OPTIONS,
            delimited.read,
            delimited.recognise,
        ),
        Format(
            "events",
            "the journal of a home's service, its folder events",
            events.OPTIONS,
            events.read,
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

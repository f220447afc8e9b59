"""Format `spotify-export`: a listener's own streaming history as Spotify sends it.

Belongs here: which files hold listens, and what is said about them. Does not belong here: the fields of
a row and overlaps (spotify_rows.py), types and rules (ml/lake/judge.py).

The extended history (`Streaming_History_Audio_*.json`, formerly `endsong_*.json`) tells the second in
which a stream ended and the address of the track, the short one (`StreamingHistory*.json`) the minute
and names. Both are UTC.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import duckdb

from ml.errors import SegueError
from ml.sources.archives import Member, Members, is_zip, names_under
from ml.sources.files import UnreadableFileError
from ml.sources.looking import Look
from ml.sources.plays import Origin, Staged, count_listeners, count_reasons, open_stage
from ml.sources.source import ONE_LISTENER, Source, SourceFile, digest_of
from ml.sources.spotify_rows import stage_rows

# What a request file says who it asks for: an export carries no name that would serve.
OPTIONS = {"user": "me"}

_HISTORY = re.compile(r"(?i)^(streaming_?history|endsong).*\.json$")
_KEYS = re.compile(r'"(ms_played|msPlayed)"\s*:')


def recognise(look: Look) -> str:
    """Why the path is such an export; "" when it is not."""
    found = [name for name in look.names if is_history(name)]
    told = found[:5] or ([look.path.name] if look.path.suffix.lower() == ".json" else [])
    if any(_KEYS.search(look.head(name)) for name in told):
        return f"{told[0]} holds streams with their milliseconds played"
    return ""


def is_history(name: str) -> bool:
    """Whether the last part of a name is that of a streaming history."""
    return bool(_HISTORY.match(PurePosixPath(name).name))


def read(path: Path, options: Mapping[str, str]) -> Source:
    """Source of an export: a zip, a folder of any depth, or one JSON file of any name.

    Option `user` names the listener. Raises SegueError when no file of the path is a streaming history.
    """
    user = options["user"].strip()
    if not user:
        raise SegueError("option user: expected a name, found none: --option user=NAME")
    is_plain = path.is_file() and not is_zip(path)
    try:
        members = Members(path, lambda name: is_plain or is_history(name))
    except UnreadableFileError as error:
        digest = digest_of([path], "spotify-export", user)
        broken = SourceFile(
            path.name, "listens", "spotify", digest, None, unreadable=str(error), original=path
        )
        return Source((broken,))
    if not members.found:
        raise SegueError(
            f"expected in {path} files like Streaming_History_Audio_2024_1.json or "
            f"StreamingHistory_music_0.json, found {_listing(path)}: "
            "segue import spotify-export FOLDER_OR_ZIP"
        )
    connection = open_stage()
    unreadable = stage_rows(connection, [member.path for member in members.found], user)
    origins = _origins(connection, members.found, unreadable, user)
    limits = (ONE_LISTENER,) if count_listeners(connection) == 1 else ()
    staged = Staged(connection, "spotify", origins, kept=members)
    return Source(staged, _notes(connection, user), limits)


def _listing(path: Path) -> str:
    names = names_under(path)
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "") if names else "no file"


def _origins(
    connection: duckdb.DuckDBPyConnection,
    members: Sequence[Member],
    unreadable: Mapping[int, str],
    user: str,
) -> list[Origin]:
    """Rows of a short history also depend on the extended ones beside it, so its digest does too."""
    short = {
        number
        for (number,) in connection.execute(
            "select file from spotify_rows group by file having bool_and(is_short)"
        ).fetchall()
    }
    digests = [digest_of([member.path], "spotify-export", user) for member in members]
    extended = [digest for number, digest in enumerate(digests) if number not in short]
    # Extended histories come first: what both tell is taken from them, and known when told again.
    order = sorted(range(len(members)), key=lambda number: number in short)
    connection.execute("update plays set file = list_position($order, file) - 1", {"order": order})
    return [
        Origin(
            members[number].name,
            members[number].path,
            digest_of((), digests[number], *extended) if number in short else digests[number],
            unreadable.get(number),
        )
        for number in order
    ]


def _notes(connection: duckdb.DuckDBPyConnection, user: str) -> tuple[str, ...]:
    notes = [f"All listens are of one listener, named {user!r} (--option user=NAME)."]
    aside = {
        reason: count
        for reason, count in count_reasons(connection).items()
        if reason.startswith("no music")
    }
    if aside:
        told = ", ".join(f"{count:,} ({reason})" for reason, count in aside.items())
        notes.append(f"Set aside, in the quarantine: {told}.")
    short = connection.execute(
        "select count(*) from spotify_rows where is_short and reason is null"
    ).fetchall()[0][0]
    if short:
        notes.append(
            f"{short:,} listens are told by the minute and by names only; the extended streaming "
            "history tells the second and the address: ask Spotify for it and import it too."
        )
    return tuple(notes)

"""Format `listenbrainz`: a listener's own export from ListenBrainz.

Belongs here: which files hold listens, the fields of a listen. Does not belong here: parts and tracks
(plays.py), types and rules (ml/lake/judge.py).

The zip (or what it unpacks to) holds `user.json`, `listens/YYYY/M.jsonl`, `feedback.jsonl` and
`pinned_recording.jsonl`; a listen is one JSON object a line, as in the answers of the API. `listened_at` is
the start in Unix seconds. How long a listen was is not told. `inserted_at` is not taken for when it became
known: a history that was imported at once would all become known on one day.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import duckdb

from ml.errors import SegueError
from ml.sources.archives import Member, Members, is_zip, names_under
from ml.sources.files import UnreadableFileError
from ml.sources.lines import line_as_json, read_lines, text_of
from ml.sources.looking import Look
from ml.sources.plays import COLUMNS, Origin, Staged, count_listeners, open_stage
from ml.sources.source import NO_PLAY_LENGTH, ONE_LISTENER, Source, SourceFile, digest_of

# "" = the name in user.json, else "me".
OPTIONS = {"user": ""}

_LISTENS = re.compile(r"(?i)(^|/)listens(/.*)?(\.jsonl|\.jsonl\.gz)$|(^|/)\d{4}/\d{1,2}\.jsonl$")
_USER = "user.json"
_OTHER = ("feedback.jsonl", "pinned_recording.jsonl")
# From 2002-10-01, before which ListenBrainz takes no listens, to 2199: a few clients send milliseconds.
_EARLIEST, _LATEST = 1_033_430_400, 7_258_118_400


def recognise(look: Look) -> str:
    """Why the path is such an export; "" when it is not."""
    found = [name for name in look.names if name.endswith((".jsonl", ".jsonl.gz"))]
    for name in [name for name in found if is_listens(name) or len(found) == 1][:3]:
        head = look.head(name)
        if '"listened_at"' in head and '"track_metadata"' in head:
            return f"{name} holds lines with listened_at and track_metadata"
    return ""


def is_listens(name: str) -> bool:
    """Whether a name is that of a file of listens in the export."""
    return bool(_LISTENS.search(name))


def read(path: Path, options: Mapping[str, str]) -> Source:
    """Source of an export: a zip, its folder, or one file of listens.

    Option `user` names the listener. Raises SegueError when the path holds no listens.
    """
    is_plain = path.is_file() and not is_zip(path)

    def fits(name: str) -> bool:
        return is_plain or is_listens(name) or PurePosixPath(name).name == _USER

    try:
        members = Members(path, fits)
    except UnreadableFileError as error:
        digest = digest_of([path], "listenbrainz", options["user"])
        broken = SourceFile(
            path.name, "listens", "listenbrainz", digest, None, unreadable=str(error), original=path
        )
        return Source((broken,))
    files = [one for one in members.found if PurePosixPath(one.name).name != _USER]
    if not files:
        names = ", ".join(names_under(path)[:5]) or "no file"
        raise SegueError(
            f"expected in {path} files like listens/2024/3.jsonl, found {names}: "
            "segue import listenbrainz FOLDER_OR_ZIP"
        )
    user = options["user"].strip() or _user_name(members.found)
    connection = open_stage()
    origins = [_stage(connection, number, file, user) for number, file in enumerate(files)]
    limits = [NO_PLAY_LENGTH, *([ONE_LISTENER] if count_listeners(connection) == 1 else [])]
    return Source(
        Staged(connection, "listenbrainz", origins, kept=members),
        _notes(connection, user, names_under(path)),
        tuple(limits),
    )


def _user_name(found: Sequence[Member]) -> str:
    for member in found:
        if PurePosixPath(member.name).name == _USER:
            try:
                told = json.loads(member.path.read_text("utf-8"))
            except ValueError:
                return "me"
            name = told.get("username") if isinstance(told, dict) else None
            return name if isinstance(name, str) and name.strip() else "me"
    return "me"


def _stage(connection: duckdb.DuckDBPyConnection, number: int, file: Member, user: str) -> Origin:
    digest = digest_of([file.path], "listenbrainz", user)
    try:
        for block in read_lines(file.path):
            connection.register("block", block)
            _fill_plays(connection, number, user)
    except UnreadableFileError as error:
        connection.execute("delete from plays where file = ?", [number])
        return Origin(file.name, file.path, digest, str(error))
    return Origin(file.name, file.path, digest)


def _text(*paths: str) -> str:
    found = ", ".join(f"said(held ->> '$.{path}')" for path in paths)
    return f"coalesce({found})" if len(paths) > 1 else found


_DATA = "track_metadata"
_INFO = f"{_DATA}.additional_info"
_MAPPED = f"{_DATA}.mbid_mapping"
_FIELDS = {
    "title": _text(f"{_DATA}.track_name", f"{_MAPPED}.recording_name"),
    "artist_name": _text(f"{_DATA}.artist_name", f"{_MAPPED}.artists[0].artist_credit_name"),
    "album": _text(f"{_DATA}.release_name"),
    "mbid": _text(f"{_MAPPED}.recording_mbid", f"{_INFO}.recording_mbid"),
    "artist_mbid": _text(f"{_MAPPED}.artist_mbids[0]", f"{_INFO}.artist_mbids[0]"),
    "msid": _text(f"{_DATA}.recording_msid", f"{_INFO}.recording_msid", "recording_msid"),
    "told_user": _text("user_name"),
    "listened_at": f"try_cast({_text('listened_at')} as double)",
    "duration_ms": f"coalesce(try_cast({_text(f'{_INFO}.duration_ms')} as bigint), "
    f"try_cast({_text(f'{_INFO}.duration')} as bigint) * 1000)",
    "tags": f"""try(from_json(held -> '$.{_INFO}.tags', '["varchar"]'))""",
}


# Staged columns that a listen fills. ListenBrainz keeps one listen a listener, second and recording
# (`recording_msid`, which stands for the text that was sent): that is its id here.
_FILLED = {
    "file": "$number",
    "record": "record",
    "listen_id": "md5(concat_ws(chr(31), 'listenbrainz', $user, epoch_us(played), "
    "coalesce(msid, lower(artist_name) || chr(31) || lower(title), mbid)))",
    "user_id": "$user",
    "track_id": "coalesce(mbid, track_name_id(artist_name, title))",
    "played_at": "played",
    "surface": "'unknown'",
    "title": "title",
    "artist_id": "coalesce(artist_mbid, artist_name_id(artist_name))",
    "artist_name": "artist_name",
    "album": "album",
    "duration_ms": "case when duration_ms > 0 then duration_ms end",
    "tags": "tags",
    "reason": "reason",
    "raw": f"case when reason is not null then coalesce(held::varchar, {line_as_json('line')}) end",
}


def _fill_plays(connection: duckdb.DuckDBPyConnection, number: int, user: str) -> None:
    """Stage the plays of the relation `block`."""
    values = ", ".join(f"{_FILLED.get(name, 'null')} as {name}" for name in COLUMNS)
    fields = ", ".join(f"{value} as {name}" for name, value in _FIELDS.items())
    connection.execute(
        f"""
        insert into plays
        with texts as (select record, line, {text_of("line")} as text from block),
        parsed as (select *, try_cast(text as json) as held from texts),
        told as (
            select record, line, text, held, {fields} from parsed where text is null or said(text) <> ''
        ),
        judged as (
            select *,
                case when listened_at between {_EARLIEST} and {_LATEST} then to_timestamp(listened_at) end as played,
                case
                    when text is null then 'broken encoding: expected UTF-8'
                    when held is null or json_type(held) <> 'OBJECT' then 'no JSON object'
                    when listened_at is null or listened_at not between {_EARLIEST} and {_LATEST}
                        then 'listened_at: missing or no time in Unix seconds since 2002'
                    when mbid is null and (artist_name is null or title is null)
                        then 'track: neither an id nor artist and title'
                end as reason
            from told
        )
        select {values} from judged
        """,
        {"number": number, "user": user},
    )


def _notes(
    connection: duckdb.DuckDBPyConnection, user: str, names: Sequence[str]
) -> tuple[str, ...]:
    total, named = connection.execute(
        "select count(*), count(*) filter (track_id like 'name:%') from plays where reason is null"
    ).fetchall()[0]
    notes = [
        f"All listens are of one listener, named {user!r} (--option user=NAME).",
        f"{named:,} of {total:,} listens have no recording id; artist and title make one.",
    ]
    left = sorted({PurePosixPath(name).name for name in names} & set(_OTHER))
    if left:
        notes.append(f"No listens, so not read: {', '.join(left)}.")
    return tuple(notes)

"""The daily profile: a day of listens as a few dozen numbers.

Belongs here: counting one day's listens into rates, quantiles and shares that fit into a JSON file.
Does not belong here: comparing days (statistics) or reading them. All counting is on integer codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ml.tables import SURFACES

HEAD_TRACKS = 200
ROUND_THE_CLOCK_HOURS = 18
BUSIEST_LISTENERS = 10

# Upper edges in seconds: a unit error of 1,000 lands five or more bins away.
LENGTH_EDGES = (1, 3, 10, 30, 60, 120, 180, 240, 300, 600, 3600)

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Profile:
    """One day. `numbers` are counts, rates and quantiles; `shares` are distributions by name, each
    summing to one (or empty); `points` are places in a space by name, float64 (dimensions)."""

    day: date
    numbers: dict[str, float]
    shares: dict[str, dict[str, float]]
    points: dict[str, Floats] = field(default_factory=dict)

    @property
    def listens(self) -> float:
        """How many listens the day's figures rest on."""
        return self.numbers.get("listens", 0.0)


def head_tracks(reference: pa.Table, count: int = HEAD_TRACKS) -> tuple[str, ...]:
    """The reference's most played track ids, ties by id: those a working catalogue still plays."""
    plays = reference.select(["track_id"]).group_by("track_id").aggregate([("track_id", "count")])
    ordered = plays.sort_by([("track_id_count", "descending"), ("track_id", "ascending")])
    return tuple(ordered.slice(0, count)["track_id"].to_pylist())


def daily_profiles(
    listens: pa.Table,
    head: tuple[str, ...] = (),
    genre_of: Mapping[str, str] | None = None,
    days: tuple[date, ...] | None = None,
) -> tuple[Profile, ...]:
    """One profile per `known_on` of `listens` (columns of intermediate.listens), in order of days.

    `head` are the track ids of `head_tracks`; `genre_of` gives each track's main genre. `days` asks
    for exactly these days: one without listens gets a profile of zeros.
    """
    known = _days(listens["known_on"])
    columns = _columns(listens, known, head, genre_of or {})
    order = np.argsort(known, kind="stable")
    wanted = np.unique(known) if days is None else np.array(days, dtype="datetime64[D]")
    starts = np.searchsorted(known[order], wanted.astype(np.int64), "left")
    ends = np.searchsorted(known[order], wanted.astype(np.int64), "right")
    epoch = date(1970, 1, 1)
    profiles = []
    for day, start, end in zip(wanted.astype(np.int64).tolist(), starts, ends, strict=True):
        rows = order[start:end]
        profiles.append(_profile(epoch + timedelta(days=day), columns.rows(rows), len(head)))
    return tuple(profiles)


def resampled_profiles(
    listens: pa.Table, head: tuple[str, ...], draws: int, seed: int
) -> tuple[Profile, ...]:
    """`draws` profiles of every `known_on` of `listens`, its listeners drawn anew with replacement.

    A listener drawn twice counts as two. The same listens and seed give the same profiles.
    """
    known = _days(listens["known_on"])
    columns = _columns(listens, known, head, {})
    order = np.lexsort((columns.user, known))
    days, first = np.unique(known[order], return_index=True)
    profiles = []
    for day, start, end in zip(days.tolist(), first, group_ends(first, len(order)), strict=True):
        rows = order[start:end]
        random = np.random.default_rng([seed, day])
        for _ in range(draws):
            drawn = _drawn_anew(columns.rows(rows), random)
            profiles.append(_profile(date(1970, 1, 1) + timedelta(days=day), drawn, len(head)))
    return tuple(profiles)


def group_ends(first: Codes, size: int) -> Codes:
    """Where each group of `size` sorted rows ends, from where it begins; none without a group."""
    return np.append(first[1:], size)[: len(first)].astype(np.int64)


def _drawn_anew(day: "_Columns", random: np.random.Generator) -> "_Columns":
    """As many listeners as the day has, with replacement; `day` is sorted by listener."""
    _, first, size = np.unique(day.user, return_index=True, return_counts=True)
    chosen = random.integers(0, len(first), len(first))
    size, first = size[chosen], first[chosen]
    owner = np.repeat(np.arange(len(chosen)), size)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(size) - size, size)
    drawn = day.rows(np.repeat(first, size) + within)
    session = drawn.session * np.int64(len(chosen)) + owner
    return replace(drawn, user=owner, session=session)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Row-aligned codes and values; nan = unknown length, -1 = no such code."""

    user: Codes
    track: Codes
    seconds: Floats
    surface: Codes
    instant: Codes
    late_hours: Floats
    is_late: NDArray[np.bool_]
    has_artist: NDArray[np.bool_]
    is_requested: NDArray[np.bool_]
    is_first: NDArray[np.bool_]
    session: Codes
    head: Codes
    genre: Codes
    genres: tuple[str, ...]

    def rows(self, rows: Codes) -> "_Columns":
        """The same columns for these rows."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _ROW_COLUMNS})


_ROW_COLUMNS = tuple(name for name in _Columns.__slots__ if name != "genres")


def _columns(
    listens: pa.Table, known: Codes, head: tuple[str, ...], genre_of: Mapping[str, str]
) -> _Columns:
    played = _instants(listens["played_at"])
    tracks, track = _encoded(listens["track_id"])
    genres = tuple(sorted(set(genre_of.values())))
    genre_code = {name: code for code, name in enumerate(genres)}
    head_code = {name: code for code, name in enumerate(head)}
    by_track = np.array([genre_code.get(genre_of.get(one, ""), -1) for one in tracks], np.int64)
    head_by_track = np.array([head_code.get(one, -1) for one in tracks], np.int64)
    surface_values = pa.array(SURFACES)
    surface = pc.index_in(listens["surface"], surface_values).fill_null(len(SURFACES) - 1)
    return _Columns(
        user=_encoded(listens["user_id"])[1],
        track=track,
        seconds=pc.divide(listens["ms_played"].cast(pa.float64()), 1000.0)
        .combine_chunks()
        .to_numpy(zero_copy_only=False)
        .astype(np.float64),
        surface=surface.to_numpy().astype(np.int64),
        instant=played,
        late_hours=(_instants(listens["known_at"]) - played) / 3600.0,
        is_late=known > played // 86_400,
        has_artist=pc.is_valid(listens["artist_id"]).to_numpy(),
        is_requested=pc.is_valid(listens["request_id"]).to_numpy(),
        is_first=listens["is_first"].fill_null(False).to_numpy(),
        session=_encoded(listens["session_id"])[1],
        head=head_by_track[track] if len(tracks) else track,
        genre=by_track[track] if len(tracks) else track,
        genres=genres,
    )


def _profile(day: date, rows: _Columns, head: int) -> Profile:
    count = len(rows.user)
    per_listener = np.bincount(np.unique(rows.user, return_inverse=True)[1]) if count else _NONE
    numbers = {
        "listens": float(count),
        "listeners": float(len(per_listener)),
        "sessions": float(len(np.unique(rows.session))),
        "tracks_played": float(len(np.unique(rows.track))),
        **_lengths(rows.seconds),
        **_busy_listeners(rows, np.sort(per_listener)[::-1]),
        "late_share": _share(rows.is_late),
        "late_hours_p95": _quantile(rows.late_hours, 0.95),
        "duplicate_share": _duplicate_share(rows),
        "no_artist_share": _share(~rows.has_artist),
        "requested_share": _share(rows.is_requested),
        "first_listen_share": _share(rows.is_first),
    }
    if head:
        heard = len(np.unique(rows.head[rows.head >= 0]))
        numbers["silent_head_share"] = 1.0 - heard / head
    shares = {
        "surface": _named_shares(rows.surface, SURFACES),
        "hour": _named_shares(rows.instant // 3600 % 24, tuple(f"{h:02d}" for h in range(24))),
        "ms_played": _length_shares(rows.seconds),
        "genre": _named_shares(rows.genre[rows.genre >= 0], rows.genres),
    }
    return Profile(day, numbers, shares)


_NONE: Codes = np.zeros(0, dtype=np.int64)


def _lengths(seconds: Floats) -> dict[str, float]:
    known = seconds[~np.isnan(seconds)]
    return {
        "ms_played_null_share": _share(np.isnan(seconds)),
        "ms_played_p10": 1000 * _quantile(known, 0.1),
        "ms_played_p50": 1000 * _quantile(known, 0.5),
        "ms_played_p90": 1000 * _quantile(known, 0.9),
        "skip_share": _share(known < 30),
    }


def _busy_listeners(rows: _Columns, per_listener: Codes) -> dict[str, float]:
    total = max(int(per_listener.sum()), 1)
    pairs = np.unique(rows.user * 24 + rows.instant // 3600 % 24) // 24
    listeners, hours = np.unique(pairs, return_counts=True)
    tireless = listeners[hours >= ROUND_THE_CLOCK_HOURS]
    return {
        "plays_per_listener_p99": _quantile(per_listener.astype(np.float64), 0.99),
        "plays_per_listener_max": float(per_listener[0]) if len(per_listener) else 0.0,
        "busiest_listeners_share": float(per_listener[:BUSIEST_LISTENERS].sum() / total),
        "round_the_clock_share": float(np.isin(rows.user, tireless).sum() / total),
    }


def _duplicate_share(rows: _Columns) -> float:
    """Share of listens that repeat another one's listener, track and second."""
    if not len(rows.user):
        return 0.0
    order = np.lexsort((rows.instant, rows.track, rows.user))
    same = np.ones(len(order) - 1, dtype=bool)
    for column in (rows.user, rows.track, rows.instant):
        same &= np.diff(column[order]) == 0
    return float(same.sum() / len(order))


def _length_shares(seconds: Floats) -> dict[str, float]:
    names = (*(f"under {edge} s" for edge in LENGTH_EDGES), "longer")
    known = seconds[~np.isnan(seconds)]
    return _named_shares(np.searchsorted(np.array(LENGTH_EDGES), known, "right"), names)


def _named_shares(codes: Codes, names: tuple[str, ...]) -> dict[str, float]:
    if not len(codes):
        return {}
    counts = np.bincount(codes, minlength=len(names)) / len(codes)
    return {name: float(share) for name, share in zip(names, counts, strict=True) if share > 0}


def _share(flags: NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else 0.0


def _quantile(values: Floats, level: float) -> float:
    return float(np.quantile(values, level)) if len(values) else 0.0


def _encoded(column: pa.ChunkedArray) -> tuple[list[str], Codes]:
    """Distinct values and each row's position among them; null is a value of its own."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def _instants(column: pa.ChunkedArray) -> Codes:
    """Epoch seconds."""
    micros = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    seconds: Codes = micros.to_numpy().astype(np.int64) // 1_000_000
    return seconds


def _days(column: pa.ChunkedArray) -> Codes:
    """Days since 1970-01-01."""
    days: Codes = column.cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64)
    return days

"""A tiny catalogue, state and log by hand, shared by the tests of ml."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from ml.state.catalogue import Catalogue
from ml.state.columns import Columns, PairTable
from ml.state.state import (
    TRACK_COLUMNS,
    USER_ARTIST_COLUMNS,
    USER_COLUMNS,
    USER_TRACK_COLUMNS,
    State,
)

DAY = date(2026, 3, 10)


def make_catalogue(tracks: int) -> Catalogue:
    """Tracks t0, t1, ... ; artist a<i // 2>, album of the same number, one genre a track (i % 2)."""
    number = np.arange(tracks)
    genres = sparse.csr_matrix(
        (np.ones(tracks, dtype=np.float32), (number, number % 2)), shape=(tracks, 2)
    )
    return Catalogue(
        track_ids=pa.array([f"t{i}" for i in number], pa.string()),
        titles=pa.array([f"Title {i}" for i in number], pa.string()),
        artist_names=pa.array([f"Artist {i // 2}" for i in number], pa.string()),
        artist_ids=pa.array([f"a{i}" for i in range((tracks + 1) // 2)], pa.string()),
        artist=(number // 2).astype(np.int32),
        album=(number // 2).astype(np.int32),
        recording=number.astype(np.int32),
        released_day=np.full(tracks, 20_000, dtype=np.int32),
        first_known_day=np.full(tracks, 20_100, dtype=np.int32),
        duration_ms=np.full(tracks, 200_000, dtype=np.float32),
        explicit=np.zeros(tracks, dtype=np.int8),
        audio=np.tile(number[:, None].astype(np.float32), (1, 7)),
        genres=genres,
    )


def make_pairs(
    users: int, items: int, names: tuple[str, ...], plays: dict[tuple[int, int], dict[str, float]]
) -> PairTable:
    """A pair table with the given columns of the given (user, item) pairs, zero elsewhere."""
    keys = sorted(plays)
    counts = np.bincount([user for user, _ in keys], minlength=users)
    values = np.zeros((len(names), len(keys)), dtype=np.float32)
    for column, key in enumerate(keys):
        for name, value in plays[key].items():
            values[names.index(name), column] = value
    return PairTable(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.array([item for _, item in keys], dtype=np.int32),
        Columns(names, values),
        items,
    )


def streamed(count: float, **more: float) -> dict[str, float]:
    """Columns of a pair that was streamed `count` times, all of them today."""
    sums = {name: count for name in USER_TRACK_COLUMNS if name.startswith("streams_h")}
    return {"plays": count, "streams": count, **sums, **more}


@pytest.fixture
def make_state() -> Callable[..., State]:
    """A function (users, tracks, plays) -> State of 2026-03-10."""

    def build(
        users: int = 2,
        tracks: int = 6,
        plays: dict[tuple[int, int], dict[str, float]] | None = None,
    ) -> State:
        catalogue = make_catalogue(tracks)
        plays = plays or {}
        artists: dict[tuple[int, int], dict[str, float]] = {}
        totals = np.zeros((len(TRACK_COLUMNS), tracks), dtype=np.float32)
        own = np.zeros((len(USER_COLUMNS), users), dtype=np.float32)
        for (user, track), columns in plays.items():
            pair = artists.setdefault((user, track // 2), {})
            for name, value in columns.items():
                if name in USER_ARTIST_COLUMNS:
                    pair[name] = pair.get(name, 0.0) + value
                if name in TRACK_COLUMNS:
                    totals[TRACK_COLUMNS.index(name), track] += value
                if name in USER_COLUMNS:
                    own[USER_COLUMNS.index(name), user] += value
        return State(
            valid_on=DAY,
            catalogue=catalogue,
            user_ids=pa.array([f"u{i}" for i in range(users)], pa.string()),
            users=Columns(USER_COLUMNS, own),
            tracks=Columns(TRACK_COLUMNS, totals),
            user_tracks=make_pairs(users, tracks, USER_TRACK_COLUMNS, plays),
            user_artists=make_pairs(users, len(catalogue.artist_ids), USER_ARTIST_COLUMNS, artists),
        )

    return build


@pytest.fixture
def stream() -> Callable[..., dict[str, float]]:
    """The function that describes a streamed pair."""
    return streamed

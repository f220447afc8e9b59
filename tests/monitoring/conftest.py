"""A small seeded world of listens with a weekly rhythm, for the tests of monitoring."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

FIRST = date(2026, 3, 2)
SURFACES = np.array(["home", "now_playing", "search", "library", "radio"])
USUAL_SURFACES = np.array([0.4, 0.3, 0.1, 0.1, 0.1])
Columns = dict[str, np.ndarray]


def quiet_columns(
    day: int, seed: int = 0, listeners: int = 300, tracks: int = 400, plays: int = 6
) -> Columns:
    """A day's listens as NumPy columns; a weekend day holds a third more."""
    rng = np.random.default_rng([seed, day])
    weekend = (FIRST + timedelta(days=day)).weekday() >= 5
    count = int(listeners * plays * (1.3 if weekend else 1.0) * rng.normal(1, 0.03))
    popularity = 1 / np.arange(1, tracks + 1) ** 0.7
    start = np.datetime64(FIRST + timedelta(days=day), "s").astype(np.int64)
    hour = rng.normal(15 if weekend else 18, 3, count) % 24
    played = start + (hour * 3600).astype(np.int64)
    late = rng.random(count) < 0.01
    ms = np.exp(rng.normal(12, 0.5, count))
    ms = np.where(rng.random(count) < 0.25, rng.uniform(1000, 29_000, count), ms)
    return {
        "user": rng.integers(0, listeners, count),
        "track": rng.choice(tracks, count, p=popularity / popularity.sum()),
        "played": np.where(late, played - 86_400, played),
        "known": np.full(count, start + 86_399),
        "ms": ms,
        "surface": rng.choice(SURFACES, count, p=USUAL_SURFACES),
        "first": rng.random(count) < 0.2,
    }


def as_listens(columns: Columns) -> pa.Table:
    """The columns of intermediate.listens."""
    count = len(columns["user"])
    ids = np.char.add("l", np.arange(count).astype(str))
    known = columns["known"].astype("datetime64[s]")
    surface = columns["surface"]
    requests = np.where(surface == "home", "r", None)
    return pa.table(
        {
            "listen_id": pa.array(ids),
            "user_id": pa.array(np.char.add("u", columns["user"].astype(str))),
            "track_id": pa.array(np.char.add("t", columns["track"].astype(str))),
            "artist_id": pa.array(np.char.add("a", (columns["track"] // 8).astype(str))),
            "played_at": pa.array(
                columns["played"].astype("datetime64[s]").astype("datetime64[us]"),
                pa.timestamp("us", tz="UTC"),
            ),
            "ms_played": pa.array(columns["ms"].astype(np.int64)),
            "surface": pa.array(surface.astype(object), pa.string()),
            "request_id": pa.array(requests, pa.string()),
            "known_at": pa.array(known.astype("datetime64[us]"), pa.timestamp("us", tz="UTC")),
            "known_on": pa.array(known.astype("datetime64[D]")),
            "session_id": pa.array(np.char.add("s", columns["user"].astype(str))),
            "position": pa.array(np.zeros(count, np.int32)),
            "is_stream": pa.array(columns["ms"] >= 30_000),
            "is_skip": pa.array(columns["ms"] < 30_000),
            "is_first": pa.array(columns["first"]),
        }
    )


@pytest.fixture(scope="session")
def quiet_day() -> Callable[..., Columns]:
    """Makes the columns of a quiet day, to be changed by a test."""
    return quiet_columns


@pytest.fixture(scope="session")
def listens_of() -> Callable[[Columns], pa.Table]:
    """Turns columns into a listens table."""
    return as_listens


@pytest.fixture(scope="session")
def reference() -> pa.Table:
    """Four quiet weeks."""
    return pa.concat_tables([as_listens(quiet_columns(day)) for day in range(28)])

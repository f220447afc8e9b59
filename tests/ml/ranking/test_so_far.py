"""The day's listens before a request of the past: no later one, nobody else's, nothing known another day."""

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from ml.ranking.so_far import heard_so_far
from ml.state.log import Log, day_number
from ml.state.requests import DayListens

DAY = date(2026, 3, 10)
MIDNIGHT = day_number(DAY) * 86_400
TRACKS = 8


def log_of(*rows: tuple[int, int, int, int, int]) -> Log:
    """Rows: (user, track, seconds after midnight, days later that it was known, ms_played)."""
    user, track, second, late, ms = (np.array(c, np.int32) for c in zip(*rows, strict=True))
    return Log(
        user=user,
        track=track,
        session=np.arange(len(user), dtype=np.int32),
        position=np.zeros(len(user), np.int32),
        played_at=MIDNIGHT + second.astype(np.int64),
        known_day=day_number(DAY) + late,
        ms_played=ms,
        is_stream=ms >= 30_000,
        surface=np.zeros(len(user), np.int8),
        users=3,
        tracks=TRACKS,
    )


def so_far(log: Log, *asked: tuple[int, int]) -> DayListens:
    """Of requests (user, seconds after midnight)."""
    return heard_so_far(log, DAY, log_of(*((u, 0, s, 0, 60_000) for u, s in asked)), TRACKS)


def heard(day: DayListens) -> list[list[int]]:
    parts: list[NDArray[np.int32]] = np.split(day.track, day.indptr[1:-1])
    return [part.tolist() for part in parts]


def test_what_was_played_before_the_request_counts_oldest_first() -> None:
    log = log_of((0, 5, 300, 0, 60_000), (0, 4, 100, 0, 60_000), (0, 6, 500, 0, 60_000))
    assert heard(so_far(log, (0, 400), (0, 100), (0, 501))) == [[4, 5], [], [4, 5, 6]]


def test_nobody_elses_listens_count_and_nobody_known_has_none() -> None:
    log = log_of((0, 1, 100, 0, 60_000), (1, 2, 100, 0, 60_000), (-1, 3, 100, 0, 60_000))
    assert heard(so_far(log, (1, 400), (-1, 400), (2, 400))) == [[2], [], []]


def test_what_was_played_or_known_on_another_day_is_not_of_the_day() -> None:
    before, late = (0, 1, -100, 0, 60_000), (0, 2, 100, 1, 60_000)
    assert heard(so_far(log_of(before, late, (0, 3, 200, 0, 60_000)), (0, 400))) == [[3]]
    asking = log_of((0, 0, 86_500, 1, 60_000))
    assert heard(heard_so_far(log_of(late), DAY + timedelta(days=1), asking, TRACKS)) == [[]]


def test_skips_are_told_and_tracks_that_nobody_knew_are_left_out() -> None:
    day = so_far(log_of((0, 1, 10, 0, 5_000), (0, TRACKS, 20, 0, 60_000)), (0, 400))
    assert (heard(day), day.skipped.tolist()) == ([[1]], [True])

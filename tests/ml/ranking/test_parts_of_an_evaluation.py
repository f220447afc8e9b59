"""What was known around test requests, and the parts the judged lists are taken into."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from ml.policy.rules import PolicyRules
from ml.ranking.asked import MOST_GENRES, genre_membership, numbered
from ml.ranking.breakdown import beyond_of, discovery, families_of
from ml.ranking.contexts import Context, context_of
from ml.ranking.judging import RANKER, SHOWN, Judged, truth_of
from ml.ranking.report_rows import interval
from ml.ranking.run import TrainingRun
from ml.ranking.served import read_served
from ml.state.state import State
from tests.ml.ranking.tiny_run import TRACKS, requests

Make = Callable[..., State]
HOUR = 3_600


def test_what_was_heard_is_asked_of_the_requests_own_day(
    make_state: Make, stream: Callable[..., dict[str, float]]
) -> None:
    before = make_state(2, 4, {(0, 1): stream(1.0)})
    after = make_state(2, 4, {(0, 1): stream(1.0), (1, 2): stream(1.0)})
    found = context_of(
        numbered([requests(users=2), requests(users=2)], [before, after]), before.catalogue, None
    )
    # Request 1 is listener 1 on the first day, request 3 the same on the second; track 9 is unknown.
    heard = found.heard(np.array([0, 1, 3, 3], np.int32), np.array([1, 2, 2, 9], np.int32))
    assert heard.tolist() == [True, False, True, False]


def test_a_listener_whom_nobody_knows_has_no_history_and_no_taste(
    make_state: Make, stream: Callable[..., dict[str, float]]
) -> None:
    state = make_state(2, 4, {(0, 1): stream(2.0), (0, 3): stream(2.0)})
    asked = replace(requests(users=2), user=np.array([0, -1], np.int32))
    found = context_of(numbered([asked], [state]), state.catalogue, None)
    assert found.streams.tolist() == [4.0, 0.0]
    # Tracks 1 and 3 are of genre 1.
    assert found.around.taste[0].tolist() == [0.0, 1.0]
    assert np.isnan(found.around.taste[1]).all()


def test_genres_of_most_tracks_are_kept_and_a_track_belongs_to_its_own_in_equal_parts(
    make_state: Make,
) -> None:
    wide = np.zeros((3, MOST_GENRES + 2), np.float32)
    wide[:, :MOST_GENRES] = 1
    wide[0, MOST_GENRES + 1] = 1
    catalogue = replace(make_state(1, 3).catalogue, genres=sparse.csr_matrix(wide))
    found = genre_membership(catalogue).toarray()
    assert found.shape == (3, MOST_GENRES)
    assert found.sum(axis=1) == pytest.approx([1.0, 1.0, 1.0])


def test_a_family_that_puts_all_requests_into_one_slice_is_left_out(
    run: TrainingRun, context: Context
) -> None:
    part = read_served(run, "home", "test", 1).examples
    judged = Judged({}, truth_of(part, "home"), part.requests["listener"].to_numpy())
    names = {one.family for one in families_of(judged, context)}
    assert "repeat or explore" in names
    assert "time of day" not in names
    hours = replace(context, at=np.arange(len(context.at)) * HOUR)
    assert "time of day" in {one.family for one in families_of(judged, hours)}


def test_heard_tracks_leave_before_new_ones_are_ranked(run: TrainingRun, context: Context) -> None:
    served = read_served(run, "home", "test", 1)
    found = discovery(served, "home", context, PolicyRules(), context.days[0].state.catalogue)
    assert set(found.lists) == {RANKER, SHOWN, "repeat_memory", "popularity"}
    for lists in found.lists.values():
        assert (lists.track % 2 == 1).all()
    assert (found.truth.track % 2 == 1).all()
    # Popularity goes by track: the odd ones close up to ranks 1, 2, 3, ...
    popular = found.lists["popularity"]
    first = popular.request == 0
    assert popular.track[first].tolist() == [1, 3, 5, 7, 9, 11]
    assert popular.rank[first].tolist() == [1, 2, 3, 4, 5, 6]


def test_a_catalogue_without_genres_or_artists_has_no_figures_of_them(
    run: TrainingRun, context: Context, make_state: Make
) -> None:
    state = context.days[0].state
    bare = replace(
        state.catalogue,
        genres=sparse.csr_matrix((TRACKS, 0), dtype=np.float32),
        artist=np.full(TRACKS, -1, np.int32),
        artist_ids=pa.array([], pa.string()),
    )
    found = context_of(context.days, bare, None)
    served = read_served(run, "home", "test", 1)
    judged = discovery(served, "home", found, PolicyRules(), bare)
    rows = beyond_of(judged, found, "repeat_memory", 1).to_pylist()
    figures = {row["figure"]: row["mean"] for row in rows if row["model"] == RANKER}
    assert "genre miscalibration" not in figures
    assert np.isnan(figures["artist exposure Gini"])
    assert figures["heard before"] == 0.0


def test_the_page_says_that_one_listener_has_no_interval() -> None:
    nothing = {"low": np.nan, "high": np.nan, "advantage_low": np.nan, "advantage_high": np.nan}
    row = {"mean": 0.1, "advantage": 0.02, **nothing}
    assert interval(row) == "0.1000 (one listener)"
    assert interval(row, "advantage") == "+0.0200 (one listener)"

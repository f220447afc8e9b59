"""A filter that looked past the cut is seen, and so are features that give it away.

A k-core keeps what has at least k listens, counted over all of the data. Who then sees fewer than k before
the cut knows that the rest must follow: raw counts of tracks tell what comes.
"""

from pathlib import Path

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray

from ml.evaluation.leaks import changed_features, counting_features, filtered_before_split

TRACKS, LISTENS, CUT, K = 500, 6_000, 0.7, 5
Counts = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]


def listens(seed: int = 3) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(track, time from 0 to 1) of listens of tracks of very different popularity."""
    draw = np.random.default_rng(seed)
    chance = 1.0 / (1.0 + np.arange(TRACKS))
    return draw.choice(TRACKS, LISTENS, p=chance / chance.sum()), draw.random(LISTENS)


def core(track: NDArray[np.int64], at: NDArray[np.float64], k: int):
    """The listens of tracks with at least `k` of them, whenever they were."""
    kept = np.bincount(track, minlength=TRACKS)[track] >= k
    return track[kept], at[kept]


def split(track: NDArray[np.int64], at: NDArray[np.float64]) -> Counts:
    """Listens a track before the cut and from then on, and whether it was heard in the first half."""
    before = np.bincount(track[at < CUT], minlength=TRACKS)
    after = np.bincount(track[at >= CUT], minlength=TRACKS)
    return before, after, np.bincount(track[at < CUT / 2], minlength=TRACKS) > 0


def test_a_history_that_was_filtered_before_the_split_is_seen() -> None:
    found = filtered_before_split(*split(*core(*listens(), K)))
    assert found is not None
    assert found.least == K
    assert found.below > 20
    assert found.excess > 1.3


def test_a_history_as_it_came_is_not_suspected() -> None:
    assert filtered_before_split(*split(*listens())) is None


def test_a_history_that_was_filtered_by_its_past_alone_is_not_suspected() -> None:
    """The honest way: k listens before the cut; some of these tracks are never heard again."""
    track, at = listens()
    enough = np.bincount(track[at < CUT], minlength=TRACKS)[track] >= K
    assert filtered_before_split(*split(track[enough], at[enough])) is None


def test_a_dense_catalogue_is_not_suspected() -> None:
    """Each of 40 tracks is heard about 150 times: that all reach the least of them is no wonder."""
    draw = np.random.default_rng(1)
    assert filtered_before_split(*split(draw.integers(0, 40, 6_000), draw.random(6_000))) is None


def test_a_new_release_that_grows_is_not_suspected() -> None:
    """Thirty tracks with one listen before the cut and ten after it, all of them just out."""
    before = np.concatenate([np.full(100, 50), np.ones(30, int)])
    after = np.concatenate([np.full(100, 20), np.full(30, 10)])
    settled = np.arange(130) < 100
    assert filtered_before_split(before, after, settled) is None
    assert filtered_before_split(before, after, np.ones(130, np.bool_)) is not None


def test_without_any_listen_there_is_nothing_to_suspect() -> None:
    nothing = np.zeros(3, np.int64)
    assert filtered_before_split(nothing, nothing, np.ones(3, np.bool_)) is None


def test_a_published_set_of_five_listens_a_track_is_seen(shared_data: Path) -> None:
    """The last listen of each listener is left out of a set that holds every track five times: 111 tracks
    are owed some, and all of them come."""
    query = f"""
        with log as (
            select item_id, position < max(position) over (partition by user_id) as past
            from '{shared_data / "s3rec-lastfm-seq" / "sequences.parquet"}'
        )
        select count(*) filter (past) as before, count(*) filter (not past) as after
        from log group by item_id
    """
    with duckdb.connect() as connection:
        columns = connection.execute(query).fetchnumpy()
    before, after = (np.asarray(columns[name], np.int64) for name in ("before", "after"))
    found = filtered_before_split(before, after, np.ones(len(before), np.bool_))
    assert found is not None
    assert (found.least, found.below) == (5, 111)
    assert found.excess > 10


@pytest.fixture
def candidates() -> tuple[dict[str, NDArray[np.float32]], NDArray[np.bool_]]:
    """Features of 4,000 candidates from a filtered set, and whether the filter still owes their track
    listens: three planted ones that count, five honest ones."""
    draw = np.random.default_rng(5)
    track, at = core(*listens(), K)
    before, _, _ = split(track, at)
    # Candidates are popular: a draw from the listens themselves, and some at random.
    row = np.concatenate([draw.choice(track, 3_000), draw.choice(np.unique(track), 1_000)])
    age = CUT - at[at < CUT]
    decayed = np.bincount(track[at < CUT], weights=2.0 ** (-age / 0.05), minlength=TRACKS)
    skips = draw.binomial(before, 0.3)
    features = {
        "count": before[row],
        "log_count": np.log1p(before[row]),
        "rarity": 1.0 / np.maximum(before[row], 1),
        "decayed": np.log1p(decayed[row]),
        "skip_rate": (skips[row] + 5 * 0.3) / (before[row] + 5),
        "cosine": draw.random(len(row)),
        "rank": np.where(draw.random(len(row)) < 0.4, np.nan, draw.integers(1, 80, len(row))),
        "constant": np.ones(len(row)),
    }
    return {name: value.astype(np.float32) for name, value in features.items()}, before[row] < K


def test_raw_counts_on_a_filtered_history_are_caught_and_honest_features_pass(candidates) -> None:
    features, below = candidates
    found = counting_features(list(features), np.stack(list(features.values()), axis=1), below)
    assert set(found) == {"count", "log_count", "rarity"}
    assert all(share == 1.0 for share in found.values())


def test_where_the_filter_owes_nothing_no_feature_is_suspected(candidates) -> None:
    features, below = candidates
    values = np.stack(list(features.values()), axis=1)
    assert counting_features(list(features), values, np.zeros_like(below)) == {}


def test_a_feature_that_counts_the_future_is_caught_and_honest_features_pass() -> None:
    before, after, _ = split(*listens())
    cosine = np.random.default_rng(1).random(TRACKS)
    unknown = np.where(before > 0, before, np.nan)

    def features(counted: NDArray[np.int64]) -> NDArray[np.float32]:
        columns = [np.log1p(before), np.log1p(counted), cosine, unknown]
        return np.stack(columns, axis=1).astype(np.float32)

    names = ("past", "planted", "cosine", "unknown")
    found = changed_features(names, features(before + after), features(before))
    assert found == {"planted": pytest.approx((after > 0).mean())}
    assert changed_features(names, features(before), features(before)) == {}


def test_the_last_bits_of_a_sum_are_no_change_and_a_lost_value_is() -> None:
    given = np.float32([[1.0, np.nan], [2.0, 3.0]])
    bits = given * np.float32(1.000001)
    assert changed_features(("a", "b"), given, bits) == {}
    lost = np.where(np.isnan(given), 0.0, given).astype(np.float32)
    assert changed_features(("a", "b"), given, lost) == {"b": 0.5}

"""A public data set is cut so that the history knows nothing of what is asked."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.benchmark.cases import (
    CASES,
    BenchmarkError,
    data_set,
    hetrec_lastfm,
    nowplaying_sessions,
    s3rec_lastfm,
)


def rows(path: Path) -> list[dict[str, object]]:
    return pq.read_table(path).to_pylist()


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    """Ten sessions of two items each: session i plays items 2 i and 2 i + 1."""
    table = pa.table(
        {
            "session_id": [i // 2 for i in range(20)],
            "position": [i % 2 for i in range(20)],
            "item_id": list(range(20)),
        }
    )
    pq.write_table(table, tmp_path / "train_sessions.parquet")
    return tmp_path


def test_the_last_tenth_of_the_sessions_is_asked_and_not_in_the_history(sessions: Path) -> None:
    case = nowplaying_sessions(sessions, sessions / "cut", validation=False)
    history = rows(case.history / "sessions.parquet")
    assert {row["session_id"] for row in history} == set(range(9))
    [asked] = rows(case.requests)
    [truth] = rows(case.truth)
    assert (asked["request_id"], asked["surface"]) == ("9-1", "now_playing")
    assert truth["track_id"] not in asked["session_track_ids"]
    assert truth["track_id"].removeprefix("item:") not in {row["item_id"] for row in history}


def test_validation_asks_the_tenth_before(sessions: Path) -> None:
    case = nowplaying_sessions(sessions, sessions / "cut", validation=True)
    assert [row["request_id"] for row in rows(case.requests)] == ["8-1"]
    assert {row["session_id"] for row in rows(case.history / "sessions.parquet")} == set(range(8))


def test_ids_do_not_tell_the_order_of_first_appearance(sessions: Path) -> None:
    case = nowplaying_sessions(sessions, sessions / "cut", validation=False)
    ids = [row["item_id"] for row in rows(case.history / "sessions.parquet")]
    assert ids != sorted(ids)


@pytest.fixture
def sequences(tmp_path: Path) -> Path:
    """One listener of items 5, 6, 7, 8."""
    table = pa.table({"user_id": [1] * 4, "position": [0, 1, 2, 3], "item_id": [5, 6, 7, 8]})
    pq.write_table(table, tmp_path / "sequences.parquet")
    return tmp_path


@pytest.mark.parametrize(("validation", "known"), [(False, 3), (True, 2)])
def test_one_item_is_left_out_and_everything_before_it_is_history(
    sequences: Path, validation: bool, known: int
) -> None:
    case = s3rec_lastfm(sequences, sequences / "cut", validation=validation)
    history = pq.read_table(case.history / "listens.parquet").sort_by("played_at").to_pylist()
    [asked], [truth] = rows(case.requests), rows(case.truth)
    assert len(history) == known
    assert truth["track_id"] not in {row["track_id"] for row in history}
    assert all(row["played_at"] < asked["at"] for row in history)
    assert case.exclude_heard


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """Listener 1 tags artist 1 in May and again in July, artist 2 in August; 3 has no real date."""
    events = {
        "user_id": [1, 1, 1, 1],
        "artist_id": [1, 1, 2, 3],
        "tag_id": [1, 1, 1, 1],
        "day": [1, 1, 1, 1],
        "month": [5, 7, 8, 1],
        "year": [2010, 2010, 2010, 1956],
    }
    pq.write_table(pa.table(events), tmp_path / "user_taggedartists.parquet")
    artists = pa.table({"artist_id": [1, 2, 3], "name": ["a", "b", "c"]})
    pq.write_table(artists, tmp_path / "artists.parquet")
    pq.write_table(pa.table({"tag_id": [1], "tag_value": ["rock"]}), tmp_path / "tags.parquet")
    friends = pa.table({"user_id": [1, 2], "friend_id": [2, 1]})
    pq.write_table(friends, tmp_path / "user_friends.parquet")
    return tmp_path


def test_only_artists_first_tagged_after_the_cut_are_asked_for(tagged: Path) -> None:
    case = hetrec_lastfm(tagged, tagged / "cut", validation=False)
    assert [row["track_id"] for row in rows(case.truth)] == ["artist:2"]
    history = rows(case.history / "user_taggedartists.parquet")
    assert [(row["artist_id"], row["month"]) for row in history] == [(1, 5)]


@pytest.mark.parametrize(
    ("name", "friends"),
    [("hetrec2011-lastfm-2k", True), ("hetrec2011-lastfm-2k-without-friends", False)],
)
def test_undated_friendships_are_said_to_be_so_or_left_out(
    tagged: Path, name: str, friends: bool
) -> None:
    case = CASES[name](tagged, tagged / "cut", validation=False)
    assert (case.history / "user_friends.parquet").is_file() == friends
    assert ("friendships undated" in case.protocol) == friends
    assert case.name == name
    assert data_set(name) == "hetrec2011-lastfm-2k"


def test_a_folder_without_the_data_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="train_sessions"):
        nowplaying_sessions(tmp_path, tmp_path / "cut", validation=False)

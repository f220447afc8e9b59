"""A published state is what was published."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy import sparse

from ml.state.publish import StateError, load_state, publish_state, state_days


def test_a_published_state_loads_equal(tmp_path, make_state, stream):
    state = make_state(plays={(0, 1): stream(2), (1, 3): stream(1)})
    loaded = load_state(publish_state(state, tmp_path), verify=True)
    assert loaded.valid_on == state.valid_on
    assert loaded.catalogue.track_ids.equals(state.catalogue.track_ids)
    assert (loaded.catalogue.genres != state.catalogue.genres).nnz == 0
    np.testing.assert_array_equal(loaded.user_tracks.item, state.user_tracks.item)
    np.testing.assert_array_equal(
        loaded.user_tracks.columns.values, state.user_tracks.columns.values
    )
    np.testing.assert_array_equal(loaded.catalogue.audio, state.catalogue.audio)


def test_friendships_are_published_where_there_are_any(tmp_path, make_state):
    friends = sparse.csr_matrix(np.array([[0, 1], [0, 0]], dtype=np.float32))
    state = replace(make_state(), friends=friends)
    loaded = load_state(publish_state(state, tmp_path), verify=True)
    assert loaded.friends.toarray().tolist() == [[0.0, 1.0], [0.0, 0.0]]
    assert loaded.on(date(2026, 3, 12)).has_friends

    folder = publish_state(make_state(), tmp_path)
    assert not [path.name for path in folder.iterdir() if path.name.startswith("friends")]
    assert not load_state(folder, verify=True).has_friends


def test_countries_are_published_where_any_is_known(tmp_path, make_state):
    state = replace(make_state(), country=np.array([1, -1], np.int32))
    loaded = load_state(publish_state(state, tmp_path), verify=True)
    assert loaded.on(date(2026, 3, 12)).country.tolist() == [1, -1]
    assert loaded.has_countries

    folder = publish_state(make_state(), tmp_path)
    assert not (folder / "country.npy").exists()
    assert not load_state(folder, verify=True).has_countries


def test_the_folder_is_named_by_the_last_day_it_holds(tmp_path, make_state):
    publish_state(make_state(), tmp_path)
    assert state_days(tmp_path) == [date(2026, 3, 9)]


def test_publishing_again_replaces_and_leaves_nothing_aside(tmp_path, make_state, stream):
    publish_state(make_state(), tmp_path)
    publish_state(make_state(plays={(0, 0): stream(1)}), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["day=2026-03-09"]
    assert len(load_state(tmp_path / "day=2026-03-09").user_tracks.item) == 1


def test_a_changed_file_is_named(tmp_path, make_state):
    folder = publish_state(make_state(), tmp_path)
    np.save(folder / "users.npy", np.ones((13, 2), dtype=np.float32))
    with pytest.raises(StateError, match=r"users\.npy differ from the manifest"):
        load_state(folder, verify=True)


def test_a_folder_without_a_manifest_is_no_state(tmp_path):
    with pytest.raises(StateError, match="found no manifest"):
        load_state(tmp_path)


def test_an_equal_state_that_stands_whole_stays_and_a_harmed_one_is_replaced(tmp_path, make_state):
    folder = publish_state(make_state(), tmp_path)
    stands = (folder / "users.npy").stat().st_ino
    publish_state(make_state(), tmp_path)
    assert (folder / "users.npy").stat().st_ino == stands
    (folder / "users.npy").write_bytes(b"half")
    publish_state(make_state(), tmp_path)
    load_state(folder, verify=True)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_a_state_that_cannot_be_written_leaves_the_one_before(tmp_path, make_state, stream):
    folder = publish_state(make_state(), tmp_path)
    other = make_state(plays={(0, 1): stream(2)})
    unwritable = replace(
        other, users=replace(other.users, values=other.users.values.astype(object))
    )
    with pytest.raises(ValueError, match="allow_pickle"):
        publish_state(unwritable, tmp_path)
    load_state(folder, verify=True)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]

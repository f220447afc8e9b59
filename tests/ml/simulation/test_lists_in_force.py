"""Recommendations change what is listened to, the upper places most, and are told as impressions."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ml.tables import RECOMMENDATIONS

PLACES = 20


@pytest.fixture(scope="module")
def lists(world) -> pa.Table:
    """Twenty tracks for each listener, drawn without looking."""
    draw = np.random.default_rng(3)
    users, tracks = world.listeners.table["user_id"], world.catalogue.table["track_id"]
    chosen = [draw.choice(world.config.tracks, PLACES, replace=False) for _ in range(len(users))]
    size = len(users) * PLACES
    user = users.take(pa.array(np.repeat(np.arange(len(users)), PLACES)))
    columns = {
        "request_id": pc.binary_join_element_wise("list", user, "-"),
        "user_id": user,
        "surface": ["home"] * size,
        "rank": np.tile(np.arange(1, PLACES + 1, dtype=np.int32), len(users)),
        "track_id": tracks.take(pa.array(np.concatenate(chosen))),
        "score": np.zeros(size),
        "propensity": np.ones(size),
        "sources": [["popularity"]] * size,
        "reasons": [["popular"]] * size,
        "model_version": ["m1"] * size,
        "state_day": [date(2025, 3, 3)] * size,
    }
    return pa.table(columns, schema=RECOMMENDATIONS.schema)


def whole(lived) -> pa.Table:
    return pa.concat_tables([day.listens for day in lived])


def pairs(rows: pa.Table) -> pa.ChunkedArray:
    """Listener and track as one text."""
    return pc.binary_join_element_wise(rows["user_id"], rows["track_id"], " ")


def share_listed(listens: pa.Table, lists: pa.Table) -> float:
    listed = pc.is_in(pairs(listens), value_set=pairs(lists).combine_chunks())
    return pc.mean(pc.cast(listed, pa.float64())).as_py()


def taken_ranks(listens: pa.Table, lists: pa.Table) -> np.ndarray:
    """The place of each listen that came out of a list."""
    taken = listens.filter(pc.is_valid(listens["request_id"]))
    at = pc.index_in(pairs(taken), value_set=pairs(lists).combine_chunks())
    assert at.null_count == 0
    return lists["rank"].take(at).to_numpy()


def test_without_lists_nothing_is_shown_or_asked(days):
    assert all(len(day.impressions) == 0 for day in days())
    assert whole(days())["request_id"].null_count == len(whole(days()))


def test_what_is_shown_is_played_more_than_chance(days, lists):
    chance = share_listed(whole(days()), lists)
    assert share_listed(whole(days(lists=lists)), lists) > 1.3 * chance


def test_upper_places_are_taken_more_than_lower_ones(days, lists):
    ranks = taken_ranks(whole(days(lists=lists)), lists)
    assert len(ranks) > 200
    fifths = np.histogram(ranks, [1, 6, 11, 16, 21])[0]
    # By 1 / rank^0.7 the first five places carry 3.4 times the weight of the last five.
    assert fifths[0] > 1.5 * fifths[3]
    assert fifths[0] == fifths.max()


def test_a_listen_names_the_list_of_its_own_listener(days, lists):
    listens = whole(days(lists=lists))
    taken = listens.filter(pc.is_valid(listens["request_id"]))
    expected = pc.binary_join_element_wise("list", taken["user_id"], "-")
    assert taken["request_id"].to_pylist() == expected.to_pylist()
    assert taken["surface"].unique().to_pylist() == ["home"]


def test_a_shown_list_is_told_in_full_before_the_first_listen_out_of_it(days, lists):
    for day in days(lists=lists):
        shown = day.impressions
        requests = shown["request_id"].value_counts()
        assert set(requests.field("counts").to_pylist()) == {PLACES}
        assert shown["position"].to_pylist() == list(range(1, PLACES + 1)) * len(requests)
        listens = day.listens.filter(pc.is_valid(day.listens["request_id"]))
        # A listen known late belongs to a list shown on an earlier day.
        same_day = pc.equal(
            pc.floor_temporal(listens["played_at"]), pc.floor_temporal(listens["known_at"])
        )
        joined = listens.filter(same_day).join(
            shown.group_by("request_id").aggregate([("shown_at", "min")]), "request_id"
        )
        assert joined["shown_at_min"].null_count == 0
        assert pc.all(pc.greater(joined["played_at"], joined["shown_at_min"])).as_py()


def test_lists_of_strangers_and_unknown_tracks_change_nothing(days, lists):
    at = lists.schema.get_field_index("user_id")
    strangers = lists.set_column(at, "user_id", pa.array(["nobody"] * len(lists)))
    at = lists.schema.get_field_index("track_id")
    unknown = lists.set_column(at, "track_id", pa.array(["no-such-track"] * len(lists)))
    usual = whole(days())
    assert whole(days(lists=strangers)).equals(usual)
    assert whole(days(lists=unknown))["request_id"].null_count == len(whole(days(lists=unknown)))

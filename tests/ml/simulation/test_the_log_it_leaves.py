"""What a world leaves behind is a log that could be real, and tells none of its secrets."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ml.lake.ingest import ingest_table
from ml.lake.store import Lake
from ml.simulation.living import initial_state, live_day
from ml.tables import CANONICAL, STREAM_MS


def micros(column: pa.ChunkedArray) -> np.ndarray:
    return column.cast(pa.int64()).to_numpy()


def all_listens(lived) -> pa.Table:
    return pa.concat_tables([day.listens for day in lived])


def test_every_row_passes_the_judge_of_the_lake(days, tmp_path):
    lake = Lake(tmp_path)
    for number, day in enumerate(days()):
        for name in ("tracks", "users", "listens"):
            rows = getattr(day, name)
            if len(rows):
                report = ingest_table(lake, name, rows, f"day-{number}").files[0]
                assert (report.accepted, report.quarantined) == (len(rows), 0)


def test_no_listen_is_known_before_it_is_played(days):
    listens = all_listens(days())
    assert (micros(listens["known_at"]) > micros(listens["played_at"])).all()


def test_a_day_holds_what_became_known_on_it(days):
    for number, day in enumerate(days()):
        known = micros(day.listens["known_at"]) // 86_400_000_000
        start = np.datetime64("2025-03-03", "D").astype(int)
        assert set(known) == {start + number}


def test_some_listens_arrive_on_a_later_day_and_none_twice(days):
    listens = all_listens(days())
    days_late = (micros(listens["known_at"]) - micros(listens["played_at"])) // 86_400_000_000
    assert 0 < (days_late > 0).mean() < 0.02
    assert pc.count_distinct(listens["listen_id"]).as_py() == len(listens)


def test_a_listener_hears_one_track_at_a_time(days):
    listens = all_listens(days()).sort_by([("user_id", "ascending"), ("played_at", "ascending")])
    begun = micros(listens["played_at"]) // 1_000
    ended = begun + listens["ms_played"].to_numpy()
    same = pc.equal(listens["user_id"][1:], listens["user_id"][:-1]).to_numpy()
    assert (begun[1:] >= ended[:-1])[same].all()


def test_nothing_is_heard_before_it_is_released(world, days):
    for number, day in enumerate(days()):
        known = world.catalogue.table["track_id"].filter(pa.array(world.catalogue.known <= number))
        # Listens that arrived late were of tracks of an earlier day.
        assert pc.all(pc.is_in(day.listens["track_id"], value_set=known.combine_chunks())).as_py()


def test_new_tracks_arrive_every_day_and_find_listeners(world, days):
    assert len(days()[0].tracks) == world.config.tracks
    assert all(len(day.tracks) >= 1 for day in days()[1:])
    new = pa.concat_tables([day.tracks for day in days()[1:]])["track_id"].combine_chunks()
    heard = pc.is_in(all_listens(days())["track_id"], value_set=new)
    assert pc.sum(heard).as_py() > 10


def test_listeners_listen_from_the_day_they_sign_up(world, days):
    signed_up = world.listeners.known
    assert [len(day.users) for day in days()] == [
        np.sum(signed_up == n) for n in range(len(days()))
    ]
    absent = world.listeners.table["user_id"].filter(pa.array(signed_up >= len(days())))
    assert len(absent) > 5
    heard = pc.is_in(all_listens(days())["user_id"], value_set=absent.combine_chunks())
    assert not pc.any(heard).as_py()


def test_some_listens_are_skips_and_most_are_not(days):
    short = all_listens(days())["ms_played"].to_numpy() < STREAM_MS
    assert 0.05 < short.mean() < 0.35


def test_tables_hold_the_canonical_columns_and_no_others(days):
    day = days()[1]
    for name in ("tracks", "users", "listens", "impressions"):
        assert getattr(day, name).schema.equals(CANONICAL[name].schema)


def test_no_public_column_repeats_what_is_hidden(world):
    lived, _ = live_day(world, initial_state(world))
    catalogue = world.catalogue
    public = catalogue.known == 0
    hidden = np.column_stack([catalogue.latent, catalogue.quality])[public]
    for field in lived.tracks.schema:
        if pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
            column = lived.tracks[field.name].to_numpy().astype(float)
            for secret in hidden.T:
                assert abs(np.corrcoef(column, secret)[0, 1]) < 0.95, field.name

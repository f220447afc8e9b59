"""Each incident shows in the rows it is about, from its day on, and nowhere else."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ml.simulation.config import INCIDENTS
from ml.simulation.incidents import dropped_tracks

BEFORE = 2


def from_its_day(lived) -> pa.Table:
    """Listens played on the day of the incident or later, by id."""
    listens = pa.concat_tables([day.listens for day in lived[BEFORE:]])
    later = pc.greater_equal(listens["listen_id"], f"listen-{BEFORE:04d}")
    return listens.filter(later).sort_by("listen_id")


@pytest.mark.parametrize("incident", INCIDENTS)
def test_the_days_before_are_the_same_and_its_day_is_not(days, incident):
    usual, wrong = days(), days(incident)
    for one, other in zip(usual[:BEFORE], wrong[:BEFORE], strict=True):
        assert one.listens.equals(other.listens)
    assert not usual[BEFORE].listens.equals(wrong[BEFORE].listens)
    assert all(one.tracks.equals(other.tracks) for one, other in zip(usual, wrong, strict=True))


def test_in_wrong_units_every_length_is_a_thousandth(days):
    usual, wrong = from_its_day(days()), from_its_day(days("unit_bug"))
    np.testing.assert_array_equal(
        wrong["ms_played"].to_numpy(), usual["ms_played"].to_numpy() // 1_000
    )
    assert wrong.drop_columns("ms_played").equals(usual.drop_columns("ms_played"))


def test_a_missing_surface_becomes_unknown_and_the_others_stay(days):
    usual, wrong = from_its_day(days()), from_its_day(days("missing_surface"))
    home = pc.equal(usual["surface"], "home")
    assert pc.sum(home).as_py() > 100
    assert wrong.filter(home)["surface"].unique().to_pylist() == ["unknown"]
    assert wrong.filter(pc.invert(home)).equals(usual.filter(pc.invert(home)))


def test_three_bots_play_around_the_clock_and_everybody_else_as_usual(days):
    usual, wrong = from_its_day(days()), from_its_day(days("bot_traffic"))
    counts = wrong["user_id"].value_counts()
    bots = counts.filter(pc.greater(counts.field("counts"), 1_000)).field("values")
    assert len(bots) == 3

    def people(rows: pa.Table) -> set[tuple[str, str, int]]:
        others = rows.filter(pc.invert(pc.is_in(rows["user_id"], value_set=bots)))
        played = others["played_at"].cast(pa.int64())
        columns = (others["user_id"], others["track_id"], played)
        return set(zip(*(column.to_pylist() for column in columns), strict=True))

    # Which rows arrive late is drawn over all rows, so a few are known in one life alone.
    assert len(people(usual) ^ people(wrong)) < 0.02 * len(people(usual))


def test_late_data_arrives_up_to_three_days_later_and_is_not_lost(days):
    usual, wrong = days(), days("late_data")
    assert len(wrong[BEFORE].listens) < 0.8 * len(usual[BEFORE].listens)
    rows = from_its_day(wrong)
    known, played = (
        rows[name].cast(pa.int64()).to_numpy() // 86_400_000_000
        for name in ("known_at", "played_at")
    )
    late = known - played
    assert set(late) >= {0, 1, 2}
    assert late.max() <= 4
    assert 0.1 < (late > 0).mean() < 0.35
    # By the fifth day all listens of the third are known but those three days late and the usual few.
    first = [
        pc.sum(pc.starts_with(listens["listen_id"], f"listen-{BEFORE:04d}")).as_py()
        for listens in (from_its_day(usual), rows)
    ]
    assert 0.8 * first[0] < first[1] < first[0]


def test_a_dropped_track_is_heard_no_more(world, days):
    gone = world.catalogue.table["track_id"].filter(pa.array(dropped_tracks(world)))
    gone = gone.combine_chunks()
    before, after = days("catalogue_drop")[BEFORE - 1].listens, from_its_day(days("catalogue_drop"))
    assert pc.sum(pc.is_in(before["track_id"], value_set=gone)).as_py() > 50
    assert pc.sum(pc.is_in(after["track_id"], value_set=gone)).as_py() == 0


def test_shifted_taste_takes_listeners_away_from_what_they_liked(world, days):
    catalogue, listeners = world.catalogue, world.listeners

    def fit(rows: pa.Table) -> float:
        """Mean cosine of what is played and the taste that the listener was born with."""
        users, tracks = (
            pc.index_in(rows[name], value_set=table[name].combine_chunks()).to_numpy()
            for name, table in (("user_id", listeners.table), ("track_id", catalogue.table))
        )
        return float((listeners.taste[users] * catalogue.latent[tracks]).sum(axis=1).mean())

    before = fit(days("taste_shift")[0].listens)
    assert fit(from_its_day(days("taste_shift"))) < 0.7 * before
    assert fit(from_its_day(days())) > 0.9 * before

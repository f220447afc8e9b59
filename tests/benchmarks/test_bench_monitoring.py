"""The bench of monitoring counts as it says: caught, named, missed."""

from collections import Counter

import pytest

from monitoring.suspects import Kind, Suspect
from tests.benchmarks.bench_monitoring import CULPRITS, Seed, Told, bars
from tests.benchmarks.light_champion import DIMENSIONS, LISTED
from tests.benchmarks.monitored_world import begin
from tests.benchmarks.watched_life import Watch, reference_of

RIGHT = {name: Suspect(one.what or "listeners' tastes", one.kind) for name, one in CULPRITS.items()}


def told(incident, verdicts="watch act act act act", suspect=None):
    return Told(incident, tuple(verdicts.split()), suspect, "")


def seed(incidents, acts=0):
    return Seed(1, Counter({("data_quality", "act"): acts}), Counter(), tuple(incidents), 1.0)


@pytest.mark.parametrize("incident", CULPRITS)
def test_the_right_suspect_is_named_and_another_is_not(incident):
    assert told(incident, suspect=RIGHT[incident]).is_named
    assert not told(incident, suspect=None).is_named
    others = [one for name, one in RIGHT.items() if name != incident]
    assert not any(told(incident, suspect=one).is_named for one in others)


def test_the_right_column_for_the_wrong_reason_is_not_named():
    assert not told("unit_bug", suspect=Suspect("column ms_played", Kind.TASTE)).is_named


def test_caught_is_within_two_days():
    assert told("late_data", "ok watch ok ok ok").is_caught
    assert not told("late_data", "ok ok act act act").is_caught


def test_a_bar_is_missed_by_one_alarm_too_many_or_one_incident_too_few():
    good = [told(name, suspect=RIGHT[name]) for name in CULPRITS]
    unseen = [*good[:-1], told("late_data", "ok ok ok ok ok")]
    misnamed = [*good[:-1], told("late_data", suspect=RIGHT["unit_bug"])]

    def missed(*seeds):
        return [name for name, *_, held in bars(seeds) if not held]

    assert missed(*[seed(good)] * 20) == []
    assert missed(*[seed(good)] * 19, seed(good, 21)) == ["`act` in 60 quiet days, mean"]
    assert missed(*[seed(good)] * 19, seed(unseen)) == []
    assert missed(*[seed(good)] * 18, *[seed(unseen)] * 2) == ["late_data: caught within two days"]
    assert missed(*[seed(good)] * 15, *[seed(misnamed)] * 5) == ["late_data: named first"]


@pytest.fixture(scope="module")
def small_life():
    """Ten days of sixty listeners, the last three under a champion, and those three days."""
    from datetime import date

    from ml.simulation.config import WorldConfig
    from ml.simulation.world import create_world

    life = begin(create_world(WorldConfig(9, date(2025, 3, 3), 60, 500)))
    for _ in range(7):
        _, life = life.lived()
    life = life.with_champion()
    days = []
    for _ in range(3):
        day, life = life.lived()
        days.append(day)
    return life, days


def test_a_fork_leaves_the_quiet_life_as_it_was(small_life):
    life, _ = small_life
    quiet, _ = life.lived()
    broken, _ = life.lived("unit_bug")
    again, _ = life.lived()
    assert quiet.listens.equals(again.listens)
    assert not quiet.listens.equals(broken.listens)


def test_the_champion_names_twenty_distinct_tracks_for_everybody(small_life):
    life, days = small_life
    lists = days[-1].lists.table
    assert life.champion.vectors.values.shape[1] == DIMENSIONS
    per_list = lists.group_by("request_id").aggregate([("track_id", "count_distinct")])
    assert set(per_list["track_id_count_distinct"].to_pylist()) == {LISTED}
    assert sum(life.champion.gain.values()) == pytest.approx(1.0)


def test_five_areas_are_judged_and_the_watch_is_not_changed(small_life):
    life, days = small_life
    watch = Watch(reference_of(days, life.champion, 500, 9))
    first, after = watch.judged(days[0])
    assert len(first.areas) == 5
    assert watch.judged(days[0])[0] == first
    assert not watch.history
    assert len(after.history["score_drift"]) == 1

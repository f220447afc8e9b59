"""The five reports as written: pages, numbers, snapshots, and what is said when data is missing."""

import json
import math
import socket
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from monitoring import (
    data_quality,
    embedding_drift,
    feature_drift,
    ranking_quality,
    score_drift,
)
from monitoring.areas import AREAS, ReportTarget, Verdict
from monitoring.profile import Profile, daily_profiles, head_tracks
from monitoring.reports import history, read_reports

DAY = date(2026, 3, 30)
GAIN = {f"feature_{one:02d}": 20.0 - one for one in range(20)}


def features(seed, moved=0, shift=0.0):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            name: rng.normal(shift if place < moved else 0.0, 1, 3000).astype(np.float32)
            for place, name in enumerate(GAIN)
        }
    )


def scores(seed, shift=0.0, lists=200):
    rng = np.random.default_rng(seed)
    rank = np.tile(np.arange(1, 11), lists)
    return pa.table({"rank": rank, "score": shift - 0.1 * rank + rng.normal(0, 1, len(rank))})


def vectors(tracks=400, genres=8):
    """Tracks of a genre lie together."""
    rng = np.random.default_rng(3)
    genre = np.arange(tracks) % genres
    values = rng.normal(size=(genres, 16))[genre] + 0.5 * rng.normal(size=(tracks, 16))
    ids = [f"t{one}" for one in range(tracks)]
    names = {one: f"genre_{genre[place]}" for place, one in enumerate(ids)}
    return embedding_drift.Vectors(ids, values.astype(np.float32), names)


def placed(listens):
    return embedding_drift.reference_of(listens, vectors())


def perfect_lists(streams):
    """Names to every listener one track they play, and nine they do not."""
    frame = streams.group_by("user_id").aggregate([("track_id", "min")]).sort_by("user_id")
    users, tracks = frame["user_id"].to_pylist(), frame["track_id_min"].to_pylist()
    rows = [
        (f"home-{user}", user, rank, track if rank == 1 else f"other-{rank}")
        for user, track in zip(users, tracks, strict=True)
        for rank in range(1, 11)
    ]
    request, user, rank, track = zip(*rows, strict=True)
    return pa.table({"request_id": request, "user_id": user, "rank": rank, "track_id": track})


@pytest.fixture(scope="module")
def written(tmp_path_factory, reference, quiet_day, listens_of):
    """All five reports of a quiet day, written twice; with the addresses looked up meanwhile."""
    home = tmp_path_factory.mktemp("home")
    target = ReportTarget(home / "reports", home / "evidently", "model-1")
    head = head_tracks(reference)
    listens = listens_of(quiet_day(28))
    (profile,) = daily_profiles(listens, head)
    streams = listens.filter(listens["is_stream"]).select(["user_id", "track_id"])
    looked_up = []
    original = socket.getaddrinfo
    socket.getaddrinfo = lambda *a, **k: looked_up.append(a) or original(*a, **k)
    try:
        for _ in range(2):
            found = (
                data_quality.report(
                    listens, profile, reference, daily_profiles(reference, head), target
                ),
                feature_drift.report(DAY, features(1), features(2), GAIN, (), target),
                embedding_drift.report(DAY, listens, placed(reference), vectors(), target),
                score_drift.report(DAY, scores(1), scores(2), (), target),
                ranking_quality.report(DAY, perfect_lists(streams), streams, 400, head, (), target),
            )
    finally:
        socket.getaddrinfo = original
    return home, found, looked_up


def test_a_quiet_day_is_ok_in_all_five_areas(written):
    _, found, _ = written
    assert tuple(one.area for one in found) == AREAS
    assert [one.verdict for one in found] == [Verdict.OK] * 5, [one.reasons for one in found]


def test_every_page_begins_with_the_banner_and_stays_under_five_megabytes(written):
    _, found, _ = written
    for one in found:
        page = one.html.read_text(encoding="utf-8")
        assert one.html.name == f"{one.area}.html"
        assert one.html.parent.name == f"day={DAY}"
        assert page.index("segue-banner") < page.index("<body>") + 4000
        assert f"{DAY}: ok" in page
        assert one.html.stat().st_size < 5_000_000
        assert one.kilobytes == math.ceil(one.html.stat().st_size / 1024)


def test_numbers_are_plain_finite_json(written):
    home, found, _ = written
    for one in found:
        record = json.loads((home / f"reports/day={DAY}/{one.area}.json").read_text())
        json.dumps(record, allow_nan=False)
        assert record["numbers"] == one.numbers
        assert all(type(value) is float for value in one.numbers.values())
        assert record["html"] == f"day={DAY}/{one.area}.html"
        assert (record["verdict"], record["model_version"]) == ("ok", "model-1")


def test_a_day_written_twice_leaves_one_snapshot_per_area_that_evidently_reads(written):
    from evidently.ui.workspace import Workspace

    home, found, _ = written
    store = Workspace(str(home / "evidently"))
    projects = store.list_projects()
    assert len(projects) == 5
    runs = [str(run) for project in projects for run in store.list_runs(project.id)]
    reports = {str(one.snapshot_id) for one in found}
    # The key figures of a day are a snapshot of their own beside the report's.
    assert len(runs) == len(set(runs)) == 2 * len(reports)
    assert reports <= set(runs)
    assert not list(home.rglob(".*"))


def test_nothing_is_looked_up_in_the_network(written):
    assert written[2] == []


def test_reports_read_back_as_written(written):
    home, found, _ = written
    assert read_reports(home / "reports") == found


@pytest.fixture
def target(tmp_path):
    """No workspace."""
    return ReportTarget(tmp_path / "reports", None, None)


def test_nothing_to_compare_is_said_and_never_called_ok(target, reference, listens_of, quiet_day):
    none = reference.slice(0, 0)
    (empty,) = daily_profiles(none, days=(DAY,))
    streams = reference.select(["user_id", "track_id"])
    no_lists = pa.table({name: [] for name in ("request_id", "user_id", "rank", "track_id")})
    found = (
        data_quality.report(none, empty, none, (), target),
        feature_drift.report(DAY, pa.table({}), features(1), GAIN, (), target),
        embedding_drift.report(DAY, none, placed(reference), vectors(), target),
        score_drift.report(DAY, scores(1, lists=0), scores(1), (), target),
        ranking_quality.report(DAY, no_lists, streams, 400, (), (), target),
    )
    for one in found:
        assert one.verdict is Verdict.WATCH
        assert one.status == "not_enough"
        assert "not enough" in " ".join(one.reasons)
        assert one.snapshot_id is None
        assert "segue-banner" in one.html.read_text(encoding="utf-8")


def judged(name, statistics):
    return next(one for one in statistics if one.name == name)


def test_features_that_carry_half_the_gain_ask_for_action_and_light_ones_do_not():
    heavy = {name: GAIN[name] for name in list(GAIN)[:15]}
    found = feature_drift.drift_of(features(1, 9, 1.0), features(2), heavy, (), DAY)
    assert judged("drifted_gain_share", found).severity is Verdict.ACT
    assert "feature_00" in judged("drifted_gain_share", found).explanation
    light = feature_drift.drift_of(features(1, 1, 1.0), features(2), heavy, (), DAY)
    assert all(one.severity is Verdict.OK for one in light)


def test_a_feature_that_is_no_longer_known_counts_as_drifted():
    today = features(1).set_column(0, "feature_00", pa.nulls(3000, pa.float32()))
    found = feature_drift.drift_of(today, features(2), {"feature_00": 1.0}, (), DAY)
    assert judged("feature_00.null_share", found).severity is Verdict.WATCH
    assert judged("drifted_gain_share", found).severity is Verdict.ACT


def test_at_most_fifteen_columns_by_gain():
    names = feature_drift.columns_by_gain(features(1), features(2), GAIN | {"unheard_of": 99.0})
    assert names == list(GAIN)[:15]


def test_moved_scores_ask_for_action_and_name_the_figures():
    found = score_drift.drift_of(scores(1, 1.0), scores(2), (), DAY)
    assert judged("score", found).severity is Verdict.ACT
    assert judged("score_by_rank", found).severity is Verdict.ACT


def test_a_constant_distance_to_the_reference_is_no_news_after_three_days():
    past = [
        Profile(DAY - timedelta(days=back), {"score.effect": 0.4 + 0.01 * back}, {})
        for back in range(1, 6)
    ]
    alone = score_drift.drift_of(scores(1, 0.45), scores(2), (), DAY)
    known = score_drift.drift_of(scores(1, 0.45), scores(2), past, DAY)
    assert judged("score", alone).severity is Verdict.WATCH
    assert judged("score", known).severity is Verdict.OK


def test_a_shift_of_taste_moves_the_centre_and_the_genres(target, reference, quiet_day, listens_of):
    columns = quiet_day(29)
    turned = np.random.default_rng(0).random(len(columns["track"])) < 0.5
    columns["track"] = np.where(turned, columns["track"] // 8 * 8, columns["track"])
    tables = (listens_of(quiet_day(29)), listens_of(columns), listens_of(columns))
    place = placed(reference)
    reports = [
        embedding_drift.report(on, table, place, vectors(), target)
        for on, table in zip((DAY, DAY, DAY + timedelta(days=1)), tables, strict=True)
    ]
    assert [one.verdict for one in reports] == [Verdict.OK, Verdict.WATCH, Verdict.ACT]
    assert any("genre (genre_0)" in one for one in reports[1].reasons)
    assert any("centre of what was played" in one for one in reports[1].reasons)


def test_listeners_who_change_places_drift_while_the_centre_stands_still(
    target, quiet_day, listens_of
):
    def faithful(day, moved=0):
        """Every listener plays tracks of one genre; `moved` exchanges the genres of listeners."""
        columns = quiet_day(day)
        genre = (columns["user"] + moved) % 8
        return listens_of(columns | {"track": columns["track"] // 8 * 8 + genre})

    reference = pa.concat_tables([faithful(day) for day in range(14, 28)])
    place = placed(reference)
    quiet = embedding_drift.report(DAY, faithful(28), place, vectors(), target)
    moved = embedding_drift.report(DAY, faithful(28, 3), place, vectors(), target)
    assert quiet.verdict is Verdict.OK
    assert moved.verdict is Verdict.WATCH
    assert moved.numbers["level"] == Verdict.ACT.rank
    assert moved.reasons[0].startswith("change of taste, listeners' tastes: closeness of listeners")
    assert moved.numbers["centroid_shift.effect"] < 0.08


def test_history_holds_quiet_days_of_the_same_model_before_the_day(tmp_path):
    from monitoring.reports import write_report

    for back, model, shift in ((1, "m1", 3.0), (2, "m1", 0.0), (3, "m0", 0.0), (4, "m1", 0.0)):
        target = ReportTarget(tmp_path, None, model)
        statistics = score_drift.drift_of(scores(back, shift), scores(9), (), DAY)
        write_report("score_drift", DAY - timedelta(days=back), None, statistics, target)
    days = [one.day for one in history(tmp_path, "score_drift", DAY, "m1")]
    assert days == [DAY - timedelta(days=4), DAY - timedelta(days=2)]
    assert len(history(tmp_path, "score_drift", DAY)) == 3


def test_listens_of_unknown_length_are_judged_without_a_drawing_of_it(
    target, reference, listens_of, quiet_day
):
    def unmeasured(listens: pa.Table) -> pa.Table:
        place = listens.schema.get_field_index("ms_played")
        return listens.set_column(place, "ms_played", pa.nulls(len(listens), pa.int64()))

    listens, then = unmeasured(listens_of(quiet_day(28))), unmeasured(reference)
    (profile,) = daily_profiles(listens)
    found = data_quality.report(listens, profile, then, daily_profiles(then), target)
    assert found.html.exists()
    assert "seconds_played" not in found.html.read_text()[:200_000].split("quieter measures")[0]


def test_a_day_without_a_listen_where_every_day_had_some_is_a_fault_of_the_data(
    tmp_path, reference, listens_of, quiet_day
):
    head = head_tracks(reference)
    days = daily_profiles(reference, head)
    nothing = listens_of(quiet_day(28)).slice(0, 0)
    (empty,) = daily_profiles(nothing, head, days=(DAY,))
    target = ReportTarget(tmp_path, None, "m1")
    report = data_quality.report(nothing, empty, reference, days, target)
    assert report.verdict is Verdict.ACT
    assert report.reasons[0].startswith(
        "data fault, source: missing listens: no listen became known"
    )
    (silent,) = daily_profiles(nothing, head, days=(DAY - timedelta(days=1),))
    assert data_quality.silence(empty, (*days, silent)) == ()

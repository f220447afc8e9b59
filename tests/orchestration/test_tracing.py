"""A list is found again, with the request it answers where that is known."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.errors import SegueError
from ml.serving.batch import publish_recommendations
from ml.tables import RECOMMENDATIONS, REQUESTS
from orchestration.cli.tracing import dbt_models, find_list, request_of
from orchestration.settings import Settings

DAY, AFTER = date(2026, 3, 9), date(2026, 3, 10)


def lists(request_id: str, surface: str = "home", version: str = "aaa") -> pa.Table:
    """A list of two tracks for listener u, its rows out of order."""
    rows = [
        {
            "request_id": request_id,
            "user_id": "u",
            "surface": surface,
            "rank": rank,
            "track_id": f"t{rank}",
            "score": 1.0 / rank,
            "propensity": 1.0,
            "sources": ["ease"],
            "reasons": ["goes with what you play"],
            "model_version": version,
            "state_day": DAY,
        }
        for rank in (2, 1)
    ]
    return pa.Table.from_pylist(rows, schema=RECOMMENDATIONS.schema)


def answer(settings: Settings, table: pa.Table, asked: list[dict] | None) -> None:
    """What answering a file leaves."""
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, settings.artifacts / "answers.parquet")
    if asked is not None:
        requests = pa.Table.from_pylist(asked, schema=REQUESTS.schema)
        pq.write_table(requests, settings.artifacts / "answered_requests.parquet")


def test_a_daily_list_is_found_in_order_with_the_request_that_it_answers(
    settings: Settings,
) -> None:
    publish_recommendations(settings.recommendations, DAY, lists("home-2026-03-10-u"), AFTER)
    found, path = find_list(settings, "home-2026-03-10-u")
    assert found["rank"].to_pylist() == [1, 2]
    assert path.parent.name == "day=2026-03-09"
    [asked] = request_of(settings, found).to_pylist()
    assert (asked["user_id"], asked["surface"]) == ("u", "home")
    assert asked["at"] == datetime(2026, 3, 10, tzinfo=UTC)
    assert asked["session_track_ids"] == []


def test_a_request_of_a_file_comes_with_its_session(settings: Settings) -> None:
    at = datetime(2026, 3, 10, 8, tzinfo=UTC)
    asked = {"request_id": "r1", "user_id": "u", "surface": "now_playing", "at": at}
    other = {**asked, "request_id": "r2", "session_track_ids": []}
    answer(settings, lists("r1"), [{**asked, "session_track_ids": ["t5"]}, other])
    [found] = request_of(settings, find_list(settings, "r1")[0]).to_pylist()
    assert found["session_track_ids"] == ["t5"]


def test_a_request_that_was_not_kept_is_not_made_up(settings: Settings) -> None:
    answer(settings, lists("r1"), None)
    assert request_of(settings, find_list(settings, "r1")[0]) is None


def test_a_request_that_nobody_answered_is_refused_with_the_form_of_an_id(
    settings: Settings,
) -> None:
    publish_recommendations(settings.recommendations, DAY, lists("home-2026-03-10-u"), AFTER)
    with pytest.raises(SegueError, match=r"'nobody', found none in 1 days; .*home-YYYY-MM-DD-USER"):
        find_list(settings, "nobody")


def test_the_models_behind_a_state_reach_down_to_the_lake() -> None:
    lines = [line.removeprefix("models").strip() for line in dbt_models()]
    assert lines == [
        "features: tracks, user_artists, user_tracks, users",
        "intermediate: listens, tracks, users",
        "staging: friendships, listens, tracks, users",
        "raw: friendships, listens, tracks, users",
    ]

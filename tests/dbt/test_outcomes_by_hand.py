"""Recommendations and what became of them, worked out on paper."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.tables import IMPRESSIONS, RECOMMENDATIONS
from tests.dbt.conftest import Home, day, instant, listens_of, rows_of

VALID_ON = 3
REQUEST = f"home-{day(VALID_ON)}-u"
PLAYED = (
    {"track_id": "old", "played_at": instant(1)},
    {"track_id": "old", "played_at": instant(3, "09:00")},
    {"track_id": "old", "played_at": instant(3, "09:05"), "ms_played": 5},
    {"track_id": "new", "played_at": instant(3, "10:00"), "request_id": REQUEST},
    {"track_id": "skipped", "played_at": instant(3, "11:00"), "ms_played": 5},
    {"track_id": "early", "played_at": instant(2), "known_at": instant(3)},
    {"track_id": "after", "played_at": instant(4)},
    {"track_id": "theirs", "played_at": instant(3), "user_id": "v"},
)


def recommendation(rank: int, track: str, user: str = "u") -> dict[str, object]:
    return {
        "request_id": f"home-{day(VALID_ON)}-{user}",
        "user_id": user,
        "surface": "home",
        "rank": rank,
        "track_id": track,
        "score": 1.0 / rank,
        "propensity": 1.0,
        "sources": ["memory"],
        "reasons": ["played before"],
        "model_version": "m1",
        "state_day": day(VALID_ON - 1),
    }


def publish(home: Home, tracks: tuple[str, ...]) -> None:
    """The list of the day, best first, as `segue run daily` writes it."""
    listed = [recommendation(place + 1, name) for place, name in enumerate(tracks)]
    valid_on = pa.array([day(VALID_ON)] * len(tracks), pa.date32())
    folder = home.folder / "artifacts" / "recommendations" / f"day={day(VALID_ON - 1)}"
    folder.mkdir(parents=True)
    published = rows_of(RECOMMENDATIONS, listed).append_column("valid_on", valid_on)
    pq.write_table(published, folder / "part.parquet")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory, manifest) -> dict[str, dict[str, object]]:
    """Outcome by track, of one list of six for listener u."""
    home = Home(tmp_path_factory.mktemp("outcomes"), manifest)
    home.write("listens", listens_of(*({"user_id": "u", **row} for row in PLAYED)))
    shown = {
        "request_id": REQUEST, "position": 1, "user_id": "u", "surface": "home",
        "shown_at": instant(3), "track_id": "new", "known_at": instant(3),
    }  # fmt: skip
    home.write("impressions", rows_of(IMPRESSIONS, [shown]))
    publish(home, ("old", "new", "skipped", "early", "after", "theirs"))
    home.run(day(0), day(3))
    assert home.rows("marts.outcomes").num_rows == 0
    home.run(day(3), day(4))
    home.run(day(4), day(5))
    return {row["track_id"]: row for row in home.rows("marts.outcomes").to_pylist()}


def test_only_listens_of_the_day_count(outcomes: dict[str, dict[str, object]]) -> None:
    found = {
        track: (row["streams"], row["skips"], row["is_hit"]) for track, row in outcomes.items()
    }
    assert found == {
        "old": (1, 1, True),
        "new": (1, 0, True),
        "skipped": (0, 1, False),
        "early": (0, 0, False),
        "after": (0, 0, False),
        "theirs": (0, 0, False),
    }


def test_a_repeat_was_heard_before_the_day_began(outcomes: dict[str, dict[str, object]]) -> None:
    assert [track for track, row in outcomes.items() if row["is_repeat"]] == ["old"]


def test_impressions_and_requests_are_joined(outcomes: dict[str, dict[str, object]]) -> None:
    assert [track for track, row in outcomes.items() if row["is_shown"]] == ["new"]
    assert [track for track, row in outcomes.items() if row["is_clicked"]] == ["new"]

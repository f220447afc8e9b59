"""Two bundles that should be one: causes, files, lake days and the gap of their scores."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.lake.store import Lake
from ml.registry.bundle import BundleFacts, Manifest, read_manifest, write_bundle
from ml.registry.differences import causes, files, lake_days, score_gap
from ml.registry.lake_content import lake_content
from ml.registry.rebuild import RebuildError, plan_of
from ml.tables import LISTENS

FACTS = BundleFacts(
    "2026-01-03",
    7,
    "0.1.0+aaa",
    {"home": ("age", "plays")},
    {"test": ("2026-01-01", "2026-01-02")},
    {"tracks": 9},
    {"negatives": 30},
)


def bundle(
    folder: Path,
    facts: BundleFacts = FACTS,
    scores: tuple[float, ...] = (2.0, 1.0),
    lake: pa.Table | None = None,
) -> tuple[Path, Manifest]:
    """A bundle with reference scores, and its manifest."""

    def write(target: Path) -> None:
        (target / "reference").mkdir()
        ranks = pa.array(range(1, len(scores) + 1), pa.int32())
        table = pa.table({"rank": ranks, "score": pa.array(scores, pa.float64())})
        pq.write_table(table, target / "reference" / "scores.parquet")
        if lake is not None:
            pq.write_table(lake, target / "reference" / "lake.parquet")

    path = folder / write_bundle(folder, write, facts)
    return path, read_manifest(path)


def listens(*numbers: int, played: str = "2026-01-01T10:00:00") -> pa.Table:
    """Listens of track t by u with these ids, known when played."""
    at = datetime.fromisoformat(played).replace(tzinfo=UTC)
    rows = [
        {
            "listen_id": f"l{number}",
            "user_id": "u",
            "track_id": "t",
            "played_at": at,
            "known_at": at,
            "ms_played": 100 + number,
            "surface": "home",
        }
        for number in numbers
    ]
    return pa.Table.from_pylist(rows, schema=LISTENS.schema)


def lake(folder: Path, **parts: pa.Table) -> Lake:
    """A lake with listens of 1 January in one file a part."""
    made = Lake(folder)
    for name, rows in parts.items():
        made.add("listens", date(2026, 1, 1), name, rows)
    return made


def test_the_same_model_differs_in_nothing(tmp_path: Path) -> None:
    (first, then), (again, now) = bundle(tmp_path / "a"), bundle(tmp_path / "b")
    assert causes(then, now) == []
    assert files(then, now) == []
    assert score_gap(first, again) == 0.0


def test_every_cause_is_named(tmp_path: Path) -> None:
    other = replace(
        FACTS,
        seed=8,
        code_version="0.1.0+bbb",
        features={"home": ("age", "skips")},
        windows={"test": ("2026-01-02", "2026-01-02")},
        data={"tracks": 10},
        settings={"negatives": 20},
    )
    then = bundle(tmp_path)[1]
    now = replace(bundle(tmp_path, other)[1], packages={**then.packages, "numpy": "0.1"})
    told = causes(then, now)
    assert told[0] == "code version: 0.1.0+aaa then, 0.1.0+bbb now"
    assert told[1].startswith("package numpy: ")
    assert told[1].endswith(" then, 0.1 now")
    assert told[2:] == [
        "seed: 7 then, 8 now",
        "setting negatives: 30 then, 20 now",
        "data tracks: 9 then, 10 now",
        "window test: 2026-01-01 to 2026-01-02 then, 2026-01-02 to 2026-01-02 now",
        "features of home: 1 gone ['plays'], 1 new ['skips']",
    ]


@pytest.mark.parametrize(
    ("scores", "gap"),
    [((2.0, 1.0 + 1e-7), 1e-7), ((2.2, 1.0), 0.1), ((2.0, 1.0, 0.5), float("inf"))],
)
def test_the_gap_of_scores_is_relative_above_one_and_endless_for_other_lists(
    tmp_path: Path, scores: tuple[float, ...], gap: float
) -> None:
    first, then = bundle(tmp_path)
    again, now = bundle(tmp_path, scores=scores)
    assert score_gap(first, again) == pytest.approx(gap)
    assert files(then, now) == ["reference/scores.parquet"]


def test_the_content_of_a_day_does_not_depend_on_files_or_order(tmp_path: Path) -> None:
    whole = lake(tmp_path / "a", one=listens(1, 2, 3))
    split = lake(tmp_path / "b", one=listens(3), two=listens(2, 1))
    found = lake_content(whole, date(2026, 1, 2))
    assert found.drop_columns("digest").to_pylist() == [
        {"table": "listens", "day": date(2026, 1, 1), "rows": 3}
    ]
    assert lake_content(split, date(2026, 1, 2)) == found


def test_days_from_as_of_on_are_no_content(tmp_path: Path) -> None:
    assert len(lake_content(lake(tmp_path, one=listens(1)), date(2026, 1, 1))) == 0


def test_a_lake_day_that_changed_is_named(tmp_path: Path) -> None:
    before = lake_content(lake(tmp_path / "a", one=listens(1, 2)), date(2026, 1, 2))
    more = lake_content(lake(tmp_path / "b", one=listens(1, 2, 3)), date(2026, 1, 2))
    other = lake_content(lake(tmp_path / "c", one=listens(1, 4)), date(2026, 1, 2))
    path, _ = bundle(tmp_path / "d", lake=before)
    assert lake_days(path, before) == []
    assert lake_days(path, more) == ["listens of 2026-01-01: 2 rows then, 3 now"]
    assert lake_days(path, other) == ["listens of 2026-01-01: other content"]
    assert lake_days(path, before.slice(0, 0)) == ["listens of 2026-01-01: 2 rows then, 0 now"]


def test_a_bundle_without_lake_content_says_nothing_about_days(tmp_path: Path) -> None:
    path, _ = bundle(tmp_path)
    assert lake_days(path, lake_content(Lake(tmp_path), date(2026, 1, 2))) is None


def test_a_manifest_of_an_earlier_segue_names_what_it_lacks() -> None:
    with pytest.raises(RebuildError, match=r"train_requests.*segue run train --as-of 2026-01-03"):
        plan_of(FACTS)

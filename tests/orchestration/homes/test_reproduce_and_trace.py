"""A model that really was trained is built again from its manifest and the lake, and its lists explained."""

import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ml.lake.store import Lake
from orchestration.settings import Settings
from tests.orchestration.homes.conftest import SEGUE, segue, start

pytestmark = pytest.mark.e2e


def version_of(home: Path) -> str:
    [bundle] = Settings(home).bundles.iterdir()
    return bundle.name


def test_a_model_is_reproduced_to_the_last_bit_and_the_home_is_left_alone(trained: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*") if path.is_file()}
    told = segue(trained, "reproduce", version_of(trained))
    assert "has the same content hash" in told
    after = {path: path.stat().st_mtime_ns for path in trained.rglob("*") if path.is_file()}
    assert after == before


def test_another_lake_is_named_with_its_day_and_the_scores_that_follow_from_it(
    trained: Path, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(trained, tmp_path / "home"))
    lake = Lake(home)
    day = lake.days("listens")[4]
    [file] = lake.files("listens", day)
    rows = pq.read_table(file, partitioning=None)
    pq.write_table(rows.slice(0, len(rows) // 2), file)
    process = start(home, *SEGUE, "reproduce", version_of(home))
    out, problems = process.communicate()
    assert process.returncode == 1
    assert re.search(rf"listens of {day}: {len(rows)} rows then, {len(rows) // 2} now", out)
    assert "expected scores within 1e-06" in problems


def test_a_shown_track_is_traced_back_to_scores_features_model_and_files(lived: Path) -> None:
    [path] = Settings(lived).recommendations.glob("day=*/part.parquet")
    lists = pq.read_table(path, partitioning=None)
    first = lists.slice(0, 1).to_pylist()[0]
    told = segue(lived, "trace", first["request_id"])
    assert f"track {first['track_id']}, rank 1\n" in told
    assert "who proposed it" in told
    assert first["sources"][0] in told
    assert f"model     {first['model_version']}" in told
    assert "asked once more" not in told
    assert "models    features: tracks, user_artists, user_tracks, users" in told
    assert "raw: friendships, listens, tracks, users" in told
    assert re.search(r"sources   \d+ lake files through \d{4}-\d\d-\d\d", told)


def test_a_track_that_the_list_does_not_hold_is_refused_with_those_it_holds(lived: Path) -> None:
    [path] = Settings(lived).recommendations.glob("day=*/part.parquet")
    request = pq.read_table(path, partitioning=None)["request_id"][0].as_py()
    process = start(lived, *SEGUE, "trace", request, "--track", "nothing")
    _, problems = process.communicate()
    assert process.returncode == 1
    assert "expected a track of the list, found 'nothing'" in problems

"""One range or many, once or twice, in any time zone: the same rows."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.dbt.conftest import (
    DAYS,
    FIRST,
    KEYS,
    PROJECT,
    Home,
    assert_same,
    day,
    instant,
    small_world,
)


@pytest.mark.parametrize("relation", KEYS)
def test_a_full_build_equals_day_by_day(full: Home, daily: Home, relation: str) -> None:
    assert full.rows(relation).num_rows > 0
    assert_same(full.rows(relation), daily.rows(relation))


def test_the_latest_day_twice_changes_nothing(daily: Home, fork: Callable) -> None:
    home = fork(daily)
    home.run(day(DAYS - 1), day(DAYS))
    for relation in KEYS:
        assert_same(daily.rows(relation), home.rows(relation))


def test_a_day_again_with_fewer_rows_leaves_no_stale_row(
    daily: Home, fork: Callable, tmp_path: Path
) -> None:
    home = fork(daily)
    listens, _ = small_world()
    rebuilt_from = pc.greater_equal(listens["known_at"], pa.scalar(instant(6)))
    odd = pc.equal(pc.utf8_slice_codeunits(listens["user_id"], 2), "1")
    home.write("listens", listens.filter(pc.invert(pc.and_(rebuilt_from, odd))))
    home.run(day(6), day(DAYS))
    fresh = Home(tmp_path / "fresh", home.manifest)
    (tmp_path / "fresh").mkdir()
    fresh.lake.symlink_to(home.lake)
    fresh.run(FIRST, day(DAYS))
    for relation in KEYS:
        assert_same(fresh.rows(relation), home.rows(relation))
    assert home.rows("intermediate.listens").num_rows < daily.rows("intermediate.listens").num_rows


def test_another_time_zone_of_the_machine_builds_the_same(full: Home, home: Home) -> None:
    home.lake.symlink_to(full.lake)
    subprocess.run(
        [
            *(sys.executable, "-m", "dbt.cli.main", "run", "--quiet", "--project-dir", PROJECT),
            *("--profiles-dir", PROJECT, "--vars", home.variables(FIRST, day(DAYS))),
        ],
        env={
            **os.environ,
            "TZ": "America/St_Johns",
            "SEGUE_WAREHOUSE": str(home.warehouse),
            "DBT_TARGET_PATH": str(home.folder / "target"),
            "DBT_LOG_PATH": str(home.folder / "logs"),
        },
        check=True,
    )
    for relation in KEYS:
        assert_same(full.rows(relation), home.rows(relation))


def test_an_empty_lake_builds_typed_empty_tables_and_fills_later(full: Home, home: Home) -> None:
    home.run(FIRST, day(1))
    for relation in KEYS:
        empty, filled = home.rows(relation), full.rows(relation)
        assert empty.schema.remove_metadata() == filled.schema.remove_metadata()
        assert empty.num_rows == (relation == "marts.daily_listening")
    listens, tracks = small_world()
    home.write("listens", listens.filter(pc.greater_equal(listens["known_at"], instant(1))))
    home.write("tracks", tracks)
    home.run(day(1), day(DAYS))
    assert home.rows("features.users").num_rows > 0


def test_a_day_reads_the_files_of_that_day_only(full: Home) -> None:
    plan = full.query(
        "explain analyze select * from staging.listens "
        f"where known_on >= date '{day(2)}' and known_on < date '{day(3)}'"
    )
    files = len(list(full.lake.glob("listens/day=*/*.parquet")))
    assert f"Scanning Files: 1/{files}" in plan[1][0].as_py()


def test_staging_shows_the_lake_as_it_is(full: Home) -> None:
    listens, _ = small_world()
    staged = full.query(
        "select * exclude (known_on, file, record) from staging.listens order by listen_id"
    )
    assert staged.cast(listens.schema).equals(listens.sort_by("listen_id"))
    folder = next(full.lake.glob("tracks/day=*"))
    assert full.query("select * exclude (known_on) from staging.tracks").column_names == (
        pq.read_schema(next(folder.glob("*.parquet"))).names
    )

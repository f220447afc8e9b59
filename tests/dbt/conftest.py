"""A small lake, and dbt run over it inside this process."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from ml.tables import LISTENS, TRACKS, Table

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
FIRST = date(2025, 3, 1)
DAYS = 9
STATE = ("user_tracks", "user_artists", "tracks", "users")
KEYS = {
    "features.user_tracks": ("user_id", "track_id", "valid_from"),
    "features.user_artists": ("user_id", "artist_id", "valid_from"),
    "features.tracks": ("track_id", "valid_from"),
    "features.users": ("user_id", "valid_from"),
    "intermediate.listens": ("listen_id",),
    "intermediate.tracks": ("track_id",),
    "intermediate.users": ("user_id",),
    "marts.daily_listening": ("known_on",),
}


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def instant(number: int, clock: str = "00:00") -> datetime:
    """The instant of a clock time of day `number` of the small world."""
    hours, minutes = clock.split(":")
    midnight = datetime.combine(day(number), datetime.min.time(), UTC)
    return midnight + timedelta(hours=int(hours), minutes=int(minutes))


def rows_of(table: Table, rows: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=table.schema)


def listens_of(*rows: dict[str, object]) -> pa.Table:
    """Listens with an id by place, at home, known when played, 200 s long unless a row says else."""
    return rows_of(
        LISTENS,
        [
            {
                "listen_id": f"l{place:04d}",
                "surface": "home",
                "ms_played": 200_000,
                "known_at": row["played_at"],
            }
            | row
            for place, row in enumerate(rows)
        ],
    )


@dataclass(frozen=True, slots=True)
class Home:
    """A lake and a warehouse in one folder."""

    folder: Path
    manifest: Manifest
    arguments: tuple[str, ...] = field(default=())

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    def write(self, table: str, rows: pa.Table, at: str = "known_at") -> None:
        """One Parquet file a day of the lake, in place of what the table held."""
        shutil.rmtree(self.lake / table, ignore_errors=True)
        days = pc.cast(pc.floor_temporal(rows[at], unit="day"), pa.date32())
        for value in pc.unique(days).to_pylist():
            folder = self.lake / table / f"day={value}"
            folder.mkdir(parents=True)
            pq.write_table(rows.filter(pc.equal(days, value)), folder / "part.parquet")

    def variables(self, start: date, end: date, **more: object) -> str:
        pairs = {"start_day": start, "end_day": end, "lake": self.lake}
        pairs |= {"artifacts": self.folder / "artifacts", **more}
        return "{" + ", ".join(f"{name}: {value}" for name, value in pairs.items()) + "}"

    def dbt(self, command: str, start: date, end: date, *arguments: str, **more: object):
        """Run a dbt command over [start, end)."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SEGUE_WAREHOUSE", str(self.warehouse))
            patch.setenv("DBT_TARGET_PATH", str(self.folder / "target"))
            patch.setenv("DBT_LOG_PATH", str(self.folder / "logs"))
            result: dbtRunnerResult = dbtRunner(manifest=self.manifest.deepcopy()).invoke(
                [
                    *(command, "--quiet", "--no-write-json", "--project-dir", str(PROJECT)),
                    *("--profiles-dir", str(PROJECT)),
                    *("--vars", self.variables(start, end, **more), *arguments),
                ]
            )
            DuckDBConnectionManager.close_all_connections()
        return result

    def run(self, start: date, end: date, *arguments: str, **more: object) -> None:
        result = self.dbt("run", start, end, *arguments, **more)
        assert result.success, messages(result)

    def rows(self, relation: str, where: str = "true") -> pa.Table:
        order = ", ".join(KEYS.get(relation, ("all",)))
        return self.query(f"select * from {relation} where {where} order by {order}")

    def query(self, query: str) -> pa.Table:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(query).to_arrow_table()

    def copy(self, folder: Path) -> "Home":
        """The same lake and warehouse elsewhere, to be changed."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(self.lake, folder / "lake")
        if self.warehouse.exists():
            shutil.copy(self.warehouse, folder / "warehouse.duckdb")
        return Home(folder, self.manifest)


def messages(result: dbtRunnerResult) -> str:
    """What the failed nodes of a run said."""
    if result.exception:
        return str(result.exception)
    return "\n".join(str(node.message) for node in result.result if node.status != "success")


def assert_same(left: pa.Table, right: pa.Table) -> None:
    """Ids, counts and times equal; floats to 1e-9 of their size, and of 1 for those near zero."""
    assert left.column_names == right.column_names
    assert left.num_rows == right.num_rows
    for name in left.column_names:
        if pa.types.is_floating(left[name].type):
            np.testing.assert_allclose(
                left[name].to_numpy(), right[name].to_numpy(), rtol=1e-9, atol=1e-9, err_msg=name
            )
        else:
            assert left[name].to_pylist() == right[name].to_pylist(), name


def small_world(seed: int = 7) -> tuple[pa.Table, pa.Table]:
    """Listens and tracks of nine days: bursts, late rows, unknown lengths, given sessions, a silent
    day, a track that changes its artist and one that the catalogue learns of late."""
    rng = np.random.default_rng(seed)
    count = 1200
    burst = np.sort(rng.integers(0, count // 6, count))
    known_day = rng.permuted(rng.choice([0, 1, 2, 3, 4, 6, 7, 8], count // 6 + 1))[burst]
    user = rng.integers(0, 12, count // 6 + 1)[burst]
    start = rng.integers(0, 84_000, count // 6 + 1)[burst]
    seconds = np.minimum(start + rng.integers(0, 2_400, count), 86_399)
    late = rng.random(count) < 0.06
    delay = np.where(late, rng.integers(1, 20, count), 0)
    midnight = int(instant(0).timestamp())
    known = midnight + known_day * 86_400 + seconds
    length = np.where(rng.random(count) < 0.25, 12_000, 180_000)
    rows = [
        {
            "listen_id": f"l{i:05d}",
            "user_id": f"u{user[i]:02d}",
            "track_id": f"t{int(30 * rng.random() ** 2):02d}",
            "played_at": datetime.fromtimestamp(int(known[i] - delay[i] * 86_400), UTC),
            "known_at": datetime.fromtimestamp(int(known[i]), UTC),
            "ms_played": None if i % 17 == 0 else int(length[i]),
            "surface": "home",
            "session_id": f"given-{burst[i]}" if user[i] == 3 else None,
        }
        for i in range(count)
    ]
    return rows_of(LISTENS, rows), small_catalogue()


def small_catalogue() -> pa.Table:
    """Thirty tracks: one that changes its artist, and one that becomes known late."""
    tracks = [
        {
            "track_id": f"t{i:02d}",
            "artist_id": f"a{i % 7}",
            "title": f"T{i}",
            "known_at": instant(0),
        }
        for i in range(29)
    ]
    tracks.append(tracks[0] | {"artist_id": "a-new", "known_at": instant(4, "10:00")})
    tracks.append(tracks[1] | {"track_id": "t29", "known_at": instant(6, "10:00")})
    return rows_of(TRACKS, tracks)


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The parsed project; parsing once saves a second of every run."""
    folder = tmp_path_factory.mktemp("parse")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_TARGET_PATH", str(folder))
        patch.setenv("DBT_LOG_PATH", str(folder))
        result = dbtRunner().invoke(
            ["parse", "--quiet", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
        )
    assert result.success, result.exception
    return result.result


@pytest.fixture
def home(tmp_path: Path, manifest: Manifest) -> Home:
    """An empty home."""
    return Home(tmp_path, manifest)


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Home:
    """The small world, built as one range. Never changed: copy it."""
    built = Home(tmp_path_factory.mktemp("full"), manifest)
    listens, tracks = small_world()
    built.write("listens", listens)
    built.write("tracks", tracks)
    built.run(FIRST, day(DAYS))
    return built


@pytest.fixture(scope="session")
def daily(full: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The small world, built day by day. Never changed: copy it."""
    built = Home(tmp_path_factory.mktemp("daily"), full.manifest)
    shutil.copytree(full.lake, built.lake)
    for number in range(DAYS):
        built.run(day(number), day(number + 1))
    return built


@pytest.fixture
def fork(tmp_path: Path) -> Callable[[Home], Home]:
    """Copies a home into the test's own folder."""
    return lambda home: home.copy(tmp_path / "fork")

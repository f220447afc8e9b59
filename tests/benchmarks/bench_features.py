"""Time and memory of the feature models: a full build, then one more day.

Belongs here: a lake of N listens written straight from DuckDB and dbt runs in child processes, so
that peak memory is theirs alone. Does not belong here: claims about realism (ml.simulation).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
FIRST_DAY = date(2025, 1, 1)
LISTENS_A_USER = 500
LISTENS_A_TRACK = 100

# Popular tracks are heard more (a cube of a uniform draw), some rows arrive a day late, a fifth are
# skips. hash() makes every draw a function of the row number.
_LISTENS = """
with drawn as (
    select
        i,
        hash(i, 1) / 18446744073709551615.0 as who,
        hash(i, 2) / 18446744073709551615.0 as what,
        hash(i, 3) / 18446744073709551615.0 as how,
        (i * {days} // {listens})::integer as day_number,
        (hash(i // 12, 4) % 86000)::bigint + 200 * (i % 12) as second_of_day
    from range({listens}) as rows (i)
)
select
    'listen-' || lpad(i::varchar, 10, '0') as listen_id,
    'user-' || lpad((hash(i // 12) % {users})::varchar, 7, '0') as user_id,
    'track-' || lpad(floor(what * what * what * {tracks})::bigint::varchar, 7, '0') as track_id,
    timestamptz '{first} 00:00:00+00' + to_seconds(day_number * 86400 + least(second_of_day, 86399))
        - case when who < 0.01 and day_number > 0 then interval 1 day else interval 0 day end
        as played_at,
    case when how < 0.2 then 9000 else 200000 end::bigint as ms_played,
    'home' as surface,
    null::varchar as session_id,
    null::varchar as request_id,
    timestamptz '{first} 00:00:00+00' + to_seconds(day_number * 86400 + least(second_of_day, 86399))
        as known_at,
    date '{first}' + day_number as day
from drawn
"""

_TRACKS = """
select
    'track-' || lpad(i::varchar, 7, '0') as track_id, 'Title ' || i as title,
    'artist-' || (i // 8) as artist_id, 'Artist ' || (i // 8) as artist_name, null::varchar as album,
    null::date as released_on, 200000::bigint as duration_ms, false as explicit,
    ['rock'] as genres, null::varchar[] as tags, 120.0::double as tempo, 0.5::double as energy,
    0.5::double as valence, 0.5::double as danceability, 0.5::double as acousticness,
    0.5::double as instrumentalness, -6.0::double as loudness,
    timestamptz '{first} 00:00:00+00' as known_at, date '{first}' as day
from range({tracks}) as rows (i)
"""


@dataclass(frozen=True, slots=True)
class Measure:
    """One step: wall seconds, seconds inside dbt nodes, peak resident megabytes of its process."""

    step: str
    seconds: float
    models: float
    megabytes: float


def write_lake(lake: Path, listens: int, days: int) -> None:
    """Write the tables `listens` and `tracks`, a folder a day; one day more than `days`."""
    sizes = {
        "days": days,
        "listens": listens,
        "first": FIRST_DAY,
        "users": max(listens // LISTENS_A_USER, 1),
        "tracks": max(listens // LISTENS_A_TRACK, 1),
    }
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table, query in (("listens", _LISTENS), ("tracks", _TRACKS)):
            folder = lake / table
            folder.mkdir(parents=True)
            connection.execute(
                f"copy ({query.format(**sizes)}) to '{folder}' (format parquet, partition_by (day))"
            )


def run_range(home: Path, step: str, first: date, last: date, command: str) -> Measure:
    """Run dbt over [first, last) in a child process."""
    environment = {
        **os.environ,
        "SEGUE_WAREHOUSE": str(home / "warehouse.duckdb"),
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
    }
    variables = {
        "start_day": first.isoformat(),
        "end_day": last.isoformat(),
        "lake": str(home / "lake"),
        "artifacts": str(home / "artifacts"),
    }
    arguments = [
        Path(sys.executable).with_name("dbt"), command, "--quiet",
        "--project-dir", PROJECT, "--profiles-dir", PROJECT,
        "--vars", json.dumps(variables),
    ]  # fmt: skip
    if command == "build":
        arguments += ["--exclude-resource-type", "unit_test"]
    started = time.perf_counter()
    process = subprocess.Popen([str(argument) for argument in arguments], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"{step}: dbt {command} ended with status {status}; see its lines above")
    results = json.loads((home / "target" / "run_results.json").read_text())["results"]
    models = sum(result["execution_time"] for result in results)
    return Measure(step, seconds, models, _megabytes(usage))


def _megabytes(usage: resource.struct_rusage) -> float:
    """ru_maxrss counts kilobytes on Linux, bytes on macOS."""
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def measure(home: Path, listens: int, days: int, command: str) -> list[Measure]:
    """A lake of `listens`, all but its last day built as one range, then the last day."""
    started = time.perf_counter()
    write_lake(home / "lake", listens, days)
    written = Measure("write the lake", time.perf_counter() - started, 0.0, 0.0)
    last = FIRST_DAY + timedelta(days=days - 1)
    return [
        written,
        run_range(home, f"full build of {days - 1} days", FIRST_DAY, last, command),
        run_range(home, "one more day", last, last + timedelta(days=1), command),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listens", type=int, default=2_000_000)
    parser.add_argument("--days", type=int, default=200)
    parser.add_argument("--command", choices=("run", "build"), default="run")
    parser.add_argument("--home", type=Path, help="keep lake and warehouse in this empty folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = options.home or Path(scratch)
        home.mkdir(parents=True, exist_ok=True)
        rows = measure(home, options.listens, options.days, options.command)
    lines = [f"{options.listens:,} listens, dbt {options.command}"]
    lines.append(f"{'step':<28}{'seconds':>9}{'in models':>11}{'peak MB':>9}")
    lines += [
        f"{row.step:<28}{row.seconds:>9.1f}{row.models:>11.1f}{row.megabytes:>9.0f}" for row in rows
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

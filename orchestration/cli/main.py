"""The `segue` command.

Belongs here: arguments, help and the printing of errors. Does not belong here: work (the modules beside
this one, imported when a command runs: `segue --help` stays under a second).
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The whole life of a music recommender in one lineage graph.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Day = Annotated[str, typer.Option(help="A day, YYYY-MM-DD.")]


@contextmanager
def _errors() -> Iterator[None]:
    """Print Segue's own errors without a traceback and end with 1."""
    from ml.errors import SegueError

    try:
        yield
    except SegueError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        raise typer.Exit(1) from error


@app.command()
def simulate(
    listeners: Annotated[int, typer.Option(help="Listeners of the world.")] = 2_000,
    tracks: Annotated[int, typer.Option(help="Tracks on the first day.")] = 8_000,
    days: Annotated[int, typer.Option(help="Days of history that bootstrap builds.")] = 53,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 7,
    incident: Annotated[str, typer.Option(help="Something that goes wrong, e.g. unit_bug.")] = "",
    incident_day: Annotated[int, typer.Option(help="Number of its first day, from 1.")] = 58,
) -> None:
    """Begin a home with a simulated world."""
    with _errors():
        from orchestration.cli.beginnings import simulate_home

        simulate_home(listeners, tracks, days, seed, incident, incident_day)


@app.command("import")
def import_(
    format_: Annotated[
        str, typer.Argument(metavar="FORMAT", help="canonical, playlog, hetrec-lastfm, sessions")
    ],
    path: Annotated[Path, typer.Argument(help="A file or folder.")],
    option: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, repeatable.")] = None,
) -> None:
    """Import listens into the home's lake."""
    with _errors():
        from orchestration.cli.beginnings import import_files

        import_files(format_, path, option or [])


@app.command()
def run(
    job: Annotated[str, typer.Argument(help="bootstrap, daily or train")],
    day: Day = "",
    as_of: Annotated[str, typer.Option(help="train: see nothing from this day on.")] = "",
) -> None:
    """Run a job of the graph in this process; the run stands in the UI."""
    with _errors():
        from orchestration.cli.jobs import run_job

        run_job(job, day, as_of)


@app.command()
def demo(
    data: Annotated[
        Path | None, typer.Option(help="Real data instead of a simulated world.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="Format of the data.")] = "canonical",
    option: Annotated[list[str] | None, typer.Option(help="NAME=VALUE for the import.")] = None,
    listeners: int = 2_000,
    tracks: int = 8_000,
    days: int = 53,
    seed: int = 7,
    incident: str = "unit_bug",
) -> None:
    """Live a recommender's life: history, training, promotion, seven days, reports."""
    with _errors():
        from orchestration.beginning import World
        from orchestration.cli.demo import demo_data, demo_world

        if data is not None:
            demo_data(data, format_, option or [])
        else:
            demo_world(World(listeners, tracks, days, seed, incident, days + 5))


@app.command()
def recommend(
    requests: Annotated[
        Path,
        typer.Option(help="Parquet or CSV: request_id, user_id, surface, at, session_track_ids."),
    ],
    out: Annotated[Path, typer.Option(help="Where to write the lists: .parquet or .csv.")],
    k: Annotated[int, typer.Option(help="Tracks a request.")] = 20,
    exclude_heard: Annotated[bool, typer.Option(help="Discovery only.")] = False,
) -> None:
    """Answer a file of requests with the champion."""
    with _errors():
        from orchestration.cli.answers import recommend_file

        recommend_file(requests, out, k, exclude_heard)


@app.command()
def evaluate() -> None:
    """Print the comparison table of the latest training."""
    with _errors():
        from orchestration.cli.answers import print_evaluation

        print_evaluation()


@app.command()
def benchmark(
    name: Annotated[
        str,
        typer.Argument(help="nowplaying-sessions, s3rec-lastfm-seq, hetrec2011-lastfm-2k, or all"),
    ],
    data: Annotated[
        Path | None, typer.Option(help="Folder of the data set (all: of the data sets).")
    ] = None,
    validation: Annotated[
        bool, typer.Option(help="Move the cut one part back: to choose, not to report.")
    ] = False,
) -> None:
    """Run a published task through import, train and recommend, and print the table."""
    with _errors():
        from orchestration.cli.benchmark import run_benchmark

        run_benchmark(name, data, validation)


@app.command()
def trace(
    request_id: Annotated[str, typer.Argument(help="As in a list of recommendations.")],
) -> None:
    """Walk a recommendation back to its model, training window and source files."""
    with _errors():
        from orchestration.cli.tracing import trace_request

        trace_request(request_id)


@app.command()
def review(
    day: Annotated[str, typer.Argument(help="Day of the report.")] = "",
    area: Annotated[str, typer.Argument(help="Area of the report.")] = "",
    decision: Annotated[str, typer.Argument(help="keep, retrain or rollback.")] = "",
    note: Annotated[str, typer.Option(help="Why.")] = "",
    reviewer: Annotated[str, typer.Option(help="Who (default: the user of this shell).")] = "",
) -> None:
    """List open reports, worst first, or close one with a decision."""
    with _errors():
        from orchestration.cli.reviewing import close_report, list_open

        if day:
            close_report(day, area, decision, note, reviewer)
        else:
            list_open()


@app.command()
def rollback(
    version: Annotated[str, typer.Argument(help="A version that served (default: before).")] = "",
    why: Annotated[str, typer.Option(help="The reason, kept in the history.")] = "",
) -> None:
    """Let the model serve again that served before the champion."""
    with _errors():
        from orchestration.cli.rolling_back import roll_back

        roll_back(version, why)


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port on the loopback address.")] = 3000) -> None:
    """Open Dagster on this home."""
    with _errors():
        from orchestration.cli.serving_ui import open_ui

        open_ui(port)


@app.command()
def doctor() -> None:
    """Say what the home holds and what is wrong with it."""
    with _errors():
        from orchestration.cli.health import examine

        examine()


def main() -> None:
    """Run the command and end the process.

    dbt holds DuckDB objects to the end, and DuckDB's binding then prints a page of "leaked instance" lines
    at interpreter shutdown. Everything is written and closed by now, so the shutdown is left out.
    """
    # Progress bars of libraries hold semaphores to the end too; their tracker, a process of its own,
    # would say so after the last line. It takes its warning filters from here.
    sys.warnoptions.append("ignore:resource_tracker:UserWarning")
    code = 0
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

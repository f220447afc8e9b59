"""The `segue` command.

Belongs here: arguments, help and the printing of errors. Does not belong here: work (the modules beside
this one, imported when a command runs: `segue --help` stays under a second).
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.errors import told as _errors
from orchestration.cli.served import register

app = typer.Typer(
    help="The whole life of a music recommender in one lineage graph.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Day = Annotated[str, typer.Option(help="A day, YYYY-MM-DD.")]


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
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="[FORMAT] PATH",
            help="A file, folder or zip; its format is recognised when it is not named.",
        ),
    ],
    option: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, repeatable.")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="The files grow: live every day from today on.")
    ] = False,
) -> None:
    """Import listens into the home's lake.

    Formats: canonical, playlog, hetrec-lastfm, sessions, spotify-export, lastfm-1k, listenbrainz, csv.
    """
    with _errors():
        from orchestration.cli.beginnings import import_files

        import_files(what, option or [], live)


@app.command()
def run(
    job: Annotated[str, typer.Argument(help="bootstrap, daily or train")],
    day: Day = "",
    as_of: Annotated[str, typer.Option(help="train: see nothing from this day on.")] = "",
    horizon: Annotated[int, typer.Option(help="train: days that a Home list has to last.")] = 0,
    gap: Annotated[int, typer.Option(help="train: days left out before each split.")] = 0,
) -> None:
    """Run a job of the graph in this process; the run stands in the UI."""
    with _errors():
        from orchestration.cli.jobs import run_job

        run_job(job, day, as_of, horizon, gap)


@app.command()
def demo(
    data: Annotated[
        Path | None, typer.Option(help="Real data instead of a simulated world.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="Format (default: recognised).")] = "",
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
    """Print how the latest training compares, and where its page is."""
    with _errors():
        from orchestration.cli.evaluating import print_evaluation

        print_evaluation()


@app.command()
def tune(
    surface: Annotated[
        list[str] | None, typer.Argument(help="home, now_playing (default: both)")
    ] = None,
    minutes: Annotated[
        float, typer.Option(help="Time for the search, shared by the surfaces.")
    ] = 20,
    trials: Annotated[
        int, typer.Option(help="Trials a surface at most, earlier ones included.")
    ] = 60,
    forget: Annotated[bool, typer.Option(help="Train with the defaults again.")] = False,
) -> None:
    """Search the rankers' hyper-parameters on validation days; what is shown to be better is used from then on."""
    with _errors():
        from orchestration.cli.tuning import tune as search

        search(minutes, trials, surface or [], forget)


@app.command()
def benchmark(
    name: Annotated[
        str,
        typer.Argument(
            help="nowplaying-sessions, s3rec-lastfm-seq, hetrec2011-lastfm-2k, "
            "fivethirtyeight-classic-rock, simulator, a folder of your own, or all"
        ),
    ],
    data: Annotated[
        Path | None, typer.Option(help="Folder of the data set (all: of the data sets).")
    ] = None,
    validation: Annotated[
        bool, typer.Option(help="Move the cut one part back: to choose, not to report.")
    ] = False,
    extras: Annotated[
        bool, typer.Option("--extras", help="RecTools' SASRec and two-stage model, too.")
    ] = False,
    extras_python: Annotated[
        Path | None,
        typer.Option(help="The Python that has RecTools (default: .extras/bin/python)."),
    ] = None,
) -> None:
    """Run a published task, or any listens, through import, train and recommend, and print the table."""
    with _errors():
        from orchestration.cli.benchmark import run_benchmark
        from orchestration.cli.benchmark_extras import extras_python as python_of

        run_benchmark(name, data, validation, python_of(extras, extras_python))


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port (0: any that is free).")] = 8000,
    host: Annotated[str, typer.Option(help="Address; others than this machine's need a token.")] = (
        "127.0.0.1"
    ),
    workers: Annotated[int, typer.Option(help="Processes, one thread each.")] = 1,
    deadline_ms: Annotated[
        float, typer.Option(help="Milliseconds until an answer falls back.")
    ] = 50.0,
    capacity: Annotated[
        int, typer.Option(help="Answers under way in a worker; more are turned away with 503.")
    ] = 8,
    rate: Annotated[
        float, typer.Option(help="Calls a second of one address in a worker (0: any number).")
    ] = 0.0,
) -> None:
    """Answer for the champion over HTTP (SEGUE_TOKEN: the bearer token to ask for)."""
    with _errors():
        from orchestration.cli.serving import Serving
        from orchestration.cli.serving import serve as serve_home

        serve_home(Serving(host, port, workers, deadline_ms, capacity, rate))


register(app)


@app.command()
def review(
    day: Annotated[str, typer.Argument(help="Day of the report.")] = "",
    area: Annotated[str, typer.Argument(help="Area of the report.")] = "",
    shorthand: Annotated[str, typer.Argument(metavar="[DECISION]", hidden=True)] = "",
    decision: Annotated[
        str,
        typer.Option(
            help="keep the model, retrain (starts a training) or rollback (the one before serves)."
        ),
    ] = "",
    note: Annotated[str, typer.Option(help="Why; needed for retrain and rollback.")] = "",
    reviewer: Annotated[str, typer.Option(help="Who (default: the user of this shell).")] = "",
) -> None:
    """List open reports, worst first, or close one with a decision and do what it says."""
    with _errors():
        from orchestration.cli.reviewing import close_report, list_open

        if day:
            close_report(day, area, decision or shorthand, note, reviewer)
        else:
            list_open()


@app.command()
def ui(
    what: Annotated[
        str, typer.Argument(help="dagster, or evidently: the dashboards over time.")
    ] = "dagster",
    port: Annotated[
        int, typer.Option(help="Port on the loopback address (0: 3000, evidently 3002).")
    ] = 0,
) -> None:
    """Open Dagster on this home, or Evidently on its reports."""
    with _errors():
        from orchestration.cli.serving_ui import open_page

        open_page(what, port)


@app.command()
def doctor(
    alert: Annotated[
        bool,
        typer.Option(
            "--alert", help="For cron: alert on a day of a live home that is due and not lived."
        ),
    ] = False,
    by: Annotated[int, typer.Option(help="Hour (UTC) by which yesterday is due.")] = 8,
) -> None:
    """Say what the home holds and what is wrong with it."""
    with _errors():
        if alert:
            from orchestration.cli.watching import watch_the_schedule

            watch_the_schedule(by)
            return
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

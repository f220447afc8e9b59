"""`segue run JOB`.

Belongs here: which days a job runs over. Does not belong here: running (orchestration.running).
"""

from datetime import UTC, date, datetime, timedelta

from ml.errors import SegueError
from ml.lake.store import Lake
from orchestration.cli.console import console, then, working
from orchestration.days import next_day
from orchestration.home import SIMULATED, read_home
from orchestration.resources import WarehouseResource
from orchestration.running import Launch, execute
from orchestration.settings import Settings, load_settings, prepare_process
from orchestration.warehouse_facts import built_until

JOBS = ("bootstrap", "daily", "train")


def a_day(text: str) -> date | None:
    """A day from YYYY-MM-DD, None for nothing.

    Raises:
        SegueError: another form.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SegueError(f"expected a day as YYYY-MM-DD, found {text!r}") from error


def run_job(job: str, day: str, as_of: str, horizon: int = 0, gap: int = 0) -> None:
    """Run a job and say what came of it.

    Raises:
        SegueError: no such job, no home, or the run failed.
    """
    settings = load_settings()
    if job not in JOBS:
        raise SegueError(f"expected a job of {', '.join(JOBS)}, found {job!r}")
    prepare_process(settings)
    read_home(settings)
    if job == "bootstrap":
        bootstrap(settings, a_day(day))
        then("segue run train")
    elif job == "daily":
        daily(settings, a_day(day))
        then("segue review")
    else:
        for option, days in (("--horizon", horizon), ("--gap", gap)):
            if days < 0:
                raise SegueError(f"expected {option} to be a number of days, found {days}")
        train(settings, a_day(as_of), horizon or None, gap or None)
        then("segue evaluate")


def bootstrap(settings: Settings, last: date | None = None) -> None:
    """Build the history in one ranged run."""
    home = read_home(settings)
    launch = Launch("bootstrap", home.first_partition, last or home.bootstrap_end)
    with working(f"bootstrap {home.first_day} to {launch.last}"):
        execute(settings, launch)


def daily(settings: Settings, day: date | None = None) -> date:
    """Live a day, the given one or the next, and return it.

    Raises:
        SegueError: there is no next day, or its run failed.
    """
    coming = next_day(settings, read_home(settings), datetime.now(UTC))
    wanted = day or coming.day
    if wanted is None:
        raise SegueError(f"expected a next day, found none: {coming.reason}")
    with working(f"daily {wanted}"):
        execute(settings, Launch("daily", wanted, wanted))
    return wanted


def behind(settings: Settings) -> bool:
    """Whether the lake holds days of the history that the warehouse has not built."""
    home = read_home(settings)
    built = WarehouseResource().ask(built_until, default={})
    if not built:
        return True
    if home.source.kind == SIMULATED:
        return False
    days = [day for day in Lake(settings.home).days("listens") if day <= home.bootstrap_end]
    return bool(days) and min(built.values()) < days[-1] + timedelta(days=1)


def train(
    settings: Settings,
    as_of: date | None = None,
    horizon: int | None = None,
    gap: int | None = None,
) -> None:
    """Train on everything imported, up to `as_of`, for lists that last `horizon` days, with `gap` days left out
    before each split, and let the gate decide."""
    if behind(settings):
        bootstrap(settings)
    with working(f"train as of {as_of or 'the latest day'}"):
        execute(settings, Launch("train", as_of=as_of, horizon=horizon, gap=gap))
    # Read after the run: MLflow is slow to import.
    from ml.ranking.run import current_run

    run = current_run(settings.training)
    text = (run.evaluation / "decision.json").read_text()
    console.print("promoted" if '"promote": true' in text else "not promoted", style="bold")

"""Running a job from the command line, in this process, on the home's own Dagster instance.

Belongs here: execution so that every run stands in the UI's run list, and clearing up after killed
runs. Does not belong here: jobs (orchestration.jobs) or words for people (orchestration.cli).
"""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from ml.errors import SegueError
from orchestration import full_disk
from orchestration.full_disk import DiskFullError
from orchestration.notify import failure_text, notify, send_again
from orchestration.settings import Settings, prepare_process

if TYPE_CHECKING:
    import dagster as dg

# The first step of a training begins the run and holds its configuration.
TRAIN_CONFIG_OP = "embeddings__track_documents"
_PID = "segue/pid"


class RunFailedError(SegueError):
    """A job's run failed; the message holds the step's own."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to run: a job with one day, a range of days [first, last], or neither.

    `as_of`, `horizon` and `gap` are for `train` only: the day before which it sees everything, for how many
    days a Home list has to last, and how many are left out before each split. `assets` leaves
    the others of the job out: keys ("ranking/home_ranker") or whole groups ("raw").
    """

    job: str
    first: date | None = None
    last: date | None = None
    as_of: date | None = None
    horizon: int | None = None
    gap: int | None = None
    assets: tuple[str, ...] = ()

    def tags(self) -> dict[str, str]:
        """Partition and origin tags of the run."""
        tags = {_PID: str(os.getpid())}
        if self.first and self.last and self.first != self.last:
            tags["dagster/asset_partition_range_start"] = self.first.isoformat()
            tags["dagster/asset_partition_range_end"] = self.last.isoformat()
        return tags

    @property
    def partition_key(self) -> str | None:
        """The day, None for a range or an unpartitioned job."""
        return self.first.isoformat() if self.first and self.first == self.last else None

    @property
    def command(self) -> str:
        """The command that runs it; with the partition where it is of one day."""
        parts = ["segue run", self.job]
        if self.partition_key is not None:
            parts.append(f"--day {self.partition_key}")
        if self.as_of is not None:
            parts.append(f"--as-of {self.as_of}")
        if self.horizon is not None:
            parts.append(f"--horizon {self.horizon}")
        if self.gap is not None:
            parts.append(f"--gap {self.gap}")
        return " ".join(parts)

    def run_config(self) -> Mapping[str, Any]:
        """Configuration of the run: what training sees and is judged by, quiet logs."""
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        config: dict[str, str | int] = {}
        if self.as_of is not None:
            config["as_of"] = self.as_of.isoformat()
        if self.horizon is not None:
            config["horizon"] = self.horizon
        if self.gap is not None:
            config["gap"] = self.gap
        if not config:
            return quiet
        return {**quiet, "ops": {TRAIN_CONFIG_OP: {"config": config}}}


@cache
def definitions() -> "dg.Definitions":
    """The graph, made once a process."""
    from orchestration.definitions import defs

    return defs()


def execute(settings: Settings, launch: Launch) -> str:
    """Run the job and return the run's id. Alerts that no address took are sent again at its end.

    Raises:
        RunFailedError: a step failed. The run stands in the UI and an alert was written.
        DiskFullError: there was no room for the records of the run itself.
    """
    prepare_process(settings)
    import dagster as dg

    try:
        with dg.DagsterInstance.get() as instance:
            return _executed(settings, launch, instance)
    except full_disk.kinds() as error:
        # Dagster's own tables lie on the same disk as what its steps write.
        if isinstance(error, SegueError) or not full_disk.is_full(error, settings.home):
            raise
        raise DiskFullError(full_disk.told(settings.home, launch.command)) from error


def _executed(settings: Settings, launch: Launch, instance: "dg.DagsterInstance") -> str:
    clear_dead_runs(instance)
    job = definitions().resolve_job_def(launch.job)
    result = job.execute_in_process(
        instance=instance,
        partition_key=launch.partition_key,
        tags=launch.tags(),
        run_config=launch.run_config(),
        asset_selection=_selected(job, launch.assets),
        raise_on_error=False,
    )
    if result.success:
        send_again(settings, datetime.now(UTC))
        return result.run_id
    text = failure_text(result.all_events) or _run_error(result)
    text = full_disk.advised(text, settings.home, launch.command)
    # The record of an alert needs room too; the run's own error is what has to be told.
    with suppress(OSError):
        notify(settings, at=datetime.now(UTC), title=f"{launch.job} failed", text=text)
    raise RunFailedError(
        f"{launch.job} failed (run {result.run_id[:8]}): {text}\n"
        "`segue ui` shows the run with its log"
    )


def _run_error(result: "dg.ExecuteInProcessResult") -> str:
    """What ended a run in which no step failed."""
    for event in result.all_events:
        if event.is_job_failure and (error := event.job_failure_data.error) is not None:
            return f"no step failed; {error.message.strip()}"
    return "no step failed; the run did not start"


def _selected(job: "dg.JobDefinition", assets: Collection[str]) -> "list[dg.AssetKey] | None":
    if not assets:
        return None
    keys = job.asset_layer.selected_asset_keys
    return [key for key in keys if key.path[0] in assets or key.to_user_string() in assets]


def clear_dead_runs(instance: "dg.DagsterInstance") -> int:
    """Close runs whose process was killed, so that they hold neither a pool nor the schedule; returns
    how many. Dagster's own monitoring does not look for the processes of a local launcher."""
    import dagster as dg

    under_way = (
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
    )
    dead = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=list(under_way))):
        pid = _process_of(instance, run)
        if pid is None or pid == os.getpid() or _is_alive(pid):
            continue
        instance.report_run_failed(run, message="The process that ran this was killed.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        dead += 1
    return dead


def _process_of(instance: "dg.DagsterInstance", run: "dg.DagsterRun") -> int | None:
    """The process of a run: `segue` names it in a tag, Dagster's launcher in an event."""
    import dagster as dg

    if _PID in run.tags:
        return int(run.tags[_PID])
    kind = dg.DagsterEventType.ENGINE_EVENT
    for record in instance.get_records_for_run(run.run_id, of_type=kind).records:
        event = record.event_log_entry.get_dagster_event()
        if "pid" in event.engine_event_data.metadata:
            return int(str(event.engine_event_data.metadata["pid"].value))
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

"""The code location: everything under defs/, the jobs, schedules, sensors and resources.

Belongs here: loading. Does not belong here: any definition.
"""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """The whole graph."""
    from orchestration.freshness import is_live, with_deadlines
    from orchestration.jobs import JOBS
    from orchestration.resources import RESOURCES
    from orchestration.schedules import SCHEDULES
    from orchestration.sensors import SENSORS
    from orchestration.settings import load_settings

    assets = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(
        with_deadlines(assets) if is_live(load_settings()) else assets,
        dg.Definitions(
            jobs=JOBS,
            schedules=SCHEDULES,
            sensors=SENSORS,
            resources=RESOURCES,
            executor=dg.in_process_executor,
        ),
    )

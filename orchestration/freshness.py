"""How fresh the tables of a live home have to be.

Belongs here: the deadline and whom it binds. Does not belong here: the clock (orchestration.days) or alerts
(orchestration.alerting). A replayed or simulated home has no clock of its own and is never late.
"""

import warnings
from datetime import timedelta

import dagster as dg

from orchestration.home import LIVE, read_home
from orchestration.jobs import DAILY_GROUPS
from orchestration.settings import Settings

# The day is asked for at 4:30 UTC; `segue doctor --alert` calls it missed from the same hour on.
DEADLINE = dg.FreshnessPolicy.cron(
    deadline_cron="0 8 * * *", lower_bound_delta=timedelta(hours=4), timezone="UTC"
)


def is_live(settings: Settings) -> bool:
    """Whether the home lives by the calendar; no home does not."""
    return settings.home_file.is_file() and read_home(settings).source.kind == LIVE


def with_deadlines(definitions: dg.Definitions) -> dg.Definitions:
    """The same graph; what `daily` makes is late when it was not made between 4:00 and 8:00 UTC."""

    def bound(spec: dg.AssetSpec) -> dg.AssetSpec:
        if spec.group_name not in DAILY_GROUPS:
            return spec
        return dg.apply_freshness_policy(spec, DEADLINE)

    with warnings.catch_warnings():
        # Dagster may change this function in a patch: constraints.txt pins one. Its users cannot act on it.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return definitions.map_asset_specs(func=bound)

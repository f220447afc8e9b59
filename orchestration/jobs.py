"""The jobs.

Belongs here: what each job selects; `review` has a module of its own. Does not belong here: when they run (orchestration.schedules).
All use the in-process executor: a daily run costs about 6 s of orchestration, 30 to 40 s with a process
per step.
"""

import dagster as dg

from orchestration.review_job import review_job

HISTORY_GROUPS = ("raw", "staging", "intermediate", "features", "marts")
DAILY_GROUPS = (*HISTORY_GROUPS, "serving", "monitoring")
TRAIN_GROUPS = ("embeddings", "candidates", "ranking", "evaluation", "registry")

BOOTSTRAP = dg.define_asset_job(
    "bootstrap",
    selection=dg.AssetSelection.groups(*HISTORY_GROUPS),
    description="The history in one ranged run: lake, state and marts, without recommendations.",
    executor_def=dg.in_process_executor,
)
DAILY = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.groups(*DAILY_GROUPS),
    description="One day: ingest it, build state, recommend for the day after, watch.",
    executor_def=dg.in_process_executor,
)
TRAIN = dg.define_asset_job(
    "train",
    selection=dg.AssetSelection.groups(*TRAIN_GROUPS),
    description="From track documents to a judged model, champion where the gate lets it.",
    executor_def=dg.in_process_executor,
)
JOBS = (BOOTSTRAP, DAILY, TRAIN, review_job)
